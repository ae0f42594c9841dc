"""The send queue of a node: what waits, what is tried again, what is set aside, what an administrator does to it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.dicom.contract import StoredObject
from sandbox.events.kinds import QueueFailed
from sandbox.events.log import EventLog, because, current
from sandbox.model.clock import Clock
from sandbox.model.config import RetryPolicy
from sandbox.model.errors import NotFoundError, UnavailableError
from sandbox.model.view import QueueState
from sandbox.nodes import queue_sender
from sandbox.nodes.queue import SendQueue
from sandbox.nodes.queue_sender import Delivery, Outcome
from sandbox.nodes.queue_tables import QueueItem
from tests.nodes.conftest import Small, line

RETRY = RetryPolicy(first_s=0.02, factor=1.0, maximum_s=0.02, attempts=3)
SLOW = RetryPolicy(first_s=3600, maximum_s=3600, attempts=3)


class Carrier:
    """Takes everything, unless told to refuse: a script instead of a network. ``sent`` is what went, in order."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.contexts: list[tuple[int | None, str]] = []
        self.down = ""
        self.refused: set[str] = set()
        self.opened = self.closed = 0

    def open(self, destination: str, syntaxes: object) -> Delivery | str:
        self.opened += 1
        return self.down or _Delivery(self)


class _Delivery:
    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def takes(self, item: StoredObject) -> bool:
        return True

    def send(self, item: StoredObject) -> Outcome:
        if item.sop_instance in self.carrier.refused:
            return Outcome(ok=False, reason="Refused with status A900.")
        self.carrier.sent.append(item.sop_instance)
        self.carrier.contexts.append((current().cause, current().actor))
        return Outcome(ok=True)

    def close(self) -> None:
        self.carrier.closed += 1

    def abort(self) -> None: ...


class Bench:
    """A queue on its own, with a scripted carrier."""

    def __init__(self, directory: Path, retry: RetryPolicy = RETRY) -> None:
        self.directory = directory
        self.events = EventLog(Clock())
        self.carrier = Carrier()
        self.queue = SendQueue(
            directory,
            node="CT1",
            events=self.events,
            clock=Clock(),
            carrier=self.carrier,
            retry=lambda: retry,
            known=lambda: ("WS2", "ARCHIVE"),
            note=lambda level, text: None,
        )

    def item(self, name: str, *, owned: bool = False) -> QueueItem:
        path = self.directory / f"{name}.dcm"
        path.write_bytes(b"x")
        return QueueItem(StoredObject(path, "1.2", name, "1.2.840.10008.1.2.1"), f"study-{name}", owned=owned)

    def add(self, *names: str, to: str = "WS2", priority: int = 2, owned: bool = False) -> None:
        self.queue.add([self.item(name, owned=owned) for name in names], {to: priority})

    def wait(self, kind: str, **fields: object) -> None:
        found = self.events.wait_for(
            lambda event: event.kind == kind and all(getattr(event.body, key) == fields[key] for key in fields),
            timeout=10,
        )
        assert found is not None, [event.to_json() for event in self.events.since()]

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)

    def view(self, destination: str = "WS2"):  # type: ignore[no-untyped-def]
        return next(view for view in self.queue.views() if view.destination == destination)


@pytest.fixture
def bench(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Bench(tmp_path)
    yield made
    made.queue.close()


def test_urgent_goes_first_and_the_rest_in_order(bench: Bench) -> None:
    bench.add("a", "b")
    bench.add("stat", priority=0)
    bench.add("c")
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="c")
    assert bench.carrier.sent == ["stat", "a", "b", "c"]
    assert bench.view().sent == 4
    assert bench.view().state in (QueueState.IDLE, QueueState.SENDING)


def test_entries_keep_what_caused_them_and_for_whom(bench: Bench) -> None:
    with because(17, "probe"):
        bench.add("a")
    with because(18, "trainee:anna"):
        bench.add("b")
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="b")
    assert bench.carrier.contexts == [(17, "probe"), (18, "trainee:anna")]
    assert bench.carrier.opened == 2
    told = [(event.cause, event.actor) for event in bench.events.since() if event.kind == "queue.sent"]
    assert told == [(17, "probe"), (18, "trainee:anna")]


