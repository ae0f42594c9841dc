"""Bytes as lines of sixteen, hexadecimal beside text, with a range of them marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

WIDTH = 16


@dataclass(frozen=True)
class Run:
    """Neighbouring bytes that are all marked, or none of them."""

    text: str
    is_marked: bool


@dataclass(frozen=True)
class HexLine:
    """One line: the offset of its first byte, its bytes in hexadecimal and as text."""

    offset: str
    cells: tuple[Run, ...]
    text: tuple[Run, ...]


def hex_lines(data: bytes, start: int, marked: range) -> tuple[HexLine, ...]:
    """``data``, whose first byte is at offset ``start``, as lines; ``marked`` is a range of offsets."""
    return tuple(
        HexLine(
            f"{start + at:06X}",
            tuple(_runs(data[at : at + WIDTH], start + at, marked, _hex)),
            tuple(_runs(data[at : at + WIDTH], start + at, marked, _text)),
        )
        for at in range(0, len(data), WIDTH)
    )


def _runs(data: bytes, start: int, marked: range, write: Callable[[bytes], str]) -> Iterator[Run]:
    at = 0
    while at < len(data):
        is_marked = start + at in marked
        end = at
        while end < len(data) and (start + end in marked) is is_marked:
            end += 1
        yield Run(write(data[at:end]), is_marked)
        at = end


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()


def _text(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
