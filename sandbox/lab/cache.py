"""Folders that take long to make and are made once: named by what they are made from, put in place whole.

A folder is made under a passing name and renamed, so two processes that make the same at once do no harm and a kill
leaves nothing that could be taken for whole. Nobody changes a folder that is in the cache.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sandbox.lab.trees import remove_tree


def cached(folder: Path, name: str, made_from: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` for what ``made_from`` describes, made by ``make`` (given an empty folder) if need be."""
    target = folder / f"{name}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}"
    if target.is_dir():
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
    return target


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
