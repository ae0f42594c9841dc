"""A reset returns to the marked start: byte for byte, quickly, on the same ports, while the log goes on."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.lab.lab import Lab
from sandbox.lab.network_state import NetworkState
from sandbox.lab.snapshot import mend_after_kill, restore_snapshot
from sandbox.lab.trees import copy_tree
from sandbox.model.errors import ConflictError
from sandbox.model.view import NodeState
from sandbox.network.links import LinkFault, Way
from tests.lab.conftest import MakeLab
from tests.lab.support import do, until, wait_for


def contents(lab: Lab) -> dict[str, str]:
    """What lies in the nodes' directories: files by their bytes, databases by what is in them."""
    found = {}
    for path in sorted(lab.place.nodes.rglob("*")):
        name = str(path.relative_to(lab.place.nodes))
        if path.is_dir() or name.endswith(("-wal", "-shm", "lock")):
            continue
        if path.suffix == ".sqlite":
            with closing(sqlite3.connect(path)) as database:
                raw = "\n".join(database.iterdump()).encode()
        else:
            raw = path.read_bytes()
        found[name] = hashlib.sha256(raw).hexdigest()
    return found


def spoil(lab: Lab) -> None:
    """A bit of everything that a trainee may do."""
    after = do(lab, "exam.acquire", node="CT1", images=2).event
    wait_for(lab, lambda e: e.kind == "instance.stored" and e.node == "WS1", after=after)
    do(lab, "node.config.save", node="ROUTER", remove=["rules.ct-to-ed"])
    do(lab, "node.restart", node="ROUTER")
    do(lab, "node.config.save", node="WS1", set={"accept_unlisted_callers": True})
    do(lab, "queue.hold", node="ROUTER", destination="WS1")
    do(lab, "exam.acquire", node="DX1", images=1)
    do(lab, "node.stop", node="US1")
    do(lab, "network.firewall.add", action="reject")
    do(lab, "network.dns.set", name="archive", address="")
    network = lab.department.network
    network.set_hosts_entry("WS1", "archive", "198.18.20.77")
    network.readdress("MR1", "198.18.10.99")
    network.power("DX1", False)


def test_a_reset_is_the_start_again_byte_for_byte(make_lab: MakeLab) -> None:
    lab = make_lab()
    do(lab, "node.config.save", node="MR1", set={"remotes.ROUTER.ae_title": "ROUTERX"})
    do(lab, "queue.hold", node="ROUTER", destination="WS2", reason="from the start")
    lab.mark_start()
    start, network = contents(lab), NetworkState.of(lab.department.network)
    ports, events = lab.department.network.published_ports(), len(lab.events)
    links = {path: path.stat().st_ino for path in lab.place.nodes.rglob("*.dcm")}
    assert links

    spoil(lab)
    until(lambda: lab.department.node("ROUTER").view().queued > 0, "something waits for WS1")
    assert contents(lab) != start
    do(lab, "lab.reset")

    assert contents(lab) == start
    assert NetworkState.of(lab.department.network) == network
    assert lab.department.network.published_ports() == ports
    assert {path: path.stat().st_ino for path in lab.place.nodes.rglob("*.dcm")} == links, "images were copied"
    nodes = {node.name: node for node in lab.view().nodes}
    assert {node.state for node in nodes.values()} == {NodeState.RUNNING}
    assert nodes["MR1"].needs_restart
    assert not nodes["ROUTER"].needs_restart
    assert nodes["ROUTER"].held == ("WS2",)
    assert nodes["ROUTER"].queued == 0
    kinds = [event.kind for event in lab.events.since(events)]
    assert "lab.reset" in kinds
    assert "exam.acquired" in kinds, "the log was put back too"
    assert do(lab, "tool.echo", node="WS1", remote="ARCHIVE").ok


def test_a_reset_is_quick(make_lab: MakeLab) -> None:
    lab = make_lab()
    spoil(lab)
    took = []
    for _ in range(3):
        began = time.monotonic()
        do(lab, "lab.reset")
        took.append(time.monotonic() - began)
    # Generous, since tests share their machine; alone it is a quarter of a second.
    assert min(took) < 4.0, took


def test_a_reset_cuts_off_what_is_under_way(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.department.network.link("WS1", "ARCHIVE").set(LinkFault(blackhole=Way.BOTH))
    told: list[str] = []

    def knock() -> None:
        try:
            told.append(do(lab, "tool.echo", node="WS1", remote="ARCHIVE").sentence)
        except ConflictError as wrong:
            told.append(wrong.sentence)

    caller = threading.Thread(target=knock)
    before = len(lab.events)
    caller.start()
    wait_for(lab, lambda e: e.kind == "command.issued", after=before)
    began = time.monotonic()
    do(lab, "lab.reset")
    caller.join(10)
    assert time.monotonic() - began < 20
    assert len(told) == 1
    assert do(lab, "tool.echo", node="WS1", remote="ARCHIVE").ok


def test_resets_at_once_do_no_harm(make_lab: MakeLab) -> None:
    lab = make_lab()
    wrong: list[BaseException] = []

    def reset() -> None:
        try:
            do(lab, "lab.reset")
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=reset) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert do(lab, "tool.echo", node="CT1", remote="ROUTER").ok


def test_a_reset_after_a_restart_returns_to_the_same_start(make_lab: MakeLab, cache: Path) -> None:
    lab = make_lab()
    do(lab, "queue.hold", node="ROUTER", destination="WS2")
    lab.mark_start()
    start = contents(lab)
    spoil(lab)
    lab.stop()
    again = Lab.open(lab.directory, cache=cache)
    try:
        again.start()
        do(again, "lab.reset")
        assert contents(again) == start
    finally:
        again.stop()


@pytest.mark.parametrize("killed", ["before the old one went", "between the two", "before the old one was deleted"])
def test_a_kill_in_the_middle_of_a_reset_leaves_a_whole_lab(make_lab: MakeLab, killed: str) -> None:
    lab = make_lab()
    start = contents(lab)
    lab.stop()
    nodes = lab.place.nodes
    fresh, old = nodes.with_name("nodes.new"), nodes.with_name("nodes.old")
    if killed == "before the old one went":
        fresh.mkdir()
        (fresh / "half").touch()
    elif killed == "between the two":
        nodes.rename(old)
        fresh.mkdir()
    else:
        copy_tree(nodes, old)
    mend_after_kill(lab.place)
    assert not fresh.exists()
    assert not old.exists()
    assert contents(lab) == start


def test_a_lab_without_its_files_takes_them_from_the_start(make_lab: MakeLab) -> None:
    lab = make_lab()
    start = contents(lab)
    lab.stop()
    lab.place.nodes.rename(lab.directory / "gone")
    mend_after_kill(lab.place)
    assert contents(lab) == start
    assert restore_snapshot(lab.place).rules == lab.site.plan.firewall


def test_a_copy_of_a_database_that_is_written_to_is_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with closing(sqlite3.connect(source / "x.sqlite", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE numbers (number INTEGER)")
        database.execute("INSERT INTO numbers VALUES (1)")
        database.execute("BEGIN")
        database.execute("INSERT INTO numbers VALUES (2)")
        copy_tree(source, tmp_path / "copy", live=True)
        database.execute("COMMIT")
    with closing(sqlite3.connect(tmp_path / "copy" / "x.sqlite")) as copied:
        assert copied.execute("SELECT number FROM numbers").fetchall() == [(1,)]
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["x.sqlite"]
