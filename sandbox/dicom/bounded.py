"""Bytes for pydicom to read a data set from, that end its reading when it takes too long.

A data set of a few megabytes can hold a million empty items; pydicom makes an object of each, and that costs a minute
and a gigabyte. What honest data sets hold is read in a fraction of the limit. This module needs neither pydicom nor
pynetdicom.
"""

from __future__ import annotations

from io import BytesIO

# An element takes two or three.
_MOST_READS = 300_000


class TooManyElementsError(Exception):
    """The data set holds more than is read."""


class BoundedReader(BytesIO):
    """Raises TooManyElementsError when it has been read from too often."""

    def __init__(self, data: bytes, most: int = _MOST_READS) -> None:
        super().__init__(data)
        self._left = most

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise TooManyElementsError("more elements than are read")
        return super().read(size)