def test_what_comes_a_moment_later_goes_over_the_same_association(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_sender, "LINGER_S", 60.0)
    bench.queue.start()
    for name in ("a", "b", "c"):
        bench.add(name)
        bench.wait("queue.sent", sop_instance=name)
    assert bench.carrier.opened == 1
    began = time.monotonic()
    bench.queue.hold("WS2")
    bench.wait_until(lambda: bench.carrier.closed == 1)
    bench.queue.resume("WS2")
    bench.add("d")
    bench.wait("queue.sent", sop_instance="d")
    bench.queue.close()
    assert bench.carrier.closed == bench.carrier.opened == 2
    assert time.monotonic() - began < 45, "neither a hold nor the end waits for more work"


def test_an_association_that_gets_nothing_more_is_released(bench: Bench) -> None:
    bench.queue.start()
    bench.add("a")
    bench.wait("queue.sent", sop_instance="a")
    bench.wait_until(lambda: bench.carrier.closed == 1)
    assert bench.view().state is QueueState.IDLE


def test_a_held_destination_waits_while_others_go_on(bench: Bench) -> None:
    bench.queue.start()
    bench.queue.hold("WS2", "maintenance")
    bench.add("a")
    bench.add("b", to="ARCHIVE")
    bench.wait("queue.sent", sop_instance="b")
    assert bench.carrier.sent == ["b"]
    assert (bench.view().state, bench.view().waiting, bench.view().held_reason) == (QueueState.HELD, 1, "maintenance")
    bench.queue.resume("WS2")
    bench.wait("queue.sent", sop_instance="a")


def test_a_refused_object_does_not_block_those_behind_it(bench: Bench) -> None:
    bench.carrier.refused = {"bad"}
    bench.add("bad", "good", "better")
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="better")
    bench.wait("queue.entry.died", sop_instance="bad")
    assert bench.carrier.sent == ["good", "better"]
    failures = [event.body.study_uid for event in bench.events.since() if isinstance(event.body, QueueFailed)]
    assert set(failures) == {"study-bad"}, "the others are not concerned"
    dead = bench.queue.entries("WS2")
    assert [(entry.dead, entry.attempts, entry.last_error) for entry in dead] == [
        (True, 3, "Refused with status A900.")
    ]
    bench.carrier.refused = set()
    assert bench.queue.redrive("WS2") == 1
    bench.wait("queue.sent", sop_instance="bad")


def test_where_the_order_is_kept_a_refused_object_blocks_those_behind_it_until_it_is_given_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RETRY.model_copy(update={"in_order": True}))
    bench.carrier.refused = {"bad"}
    bench.add("first", "bad", "good", "better")
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="better")
    assert {event.body.study_uid for event in bench.events.since() if isinstance(event.body, QueueFailed)} == {""}
    kinds = [
        (event.kind, getattr(event.body, "sop_instance", ""))
        for event in bench.events.since()
        if event.kind in ("queue.sent", "queue.failed", "queue.entry.died")
    ]
    assert kinds == [
        ("queue.sent", "first"),
        ("queue.failed", ""),
        ("queue.failed", ""),
        ("queue.entry.died", "bad"),
        ("queue.sent", "good"),
        ("queue.sent", "better"),
    ]
    bench.queue.close()


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[Bench]:
    """A line that keeps the order, and whose first object is refused."""
    bench = Bench(tmp_path, SLOW.model_copy(update={"in_order": True}))
    bench.carrier.refused = {"bad"}
    bench.add("bad", "good", "stroke")
    bench.queue.start()
    bench.wait("queue.failed", destination="WS2")
    yield bench
    bench.queue.close()


def test_a_study_may_be_sent_first(blocked: Bench) -> None:
    assert blocked.queue.promote("WS2", "study-stroke") == 1
    blocked.wait("queue.sent", sop_instance="stroke")
    # Whatever went past the refused one would have gone before the line lets go of its association.
    blocked.wait_until(lambda: blocked.carrier.closed == 2)
    assert blocked.carrier.sent == ["stroke"]
    assert [entry.sop_instance for entry in blocked.queue.entries("WS2")] == ["bad", "good"]
    with pytest.raises(NotFoundError, match="Nothing of that study"):
        blocked.queue.promote("WS2", "study-stroke")


