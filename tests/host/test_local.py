"""The host of this machine: labs come up quickly, come back when they die, and never outlive their console."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sandbox.host.host import RunningLab, RunState
from sandbox.host.launcher import Ended, Listener, Ready
from sandbox.host.launchers import ForkLauncher, SpawnLauncher
from sandbox.host.local import MOST_RESTARTS, LocalHost
from sandbox.host.process import LabOptions, Trouble
from sandbox.lab.directory import LabDirectory
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, UnavailableError
from sandbox.model.view import ReadyLine
from tests.host.support import ask, children_of, give, is_alive
from tests.lab.support import until

FORKS = sys.platform.startswith("linux")


def test_a_lab_is_there_in_well_under_a_second(host: LocalHost) -> None:
    host.start("riverside", "", 4, lab_id="first")
    took = []
    for number in range(3):
        began = time.monotonic()
        lab = host.start("riverside", "", 4, lab_id=f"quick-{number}")
        took.append(time.monotonic() - began)
        assert ask(lab, "/health") == {"status": "ok", "lab": lab.id, "running": True}
        assert {node["state"] for node in ask(lab, "/lab")["nodes"]} == {"running"}
    for number in range(3):
        host.end(f"quick-{number}", delete=True)
    host.end("first", delete=True)
    # Generous, since tests share their machine; measured alone it is a quarter of a second.
    assert min(took) < 4.0, took


def test_labs_are_apart_and_listed(host: LocalHost) -> None:
    one, two = (host.start("riverside", "", seed, lab_id=f"apart-{seed}") for seed in (1, 2))
    assert one.pid != two.pid
    assert one.token != two.token
    assert [lab.id for lab in host.list()] == ["apart-1", "apart-2"]
    assert host.get("apart-1") == one
    give(one, "exam.acquire", node="CT1", images=1)
    assert "exam.acquired" not in {event["kind"] for event in ask(two, "/events") if event["actor"] == "test"}
    host.end("apart-1", delete=True)
    assert [lab.id for lab in host.list()] == ["apart-2"]
    until(lambda: not is_alive(one.pid), "the process is gone")
    with pytest.raises(NotFoundError):
        host.get("apart-1")
    with pytest.raises(NotFoundError):
        host.end("apart-1")
    host.end("apart-2", delete=True)


def test_a_killed_lab_comes_back_with_what_it_had(host: LocalHost) -> None:
    seen: list[RunState] = []
    host.on_change(lambda lab: seen.append(lab.state) if lab.id == "killed" else None)
    lab = host.start("riverside", "", 4, lab_id="killed")
    give(lab, "node.stop", node="US1")
    give(lab, "node.config.save", node="CT1", set={"remotes.ROUTER.port": 105})

    priors = {node["name"]: node["counts"]["instances"] for node in ask(lab, "/lab")["nodes"]}["ARCHIVE"]
    # Killed while it stores.
    for node in ("MR1", "DX1"):
        give(lab, "exam.acquire", node=node, images=2)
    acknowledged = [event["seq"] for event in ask(lab, "/events?limit=5000") if event["kind"] == "instance.stored"]
    before = {node["name"]: node["counts"]["instances"] for node in ask(lab, "/lab")["nodes"]}
    os.kill(lab.pid, signal.SIGKILL)
    until(lambda: host.get("killed").pid not in (0, lab.pid), "another process")

    again = host.get("killed")
    assert again.state is RunState.RUNNING
    assert again.restarts == 1
    assert (again.api, again.token) == (lab.api, lab.token)
    assert seen[-2:] == [RunState.RESTARTING, RunState.RUNNING]
    nodes = {node["name"]: node for node in ask(again, "/lab")["nodes"]}
    assert nodes["US1"]["state"] == "stopped"
    assert nodes["CT1"]["needs_restart"]
    for name, instances in before.items():
        assert nodes[name]["counts"]["instances"] >= instances, name
    kinds = {event["seq"]: event["kind"] for event in ask(again, "/events?limit=5000")}
    assert all(kinds[seq] == "instance.stored" for seq in acknowledged)
    # What was scanned arrives in the end, since the queues are on disk.
    wanted = priors + nodes["MR1"]["counts"]["instances"] + nodes["DX1"]["counts"]["instances"]
    until(
        lambda: (
            {node["name"]: node["counts"]["instances"] for node in ask(again, "/lab")["nodes"]}["ARCHIVE"] >= wanted
        ),
        "the exams arrive",
    )
    host.end("killed", delete=True)


@pytest.mark.skipif(not FORKS, reason="only where labs are forked")
def test_what_labs_are_copied_from_is_made_before_anybody_asks(tmp_path: Path) -> None:
    others = set(children_of(os.getpid()))
    with LocalHost(tmp_path):
        until(lambda: any((tmp_path / "cache").glob("lab-riverside-*")), "the first is made", timeout=90)
        launched = set(children_of(os.getpid())) - others
        assert launched
    until(lambda: not any(is_alive(pid) for pid in launched), "making more has ended with the host")


def test_what_cannot_be_started_says_why(host: LocalHost, shared_home: Path) -> None:
    with pytest.raises(NotFoundError, match="riverside"):
        host.start("nowhere", "", 1)
    with pytest.raises(NotFoundError):
        host.start("riverside", "no-such-scenario", 1)
    with pytest.raises(BadInputError):
        host.start("riverside", "", 1, lab_id="../outside")
    for lab_id in ("nothing", "../labs", ""):
        with pytest.raises(NotFoundError):
            host.get(lab_id)
        with pytest.raises(NotFoundError):
            host.end(lab_id, delete=True)
    assert shared_home.is_dir()
    host.start("riverside", "", 1, lab_id="taken")
    with pytest.raises(ConflictError):
        host.start("riverside", "", 1, lab_id="taken")
    host.end("taken", delete=True)


def test_a_lab_goes_on_under_the_next_console(home: Path) -> None:
    with LocalHost(home, warm=False) as first:
        lab = first.start("riverside", "", 4, lab_id="kept")
        give(lab, "node.stop", node="US1")
    assert not is_alive(lab.pid)
    with pytest.raises(UnavailableError):
        first.start("riverside", "", 4)
    with LocalHost(home, warm=False) as second:
        assert second.list() == ()
        results: list[RunningLab] = []
        threads = [threading.Thread(target=lambda: results.append(second.get("kept"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({result.pid for result in results}) == 1
        again = results[0]
        assert again.token == lab.token
        states = {node["name"]: node["state"] for node in ask(again, "/lab")["nodes"]}
        assert states["US1"] == "stopped"


@pytest.mark.skipif(not FORKS, reason="only where labs are forked")
def test_nothing_outlives_a_console_that_is_killed(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from sandbox.host.local import LocalHost;"
        f"host = LocalHost(Path({str(home)!r}), warm=False);"
        "labs = [host.start('riverside', '', seed) for seed in (1, 2)];"
        "print(*(lab.pid for lab in labs), flush=True); time.sleep(300)"
    )
    console = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert console.stdout is not None
    pids = [int(pid) for pid in console.stdout.readline().split()]
    assert len(pids) == 2
    family = children_of(console.pid)
    assert set(pids) < set(family)
    console.kill()
    console.wait()
    until(lambda: not any(is_alive(pid) for pid in family), "every process of the console is gone")


@pytest.mark.skipif(not FORKS, reason="only where labs are forked")
def test_the_preloaded_parent_may_be_killed_too(home: Path) -> None:
    with LocalHost(home, warm=False) as host:
        lab = host.start("riverside", "", 4, lab_id="orphan")
        launcher = host._launcher
        assert isinstance(launcher, ForkLauncher)
        parent = launcher.pid
        os.kill(parent, signal.SIGKILL)
        until(lambda: not is_alive(lab.pid), "the lab ends with its parent")
        until(lambda: host.get("orphan").pid not in (0, lab.pid), "it comes back from another parent")
        assert launcher.pid != parent
        assert ask(host.get("orphan"), "/health")["running"]
        family = [launcher.pid, *children_of(launcher.pid)]
        assert host.get("orphan").pid in family
    until(lambda: not any(is_alive(pid) for pid in family), "nothing is left")


def test_processes_of_their_own_do_as_well(home: Path) -> None:
    with LocalHost(home, launcher=SpawnLauncher, warm=False) as host:
        lab = host.start("riverside", "", 4, lab_id="spawned")
        assert ask(lab, "/health")["running"]
        os.kill(lab.pid, signal.SIGKILL)
        until(lambda: host.get("spawned").pid not in (0, lab.pid), "another process")
        again = host.get("spawned")
        assert again.state is RunState.RUNNING
        with pytest.raises(NotFoundError):
            host.start("nowhere", "", 1)
    until(lambda: not is_alive(again.pid), "the process is gone")


class Crashing:
    """A launcher whose labs come up and die at once, from the second start on."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.starts = 0
        self.die = False

    def start(self, lab: str, options: LabOptions) -> None:
        self.starts += 1
        threading.Thread(target=self._live, args=(lab,)).start()

    def _live(self, lab: str) -> None:
        line = ReadyLine(api="x", token="x", pid=self.starts, lab=lab, site="s", scenario="", seed=1, nodes=())
        if self.die:
            self._listener(Ended(lab, -6, Trouble(kind="UnavailableError", sentence="It fell over.")))
        else:
            self._listener(Ready(lab, line))

    def kill(self, lab: str) -> None:
        self.die = True
        self._listener(Ended(lab, -9))

    def stop(self, lab: str) -> None:
        self._listener(Ended(lab, 0))

    def warm(self, cache: Path) -> None:
        self.warmed = cache

    def close(self) -> None:
        pass


