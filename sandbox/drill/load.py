"""Reads scenario folders: ``scenario.toml``, and the Markdown that it names beside it.

Loading refuses what makes no sense at the first fault; ``lint`` reads the same folder and tells all of them.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

import scenarios
from sandbox.checks.check import Check
from sandbox.checks.registry import make_check
from sandbox.drill.surface import Surface
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.lab.site import Site, load_site
from sandbox.model.base import explain_validation
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.scenario import Primitive, Scenario

FILE_NAME = "scenario.toml"
OUR_KEYS = frozenset({"slug", "texts"})
"""Keys of the model that a file must not set: they come from the folder."""


class LoadedScenario(Scenario):
    """A scenario with its texts: the content of the Markdown files it names, by file name."""

    texts: dict[str, str] = Field(default_factory=dict, repr=False)

    def department_site(self) -> Site:
        """The site as this lesson has it."""
        site = load_site(self.site)
        if self.history:
            return site
        return site.model_copy(update={"history": site.history.model_copy(update={"patients": 0})})

    def faults(self, surface: Surface) -> tuple[Fault, ...]:
        """The faults, with this run's surface filled in."""
        return tuple(make_fault(_filled(primitive, surface)) for primitive in self.fault)

    def peculiarities(self, surface: Surface) -> tuple[Fault, ...]:
        """What is peculiar to this house and no fault, with this run's surface filled in."""
        return tuple(make_fault(_filled(primitive, surface)) for primitive in self.given)

    def checks(self, surface: Surface) -> tuple[Check, ...]:
        """What the ticket asks for, as claims."""
        return tuple(make_check(_filled(primitive, surface)) for primitive in self.check)

    def invariants(self, surface: Surface) -> tuple[Check, ...]:
        """What must hold all the while."""
        return tuple(make_check(_filled(primitive, surface)) for primitive in self.invariant)

    @cached_property
    def debrief_text(self) -> str:
        return self.texts.get(self.debrief, "")


def scenarios_folder() -> Path:
    """Where the scenarios that come with the product lie."""
    return Path(next(iter(scenarios.__path__)))


def scenario_slugs(root: Path | None = None) -> tuple[str, ...]:
    """The slugs of all scenarios under ``root``, in order of the alphabet."""
    return tuple(sorted(path.parent.name for path in (root or scenarios_folder()).glob(f"*/{FILE_NAME}")))


def load_scenario(slug: str, root: Path | None = None) -> LoadedScenario:
    """The scenario in the folder ``slug``. NotFoundError or BadInputError in words."""
    folder = (root or scenarios_folder()) / slug
    if slug not in scenario_slugs(root):
        raise NotFoundError(f"There is no scenario {slug!r}.", suggestion(slug, scenario_slugs(root)))
    return read_scenario(folder)


def read_scenario(folder: Path) -> LoadedScenario:
    """Read one scenario folder. Its name is the slug."""
    raw = read_toml(folder / FILE_NAME)
    for key in OUR_KEYS & raw.keys():
        raise BadInputError(f"{FILE_NAME}: {key} is not yours to set.", "Take the line out; it comes from the folder.")
    try:
        bare = Scenario.model_validate(raw)
    except ValidationError as wrong:
        raise explain_validation(wrong, f"{folder.name}/{FILE_NAME}") from wrong
    texts = {name: read_text(folder / name) for name in text_files(bare)}
    return LoadedScenario.model_validate({**raw, "slug": folder.name, "texts": texts})


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, or BadInputError that names the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(
            f"{path.parent.name} has no {path.name}.",
            "A scenario is a folder with that file; `pacs-sandbox scenario list` shows those there are.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise BadInputError(f"This is no TOML: {wrong}.", "Mend the line it names.") from wrong


def read_text(path: Path) -> str:
    """A Markdown file of the folder, or NotFoundError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(
            f"{path.parent.name} has no {path.name}.", "Write it, or name the file that there is."
        ) from None


def text_files(scenario: Scenario) -> tuple[str, ...]:
    """The Markdown files that a scenario names."""
    return tuple(dict.fromkeys([*(ticket.text for ticket in scenario.ticket), scenario.debrief]))


def _filled(primitive: Primitive, surface: Surface) -> Primitive:
    return Primitive(kind=primitive.kind, id=primitive.id, **surface.fill_all(primitive.params))
