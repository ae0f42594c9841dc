"""Routing rules: a predicate on attributes, caller and hour, and the destinations of what matches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from enum import IntEnum, StrEnum

from pydantic import Field, field_validator

from sandbox.model.base import Model
from sandbox.model.config import NAME_PATTERN, shown


class Test(StrEnum):
    """How a condition compares the attribute's value with its own. Case matters, as it does in routers."""

    __test__ = False  # not a pytest class

    EQUALS = "equals"
    NOT_EQUALS = "not-equals"
    ONE_OF = "one-of"
    STARTS_WITH = "starts-with"
    CONTAINS = "contains"
    PRESENT = "present"


class Priority(IntEnum):
    """Order in a queue: the lower number goes first (as DIMSE priorities HIGH, MEDIUM, LOW mean it)."""

    STAT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class Condition(Model):
    """One comparison. ``attribute`` is a DICOM keyword; ``value`` of ``one-of`` is separated by commas."""

    attribute: str = Field(
        pattern=r"^[A-Z][A-Za-z0-9]{1,63}$", **shown("Attribute", "DICOM keyword, such as Modality.")
    )
    test: Test = Field(Test.EQUALS, **shown("Comparison"))
    value: str = Field("", max_length=256, **shown("Value"))

    def holds(self, attributes: Mapping[str, str]) -> bool:
        """Whether an object with these attribute values satisfies the condition."""
        actual = attributes.get(self.attribute, "").strip()
        match self.test:
            case Test.EQUALS:
                return actual == self.value
            case Test.NOT_EQUALS:
                return actual != self.value
            case Test.ONE_OF:
                return actual in [choice.strip() for choice in self.value.split(",")]
            case Test.STARTS_WITH:
                return actual.startswith(self.value)
            case Test.CONTAINS:
                return self.value in actual
            case Test.PRESENT:
                return bool(actual)


class RouteRule(Model):
    """All conditions must hold. ``hours`` ("07:00-19:00", may pass midnight) and ``calling_ae`` narrow it."""

    name: str = Field(pattern=NAME_PATTERN, **shown("Rule"))
    enabled: bool = Field(True, **shown("In force"))
    calling_ae: str = Field("", max_length=16, **shown("From AE title", "Empty: from anybody."))
    hours: str = Field("", **shown("Hours", "Such as 07:00-19:00. Empty: always."))
    conditions: tuple[Condition, ...] = Field((), **shown("Conditions"))
    destinations: tuple[str, ...] = Field(
        min_length=1, **shown("Send to", "Names from the AE table.", choices="remotes")
    )
    priority: Priority = Field(Priority.NORMAL, **shown("Priority"))

    @field_validator("hours")
    @classmethod
    def _hours_make_sense(cls, text: str) -> str:
        if text:
            _hours(text)
        return text

    def matches(self, attributes: Mapping[str, str], calling_ae: str, at: time) -> bool:
        """Whether an object with these attributes, from that caller, at that time of day, goes by this rule."""
        if not self.enabled or (self.calling_ae and self.calling_ae != calling_ae):
            return False
        if self.hours:
            start, end = _hours(self.hours)
            inside = start <= at < end if start <= end else (at >= start or at < end)
            if not inside:
                return False
        return all(condition.holds(attributes) for condition in self.conditions)


def _hours(text: str) -> tuple[time, time]:
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a span of hours such as 07:00-19:00")
    return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
