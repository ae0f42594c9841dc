"""The check of a limit on matches: a bounded archive passes, one that tells everything does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.checks.memory import Memory
from sandbox.checks.query_bounded import QueryBounded
from sandbox.model.verdict import Verdict
from tests.nodes.conftest import Small

CASES: dict[str, tuple[dict[str, object], str]] = {"query_bounded": ({"node": "WS1", "most": 2}, "tried below")}
"""The kinds that this module tries, for the count of those that nobody tries."""

BOUNDED = QueryBounded(node="WS1", most=2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    small = Small(tmp_path_factory.mktemp("bounded") / "lab", {"CT1": {"send_to": []}})
    for _ in range(3):
        assert small.ct.tools.send("ARCHIVE", small.scan(images=1).study_uid).ok
    yield small
    small.end()


def verdict(small: Small) -> Verdict:
    return BOUNDED.run(small.department, Memory()).verdict


@pytest.mark.parametrize(("limit", "expected"), [(2, Verdict.PASS), (1, Verdict.PASS), (3, Verdict.FAIL)])
def test_a_limit_is_kept_or_is_stricter(small: Small, limit: int, expected: Verdict) -> None:
    small.change("ARCHIVE", query_limit=limit)
    assert verdict(small) is expected


def test_without_a_limit_everything_is_told(small: Small) -> None:
    small.change("ARCHIVE", query_limit=0)
    found = BOUNDED.run(small.department, Memory())
    assert found.verdict is Verdict.FAIL
    assert "3 studies" in found.sentence


def test_an_archive_that_does_not_answer_proves_nothing(small: Small) -> None:
    small.change("ARCHIVE", query_limit=1)
    small.archive.stop()
    try:
        assert verdict(small) is Verdict.COULD_NOT_TELL
    finally:
        small.archive.start()
