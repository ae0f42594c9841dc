"""Mistypes AE titles the way people do: a letter doubled, dropped or swapped, a sign added, O for 0."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator

from sandbox.model.ae_title import MAX_LENGTH

_LOOKALIKES = {"O": "0", "0": "O", "1": "I", "I": "1", "S": "5", "5": "S", "B": "8", "V": "U", "M": "N"}


def _swapped(title: str) -> Iterator[str]:
    for i in range(1, len(title) - 1):
        yield title[:i] + title[i + 1] + title[i] + title[i + 2 :]


def _dropped(title: str) -> Iterator[str]:
    for i in range(1, len(title)):
        yield title[:i] + title[i + 1 :]


def _doubled(title: str) -> Iterator[str]:
    for i in range(1, len(title)):
        yield title[:i] + title[i] + title[i:]


def _lookalike(title: str) -> Iterator[str]:
    for i, letter in enumerate(title):
        if letter in _LOOKALIKES:
            yield title[:i] + _LOOKALIKES[letter] + title[i + 1 :]


def _signed(title: str) -> Iterator[str]:
    for tail in ("X", "1", "_1", "_SCP", "2"):
        yield title + tail
    if len(title) > 4:
        yield f"{title[:2]}_{title[2:]}"


def _other_case(title: str) -> Iterator[str]:
    yield title.capitalize()
    yield title.lower()


SLIPS: tuple[Callable[[str], Iterator[str]], ...] = (_swapped, _dropped, _doubled, _lookalike, _signed, _other_case)


def mistyped(title: str, taken: Collection[str], rng: random.Random) -> str:
    """A title that is nearly ``title``, is none of ``taken`` and fits into 16 characters."""
    candidates = [
        slip
        for make in SLIPS
        for slip in dict.fromkeys(make(title))
        if slip != title and slip not in taken and 0 < len(slip) <= MAX_LENGTH
    ]
    return rng.choice(candidates)
