"""A lab host for the tests of a worker, and labs in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.host.local import LocalHost
from tests.e2e.support import OutsideLab

StartLab = Callable[..., OutsideLab]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the host keeps its labs."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def host(home: Path) -> Iterator[LocalHost]:
    """The same host that the console uses."""
    with LocalHost(home) as running:
        yield running


@pytest.fixture(scope="module")
def start_lab(host: LocalHost, home: Path) -> Iterator[StartLab]:
    """Starts labs of riverside, which end with the tests of the file."""
    started: list[OutsideLab] = []

    def start(scenario: str = "", seed: int = 7, *, quiet: bool = True) -> OutsideLab:
        lab = OutsideLab(host, home, host.start("riverside", scenario, seed))
        started.append(lab)
        if quiet:
            assert lab.do("background.pause").ok
        return lab

    yield start
    for lab in started:
        lab.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure prints the end of the logs of the labs that its test has."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when != "call" or not report.failed or not isinstance(item, pytest.Function):
        return
    for name, value in item.funcargs.items():
        if isinstance(value, OutsideLab):
            report.sections.append((f"Events of {name}", _last_events(value)))


def _last_events(lab: OutsideLab) -> str:
    file = lab.directory / "events.jsonl"
    if not file.is_file():
        return "no events"
    return "\n".join(line[:220] for line in file.read_text(errors="replace").splitlines()[-25:])
