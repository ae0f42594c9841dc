"""Runs pytest as ``make test`` does, and what failed once more, alone, as CPython's regrtest does.

The tests use real sockets, processes and clocks on machines that they share, so a test can fail because of its
neighbours. One that passes when it runs again alone makes the run green, and is named at the very end: it is a race to
be mended, in the test or in the product. One that fails again is red. A run that did not come to its end (interrupted,
broken collection, wrong usage) is red at once, and so is one in which so much failed that the neighbours are no excuse.

    python -m tests.run tests -n 2 --dist loadfile
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(".pytest_cache")
LAST_FAILED = CACHE / "v" / "cache" / "lastfailed"
MOST = 20
"""So many failures are no accident."""

TESTS_FAILED = 1
"""pytest's exit code when tests were run and some of them failed; every other but 0 means that the run is no run."""


def main(arguments: Sequence[str]) -> int:
    """Run pytest with ``arguments``, perhaps twice; the exit code."""
    LAST_FAILED.unlink(missing_ok=True)
    code = _pytest(*arguments)
    failed = _failed()
    if code != TESTS_FAILED or not failed:
        return code
    if len(failed) > MOST:
        _say(f"{len(failed)} tests failed, too many to be run again.")
        return code
    _say("Failed, run again alone:", failed)
    # What comes later on a command line counts. The first run's report for machines stays as it is.
    code = _pytest(*arguments, "-n0", "--last-failed", "--durations=0", f"--junit-xml={CACHE / 'again.xml'}")
    still = _failed() if code else []
    passed = [test for test in failed if test not in still]
    if code in (0, TESTS_FAILED) and passed:
        _say("Passed only when run again, alone - a race to be mended:", passed)
    if still:
        _say("Failed twice:", still)
    return code


def _pytest(*arguments: str) -> int:
    command = (sys.executable, "-m", "pytest", "-o", f"cache_dir={CACHE}", *arguments)
    return subprocess.run(command, check=False).returncode


def _failed() -> list[str]:
    """The tests that failed in the run that has just ended."""
    try:
        return sorted(json.loads(LAST_FAILED.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def _say(words: str, tests: Sequence[str] = ()) -> None:
    print("\n".join(("", words, *(f"  {test}" for test in tests))), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
