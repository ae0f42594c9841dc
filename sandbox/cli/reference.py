"""``pacs-sandbox reference``: the reference pages of the documentation, made from the code so that they cannot drift.

A page is an entry of ``PAGES`` here or in sandbox.drill.reference. A test compares the files with what is made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

GENERATED = "<!-- Made by `pacs-sandbox reference`. Change the code, then run `make reference`. -->"


@click.command()
@click.argument("folder", default="docs/reference", type=click.Path(path_type=Path, file_okay=False))
@click.option("--check", is_flag=True, help="Write nothing; end with status 1 when a page is out of date.")
def reference(folder: Path, check: bool) -> None:
    """Write the reference pages of the documentation to FOLDER."""
    stale = [name for name, text in pages().items() if _read(folder / name) != text]
    if check:
        for name in stale:
            click.echo(f"{folder / name} is out of date.", err=True)
        sys.exit(1 if stale else 0)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    click.echo(f"{len(stale)} of {len(pages())} pages were out of date.")


def pages() -> dict[str, str]:
    """Every page by its file name: those of this module, and those that drills have of themselves."""
    from sandbox.drill.reference import pages as drill_pages

    ours = {name: write() for name, write in PAGES.items()}
    return {name: f"{GENERATED}\n\n{text.rstrip()}\n" for name, text in sorted({**ours, **drill_pages()}.items())}


def commands_page() -> str:
    """Every command of a lab, with those of a drill."""
    from sandbox.drill.commands import COMMANDS
    from sandbox.lab.commands.registry import commands

    known = {**commands(), **{command.name: command for command in COMMANDS}}
    parts = [
        "# Commands",
        "Whatever a person may do in a lab is one of these: a click in the console, `POST /commands` of the API, a "
        "step of a solution or decoy in a scenario file. Parameters are checked before anything happens.",
    ]
    for name, command in sorted(known.items()):
        parts += [f"## {name}", _doc(command), _fields(command.model_json_schema())]
    return "\n\n".join(part for part in parts if part)


def events_page() -> str:
    """Every kind of event."""
    from sandbox.events.kinds import KINDS, Audience

    rows = [
        (f"`{kind}`", ", ".join(body.model_fields) or "–", "debrief" if body.audience is Audience.LATER else "always")
        for kind, body in sorted(KINDS.items())
    ]
    intro = (
        "What a lab writes to its log (`events.jsonl`), one line of JSON each, with sequence number, time, node, actor "
    )
    intro += "and the event that caused it. Those for the debrief are hidden from a trainee while the drill runs."
    return "\n\n".join(["# Event kinds", intro, _table(("kind", "carries", "shown"), rows)])


def api_page() -> str:
    """Every route of a lab's API."""
    from sandbox.lab.api.routes import ROUTES

    rows = [(route.method, f"`{route.path}`", route.title, f"`{route.media.value}`") for route in ROUTES]
    intro = (
        "A lab's HTTP API on loopback, with `Authorization: Bearer TOKEN` everywhere but `/health`. The full "
        "description (OpenAPI 3.1) is at `/openapi.json` of every running lab."
    )
    return "\n\n".join(["# HTTP API of a lab", intro, _table(("method", "path", "what", "answer"), rows)])


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "events.md": events_page,
    "api.md": api_page,
}


def _doc(entry: type[Any]) -> str:
    paragraphs = (entry.__doc__ or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _fields(schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = [
        (f"`{name}`", _type(field), "yes" if name in needed else "", _told(field))
        for name, field in schema.get("properties", {}).items()
    ]
    return _table(("parameter", "type", "needed", ""), rows) if rows else ""


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"] if each.get("type") != "null")
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "enum" in field:
        return ", ".join(str(value) for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}" if "items" in field else "list"
    return str(field.get("type", "any"))


def _told(field: dict[str, Any]) -> str:
    title, help_text = str(field.get("title", "")), str(field.get("description", ""))
    return f"{title}. {help_text}".strip() if help_text else title


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
