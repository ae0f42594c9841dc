"""The patients of earlier years: made from the site's plan, kept in the cache.

A lab's seed picks one of the site's few variants, so that most labs find theirs made. Dates lie before the present
month, since a department whose newest prior is years old would look dead.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
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
from sandbox.lab.cache import cached, fingerprint
from sandbox.lab.site import Site
from sandbox.model.errors import NotFoundError

IMAGES = "images"
"""The folder of a node's directory in which it keeps its images (see sandbox.nodes.node)."""

_MADE_BY = ("sample_dicom", "sandbox.archive")
"""The packages whose code decides what a history is."""


def collected(folder: Path | None) -> Iterator[Path]:
    """The Part 10 files of an imported collection, in order of their names."""
    if folder is not None:
        if not folder.is_dir():
            raise NotFoundError(f"There is no folder {folder}.", "Make one with `pacs-sandbox import`.")
        yield from sorted(folder.rglob("*.dcm"))


def history_of(site: Site, variant: int, month: date, cache: Path) -> Path:
    """The folder with the images of a variant as seen in a month: from the cache, or made and put there."""
    scanners = [(modality, vars(station)) for modality, station in _stations(site)]
    what = f"{site.history.model_dump_json()} {scanners} {month} {variant} {fingerprint(_MADE_BY)}"

    def make(folder: Path) -> None:
        with open_images(folder) as archive:
            archive.add_datasets(_studies(site, variant, month))

    return cached(cache, f"history-{site.slug or 'site'}", what, make)


def open_images(folder: Path) -> Archive:
    """The archive in a node's folder of images, for filling it before the node is there."""
    return Archive(folder, ae_title="HISTORY", sync=Sync.NORMAL)


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
