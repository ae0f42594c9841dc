"""A lab from start to end: it answers, works, remembers, and shares nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer, Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from sandbox.dicom.syntaxes import verification
from sandbox.events import kinds
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError
from sandbox.model.view import CommandResult, NodeState
from tests.lab.conftest import MakeLab, quiet_site
from tests.lab.support import do, until, wait_for


def echo_from_outside(lab: Lab, node: str) -> bool:
    """A C-ECHO to the published port, under the title of somebody whom the node knows."""
    target = lab.department.node(node)
    host, _, port = target.published.rpartition(":")
    known = target.running.remotes[0].ae_title
    requestor = Requestor(known, "test", PlainDialler(), NullObserver(), Timeouts(), 16384, association_ids())
    opened = requestor.associate(Peer(target.running.ae_title, host, int(port)), verification())
    assert isinstance(opened, Association), opened
    with opened:
        return opened.echo().succeeded


def test_every_node_answers_c_echo_as_soon_as_the_lab_is_ready(lab: Lab) -> None:
    for name in lab.department.nodes:
        assert echo_from_outside(lab, name), name


def test_the_archive_has_a_past(lab: Lab) -> None:
    view = {node.name: node for node in lab.view().nodes}
    assert view["ARCHIVE"].counts.patients == lab.site.history.patients
    assert view["WS1"].counts.instances == 0


def test_an_exam_goes_from_the_scanner_to_those_who_read_it(lab: Lab) -> None:
    scanned = do(lab, "exam.acquire", node="CT1", images=2)
    study = next(fact for fact in scanned.facts if fact.startswith("Study")).partition(": ")[2]
    for node in ("ARCHIVE", "WS1", "WS2"):
        stored = wait_for(
            lab,
            lambda event, node=node: (
                isinstance(event.body, kinds.InstanceStored) and event.node == node and event.body.study_uid == study
            ),
            after=scanned.event,
        )
        assert stored.actor == "trainee:test"
        causes = []
        cause: int | None = stored.seq
        while cause is not None:
            causes.append(lab.events[cause].kind)
            cause = lab.events[cause].cause
        assert causes[-1] == "command.issued", causes
        assert "exam.acquired" in causes


def test_the_map_tells_what_flowed(lab: Lab) -> None:
    after = do(lab, "exam.acquire", node="US1", images=1).event
    wait_for(lab, lambda e: isinstance(e.body, kinds.QueueSent) and e.body.destination == "ARCHIVE", after=after)
    flows = {(flow.source, flow.target): flow for flow in lab.view().flows}
    assert flows["ROUTER", "ARCHIVE"].sent >= 1
    assert flows["ROUTER", "ARCHIVE"].last_ok
    assert flows["ROUTER", "WS2"].label == "ct-to-ed, plain-films-to-ed"
    assert ("CT1", "ARCHIVE") not in flows


def test_a_command_is_in_the_log_from_first_to_last(lab: Lab) -> None:
    result = do(lab, "tool.ping", actor="trainee:anna", node="CT1", host="ROUTER")
    issued = lab.events[result.event]
    assert isinstance(issued.body, kinds.CommandIssued)
    assert (issued.actor, issued.node) == ("trainee:anna", "CT1")
    assert issued.body.params == {"node": "CT1", "host": "ROUTER"}
    finished = wait_for(lab, lambda e: e.cause == issued.seq and e.kind == "command.finished")
    assert isinstance(finished.body, kinds.CommandFinished)
    assert finished.body.sentence == result.sentence


def test_a_command_that_makes_no_sense_is_refused_and_still_logged(lab: Lab) -> None:
    before = len(lab.events)
    with pytest.raises(NotFoundError, match="ROUTER"):
        do(lab, "node.restart", node="NOBODY")
    last = lab.events.since(before)[-1]
    assert isinstance(last.body, kinds.CommandFinished)
    assert not last.body.ok


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("node.restrat", {}, "node.restart"),
        ("node.restart", {"nod": "CT1"}, "'node'"),
        ("node.restart", {}, "node"),
        ("tool.port", {"node": "CT1", "host": "ROUTER", "port": "many"}, "port"),
        ("tool.port", {"node": "CT1", "host": "ROUTER", "port": 70000}, "65535"),
        ("exam.acquire", {"node": "CT1", "images": 0}, "images"),
    ],
)
def test_wrong_parameters_are_told_in_words(lab: Lab, name: str, params: dict[str, object], said: str) -> None:
    with pytest.raises(BadInputError) as told:
        lab.parse(name, params)
    assert said in str(told.value)


def test_two_labs_of_one_site_share_nothing(make_lab: MakeLab) -> None:
    one, two = make_lab("one", seed=4), make_lab("two", seed=4)
    # Opposite faults at once.
    do(one, "node.config.save", node="CT1", set={"remotes.ROUTER.ae_title": "WRONG"})
    do(one, "node.restart", node="CT1")
    do(two, "queue.hold", node="ROUTER", destination="ARCHIVE", reason="another lab")
    do(two, "network.dns.set", name="archive", address="198.18.20.99")
    quiet = len(two.events)
    do(one, "exam.acquire", node="CT1", images=1)
    do(one, "exam.acquire", node="MR1", images=1)
    wait_for(one, lambda e: e.kind == "association.rejected")
    wait_for(one, lambda e: e.kind == "instance.stored" and e.node == "ARCHIVE")
    assert len(two.events) == quiet, "an event of one lab came to the other"
    assert two.department.node("ROUTER").saved != one.department.node("CT1").saved
    assert do(two, "tool.echo", node="CT1", remote="ROUTER").ok
    assert not do(one, "tool.echo", node="CT1", remote="ROUTER").ok
    assert one.department.network.resolve("WS1", "archive").address == "198.18.20.30"
    ports = [set(each.department.network.published_ports().values()) for each in (one, two)]
    assert not ports[0] & ports[1]
    counts = [each.department.node("ARCHIVE").view().counts.instances for each in (one, two)]
    assert counts[0] == counts[1] + 1
    assert one.record.token != two.record.token


def test_a_lab_goes_on_where_it_was(make_lab: MakeLab, cache: Path) -> None:
    lab = make_lab()
    scanned = do(lab, "exam.acquire", node="CT1", images=1)
    wait_for(lab, lambda e: e.kind == "instance.stored" and e.node == "WS2", after=scanned.event)
    until(lambda: lab.department.node("ROUTER").view().queued == 0, "the router's queue drains")
    do(lab, "node.stop", node="US1")
    do(lab, "node.config.save", node="MR1", set={"remotes.ROUTER.port": 105})
    do(lab, "network.firewall.add", source="modalities", target="servers", action="drop")
    before, ports = lab.view(), lab.department.network.published_ports()
    numbers = {story.id for story in lab.associations.newest(limit=1000)}
    events = len(lab.events)
    lab.stop()

    again = Lab.open(lab.directory, cache=cache)
    try:
        again.start()
        after = again.view()
        assert again.recovered
        assert again.id == before.id
        assert again.record.token == lab.record.token
        assert [node.counts for node in after.nodes] == [node.counts for node in before.nodes]
        states = {node.name: (node.state, node.needs_restart) for node in after.nodes}
        assert states["US1"] == (NodeState.STOPPED, False)
        assert states["MR1"] == (NodeState.RUNNING, True)
        assert not do(again, "tool.port", node="CT1", host="ROUTER", port=104).ok, "the firewall rule was forgotten"
        started = again.events.since(events)[0]
        assert started.seq == events + 1, "lab.stopped is the last of the process before"
        assert any(isinstance(e.body, kinds.LabStarted) and e.body.recovered for e in again.events.since(events))
        do(again, "node.start", node="US1")
        assert again.department.network.published_ports() == ports
        do(again, "tool.echo", node="WS1", remote="ARCHIVE")
        newest = again.associations.newest(limit=1)[0]
        assert newest.id not in numbers
    finally:
        again.stop()


def test_a_directory_runs_one_lab_at_a_time(make_lab: MakeLab, cache: Path) -> None:
    lab = make_lab(start=False)
    with pytest.raises(ConflictError, match=str(os.getpid())):
        Lab(quiet_site(), lab.directory, 4, cache=cache)


def test_a_lock_that_a_killed_process_left_does_not_stand_in_the_way(tmp_path: Path, cache: Path) -> None:
    place = tmp_path / "lab"
    program = (
        "import sys, time; from pathlib import Path; from sandbox.lab.lock import DirectoryLock;"
        f"lock = DirectoryLock(Path({str(place / 'lab.lock')!r})); lock.acquire();"
        "print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConflictError, match=str(holder.pid)):
            Lab(quiet_site(), place, 4, cache=cache)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert str(holder.pid) in (place / "lab.lock").read_text()
    lab = Lab(quiet_site(), place, 4, cache=cache)
    lab.stop()


def test_a_lock_file_of_an_earlier_boot_does_not_stand_in_the_way(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "lab.lock").write_text('{"pid": 1}')
    Lab(quiet_site(), tmp_path / "lab", 4, cache=cache).stop()


def test_nothing_is_left_when_a_lab_has_stopped(make_lab: MakeLab) -> None:
    lab = make_lab()
    ports = lab.department.network.published_ports()
    lab.stop()
    lab.stop()
    for port in ports.values():
        requestor = Requestor("X", "test", PlainDialler(), NullObserver(), Timeouts(), 16384, association_ids())
        assert not isinstance(requestor.associate(Peer("X", "127.0.0.1", port), verification()), Association)
    with pytest.raises(UnavailableError):
        _ = lab.department
    with pytest.raises(SandboxError):
        lab.start()


def test_a_lab_whose_site_cannot_run_says_which_node(tmp_path: Path, cache: Path) -> None:
    site = quiet_site()
    nodes = tuple(
        node.model_copy(update={"config": {**node.config, "ae_title": "X" * 17}}) if node.name == "MR1" else node
        for node in site.nodes
    )
    lab = Lab(site.model_copy(update={"nodes": nodes}), tmp_path / "lab", 4, cache=cache)
    try:
        with pytest.raises(BadInputError, match="MR1"):
            lab.start()
    finally:
        lab.stop()


def test_a_drill_may_add_commands(make_lab: MakeLab) -> None:
    from sandbox.lab.command import Command

    class Knock(Command):
        """Knock."""

        name = "test.knock"
        title = "Knock"

        def run(self, target: list[str], /) -> CommandResult:
            target.append("knocked")
            return CommandResult(ok=True, sentence="Who is there?")

    lab = make_lab(start=False)
    with pytest.raises(BadInputError):
        do(lab, "test.knock")
    door: list[str] = []
    lab.extend([Knock], door)
    assert do(lab, "test.knock").sentence == "Who is there?"
    assert door == ["knocked"]
