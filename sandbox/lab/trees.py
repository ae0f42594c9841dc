"""Copies of a node's files: image files by hard link, since they never change in place, everything else by copy.

A database is copied through SQLite itself, so that a copy taken while a node writes is whole; databases come before
images, so that every image an index knows is in the copy too.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

IMMUTABLE = frozenset({".dcm"})
"""Suffixes of files that are only ever written whole under a new name and renamed into place."""

_DATABASES = frozenset({".sqlite", ".sqlite3", ".db"})
_PASSING = ("-wal", "-shm", "-journal", ".part", "lock")
"""Ends of names of files that mean nothing outside the process that made them."""


def copy_tree(source: Path, target: Path, *, live: bool = False) -> None:
    """Copy ``source`` to the new directory ``target``. With ``live``, programs are at work in ``source``: databases are
    copied as SQLite sees them, and a file that vanishes meanwhile is left out."""
    target.mkdir(parents=True)
    files: list[tuple[Path, Path]] = []
    for folder, place in _folders(source, target):
        place.mkdir(exist_ok=True)
        with os.scandir(folder) as entries:
            files += [(Path(entry.path), place / entry.name) for entry in entries if entry.is_file()]
    wanted = [(path, copy) for path, copy in files if not path.name.endswith(_PASSING)]
    for path, copy in sorted(wanted, key=lambda pair: pair[0].suffix not in _DATABASES):
        try:
            _copy_file(path, copy, live)
        except FileNotFoundError:
            if not live:
                raise


def remove_tree(path: Path) -> None:
    """Delete a directory, as far as it can be deleted."""
    shutil.rmtree(path, ignore_errors=True)


def _folders(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    for folder, _, _ in os.walk(source):
        yield Path(folder), target / Path(folder).relative_to(source)


def _copy_file(path: Path, copy: Path, live: bool) -> None:
    if path.suffix in _DATABASES and (live or path.with_name(f"{path.name}-wal").exists()):
        # Without -wal beside it a database at rest is whole as it lies there.
        with closing(sqlite3.connect(path)) as original, closing(sqlite3.connect(copy)) as made:
            made.execute("PRAGMA synchronous = OFF")
            original.backup(made)
        return
    if path.suffix in IMMUTABLE:
        try:
            os.link(path, copy)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, copy)
        return
    shutil.copy2(path, copy)
