"""multipart/related (RFC 2387) both ways, in pieces: neither an answer nor an upload is ever in memory as a whole."""

from __future__ import annotations

import mmap
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from flask import Response

from sandbox.dicomweb.accept import RELATED
from sandbox.model.errors import BadInputError

PIECE = 1 << 18
"""Bytes read or written at a time."""

_IN_MEMORY = 1 << 20
_LARGEST_HEAD = 1 << 14


# -- Answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One part of an answer: its Content-Type, where it can be had alone, and its bytes."""

    content_type: str
    location: str
    pieces: Iterable[bytes]


def related(parts: Iterable[Part], media: str, status: int = 200) -> Response:
    """A multipart/related answer. The first part is begun before anything is sent, so that it can still be refused."""
    boundary = secrets.token_hex(16)
    answer = Response(begun(_written(parts, boundary)), status)
    answer.headers["Content-Type"] = f'{RELATED}; type="{media}"; boundary="{boundary}"'
    return answer


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, of which the first is there already: what fails at once fails now."""
    first = next(pieces, None)
    return _after(first, pieces)


def _after(first: bytes | None, rest: Iterator[bytes]) -> Iterator[bytes]:
    try:
        if first is not None:
            yield first
            yield from rest
    finally:
        close = getattr(rest, "close", None)
        if close is not None:
            close()


def _written(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    for part in parts:
        # What is wrong with a part shows at its first bytes, before its head is sent.
        pieces = begun(iter(part.pieces))
        location = f"Content-Location: {part.location}\r\n" if part.location else ""
        yield f"--{boundary}\r\nContent-Type: {part.content_type}\r\n{location}\r\n".encode("ascii")
        yield from pieces
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode("ascii")


def whole_file(path: Path) -> Iterator[bytes]:
    """A file from its beginning to its end."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def file_pieces(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    """``length`` bytes of an open file. Raises EOFError if it ends before."""
    file.seek(start)
    while length:
        piece = file.read(min(PIECE, length))
        if not piece:
            raise EOFError("The file is shorter than it was.")
        length -= len(piece)
        yield piece


# -- Uploads ----------------------------------------------------------------------------------------------------------


class CutOffError(BadInputError):
    """An upload that ends before its closing boundary."""


class ReceivedPart:
    """One part of an upload: in memory while it is small, in an unnamed file of ``directory`` when it is not."""

    def __init__(self, directory: Path, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.size = 0
        self._directory = directory
        self._small = bytearray()
        self._file: BinaryIO | None = None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def write(self, piece: bytes | bytearray) -> None:
        self.size += len(piece)
        if self._file is None and self.size > _IN_MEMORY:
            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - closed by ``close``
            self._file.write(self._small)
            self._small.clear()
        if self._file is None:
            self._small += piece
        else:
            self._file.write(piece)

    @contextmanager
    def view(self) -> Iterator[memoryview]:
        """The part's bytes, for the length of the ``with``."""
        if self._file is None:
            with memoryview(bytes(self._small)) as whole:
                yield whole
            return
        self._file.flush()
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as whole:
            yield whole

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def received_parts(stream: IO[bytes], boundary: str, directory: Path) -> Iterator[ReceivedPart]:
    """The parts of an upload one after the other; each is closed when the next is asked for.

    Raises CutOffError where the upload ends too early, and BadInputError where it is no multipart message.
    """
    if not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise BadInputError("The multipart message names no sound boundary.", "See RFC 2046 5.1.1.")
    scanner = _Scanner(stream, b"\r\n--" + boundary.encode("ascii"))
    scanner.up_to_boundary(lambda _: None)
    while scanner.has_part():
        part = ReceivedPart(directory, scanner.head())
        try:
            scanner.up_to_boundary(part.write)
            yield part
        finally:
            part.close()


class _Scanner:
    """Walks a multipart message with a window of a few hundred kilobytes."""

    def __init__(self, stream: IO[bytes], boundary: bytes) -> None:
        self._stream = stream
        self._boundary = boundary
        self._window = bytearray(b"\r\n")  # so that the first boundary looks like all others

    def up_to_boundary(self, take: Callable[[bytes], None]) -> None:
        """Give all that comes before the next boundary to ``take``, and step over the boundary."""
        kept = len(self._boundary) - 1
        while (found := self._window.find(self._boundary)) < 0:
            if len(self._window) > kept:
                take(bytes(self._window[:-kept]))
                del self._window[:-kept]
            self._more()
        take(bytes(self._window[:found]))
        del self._window[: found + len(self._boundary)]

    def has_part(self) -> bool:
        """Whether another part follows the boundary; the last one ends in two hyphens."""
        while len(self._window) < 2:
            self._more()
        return not self._window.startswith(b"--")

    def head(self) -> dict[str, str]:
        while (end := self._window.find(b"\r\n\r\n")) < 0:
            if len(self._window) > _LARGEST_HEAD:
                raise BadInputError("A part of the multipart message has no head.", "See RFC 2046 5.1.")
            self._more()
        text = self._window[:end].decode("latin-1")
        del self._window[: end + 4]
        lines = (line.partition(":") for line in text.split("\r\n"))
        return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}

    def _more(self) -> None:
        piece = self._stream.read(PIECE)
        if not piece:
            raise CutOffError("The multipart message ends before its closing boundary.", "Send it again.")
        self._window += piece
