"""How results are printed: a sentence, its facts, a table; or JSON for machines."""

from __future__ import annotations

import sys

import click

from sandbox.model.view import CommandResult

WIDEST_CELL = 40


def show(result: CommandResult, as_json: bool) -> None:
    """Print a result, and end with status 1 when the thing was tried and did not work."""
    if as_json:
        click.echo(result.model_dump_json())
    else:
        click.echo(result.sentence)
        for fact in result.facts:
            click.echo(f"  {fact}")
        if result.rows:
            click.echo(table(result.columns, result.rows))
    if not result.ok:
        sys.exit(1)


def table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    """Rows under their columns, as wide as they need to be."""
    cells = [columns, *rows]
    widths = [min(WIDEST_CELL, max(len(row[index]) for row in cells)) for index in range(len(columns))]
    lines = ["  ".join(_cell(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _cell(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"
