"""One lab in the foreground: `pacs-sandbox lab run --json`, as automation runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from sandbox.host.process import LabOptions, Trouble
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.view import ReadyLine
from tests.host.support import children_of, is_alive
from tests.lab.support import until

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run(home: Path) -> Iterator[Run]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sandbox.cli", "lab", "run", "--home", str(home), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> ReadyLine:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()
    return ReadyLine.model_validate_json(line)


def test_the_first_line_says_how_to_reach_everything(run: Run, home: Path) -> None:
    process = run("--site", "riverside", "--seed", "9", "--json")
    ready = first_line(process)
    assert ready.pid == process.pid
    assert (ready.site, ready.seed, ready.scenario) == ("riverside", 9, "")
    nodes = {node.name: node for node in ready.nodes}
    assert len(nodes) == 8
    assert (nodes["ARCHIVE"].role, nodes["ARCHIVE"].ae_title) == ("archive", "ARCHIVE")
    assert (nodes["ARCHIVE"].address, nodes["ARCHIVE"].port) == ("198.18.20.30", 11112)
    assert all(node.published.startswith("127.0.0.1:") for node in ready.nodes)
    headers = {"Authorization": f"Bearer {ready.token}"}
    assert httpx.get(f"{ready.api}/lab", headers=headers, trust_env=False).status_code == 200

    assert len(list((home / "labs").iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert time.monotonic() - began < 15
    assert out == ""
    assert "Traceback" not in err
    assert list((home / "labs").iterdir()) == []
    assert children_of(process.pid) == []


def test_a_kept_lab_goes_on(run: Run, tmp_path: Path) -> None:
    process = run("--directory", str(tmp_path / "mine"), "--json")
    ready = first_line(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    again = first_line(run("--directory", str(tmp_path / "mine"), "--json"))
    assert (again.lab, again.token, again.api) == (ready.lab, ready.token, ready.api)
    assert [node.published for node in again.nodes] == [node.published for node in ready.nodes]


def test_a_drills_log_is_in_the_order_of_its_times(run: Run, tmp_path: Path) -> None:
    """A scenario tells a past; the nodes were up before it, and after a restart they go on at its own time."""
    slug = "nothing-from-friday-in-the-reading-room"
    options = ("--directory", str(tmp_path / "drill"), "--scenario", slug, "--json")
    for _ in range(2):
        process = run(*options)
        ready = first_line(process)
        headers = {"Authorization": f"Bearer {ready.token}"}
        events = httpx.get(f"{ready.api}/events?limit=2000", headers=headers, trust_env=False).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        times = [datetime.fromisoformat(event["at"]) for event in events]
        back = [later - earlier for earlier, later in pairwise(times) if later < earlier]
        # Taking the time up again after a restart may cost a moment.
        assert all(step > -timedelta(seconds=1) for step in back), back
        assert times[-1] - times[0] > timedelta(days=2)


def test_a_directory_in_use_is_told_in_a_sentence(run: Run, tmp_path: Path) -> None:
    first_line(run("--directory", str(tmp_path / "mine"), "--json"))
    second = run("--directory", str(tmp_path / "mine"), "--json")
    out, err = second.communicate(timeout=30)
    assert second.returncode == 2
    assert "already running" in err
    assert "Traceback" not in err
    assert out == ""


def test_people_get_a_table(run: Run) -> None:
    process = run()
    assert process.stdout is not None
    lines = []
    while not (lines and lines[-1].startswith("Ctrl-C")):
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()
    text = "".join(lines)
    assert "riverside is up" in text
    assert "198.18.20.30:11112" in text


def test_it_ends_when_whoever_started_it_is_gone(home: Path) -> None:
    options = LabOptions(directory=home / "labs" / "own", seed=4, cache=home / "cache")
    parent = (
        "import subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-m', 'sandbox.host.process', sys.argv[1]],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.pid, flush=True);"
        "p.stdout.readline(); print('ready', flush=True); time.sleep(300)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent, options.model_dump_json()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lab = int(process.stdout.readline())
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: not is_alive(lab), "the lab ends with whoever started it")


@pytest.mark.parametrize("wrong", [BadInputError("a", "b"), NotFoundError("a", "b"), ConflictError("a", "b")])
def test_trouble_is_told_to_the_host_as_it_was(wrong: Exception) -> None:
    told = Trouble.model_validate_json(Trouble.of(wrong).model_dump_json()).error()
    assert type(told) is type(wrong)
    assert (told.sentence, told.mend) == ("a", "b")


def test_unforeseen_trouble_is_told_too() -> None:
    assert "boom" in str(Trouble.of(RuntimeError("boom")).error())