def test_a_study_may_be_set_aside_and_put_back(blocked: Bench) -> None:
    assert blocked.queue.set_aside("WS2", "study-bad", "refused there") == 1
    blocked.wait("queue.sent", sop_instance="stroke")
    assert blocked.carrier.sent == ["good", "stroke"]
    (aside,) = blocked.queue.entries("WS2")
    assert (aside.dead, aside.last_error) == (True, "Set aside by hand: refused there")
    with pytest.raises(NotFoundError, match="Nothing of that study"):
        blocked.queue.set_aside("WS2", "study-bad")
    blocked.carrier.refused = set()
    assert blocked.queue.redrive("WS2") == 1
    blocked.wait("queue.sent", sop_instance="bad")


def test_no_association_is_an_attempt_of_all_that_would_have_gone(bench: Bench) -> None:
    bench.carrier.down = "Connection refused."
    bench.add("a", "b")
    bench.queue.start()
    bench.wait("queue.entry.died", sop_instance="b")
    assert bench.carrier.opened == 3
    assert [(entry.dead, entry.attempts) for entry in bench.queue.entries("WS2")] == [(True, 3), (True, 3)]


def test_trying_again_now_does_not_wait_for_the_next_attempt(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SLOW)
    bench.carrier.down = "Connection refused."
    bench.add("a")
    bench.queue.start()
    bench.wait("queue.failed", attempt=1, waiting=1)
    assert bench.view().state is QueueState.WAITING
    assert bench.view().retry_in_s > 3000
    assert bench.view().last_error == "Connection refused."
    bench.carrier.down = ""
    assert bench.queue.retry("WS2") == 1
    bench.wait("queue.sent", sop_instance="a")
    bench.queue.close()


def test_discarding_deletes_the_file_with_its_last_entry(bench: Bench) -> None:
    bench.queue.add([bench.item("a", owned=True), bench.item("b", owned=True)], {"WS2": 2, "ARCHIVE": 2})
    file = bench.directory / "a.dcm"
    first = bench.queue.entries("WS2")[0]
    assert bench.queue.discard("WS2", first.id, "wrong patient") == 1
    assert file.exists()
    assert bench.queue.discard("ARCHIVE") == 2
    assert not file.exists()
    assert (bench.directory / "b.dcm").exists()
    with pytest.raises(NotFoundError):
        bench.queue.discard("WS2", first.id)


def test_a_file_that_the_queue_does_not_own_is_left_alone(bench: Bench) -> None:
    bench.add("a")
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="a")
    assert (bench.directory / "a.dcm").exists()


def test_a_file_that_vanished_is_set_aside(bench: Bench) -> None:
    bench.add("a", "b")
    (bench.directory / "a.dcm").unlink()
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="b")
    assert [(entry.sop_instance, entry.dead) for entry in bench.queue.entries("WS2")] == [("a", True)]


def test_an_unknown_destination_is_told_with_those_there_are(bench: Bench) -> None:
    with pytest.raises(NotFoundError, match="WS2, ARCHIVE"):
        bench.queue.hold("WS9")


KILLED = """
import sys
from pathlib import Path
from tests.nodes.test_queue import Bench, RetryPolicy
from sandbox.events.log import because
bench = Bench(Path(sys.argv[1]))
bench.queue.hold("ARCHIVE", "until Monday")
with because(5, "probe"):
    for number in range(20):
        bench.add(f"n{number:02d}", priority=number % 2, owned=True)
print("added", flush=True)
sys.stdin.read()
"""


def test_what_was_added_survives_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "added\n"
        os.kill(process.pid, signal.SIGKILL)
    bench = Bench(tmp_path)
    assert bench.view().waiting == 20
    assert bench.view("ARCHIVE").held_reason == "until Monday"
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="n19")
    assert bench.carrier.sent == [f"n{number:02d}" for number in [*range(0, 20, 2), *range(1, 20, 2)]]
    assert set(bench.carrier.contexts) == {(5, "probe")}
    assert not list(tmp_path.glob("*.dcm"))
    bench.queue.close()


def test_the_router_queue_survives_the_lab(small: Small) -> None:
    small.router.queue.hold("WS2", "reading room moves")
    exam = small.scan()
    small.wait_stored("ARCHIVE", exam)
    # Who has not heard the answer when the lab ends sends the image again.
    small.wait_until(small.ct.queue.is_empty)
    small.reopen()
    views = {view.destination: view for view in small.router.queue.views()}
    assert (views["WS2"].waiting, views["WS2"].state) == (2, QueueState.HELD)
    small.router.queue.resume("WS2")
    small.wait_stored("WS2", exam)


