"""``pacs-sandbox import``: a folder of DICOM files becomes patients of the department."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sandbox.cli.home import home_option
from sandbox.model.errors import BadInputError

if TYPE_CHECKING:
    from sample_dicom.importing import ImportProgress, LeftOut

MOST_SHOWN = 20


@click.command("import")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", default="", help="Name of the collection.  [default: that of the folder]")
@click.option("--forget", is_flag=True, help="Let new labs have only their own patients again; deletes nothing.")
@home_option
def import_(folder: Path | None, name: str, forget: bool, home: Path) -> None:
    """Import a folder of DICOM files. Every new lab's archive holds them from then on.

    The files are copied, never changed. What cannot be read is left out and listed.
    """
    from sample_dicom.importing import scan_folder, stage
    from sandbox.lab.collections import Collections

    collections = Collections(home)
    if forget:
        collections.use("")
        click.echo("New labs have only their own patients.")
        return
    if folder is None:
        raise BadInputError("There is no folder to import.", "Name one: pacs-sandbox import FOLDER.")
    chosen = name or _name_of(folder)
    target = collections.path(chosen)
    with _bar("Looking") as looked, warnings.catch_warnings():
        # What pydicom warns of is either read all the same or told below, file by file.
        warnings.simplefilter("ignore")
        report = scan_folder(folder, looked)
    _tell_left_out(report.left_out)
    if not report.instances:
        raise BadInputError(f"No DICOM image was found in {folder}.", "Choose a folder that holds some.")
    with _bar("Copying") as copied:
        stage(report, target, copied)
    collections.use(chosen)
    click.echo(
        f"{report.instances} images of {report.patients} patients in {report.studies} studies are the collection "
        f"{chosen}. New labs hold them in their archive."
    )


def _name_of(folder: Path) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in folder.resolve().name)
    return kept.strip("-")[:64] or "imported"


@contextmanager
def _bar(label: str) -> Iterator[Callable[[ImportProgress], None]]:
    """A progress bar; where no terminal is, nothing."""
    with click.progressbar(length=1, label=label) as bar:

        def told(progress: ImportProgress) -> None:
            bar.length = max(progress.total, 1)
            bar.update(progress.examined - bar.pos)

        yield told


def _tell_left_out(left_out: tuple[LeftOut, ...]) -> None:
    if not left_out:
        return
    click.echo(f"Left out ({len(left_out)}):")
    for entry in left_out[:MOST_SHOWN]:
        click.echo(f"  {entry.path}: {entry.reason}")
    if len(left_out) > MOST_SHOWN:
        click.echo(f"  and {len(left_out) - MOST_SHOWN} more.")
