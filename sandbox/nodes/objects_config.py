"""The settings of a node that takes objects: which SOP classes, in which transfer syntaxes; and of one that sends them.

Both lists are as administrators write them: UIDs, keywords or names of the standard, with * and ?. An empty list is
everything, in the order that the sandbox prefers; otherwise the list's order is the order of preference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field
from pydicom.uid import UID

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.explain import uid_name
from sandbox.dicom.syntaxes import ALL_TRANSFER_SYNTAXES, STORAGE_CLASSES, storage_contexts
from sandbox.model.config import NodeConfig, shown


def chosen(patterns: Iterable[str], uids: Sequence[str]) -> tuple[str, ...]:
    """Those of ``uids`` that the patterns name, in the order of the patterns; all of them without any."""
    patterns = tuple(patterns)
    if not patterns:
        return tuple(uids)
    return tuple(dict.fromkeys(uid for pattern in patterns for uid in _matches(pattern, tuple(uids))))


@cache
def _matches(pattern: str, uids: tuple[str, ...]) -> tuple[str, ...]:
    wanted = _plain(pattern)
    names = _names(uids)
    return tuple(uid for uid in uids if uid == pattern or any(fnmatchcase(name, wanted) for name in names[uid]))


@cache
def _names(uids: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    return MappingProxyType(
        {uid: frozenset({_plain(uid_name(uid)), _plain(UID(uid).keyword or "")} - {""}) for uid in uids}
    )


def _plain(name: str) -> str:
    """ "CT Image Storage" and "CTImageStorage" are one name, whatever the case."""
    return "".join(letter for letter in name.lower() if letter.isalnum() or letter in "*?.")


def _known(what: str, uids: tuple[str, ...]) -> AfterValidator:
    def check(patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if not _matches(pattern, uids):
                raise ValueError(f"{pattern!r} is no {what} that is known here")
        return patterns

    return AfterValidator(check)


SopClasses = Annotated[tuple[str, ...], _known("storage SOP class", STORAGE_CLASSES)]
TransferSyntaxes = Annotated[tuple[str, ...], _known("transfer syntax", ALL_TRANSFER_SYNTAXES)]


class ObjectsConfig(NodeConfig):
    """What an administrator sets on a node that objects are sent to."""

    storage_classes: SopClasses = Field(
        (),
        **shown(
            "SOP classes accepted",
            "Names of storage SOP classes, such as CT Image Storage or *SR*. Empty: all of them.",
            group="Objects",
        ),
    )
    transfer_syntaxes: TransferSyntaxes = Field(
        (),
        **shown(
            "Transfer syntaxes accepted",
            "The preferred one first, such as Explicit VR Little Endian or JPEG*. Empty: all of them.",
            group="Objects",
        ),
    )

    def storage(self, *, peer_may_be_scp: bool = False) -> tuple[SupportedContext, ...]:
        """The presentation contexts in which objects are taken."""
        return storage_contexts(
            chosen(self.storage_classes, STORAGE_CLASSES),
            chosen(self.transfer_syntaxes, ALL_TRANSFER_SYNTAXES),
            peer_may_be_scp=peer_may_be_scp,
        )


class SendingConfig(NodeConfig):
    """What an administrator sets on a node that sends objects from a queue."""

    transcode: bool = Field(
        True,
        **shown(
            "Decompress where needed",
            "Send uncompressed to those who do not take the transfer syntax that an object is in.",
            group="Sending",
        ),
    )
    keep_association_s: float = Field(
        0.0,
        ge=0,
        le=86400,
        **shown(
            "Keep associations open for",
            "An association that is not used is kept for the next object so long. 0: it is released at once.",
            unit="s",
            group="Sending",
        ),
    )
