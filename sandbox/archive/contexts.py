"""What an archive accepts. Apart from the archive itself, since a node's local disk has no need to load pynetdicom."""

from __future__ import annotations

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.syntaxes import (
    query_retrieve_find,
    query_retrieve_get,
    query_retrieve_move,
    storage_commitment,
    storage_contexts,
    verification,
)


def archive_contexts() -> tuple[SupportedContext, ...]:
    """Verification, storage (also by role selection, for whom a C-GET sends to), query and retrieve, commitment."""
    return (
        *verification(),
        *storage_contexts(peer_may_be_scp=True),
        *query_retrieve_find(),
        *query_retrieve_move(),
        *query_retrieve_get(),
        *storage_commitment(),
    )
