"""A new lab's files, ready to be started on: every node's databases made, the history in place, nothing running.

Making a department's databases takes longer than starting it, so one of each kind is kept in the cache and new labs are
copies of it: images as hard links, which never change, everything else as files of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from sandbox.events.log import EventLog
from sandbox.lab.cache import cached, fingerprint
from sandbox.lab.composition import compose
from sandbox.lab.directory import LabDirectory
from sandbox.lab.history import IMAGES, history_of, open_images
from sandbox.lab.site import Site
from sandbox.lab.trees import copy_tree, remove_tree
from sandbox.model.clock import Clock

_MADE_BY = ("sample_dicom", "sandbox.archive", "sandbox.nodes", "sandbox.lab")
"""The packages whose code decides what a department's files are."""


def place_nodes(
    site: Site,
    seed: int,
    place: LabDirectory,
    cache: Path | None,
    extra: Iterable[Path] = (),
    today: date | None = None,
) -> None:
    """Fill the nodes' directories of a new lab. ``extra`` are files of an imported collection for its archive."""
    month = (today or date.today()).replace(day=1)
    prepared = prepare(site, seed % site.history.variants, month, cache or place.path / "cache")
    fresh = place.nodes.with_name("nodes.new")
    remove_tree(fresh)
    copy_tree(prepared / "nodes", fresh)
    files = list(extra)
    if files and site.history.node:
        with open_images(fresh / site.history.node / IMAGES) as archive:
            archive.add_files(files)
    fresh.rename(place.nodes)


def prepare(site: Site, variant: int, month: date, cache: Path) -> Path:
    """The folder of a department that has never run: from the cache, or made and put there."""
    what = f"{site.model_dump_json()} {variant} {month} {fingerprint(_MADE_BY)}"

    def make(folder: Path) -> None:
        place = LabDirectory(folder)
        place.nodes.mkdir()
        plan = site.history
        if plan.node and plan.patients:
            copy_tree(history_of(site, variant, month, cache), place.nodes / plan.node / IMAGES)
        clock = Clock()
        composition = compose(site, place, seed=variant, events=EventLog(clock), clock=clock)
        if not site.background.enabled:
            composition.background.pause()
        composition.close()
        composition.network.close()
        composition.capture.close()

    return cached(cache, f"lab-{site.slug or 'site'}", what, make)
