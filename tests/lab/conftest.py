"""Labs for tests: real ones, on real sockets, ended at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.lab.lab import Lab
from sandbox.lab.site import BackgroundPlan, Site, load_site
from tests.lab.support import shared_cache

MakeLab = Callable[..., Lab]


def quiet_site() -> Site:
    """Riverside without the background, so that a test knows whose traffic it sees."""
    return load_site("riverside").model_copy(update={"background": BackgroundPlan(enabled=False)})


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_cache(tmp_path_factory)


@pytest.fixture
def make_lab(tmp_path: Path, cache: Path) -> Iterator[MakeLab]:
    """Starts labs in directories of their own: ``make_lab("one", seed=3)``."""
    labs: list[Lab] = []

    def make(name: str = "lab", seed: int = 4, start: bool = True) -> Lab:
        lab = Lab(quiet_site(), tmp_path / name, seed, cache=cache)
        labs.append(lab)
        if start:
            lab.start()
        return lab

    yield make
    for lab in labs:
        lab.stop()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Lab]:
    """One running lab for all tests of a module."""
    lab = Lab(quiet_site(), tmp_path_factory.mktemp("lab"), 4, cache=cache)
    lab.start()
    yield lab
    lab.stop()
