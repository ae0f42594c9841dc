"""Searching the logs of all nodes: by words, node, level, association and time, a page at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sandbox.events.event import PROBE
from sandbox.events.kinds import LabReset, NodeLogged
from sandbox.events.log import EventLog
from sandbox.lab.log_search import LogQuery, search, terms
from sandbox.model.clock import Clock
from sandbox.model.history_view import LogLines

START = datetime(2026, 3, 2, 8, 0)


class SteppingClock(Clock):
    """A minute passes between two events."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now


@pytest.fixture
def log() -> EventLog:
    log = EventLog(SteppingClock())
    log.append(LabReset())
    for node, level, text, association in (
        ("CT1", "info", "CT1 listens on 198.18.10.11:104", ""),
        ("CT1", "info", "Association to ROUTER accepted", "a1"),
        ("ROUTER", "warning", "Association from CT1 rejected: called AE title not recognised", "a2"),
        ("CT1", "error", "Association to ROUTER rejected: called AE title", "a2"),
        ("ROUTER", "info", "Association from CT1 released", "a1"),
    ):
        log.append(NodeLogged(level=level, text=text, association=association), node=node)
        log.append(LabReset())
    return log


def found(
    log: EventLog, query: LogQuery, *, after: int = 0, before: int = 0, limit: int = 50, hidden: bool = False
) -> LogLines:
    return search(log.since(0), query, after=after, before=before, limit=limit, hidden=hidden)


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        (LogQuery(), [2, 4, 6, 8, 10]),
        (LogQuery(text="ROUTER rejected"), [8]),
        (LogQuery(text="rejected association"), [6, 8]),
        (LogQuery(text='"from CT1"'), [6, 10]),
        (LogQuery(text='"from ct1" released'), [10]),
        (LogQuery(text="(.*"), []),
        (LogQuery(node="CT1"), [2, 4, 8]),
        (LogQuery(level="info"), [2, 4, 6, 8, 10]),
        (LogQuery(level="warning"), [6, 8]),
        (LogQuery(level="error"), [8]),
        (LogQuery(association="a2"), [6, 8]),
        (LogQuery(association="a2", node="ROUTER", level="error"), []),
        (LogQuery(since=START + timedelta(minutes=5)), [6, 8, 10]),
        (LogQuery(since=START + timedelta(minutes=5), until=START + timedelta(minutes=8)), [6, 8]),
    ],
)
def test_what_is_found(log: EventLog, query: LogQuery, seqs: list[int]) -> None:
    assert [line.seq for line in found(log, query).lines] == seqs
    assert [line.seq for line in found(log, query, after=1).lines] == seqs


def test_pages_follow_each_other_both_ways(log: EventLog) -> None:
    newest = found(log, LogQuery(), limit=2)
    assert ([line.seq for line in newest.lines], newest.more) == ([8, 10], True)
    earlier = found(log, LogQuery(), limit=2, before=8)
    assert ([line.seq for line in earlier.lines], earlier.more) == ([4, 6], True)
    first = found(log, LogQuery(), limit=2, before=4)
    assert ([line.seq for line in first.lines], first.more) == ([2], False)
    following = found(log, LogQuery(), after=4, limit=2)
    assert ([line.seq for line in following.lines], following.more) == ([6, 8], True)
    rest = found(log, LogQuery(), after=8, limit=2)
    assert ([line.seq for line in rest.lines], rest.more) == ([10], False)


def test_what_is_for_later_is_left_out_while_a_drill_runs(log: EventLog) -> None:
    log.append(NodeLogged(level="info", text="a check's own call"), node="CT1", actor=PROBE)
    assert found(log, LogQuery(text="own"), hidden=True).lines == ()
    assert len(found(log, LogQuery(text="own")).lines) == 1


def test_words_of_a_search() -> None:
    assert terms('CT1 "AE title" not') == ("ct1", "ae title", "not")
    assert terms('"unclosed phrase') == ("unclosed phrase",)
    assert terms("  ") == ()
