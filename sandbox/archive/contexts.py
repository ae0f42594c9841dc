"""What an archive accepts. Apart from the archive itself, since a node's local disk has no need to load pynetdicom."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.syntaxes import (
    query_retrieve_find,
    query_retrieve_get,
    query_retrieve_move,
    storage_commitment,
    storage_contexts,
    verification,
)


def archive_contexts(storage: Sequence[SupportedContext] | None = None) -> tuple[SupportedContext, ...]:
    """Verification, storage (also by role selection, for whom a C-GET sends to), query and retrieve, commitment.
    ``storage`` stands for every storage SOP class in every transfer syntax."""
    return (
        *verification(),
        *(storage_contexts(peer_may_be_scp=True) if storage is None else storage),
        *query_retrieve_find(),
        *query_retrieve_move(),
        *query_retrieve_get(),
        *storage_commitment(),
    )