def test_a_stopped_destination_gets_everything_once_it_is_back(make_small: Callable[..., Small]) -> None:
    patient = {"first_s": 0.05, "factor": 1.0, "maximum_s": 0.05, "attempts": 10000}
    small = make_small(ROUTER={"retry": patient})
    small.department.node("WS2").stop()
    exam = small.scan()
    failed = small.wait("queue.failed", "ROUTER")
    assert "connection refused" in failed.body.reason.lower() or "nothing listens" in failed.body.reason  # type: ignore[attr-defined]
    small.wait_stored("ARCHIVE", exam)
    small.department.node("WS2").start()
    small.wait_stored("WS2", exam)


def test_a_stat_order_is_queued_before_others(small: Small) -> None:
    small.ct.queue.hold("ROUTER")
    rng = random.Random(3)
    routine = small.department.order("CT", rng, stat=False)
    urgent = small.department.order("CT", rng, stat=True)
    small.department.acquire("CT1", routine, images=1)
    small.department.acquire("CT1", urgent, images=1)
    waiting = [entry.accession_number for entry in small.ct.queue.entries("ROUTER")]
    assert waiting == [urgent.accession_number, routine.accession_number]


def test_a_destination_missing_in_the_ae_table_is_said(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"send_to": ["PACS9"]})
    small.scan()
    failed = small.wait("queue.failed", "CT1")
    assert failed.body.reason == "There is no PACS9 in the AE table."  # type: ignore[attr-defined]


def test_a_wrong_called_title_stays_in_the_queue_and_is_told(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"remotes": [line("ROUTER", ae_title="ROUTERX")]})
    small.scan()
    failed = small.wait("queue.failed", "CT1")
    assert "1/1/7" in failed.body.reason  # type: ignore[attr-defined]
    # The caller may have heard the answer before the acceptor has written down that it gave it.
    told = small.wait_log("ROUTER", r"Association from CT1 \(198\.18\.10\.11:.*\(1/1/7\)")
    assert "ROUTERX" in told


def test_a_failure_on_this_side_is_told_and_the_line_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    bench.queue.note = lambda level, text: notes.append(f"{level}: {text}")
    real, troubles = bench.carrier.open, [OSError(24, "Too many open files")]

    def stumbles(destination: str, syntaxes: object) -> Delivery | str:
        if troubles:
            raise troubles.pop()
        return real(destination, syntaxes)

    monkeypatch.setattr(bench.carrier, "open", stumbles)
    bench.add("a")
    bench.queue.start()
    bench.wait("queue.sent", sop_instance="a")
    assert notes == [
        "error: Queue WS2: This node cannot work on its queue: [Errno 24] Too many open files; next attempt in 0.02 s"
    ]
    assert bench.view().last_error == ""


@pytest.mark.parametrize("what", ["hold", "discard"])
def test_what_is_done_while_an_association_opens_counts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    real, ended = bench.carrier.open, threading.Event()
    monkeypatch.setattr(_Delivery, "close", lambda delivery: ended.set())

    def slow(destination: str, syntaxes: object) -> Delivery | str:
        if what == "hold":
            bench.queue.hold(destination, "now")
        else:
            bench.queue.discard(destination, bench.queue.entries(destination)[0].id, "a mistake")
        monkeypatch.setattr(bench.carrier, "open", real)
        return real(destination, syntaxes)

    monkeypatch.setattr(bench.carrier, "open", slow)
    bench.add("a", "b")
    bench.queue.start()
    assert ended.wait(10)
    if what == "hold":
        assert bench.carrier.sent == []
        bench.queue.resume("WS2")
    bench.wait("queue.sent", sop_instance="b")
    assert bench.carrier.sent == (["a", "b"] if what == "hold" else ["b"])


def test_a_closed_queue_takes_nothing_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.queue.close()
    with pytest.raises(UnavailableError, match="closed"):
        bench.add("a")


def test_a_lost_spool_files_number_is_not_given_to_another_image(make_small: Callable[..., Small]) -> None:
    small = make_small(ROUTER={"rules": []})
    lost = small.scan(images=2)
    small.wait_stored("ROUTER", lost)
    spooled = sorted((small.directory / "nodes" / "ROUTER" / "spool").iterdir())
    assert len(spooled) == 2
    small.wait_until(small.ct.queue.is_empty)
    spooled[-1].unlink()
    small.reopen()
    small.wait_stored("ROUTER", small.scan(images=1))
    assert len(set(small.router.queue.rows.paths())) == 3
