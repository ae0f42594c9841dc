"""Two labs of one site under one host, with different faults and at work at the same time: two worlds.

tests/drill looks at this from inside of one process; here each lab is a process, as the console has them.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import StartLab
from tests.e2e.support import OutsideLab, wait_until

pytestmark = pytest.mark.timeout(240)

SCENARIOS = ("ct-images-missing-in-ed", "nothing-from-friday-in-the-reading-room")
IDLE_S = 2.0


def everything(lab: OutsideLab) -> dict[str, set[str]]:
    """The studies of each node that keeps any."""
    return {node.name: {study.study_uid for study in lab.studies(node.name)} for node in lab.view().nodes}


def of_the_day(lab: OutsideLab, known: dict[str, set[str]]) -> set[str]:
    """What has come since; the history of two labs of a site may well be the same."""
    return {uid for node, studies in everything(lab).items() for uid in studies - known[node]}


def open_files(pid: int) -> set[str]:
    folder = Path(f"/proc/{pid}/fd")
    if not folder.is_dir():
        pytest.skip("this system has no /proc")
    found = set()
    for entry in folder.iterdir():
        try:
            found.add(str(entry.readlink()))
        except OSError:
            continue
    return found


def test_two_labs_share_nothing(start_lab: StartLab) -> None:
    one, two = (start_lab(scenario) for scenario in SCENARIOS)
    assert not set(one.ports.values()) & set(two.ports.values())
    assert one.running.pid != two.running.pid
    known = {lab: everything(lab) for lab in (one, two)}
    made: dict[OutsideLab, set[str]] = {one: set(), two: set()}

    def work(lab: OutsideLab) -> None:
        for node in ("MR1", "CT1", "US1"):
            made[lab].add(lab.scan(node, images=1))

    hands = [threading.Thread(target=work, args=(lab,)) for lab in (one, two)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(60)
    # In one the CT does not get past the router and the reading room has the rest; in two it is the other way round.
    wait_until(lambda: len(of_the_day_at(one, "WS1", known[one]) & made[one]) == 2, "MR and US at WS1 of the one")
    wait_until(lambda: len(of_the_day_at(two, "ARCHIVE", known[two]) & made[two]) == 3, "all in ARCHIVE of the other")
    assert len(of_the_day_at(one, "WS2", known[one])) == 0
    assert len(of_the_day_at(two, "WS1", known[two])) == 0
    for lab, other in ((one, two), (two, one)):
        assert made[lab] <= of_the_day(lab, known[lab])
        assert not of_the_day(lab, known[lab]) & made[other]
        story = (lab.directory / "events.jsonl").read_text()
        assert all(uid in story for uid in made[lab])
        assert not any(uid in story for uid in made[other])
        assert not any(str(other.directory) in name for name in open_files(lab.running.pid))
        # Images never change and may be links to one file; whatever changes is each lab's own.
        assert not changing(lab) & changing(other)


def changing(lab: OutsideLab) -> set[int]:
    """The inodes of the lab's files that are not images."""
    found = set()
    for path in lab.directory.rglob("*"):
        # A running lab may remove a journal while we look.
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and path.suffix != ".dcm":
                found.add(path.stat().st_ino)
    assert found
    return found


def of_the_day_at(lab: OutsideLab, node: str, known: dict[str, set[str]]) -> set[str]:
    return {study.study_uid for study in lab.studies(node)} - known[node]


def test_the_token_of_one_opens_no_other(start_lab: StartLab) -> None:
    one, two = start_lab(), start_lab(seed=8)
    said = httpx.get(f"{two.running.api}/lab", headers={"Authorization": f"Bearer {one.running.token}"})
    assert said.status_code == 401
    assert said.json()["sentence"]
    one.kill()
    one.wait_back()
    assert two.host.get(two.running.id).restarts == 0
    assert two.view().id == two.running.id


def test_what_a_waiting_lab_costs_is_printed(start_lab: StartLab) -> None:
    """No bound: the machine may be shared. The figure is there for whoever reads the output (pytest -s)."""
    lab = start_lab()
    wait_until(lambda: not any(node.queued for node in lab.view().nodes), "nothing is under way")
    before = cpu_s(lab.running.pid)
    threading.Event().wait(IDLE_S)
    used = cpu_s(lab.running.pid) - before
    print(f"\na waiting lab used {used * 1000:.0f} ms of CPU in {IDLE_S:.0f} s")
    assert used >= 0


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.is_file():
        pytest.skip("this system has no /proc")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
