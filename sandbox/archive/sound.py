"""Whether an instance is sound: what it says of itself against what was said of it, and whether its file is whole.

Reasons are words for an Error Comment; empty when nothing is wrong.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.archive.header import Buffer, Header
from sandbox.archive.part10 import NotPart10Error, opened
from sandbox.archive.uids import is_uid
from sandbox.dicom.contract import StoreRequest


def disagreement(request: StoreRequest, header: Header) -> str:
    """Why the data set is not what the command says it is; empty if it is (PS3.4 B.2.3, A9xx)."""
    for keyword, expected in (("SOPInstanceUID", request.sop_instance), ("SOPClassUID", request.sop_class)):
        found = header.get_keyword(keyword)
        if not found:
            return f"{keyword} is missing in the data set"
        if found != expected:
            return f"{keyword} differs between command and data set"
    return ""


def unsound(header: Header) -> str:
    """Why an instance cannot be kept under its study and series."""
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        found = header.get_keyword(keyword)
        if not found:
            return f"{keyword} is missing"
        if not is_uid(found):
            return f"{keyword} is not a valid UID"
    return ""


def is_whole(path: Path, size: int) -> bool:
    """Whether a stored file is what was written once. One that was emptied, cut or overwritten behind our back is as
    good as gone: what comes again takes its place. Raises OSError when that cannot be told now (no descriptors left):
    then nothing may take its place."""
    try:
        with opened(path) as (meta, dataset):
            return meta.offset + len(dataset) == size
    except (NotPart10Error, FileNotFoundError):
        return False


def holds(path: Path, dataset: Buffer) -> bool:
    """Whether the file's data set is this one, byte for byte."""
    try:
        with opened(path) as (_, stored):
            return len(stored) == len(dataset) and stored == memoryview(dataset)
    except (NotPart10Error, OSError):
        return False
