"""Reference pages made from the code, so that they cannot drift: faults, checks, layers, topics, placeholders."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

from pydantic.fields import FieldInfo

from sandbox.checks.registry import checks
from sandbox.drill.layers import LAYERS
from sandbox.drill.load import read_scenario, scenario_slugs, scenarios_folder
from sandbox.drill.outside import PUBLISHED, published_in_words
from sandbox.drill.questions import QUESTIONS
from sandbox.drill.surface import EXAM_WORDS, NODE_WORDS, NOW_WORDS, PERSON_WORDS
from sandbox.faults.registry import faults
from sandbox.learning.topics import FAMILIES, TOPICS
from sandbox.model.base import Model


def pages() -> dict[str, str]:
    """Every page, by file name."""
    return {
        "faults.md": faults_page(),
        "checks.md": checks_page(),
        "scenario-words.md": words_page(),
        "symptoms.md": symptoms_page(),
    }


def faults_page() -> str:
    """Every fault primitive with its parameters."""
    intro = "What can be broken. Each is one file in `sandbox/faults/`; a scenario names it in a `[[fault]]` table."
    return _page("Faults", intro, faults())


def checks_page() -> str:
    """Every check with its parameters."""
    intro = (
        "What can be claimed and tried. Each is one file in `sandbox/checks/`; a scenario names it in a `[[check]]` or"
    )
    return _page("Checks", f"{intro} an `[[invariant]]` table.", checks())


def symptoms_page() -> str:
    """What each scenario looks like to somebody with only dcmtk, as the verifier has seen it."""
    intro = """\
Start a scenario, point your own tools at the published ports (the console names them), and see for yourself. `HOST
PORT-OF-…` stands for the published address of a node; `{accession}`, `{patient}` and other words in braces for what the
ticket tells. `pacs-sandbox scenario verify` runs each of these commands in the well and in the broken department."""
    lines = ["# What your own tools see", "", f"{intro}", "", "Made from the scenarios by `make reference`."]
    for slug in scenario_slugs():
        scenario = read_scenario(scenarios_folder() / slug)
        lines += ["", f"## {scenario.title}", "", f"`{slug}`", ""]
        for view in scenario.outside:
            lines += ["```text", _for_readers(view.command), "```", ""]
            lines += [
                f"- broken: {_printed(view.prints, view.healthy)}",
                f"- well: {_printed(view.healthy, view.prints)}",
            ]
            lines.append("")
    return "\n".join(lines)


def _for_readers(command: str) -> str:
    """Published ports as words; the other placeholders stay, since they differ by seed."""
    return PUBLISHED.sub(lambda match: published_in_words(match), command)


def _printed(there: str, absent: str) -> str:
    return f"it prints `{there}`" if there else f"it does not print `{absent}`"


def words_page() -> str:
    """Layers, families, topics, questions and placeholders."""
    placeholders = [
        *((f"{{{word}}}, {{label.{word}}}, {{label.2.{word}}}", "of an exam") for word in (*EXAM_WORDS, "count")),
        *((f"{{person.ID.{word}}}", "of somebody of the site") for word in PERSON_WORDS),
        *((f"{{{word}:NODE}}", "of a node") for word in NODE_WORDS),
        *((f"{{now.{word}}}", "when the phone rings") for word in NOW_WORDS),
        ("{typo:NODE}", "a mistyped AE title of that node, another one for each seed"),
        ("{pick:one|another}", "one of them, by the seed"),
    ]
    return "\n".join(
        [
            "# Words of a scenario file",
            "",
            "Made from the code by `make reference`.",
            *_table("Layers", ("layer", "means"), LAYERS.items()),
            *_table("Families", ("family", "complaint"), FAMILIES.items()),
            *_table("Topics", ("topic", "title", "weight"), ((t.id, t.title, str(t.weight or "")) for t in TOPICS)),
            *_table("Questions", ("about", "question"), ((about.value, text) for about, text in QUESTIONS.items())),
            *_table("Placeholders", ("placeholder", "is"), placeholders),
            "",
        ]
    )


def _page(title: str, intro: str, entries: Mapping[str, type[Model]]) -> str:
    lines = [f"# {title}", "", f"{intro} Made from the code by `make reference`."]
    for kind, entry in entries.items():
        lines += ["", f"## {kind}", "", inspect.cleandoc(entry.__doc__ or "").replace("``", "`")]
        symptoms: tuple[str, ...] = getattr(entry, "symptoms", ())
        lines += ["", "It causes:", "", *(f"- {symptom}" for symptom in symptoms)] if symptoms else []
        rows = [(f"`{name}`", _kind(field), _default(field)) for name, field in entry.model_fields.items()]
        lines += _table("", ("parameter", "type", "default"), rows)
    return "\n".join([*lines, ""])


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = ["", f"## {title}"] if title else []
    lines += ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


def _kind(field: FieldInfo) -> str:
    annotation = field.annotation
    if annotation is None:
        return ""
    name = getattr(annotation, "__name__", str(annotation))
    return {"str": "text", "int": "number", "float": "number", "bool": "true or false", "tuple": "one or several"}.get(
        name, "any value"
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=False)
    return "" if value in ("", ()) else f"`{value}`"
