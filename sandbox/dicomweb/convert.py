"""A stored instance as Explicit VR Little Endian (PS3.5 A.2): the data set that a C-STORE of it would carry, in a Part
10 file, given piece by piece whatever its size."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.uid import ExplicitVRLittleEndian

from sandbox.archive.part10 import file_head
from sandbox.dicom.contract import StoredObject
from sandbox.dicom.syntaxes import can_transcode
from sandbox.dicom.transcode import PIECE, TranscodeError, transcode
from sandbox.dicomweb.instances import is_whole
from sandbox.dicomweb.multipart import whole_file
from sandbox.model.errors import ConflictError, UnavailableError


def can_convert(stored: StoredObject) -> bool:
    """Whether an instance can be given as Explicit VR Little Endian, as far as its transfer syntax tells."""
    return stored.transfer_syntax == ExplicitVRLittleEndian or can_transcode(
        stored.transfer_syntax, ExplicitVRLittleEndian
    )


def explicit_little_endian(stored: StoredObject) -> Iterator[bytes]:
    """The Part 10 file of an instance in Explicit VR Little Endian. Raises ConflictError for damaged pixel data."""
    if stored.transfer_syntax == ExplicitVRLittleEndian:
        yield from whole_file(stored.path)
        return
    if not is_whole(stored):
        raise UnavailableError(f"The file of {stored.sop_instance} cannot be read.", "Look at the archive's directory.")
    try:
        content = memoryview(transcode(stored.path, ExplicitVRLittleEndian))
    except TranscodeError as wrong:
        raise ConflictError(f"The instance cannot be encoded anew: {wrong}.", "Ask for it as it is stored.") from wrong
    except OSError as wrong:
        raise UnavailableError(
            f"The file of {stored.sop_instance} cannot be read.", "Look at the archive's directory."
        ) from wrong
    with content:
        yield file_head(stored.sop_class, stored.sop_instance, ExplicitVRLittleEndian)
        for start in range(0, len(content), PIECE):
            yield bytes(content[start : start + PIECE])
