"""What the tests of sample_dicom share: a station, an hour, and a study in one line."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from io import BytesIO

from pydicom.dataset import Dataset

from sample_dicom.orders import make_order
from sample_dicom.procedures import procedure
from sample_dicom.studies import TINY, Size, Station, make_study

WHEN = datetime(2025, 3, 4, 10, 30, tzinfo=UTC)
STATION = Station(ae_title="SCANNER1", station_name="SCANNER1", model="Test Model")


def study(code: str, seed: int = 1, size: Size = TINY) -> list[Dataset]:
    """The instances of one procedure on one invented patient."""
    line = procedure(code)
    order = make_order(random.Random(seed), line.modality, WHEN, accession_prefix="T", procedure=line)
    return list(make_study(order, seed=seed, when=WHEN, station=STATION, size=size))


def encoded(ds: Dataset) -> bytes:
    """The Part 10 file of a data set."""
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
