"""A node that writes UTC where local time is meant: right all day, and wrong for some hours around midnight."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_clock import OnClock
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import WrongZone


class TimeUtc(OnClock):
    """``time.utc``: ``node`` takes UTC for local time, in a department that is ``hours`` ahead of UTC (-6: Chicago).

    Its times are off by that, and near midnight its dates are, too: with -6, what it makes after 18:00 is dated
    tomorrow. Seen from outside: ``findscu`` for today's studies misses its evening. Mended by: ``node.clock.zone``;
    what was dated wrongly stays so. ``node.clock.sync`` does not help, for the clock itself is right.
    """

    kind = "time.utc"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Exams of some hours before (or after) midnight have the date of another day; all others only a wrong hour.",
        "The node's clock differs from the department's by whole hours.",
    )

    hours: float = Field(ge=-12, le=14)

    @field_validator("hours")
    @classmethod
    def _not_none(cls, hours: float) -> float:
        if not hours:
            raise ValueError("a department that is 0 h ahead of UTC is not wrong in using it")
        return hours

    def explanation(self) -> str:
        return (
            f"{self.node} wrote UTC where local time is meant, and the department is {self.hours:+g} h from UTC. By "
            "day only the hour was off, which nobody minds; around midnight it was the date, and searches go by dates."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "clock", "zones", WrongZone(hours=self.hours))
