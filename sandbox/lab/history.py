"""The patients of earlier years: made once per site, variant and month, kept in a cache, linked into each new lab.

A lab's seed picks one of the site's few variants, so that most labs find theirs made. The cache is filled under a
passing name and renamed, so two processes that make the same history at once do no harm, and a kill leaves nothing.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from pydicom.dataset import Dataset

from sample_dicom.orders import make_order
from sample_dicom.people import make_patient
from sample_dicom.station import DEFAULT, Station
from sample_dicom.studies import make_study
from sandbox.archive.archive import Archive
from sandbox.archive.store import Sync
from sandbox.lab.directory import LabDirectory
from sandbox.lab.site import Site
from sandbox.lab.trees import copy_tree, remove_tree
from sandbox.model.errors import NotFoundError

RECIPE = 1
"""Counted up whenever what is made changes, so that an older cache is not taken for it."""

IMAGES = "images"
"""The folder of a node's directory in which it keeps its images (see sandbox.nodes.node)."""


def place_history(
    site: Site,
    seed: int,
    place: LabDirectory,
    cache: Path | None,
    extra: Iterable[Path] = (),
    today: date | None = None,
) -> None:
    """Fill the nodes' directories of a new lab. ``extra`` are files of an imported collection, taken in besides."""
    fresh = place.nodes.with_name("nodes.new")
    remove_tree(fresh)
    fresh.mkdir(parents=True)
    node = site.history.node
    if node:
        images = fresh / node / IMAGES
        images.parent.mkdir()
        if site.history.patients:
            copy_tree(history_of(site, seed, cache or place.path / "history", today or date.today()), images)
        files = list(extra)
        if files:
            with _archive(images) as archive:
                archive.add_files(files)
    fresh.rename(place.nodes)


def collected(folder: Path | None) -> Iterator[Path]:
    """The Part 10 files of an imported collection, in order of their names."""
    if folder is not None:
        if not folder.is_dir():
            raise NotFoundError(f"There is no folder {folder}.", "Make one with `pacs-sandbox import`.")
        yield from sorted(folder.rglob("*.dcm"))


def history_of(site: Site, seed: int, cache: Path, today: date) -> Path:
    """The folder with the history for this site and seed: from the cache, or made and put there."""
    variant = seed % site.history.variants
    month = today.replace(day=1)
    scanners = [(modality, vars(station)) for modality, station in _stations(site)]
    key = f"{RECIPE}/{site.history.model_dump_json()}/{scanners}/{month}/{variant}"
    target = cache / f"{site.slug or 'site'}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=cache))
    try:
        with _archive(making) as archive:
            archive.add_datasets(_studies(site, variant, month))
        try:
            making.rename(target)
        except OSError:
            # Somebody else was faster, which is as good.
            if not target.is_dir():
                raise
    finally:
        remove_tree(making)
    return target


def _archive(directory: Path) -> Archive:
    return Archive(directory, ae_title="HISTORY", sync=Sync.NORMAL)


def _studies(site: Site, variant: int, month: date) -> Iterator[Dataset]:
    plan = site.history
    stations = _stations(site)
    for number in range(plan.patients if stations else 0):
        rng = random.Random(f"{site.slug}/history/{variant}/{number}")  # noqa: S311 - patients, not secrets
        patient = make_patient(rng)
        for _ in range(rng.randint(*plan.studies)):
            modality, station = rng.choice(stations)
            when = _moment(rng, month, plan.days)
            order = make_order(rng, modality, when, patient=patient)
            images = rng.randint(*plan.images)
            size = replace(DEFAULT, slices=images, stills=images, cine_frames=8)
            yield from islice(make_study(order, seed=variant, when=when, station=station, size=size), images)


def _stations(site: Site) -> list[tuple[str, Station]]:
    """(kind of modality, station) of every node that scans."""
    institution = (site.institution or site.title)[:64]
    return [
        (
            str(node.config["modality"]),
            Station(
                ae_title=str(node.config.get("ae_title", node.name)),
                station_name=str(node.config.get("station_name", node.name))[:16],
                institution=institution,
            ),
        )
        for node in site.nodes
        if node.config.get("modality")
    ]


def _moment(rng: random.Random, month: date, days: int) -> datetime:
    """Some time of a working day within so many days before the month."""
    day = month - timedelta(days=rng.randint(1, days))
    return datetime.combine(day, time(rng.randint(7, 18), rng.randint(0, 59), rng.randint(0, 59)))
