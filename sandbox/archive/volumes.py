"""Second-tier volumes of an archive: directories of files that may be mounted or not. The index knows no difference.

A file of an unmounted volume lies under ``store/volumes/<name>`` and not in its place, so that every read of it fails
as on a server whose storage tier has gone. A volume that is mounted again is an empty directory there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.archive.operations.bench import Bench
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError

_VOLUMES = "volumes"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")


@dataclass(frozen=True)
class Volume:
    """A second-tier volume. ``files`` and ``size`` (bytes) are what nobody can read while it is not mounted."""

    name: str
    is_mounted: bool
    files: int
    size: int


def volumes(bench: Bench) -> tuple[Volume, ...]:
    """The archive's second-tier volumes, in the order of the alphabet."""
    place = bench.files.directory / _VOLUMES
    found = []
    for directory in sorted(place.iterdir()) if place.is_dir() else []:
        sizes = [path.stat().st_size for path in directory.glob("*/*.dcm")]
        found.append(Volume(directory.name, not sizes, len(sizes), sum(sizes)))
    return tuple(found)


def unmount(bench: Bench, name: str, files: Iterable[str]) -> int:
    """Take the files (relative to the store) away as volume ``name``; how many there were. Their rows stay."""
    directory = _directory(bench, name)
    moved = 0
    with bench.exclusive():
        directory.mkdir(parents=True, exist_ok=True)
        for file in files:
            target = directory / file
            target.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                bench.files.path(file).rename(target)
                moved += 1
    return moved


def mount(bench: Bench, name: str) -> int:
    """Put the files of volume ``name`` back in their places; how many. One that was received again meanwhile stays as
    it was received. Raises NotFoundError for an unknown volume, ConflictError when it is mounted."""
    directory = _directory(bench, name)
    known = {volume.name: volume for volume in volumes(bench)}
    if name not in known:
        raise NotFoundError(
            f"There is no volume {name!r}.", f"There is: {', '.join(known)}." if known else "Everything is on one disk."
        )
    if known[name].is_mounted:
        raise ConflictError(f"The volume {name} is mounted already.", "Look for another cause.")
    moved = 0
    with bench.exclusive():
        for path in sorted(directory.glob("*/*.dcm")):
            target = bench.files.path(f"{path.parent.name}/{path.name}")
            target.parent.mkdir(exist_ok=True)
            if target.exists():
                path.unlink()
            else:
                path.rename(target)
                moved += 1
        _remove_empty(directory)
    return moved


def is_on_disk(bench: Bench, sop_instance: str) -> bool:
    """Whether the archive has a file of this instance, indexed or not, mounted or not; the bin does not count."""
    file = bench.files.relative_path(sop_instance)
    if bench.files.path(file).exists():
        return True
    place = bench.files.directory / _VOLUMES
    return place.is_dir() and any((directory / file).exists() for directory in place.iterdir())


def forget(bench: Bench, name: str) -> None:
    """Mount volume ``name`` and let nothing tell that it ever was a volume of its own."""
    directory = _directory(bench, name)
    if not directory.is_dir():
        return
    with suppress(ConflictError):
        mount(bench, name)
    for empty in (directory, directory.parent):
        with suppress(OSError):  # another volume is there
            empty.rmdir()


def _directory(bench: Bench, name: str) -> Path:
    if not _NAME.match(name):
        raise BadInputError(f"{name[:40]!r} is no name of a volume.", "Use small letters, digits and hyphens.")
    return bench.files.directory / _VOLUMES / name


def _remove_empty(directory: Path) -> None:
    for bucket in directory.iterdir():
        with suppress(OSError):
            bucket.rmdir()
