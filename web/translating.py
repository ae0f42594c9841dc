"""The catalogues of translations, kept by ``make translations``: what is to be translated is gathered from templates,
Python and the lab's tables; each language's file is brought up to date; and the files that run are made of them.

The strings of the lab's tables (settings, commands, layers, explanations) reach the console as plain English and are
translated where they are shown, by the filter ``told``.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from sandbox.drill.commands import COMMANDS
from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.layers import LAYERS
from sandbox.lab.commands.registry import commands
from sandbox.learning.debrief import QUESTIONS as PARTS_OF_A_DIAGNOSIS
from sandbox.learning.score import PARTS
from sandbox.learning.topics import FAMILIES, TOPICS
from sandbox.nodes.damage import DAMAGES
from sandbox.nodes.registry import role_class, roles
from web.i18n import LANGUAGES
from web.practice.path import read_stages

HOME = Path(__file__).parent
FOLDER = HOME / "translations"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS: Mapping[str, Any] = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
SCHEMA_WORDS = ("title", "description", "unit", "group")
MADE = datetime(2026, 1, 1, tzinfo=UTC)  # a file that says when it was made would differ each time


def template() -> Catalog:
    """Every string there is to translate."""
    found = Catalog(project="PACS Sandbox", charset="utf-8", creation_date=MADE)
    options = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    for _path, _line, message, comments, context in extract_from_dir(
        str(HOME), METHODS, options, keywords=KEYWORDS, comment_tags=("Translators:",)
    ):
        found.add(message, auto_comments=comments, context=context)
    for message in python_strings():
        found.add(message)
    for text in sorted(set(lab_strings())):
        found.add(text)
    return found


def python_strings() -> Iterator[str | tuple[str, str]]:
    """What Python marks, within f-strings too, into which Babel's own extraction does not look."""
    for path in sorted(HOME.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if name not in KEYWORDS or not isinstance(node, ast.Call):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if name == "ngettext" and len(texts) > 1:
                yield texts[0], texts[1]
            elif texts and name != "ngettext":
                yield texts[0]


def lab_strings() -> Iterator[str]:
    """What the lab's tables say: settings of every role, commands and their parameters, layers, families, topics."""
    for role in roles():
        yield from _schema_strings(role_class(role).config_class.model_json_schema())
    for command in (*commands().values(), *COMMANDS):
        yield command.title
        yield " ".join((command.__doc__ or "").split())
        yield from _schema_strings(command.model_json_schema())
    yield from LAYERS.values()
    yield from (making.title for making in DAMAGES.values())
    yield from (cause.text for cause in CAUSES.values())
    yield from FAMILIES.values()
    for stage in read_stages():
        yield from (stage.title, stage.teaches)
    yield from (topic.title for topic in TOPICS)
    yield from (part.title for part in PARTS.values())
    yield from PARTS_OF_A_DIAGNOSIS.values()


def _schema_strings(schema: Any, *, is_property: bool = False) -> Iterator[str]:
    """The titles, helps, units and groups of a schema's fields. What a class says of itself is not shown."""
    if isinstance(schema, list):
        for item in schema:
            yield from _schema_strings(item)
        return
    if not isinstance(schema, dict):
        return
    if is_property:
        yield from (schema[key] for key in SCHEMA_WORDS if isinstance(schema.get(key), str) and schema[key].strip())
    for key, value in schema.items():
        if key == "properties":
            for part in value.values():
                yield from _schema_strings(part, is_property=True)
        elif isinstance(value, dict | list) and key not in ("default", "examples"):
            yield from _schema_strings(value)


def source(language: str) -> Path:
    """The file that translators edit."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    path = source(language)
    if not path.exists():
        return Catalog(locale=language, project="PACS Sandbox", charset="utf-8", creation_date=MADE)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """The language's catalogue with every string of today and none of yesterday's. New ones are empty."""
    kept = read(language)
    kept.update(template(), no_fuzzy_matching=True)
    kept.obsolete.clear()
    kept.revision_date = MADE
    kept.header_comment = f"# PACS Sandbox in {LANGUAGES[language]}. Brought up to date by `make translations`."
    kept.fuzzy = False
    return kept


def written(catalog: Catalog) -> bytes:
    made = io.BytesIO()
    write_po(made, catalog, sort_output=True, width=0, no_location=True, omit_header=False)
    return made.getvalue()


def compiled(catalog: Catalog) -> bytes:
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """What has no translation yet."""
    return [str(message.id) for message in catalog if message.id and not _is_whole(message.string)]


def _is_whole(string: Any) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def main() -> None:
    for language in LANGUAGES:
        if language == "en":
            continue
        catalog = updated(language)
        path = source(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(catalog))
        path.with_suffix(".mo").write_bytes(compiled(catalog))
        print(f"{language}: {len(catalog)} strings, {len(missing(catalog))} not translated yet")


if __name__ == "__main__":
    main()
