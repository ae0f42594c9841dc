"""When a rule matches, and when it does not."""

from __future__ import annotations

from datetime import time

import pytest
from pydantic import ValidationError

from sandbox.model.route import Condition, RouteRule, Test

NOON = time(12)


@pytest.mark.parametrize(
    ("test", "value", "actual", "holds"),
    [
        (Test.EQUALS, "DX", "DX", True),
        (Test.EQUALS, "DX", "dx", False),
        (Test.EQUALS, "CR", "DX", False),
        (Test.NOT_EQUALS, "CR", "DX", True),
        (Test.ONE_OF, "CR, DX", "DX", True),
        (Test.ONE_OF, "CR,DR", "DX", False),
        (Test.STARTS_WITH, "CT", "CT CHEST", True),
        (Test.CONTAINS, "CHEST", "CT CHEST", True),
        (Test.CONTAINS, "HEAD", "CT CHEST", False),
        (Test.PRESENT, "", "x", True),
        (Test.PRESENT, "", " ", False),
    ],
)
def test_conditions(test: Test, value: str, actual: str, holds: bool) -> None:
    condition = Condition(attribute="Modality", test=test, value=value)
    assert condition.holds({"Modality": actual}) is holds


def test_a_missing_attribute_is_an_empty_one() -> None:
    assert not Condition(attribute="Modality", value="CT").holds({})


@pytest.mark.parametrize(
    ("hours", "at", "matches"),
    [
        ("07:00-19:00", "07:00", True),
        ("07:00-19:00", "19:00", False),
        ("19:00-07:00", "23:30", True),
        ("19:00-07:00", "06:59", True),
        ("19:00-07:00", "12:00", False),
    ],
)
def test_hours_may_pass_midnight(hours: str, at: str, matches: bool) -> None:
    rule = RouteRule(name="night", hours=hours, destinations=("WS1",))
    assert rule.matches({}, "CT1", time.fromisoformat(at)) is matches


def test_caller_and_switch_narrow_a_rule() -> None:
    rule = RouteRule(name="ct", calling_ae="CT1", destinations=("WS1",))
    assert rule.matches({}, "CT1", NOON)
    assert not rule.matches({}, "MR1", NOON)
    assert not rule.model_copy(update={"enabled": False}).matches({}, "CT1", NOON)


def test_hours_that_are_none_are_refused() -> None:
    with pytest.raises(ValidationError, match="span of hours"):
        RouteRule(name="x", hours="all day", destinations=("WS1",))
