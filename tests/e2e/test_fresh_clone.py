"""What a newcomer does: clone, `make run`, open the address. Always in CI; elsewhere when asked for."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent.parent
ASKED_FOR = bool(os.environ.get("CI") or os.environ.get("PACS_SANDBOX_TEST_FRESH_CLONE"))

pytestmark = [
    pytest.mark.skipif(not ASKED_FOR, reason="downloads; set PACS_SANDBOX_TEST_FRESH_CLONE=1 to run it"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`make run` in a fresh clone, and the address that it printed."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("VIRTUAL_ENV", "PYTHON"))}
    environment["PACS_SANDBOX_HOME"] = str(tmp_path / "home")
    make = shutil.which("make")
    assert make, "make is missing"
    process = subprocess.Popen(
        [make, "run", "ARGS=--port 0"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, _address(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    printed = []
    for line in process.stdout:
        printed.append(line)
        found = re.search(r"http://[\d.]+:\d+", line)
        if found:
            return found.group()
    pytest.fail("make run printed no address:\n" + "".join(printed))


def _group_is_empty(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_make_run_opens_the_console_and_leaves_nothing_behind(running: tuple[subprocess.Popen[str], str]) -> None:
    process, address = running
    page = httpx.get(address, follow_redirects=True, timeout=30)
    assert page.status_code == 200
    assert "Take the five-minute tour" in page.text, "what a newcomer is offered"
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=20)
    deadline = time.monotonic() + 10
    while not _group_is_empty(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _group_is_empty(process.pid), "a process of the console outlived it"
