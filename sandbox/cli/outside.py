"""An AE of our own outside every lab, on ordinary sockets: what the command line calls others with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import Peer, StoredObject, Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult
from sandbox.nodes.node import Node
from sandbox.nodes.tools import NodeTools

NAME = "command line"
MAXIMUM_PDU = 131072


@dataclass(frozen=True)
class _Caller:
    requestor: Requestor


@dataclass(frozen=True)
class _Outsider:
    """As much of a node as its tools need when every target is written out: a name and something to call with."""

    name: str
    caller: _Caller
    store: None = None


class OutsideTools(NodeTools):
    """The tools of a node, in the name of an AE that is none."""

    def __init__(self, ae_title: str) -> None:
        requestor = Requestor(
            ae_title, NAME, PlainDialler(), NullObserver(), Timeouts(), MAXIMUM_PDU, association_ids()
        )
        super().__init__(cast(Node, _Outsider(NAME, _Caller(requestor))))

    def send_files(self, peer: Peer, paths: Iterable[Path]) -> CommandResult:
        """C-STORE Part 10 files, over one association."""
        return self.send_objects(peer, [_stored(path) for path in paths])


def part10_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and those in the folders named, in order of their names."""
    for path in paths:
        yield from (sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path])


def _stored(path: Path) -> StoredObject:
    try:
        dataset = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"])
        return StoredObject(
            path, str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), str(dataset.file_meta.TransferSyntaxUID)
        )
    except (InvalidDicomError, AttributeError, OSError) as wrong:
        raise BadInputError(f"{path} is no DICOM file: {wrong}.", "Leave it out.") from wrong
