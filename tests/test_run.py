"""A test that fails is run once more, alone: green and named when it passes then, red when it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SOUND = "def test_sound():\n    pass\n"
BROKEN = "def test_broken():\n    assert not 'always'\n"
RACE = """\
from pathlib import Path

def test_race():
    before = Path("been-here")
    if not before.exists():
        before.touch()
        assert not "the first time"
"""


def run(folder: Path, *arguments: str, **files: str) -> subprocess.CompletedProcess[str]:
    """``python -m tests.run`` in a folder with these tests and no others."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "tests.run", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_fails_once_is_green_and_named(tmp_path: Path, workers: str) -> None:
    done = run(tmp_path, "-n", workers, "--junit-xml=report.xml", sound=SOUND, race=RACE)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-2:]
    assert last == ["Passed only when run again, alone - a race to be mended:", "  test_race.py::test_race"]
    report = (tmp_path / "report.xml").read_text()
    assert 'tests="2"' in report, "the report is that of the whole run"


def test_what_always_fails_is_red(tmp_path: Path) -> None:
    done = run(tmp_path, sound=SOUND, broken=BROKEN)
    assert done.returncode == 1, done.stdout
    assert "Failed twice:\n  test_broken.py::test_broken" in done.stdout
    assert "race to be mended" not in done.stdout


def test_a_race_beside_a_true_failure_is_named_and_red(tmp_path: Path) -> None:
    done = run(tmp_path, broken=BROKEN, race=RACE)
    assert done.returncode == 1, done.stdout
    assert (
        "race to be mended:\n  test_race.py::test_race\n\nFailed twice:\n  test_broken.py::test_broken" in done.stdout
    )


def test_what_passes_is_run_once(tmp_path: Path) -> None:
    done = run(tmp_path, sound=SOUND)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("1 passed") == 1
    assert "again" not in done.stdout


def test_a_failure_of_an_earlier_run_counts_no_more(tmp_path: Path) -> None:
    assert run(tmp_path, broken=BROKEN).returncode == 1
    done = run(tmp_path, "test_race.py", race=RACE)
    assert done.returncode == 0, done.stdout
    assert "test_broken" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [((), "import nothing_of_that_name\n", 2), (("--no-such-option",), SOUND, 4), (("-k", "nothing"), SOUND, 5)],
)
def test_a_run_that_is_no_run_is_red_at_once(tmp_path: Path, arguments: tuple[str, ...], text: str, code: int) -> None:
    done = run(tmp_path, *arguments, sound=text)
    assert done.returncode == code, done.stdout
    assert "again" not in done.stdout


def test_many_failures_are_no_race(tmp_path: Path) -> None:
    many = (
        "import pytest\n\n@pytest.mark.parametrize('number', range(30))\ndef test_it(number):\n    assert number < 0\n"
    )
    done = run(tmp_path, many=many)
    assert done.returncode == 1
    assert "30 tests failed, too many to be run again." in done.stdout
