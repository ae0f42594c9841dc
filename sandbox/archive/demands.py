"""What an instance must have by its SOP class beyond the UIDs that it is filed by, as far as the archive looks (B007).

Only elements of type 1 that the index reads anyway: Modality, which every composite object has (PS3.3 C.7.3.1), and the
size of the pixels, which every image has (PS3.3 C.7.6.3). An instance without them can be kept and found, so it is, and
its sender is told that it does not match its SOP class.
"""

from __future__ import annotations

from functools import cache

from sandbox.archive.header import Header
from sandbox.dicom.explain import uid_name

_OF_ALL = ("Modality",)
_OF_IMAGES = ("Rows", "Columns", "BitsAllocated")


@cache
def demanded(sop_class: str) -> tuple[str, ...]:
    """The keywords of the elements that instances of a SOP class must have."""
    return _OF_ALL + _OF_IMAGES if " Image Storage" in uid_name(sop_class) else _OF_ALL


def lacking(sop_class: str, header: Header) -> tuple[str, ...]:
    """Those of them that are missing or empty."""
    return tuple(keyword for keyword in demanded(sop_class) if not header.get_keyword(keyword))