def test_a_lab_that_dies_again_and_again_is_left_alone(tmp_path: Path) -> None:
    host = LocalHost(tmp_path, launcher=Crashing)
    launcher = host._launcher
    assert isinstance(launcher, Crashing)
    host.start("riverside", "", 1, lab_id="weak")
    launcher.kill("weak")
    until(lambda: host.get("weak").state is RunState.FAILED, "it is given up")
    assert launcher.starts == 1 + MOST_RESTARTS
    assert host.get("weak").trouble == "It fell over."
    assert host.list() == ()


class Slow(Crashing):
    """A launcher whose labs end when they are told that they may."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self.asked = threading.Event()
        self.may = threading.Event()

    def stop(self, lab: str) -> None:
        def end() -> None:
            self.may.wait(30)
            self._listener(Ended(lab, 0))

        threading.Thread(target=end).start()
        self.asked.set()


def test_a_lab_that_is_being_deleted_is_not_started_again(tmp_path: Path) -> None:
    host = LocalHost(tmp_path, launcher=Slow)
    launcher = host._launcher
    assert isinstance(launcher, Slow)
    host.start("riverside", "", 1, lab_id="going")
    record = LabDirectory(tmp_path / "labs/going").record_file
    record.parent.mkdir()
    record.write_text("{}")
    ending = threading.Thread(target=host.end, args=("going", True))
    ending.start()
    assert launcher.asked.wait(10)
    with pytest.raises(NotFoundError):
        host.get("going")
    launcher.may.set()
    ending.join(10)
    with pytest.raises(NotFoundError):
        host.get("going")
    assert launcher.starts == 1
    assert list((tmp_path / "labs").iterdir()) == []
    (tmp_path / "labs/.left.deleted").mkdir()
    LocalHost(tmp_path, launcher=Slow)
    assert list((tmp_path / "labs").iterdir()) == []
