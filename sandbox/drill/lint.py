"""Reads a scenario folder as its author would like a colleague to: every problem with the file, the key and the mend.

``lint`` never runs a lab. It knows the same registries as a run does, so that whatever it lets through can be run; that
the lesson is also fair is for ``verify`` to prove.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sandbox.drill.lint_content import content_problems
from sandbox.drill.load import FILE_NAME, OUR_KEYS, LoadedScenario, read_toml, text_files
from sandbox.drill.problem import Problem
from sandbox.model.base import Model
from sandbox.model.discovery import suggestion
from sandbox.model.errors import SandboxError
from sandbox.model.scenario import (
    Answer,
    Diagnosis,
    FaultChoice,
    Hint,
    KeyEvidence,
    OutsideView,
    Scenario,
    SceneExam,
    Ticket,
    Way,
)

TABLES: Mapping[str, type[Model]] = {
    "": Scenario,
    "exam": SceneExam,
    "ticket": Ticket,
    "answer": Answer,
    "hint": Hint,
    "diagnosis": Diagnosis,
    "diagnosis.choices": FaultChoice,
    "solution": Way,
    "decoy": Way,
    "evidence": KeyEvidence,
    "outside": OutsideView,
}
"""Which model stands behind which table, for the names of the keys. The others take the keys of their primitive."""


def lint(path: Path) -> list[Problem]:
    """Every problem of the scenario in folder ``path`` (or of its scenario.toml). An empty list is a clean bill."""
    folder = path.parent if path.name == FILE_NAME else path
    try:
        raw = read_toml(folder / FILE_NAME)
    except SandboxError as wrong:
        return [Problem(file=FILE_NAME, key="", sentence=wrong.sentence, mend=wrong.mend)]
    problems = [*_our_keys(raw)]
    wanted = {key: value for key, value in raw.items() if key not in OUR_KEYS}
    try:
        scenario = Scenario.model_validate({**wanted, "slug": folder.name})
    except ValidationError as wrong:
        return [*problems, *_structure_problems(wrong, raw)]
    texts: dict[str, str] = {}
    for name in text_files(scenario):
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            key = "debrief" if name == scenario.debrief else "ticket.text"
            written = ", ".join(sorted(entry.name for entry in folder.glob("*.md"))) or "none"
            mend = f"Write {name} beside {FILE_NAME}; there is: {written}."
            problems.append(Problem(file=name, key=key, sentence=f"{name} is named but cannot be read.", mend=mend))
    loaded = LoadedScenario.model_validate({**wanted, "slug": folder.name, "texts": texts})
    return [*problems, *content_problems(loaded)]


def _our_keys(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for key in sorted(OUR_KEYS & raw.keys()):
        mend = "Take the line out; it comes from the folder."
        yield Problem(file=FILE_NAME, key=key, sentence=f"{key} is not yours to set.", mend=mend)


def _structure_problems(wrong: ValidationError, raw: Mapping[str, Any]) -> Iterator[Problem]:
    for fault in wrong.errors():
        parts = [str(part) for part in fault["loc"]]
        key = written_key(parts)
        match fault["type"]:
            case "extra_forbidden":
                table = ".".join(part for part in parts[:-1] if not part.isdigit())
                known = known_keys(table)
                sentence, mend = f"There is no key {parts[-1]!r} here.", suggestion(parts[-1], known)
            case "missing":
                given = _given(raw, parts[:-1])
                near = suggestion(parts[-1], given) if given else ""
                mend = near.replace("Did you mean", "Is it misspelt as") if near.startswith("Did") else "Add it."
                sentence = f"The key {parts[-1]!r} is missing."
            case _:
                sentence, mend = f"{fault['msg']}.", "Look at docs/writing-scenarios.md for what belongs here."
        yield Problem(file=FILE_NAME, key=key, sentence=sentence, mend=mend)


def known_keys(table: str) -> list[str]:
    """The keys that a table of a scenario file may have."""
    model = TABLES.get(table)
    if model is None:
        return []
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [name for name in names if table or name not in OUR_KEYS]


def written_key(parts: list[str]) -> str:
    """A place in the file as an author counts: ``hint[2].text`` is the second hint's text."""
    key = ""
    for part in parts:
        key += f"[{int(part) + 1}]" if part.isdigit() else f".{part}" if key else part
    return key


def _given(raw: Any, parts: list[str]) -> list[str]:
    for part in parts:
        try:
            raw = raw[int(part)] if isinstance(raw, list) else raw[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return []
    return list(raw) if isinstance(raw, dict) else []
