"""Folders that take long to make and are made once: named by what they are made from, put in place whole.

A folder is made under a passing name and renamed, so two processes that make the same at once do no harm and a kill
leaves nothing that could be taken for whole. Nobody changes a folder that is in the cache. What other code, other sites
or earlier months have made is removed when newer folders of the same name have come, the longest unused first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sandbox.lab.trees import remove_tree

KEPT = 12
"""How many folders of one name are kept: more than the variants of a site, for two versions of the program."""

ABANDONED_S = 3600.0
"""A folder that has been in the making for so long, in seconds, was left by a process that was killed."""


def cached(folder: Path, name: str, made_from: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` for what ``made_from`` describes, made by ``make`` (given an empty folder) if need be."""
    target = folder / f"{name}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}"
    if target.is_dir():
        with contextlib.suppress(OSError):
            os.utime(target)
        return target
    folder.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=folder))
    try:
        make(making)
        try:
            making.rename(target)
        except OSError:
            # Somebody else was faster, which is as good.
            if not target.is_dir():
                raise
    finally:
        remove_tree(making)
    _tidy(folder, name, keep=target)
    return target


def _tidy(folder: Path, name: str, keep: Path) -> None:
    """Remove the folders of ``name`` that have not been used for longest, and what was left half made."""
    aged: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        # Another process may be tidying, too.
        with contextlib.suppress(OSError):
            if path.name.startswith(f".{name}-") and time.time() - path.stat().st_mtime > ABANDONED_S:
                remove_tree(path)
            elif path.name.rpartition("-")[0] == name and path != keep:
                aged.append((path.stat().st_mtime, path))
    for _, path in sorted(aged, reverse=True)[KEPT - 1 :]:
        remove_tree(path)


@cache
def fingerprint(packages: Sequence[str]) -> str:
    """Changes whenever a file of these packages does, so that what other code has made is not taken for ours."""
    digest = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec is not None else ():
            for path in sorted(Path(root).rglob("*.py")):
                state = path.stat()
                digest.update(f"{path.relative_to(root)} {state.st_size} {state.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]
