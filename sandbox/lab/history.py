"""The patients of earlier years: made from the site's plan, kept in the cache.

A lab's seed picks one of the site's few variants, so that most labs find theirs made. Dates lie before the present
month, since a department whose newest prior is years old would look dead.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path

from pydicom.dataset import Dataset

from sample_dicom.collection import collected_files
from sample_dicom.history import history_orders
from sample_dicom.station import DEFAULT, Station
from sample_dicom.studies import make_study
from sandbox.archive.archive import Archive
from sandbox.archive.store import Sync
from sandbox.lab.cache import cached, fingerprint
from sandbox.lab.site import Site

IMAGES = "images"
"""The folder of a node's directory in which it keeps its images (see sandbox.nodes.node)."""

_MADE_BY = ("sample_dicom", "sandbox.archive")
"""The packages whose code decides what a history is."""


def collected(folder: Path | None) -> Iterator[Path]:
    """The files of an imported collection, if there is one."""
    if folder is not None:
        yield from collected_files(folder)


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
    plan, stations = site.history, dict(_stations(site))
    until = datetime.combine(month, time())
    rng = random.Random(f"{site.slug}/history/{variant}")  # noqa: S311 - patients, not secrets
    orders = history_orders(variant, patients=plan.patients, until=until, modalities=tuple(stations))
    for order, when in orders:
        images = rng.randint(*plan.images)
        size = replace(DEFAULT, slices=images, stills=images, cine_frames=8)
        station = stations[order.procedure.modality]
        yield from islice(make_study(order, seed=variant, when=when, station=station, size=size), images)


def _stations(site: Site) -> list[tuple[str, Station]]:
    """(kind of modality, station) of the nodes that scan."""
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
