"""The log keeps what happened, in order, with causes, whatever happens to the process."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandbox.events.event import PROBE, Event
from sandbox.events.kinds import KINDS, CheckFinished, LabReset, NodeLogged, NodeStopped
from sandbox.events.log import EventLog, because, current
from sandbox.model.clock import Clock
from sandbox.model.errors import BadInputError
from sandbox.model.verdict import Finding, Verdict


def test_numbers_causes_and_actors() -> None:
    log = EventLog(Clock())
    first = log.append(LabReset(), actor="trainee:anna")
    with because(first.seq, "trainee:anna"):
        second = log.append(NodeStopped(reason="restart"), node="CT1")
    assert (first.seq, second.seq) == (1, 2)
    assert (second.cause, second.actor, second.node) == (1, "trainee:anna", "CT1")
    assert current().cause is None


def test_survives_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(Clock(), path)
    log.append(NodeLogged(level="info", text="Müller arrived"), node="CT1")
    log.append(LabReset())
    log.close()
    with path.open("ab") as torn:
        torn.write(b'{"seq":3,"at":"2026')
    again = EventLog(Clock(), path)
    assert [event.kind for event in again.since()] == ["node.logged", "lab.reset"]
    assert again.append(LabReset()).seq == 3
    assert again[1].body == NodeLogged(level="info", text="Müller arrived")


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"seq":1,"kind":"cow.milked"}\n')
    with pytest.raises(BadInputError, match=r"events.jsonl, line 1"):
        EventLog(Clock(), path)


def test_waiting_sees_what_another_thread_writes() -> None:
    log = EventLog(Clock())
    writer = threading.Thread(target=lambda: log.append(NodeStopped(), node="CT1"))
    writer.start()
    found = log.wait_for(lambda event: event.node == "CT1", timeout=5)
    writer.join()
    assert found is not None
    assert found.kind == "node.stopped"
    assert log.wait_for(lambda event: event.node == "MR1", timeout=0.01) is None


def test_followers_are_let_go_when_the_log_closes() -> None:
    log = EventLog(Clock())
    seen: list[int] = []
    follower = threading.Thread(target=lambda: seen.append(len(log.follow(0, timeout=30))))
    follower.start()
    log.close()
    follower.join(5)
    assert seen == [0]


def test_many_writers_never_share_a_number() -> None:
    log = EventLog(Clock())
    writers = [threading.Thread(target=lambda: [log.append(LabReset()) for _ in range(200)]) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [event.seq for event in log.since()] == list(range(1, 1601))


def test_probe_traffic_is_for_later_but_its_verdict_is_not() -> None:
    log = EventLog(Clock())
    finding = Finding(id="a", check="exam_arrives", verdict=Verdict.PASS, sentence="It did.")
    assert log.append(NodeStopped(), actor=PROBE).is_for_later
    assert not log.append(CheckFinished(finding=finding), actor=PROBE).is_for_later


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_kinds_are_dotted_past_tense(kind: str) -> None:
    past = ("ed", "sent", "held", "driven", "unspoken", "undone", "reset", "split", "written")
    assert "." in kind
    assert kind.endswith(past), f"{kind} does not say what happened"


def test_an_event_reads_back_as_it_was() -> None:
    log = EventLog(Clock())
    event = log.append(NodeLogged(level="warning", text="ü\n"), node="CT1", actor="x", cause=None)
    again = Event.from_json(event.to_json())
    assert (again.seq, again.node, again.body) == (event.seq, event.node, event.body)
