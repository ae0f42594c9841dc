"""The three ways to work a lesson, and what each allows: guided with a coach, the drill, and the exam.

One table. The console enforces it at its routes (``guard``), since a hidden button forbids nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


class Mode(StrEnum):
    GUIDED = "guided"
    DRILL = "drill"
    EXAM = "exam"


@dataclass(frozen=True)
class Rules:
    """``limit`` is the time there is, as a multiple of what the lesson usually takes (None: no limit). ``coach`` offers
    the hints as steps, free of cost. That an exam ends with its first check is in ``guard``.
    ``objectives`` shows from the start what the lesson teaches, which often tells what is wrong; elsewhere it comes
    with the debrief."""

    mode: Mode
    title: LazyString
    about: LazyString
    icon: str
    hints: bool = True
    coach: bool = False
    objectives: bool = False
    limit: float | None = None

    def limit_for(self, minutes: int) -> timedelta | None:
        """The time there is for a lesson that usually takes ``minutes``."""
        return None if self.limit is None else timedelta(minutes=round(minutes * self.limit))


MODES: Mapping[Mode, Rules] = {
    Mode.GUIDED: Rules(
        Mode.GUIDED,
        _("Guided"),
        _("A coach goes with you step by step and says where in the console to look. Nothing is scored."),
        "compass",
        coach=True,
        objectives=True,
    ),
    Mode.DRILL: Rules(
        Mode.DRILL,
        _("Drill"),
        _("You are on your own. Hints are there if you ask, at a small cost; check as often as you like."),
        "stethoscope",
    ),
    Mode.EXAM: Rules(
        Mode.EXAM,
        _("Exam"),
        _("No hints, a limit of time, and one check at the end. What was wrong you learn afterwards."),
        "stopwatch",
        hints=False,
        limit=1.5,
    ),
}


def mode_of(text: str) -> Mode:
    """The mode that ``text`` names; a drill where it names none."""
    return Mode(text) if text in set(Mode) else Mode.DRILL


def rules_of(mode: str) -> Rules:
    return MODES[mode_of(mode)]


def ends_at(mode: str, started: datetime, minutes: int) -> datetime | None:
    """When the time for an attempt is over; None where there is no limit."""
    limit = rules_of(mode).limit_for(minutes)
    return None if limit is None else started + limit
