"""The form in which a number of the protocol is explained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """``name`` is short, ``meaning`` a sentence for an administrator without its full stop, ``look`` where to look."""

    name: str
    meaning: str
    look: str = ""
