"""Multipart messages in pieces of any size."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.dicomweb.multipart import Part, begun, received_parts, related
from sandbox.model.errors import BadInputError


class Dribble(io.BytesIO):
    """Gives at most ``step`` bytes at a time, as a socket may."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(self._step, size if size and size > 0 else self._step))


def read(data: bytes, directory: Path, step: int = 7) -> list[bytes]:
    found = []
    for part in received_parts(Dribble(data, step), "xyz", directory):
        with part.view() as whole:
            found.append(bytes(whole))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=60).filter(lambda body: b"\r\n--xyz" not in b"\r\n" + body), max_size=4),
    step=st.integers(1, 40),
)
def test_whatever_is_written_is_read(tmp_path: Path, bodies: list[bytes], step: int) -> None:
    data = b"".join(b"--xyz\r\nContent-Type: a/b\r\n\r\n" + body + b"\r\n" for body in bodies) + b"--xyz--\r\n"
    assert read(data, tmp_path, step) == bodies
    assert read(b"preamble\r\n" + data + b"epilogue", tmp_path, step) == bodies


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=200).map(lambda data: data.replace(b"Q", b"--xyz")), step=st.integers(1, 40))
def test_no_message_breaks_it(tmp_path: Path, data: bytes, step: int) -> None:
    with contextlib.suppress(BadInputError):
        read(data, tmp_path, step)


def test_the_first_part_can_still_be_refused() -> None:
    def broken() -> Iterator[bytes]:
        raise BadInputError("No.")
        yield b""

    with pytest.raises(BadInputError):
        related([Part("a/b", "", broken())], "a/b")


def test_what_was_begun_is_closed() -> None:
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"1"
            yield b"2"
        finally:
            closed.append(True)

    rest = begun(pieces())
    assert next(rest) == b"1"
    rest.close()  # type: ignore[attr-defined]
    assert closed == [True]
