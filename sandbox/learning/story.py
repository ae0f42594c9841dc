"""What is known of an attempt beside its log: what the author of the lesson knows, and how the attempt stands.

Whoever asks for a debrief (sandbox.drill) fills a ``Story``; everything else is read off the events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.events.event import PROBE, STAGING, SYSTEM, Event
from sandbox.model.verdict import Finding

Words = Callable[[Event], str]
"""An event in words. Sentences live above this package, so whoever asks brings them."""

NOT_PEOPLE = STAGING | {SYSTEM, PROBE}
"""Actors that are nobody's hand."""


@dataclass(frozen=True)
class Clue:
    """Something that told the answer: an event of ``kind`` on ``node`` that mentions ``about``, and what it meant."""

    kind: str
    node: str
    text: str
    about: str = ""


@dataclass(frozen=True)
class WayStep:
    """One step of a solution: the command, its parameters, and both in words."""

    command: str
    node: str
    words: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """``right`` and ``committed`` are the diagnosis by part (node, layer, fault). ``ways`` are all good solutions, the
    reference first. ``choices`` and ``layers`` are what the diagnosis form offered, in words. ``hints`` are all rungs
    of the ladder. ``broken`` False: a lesson in which nothing was, and the cure is to say so."""

    text: str
    started_at: datetime
    scenario: str = ""
    title: str = ""
    site: str = ""
    seed: int = 0
    broken: bool = True
    right: Mapping[str, str] = field(default_factory=dict)
    right_words: Mapping[str, str] = field(default_factory=dict)
    committed: Mapping[str, str] | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)
    solution: tuple[str, ...] = ()
    ways: tuple[tuple[WayStep, ...], ...] = ()
    hints: tuple[str, ...] = ()
    clues: tuple[Clue, ...] = ()
    findings: tuple[Finding, ...] = ()
    topics: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    solved: bool = False
    gave_up: bool = False

    def right_parts(self, said: Mapping[str, str] | None) -> int:
        """How many parts of a diagnosis are right."""
        return sum(said is not None and said.get(part) == value for part, value in self.right.items())

    def elapsed(self, moment: datetime) -> float:
        """Seconds since the phone rang."""
        return round((moment - self.started_at).total_seconds(), 1)
