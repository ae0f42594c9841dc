"""A clock that is wrong: what a node makes is dated by it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_clock import OnClock
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import ClockSkew

_YEAR_S = 366 * 86400.0


class TimeSkew(OnClock):
    """``time.skew``: the clock of ``node`` is ``seconds`` ahead (negative: behind).

    A modality dates its images by it, a router's rules with hours go by it. Seen from outside: ``findscu`` for today's
    studies misses what it made, or has it at a time that has not come yet. Mended by: ``node.clock.sync``; what was
    dated wrongly stays so.
    """

    kind = "time.skew"
    symptoms: ClassVar[tuple[str, ...]] = (
        "New exams of this node have a wrong date or time; searches by date miss them.",
        "The node's own clock and the department's differ.",
    )

    seconds: float = Field(ge=-10 * _YEAR_S, le=10 * _YEAR_S)

    @field_validator("seconds")
    @classmethod
    def _not_none(cls, seconds: float) -> float:
        if not seconds:
            raise ValueError("a clock that is 0 s ahead is right")
        return seconds

    def explanation(self) -> str:
        ahead = "ahead" if self.seconds > 0 else "behind"
        return (
            f"The clock of {self.node} was {abs(self.seconds):,.0f} s {ahead}. Its images are dated by that clock, so "
            "they were all there, on another day or hour than where people looked for them."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "clock", "skews", ClockSkew(seconds=self.seconds))
