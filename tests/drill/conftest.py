"""An attempt at the smallest scenario, in a lab of its own. A module with another scenario has its own fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.drill.attempt import Attempt
from sandbox.drill.load import LoadedScenario, read_scenario
from tests.drill.support import running_lab, write_tiny


@pytest.fixture
def scenario(tmp_path: Path) -> LoadedScenario:
    return read_scenario(write_tiny(tmp_path / "scenarios"))


@pytest.fixture
def attempt(tmp_path: Path, scenario: LoadedScenario) -> Iterator[Attempt]:
    with running_lab(tmp_path / "lab", scenario=scenario.slug) as lab:
        made = Attempt(lab, scenario)
        made.begin()
        yield made
        made.close()
