"""The command line as people call it, and a lab that runs for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.model.view import ReadyLine
from tests.lab.support import home_in

Call = Callable[..., subprocess.CompletedProcess[str]]


def call_in(home: Path) -> Call:
    def call(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sandbox.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            input=stdin,
            env={"PACS_SANDBOX_HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            check=False,
        )

    return call


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Runs the program with a home of its own."""
    return call_in(tmp_path / "home")


@pytest.fixture(scope="module")
def lab_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_in(tmp_path_factory.mktemp("home"), tmp_path_factory)


@pytest.fixture(scope="module")
def running(lab_home: Path) -> Iterator[ReadyLine]:
    """A lab in the foreground of another process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", "lab", "run", "--json", "--home", str(lab_home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield ReadyLine.model_validate_json(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def ask(lab_home: Path, running: ReadyLine) -> Call:
    """Runs the program beside the running lab."""
    return call_in(lab_home)
