"""Finds the scenario that a slug names, wherever it comes from: a folder, or the table that drills are made from."""

from __future__ import annotations

from pathlib import Path

from sandbox.drill.generator.made import is_made, made_scenario
from sandbox.drill.load import LoadedScenario, load_scenario


def find_scenario(slug: str, root: Path | None = None) -> LoadedScenario:
    """The scenario of that name: in a folder under ``root``, or made for its slug. NotFoundError or BadInputError."""
    return made_scenario(slug) if is_made(slug) else load_scenario(slug, root)
