"""Digital X-Ray Image Storage - For Presentation (PS3.3 A.26): one instance, and one series, for each view."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation

from sample_dicom.instances.common import (
    Exam,
    SeriesInfo,
    SeriesTemplate,
    body_part,
    code_item,
    pixel_module,
    put_pixels,
)
from sample_dicom.phantoms.canvas import Grid, Picture, noise
from sample_dicom.phantoms.subject import Radiograph
from sample_dicom.protocol import DXProtocol, DXView
from sample_dicom.station import Size

LEVELS = 4095


def make_dx(exam: Exam, protocol: DXProtocol, size: Size, subject: Radiograph) -> Iterator[Dataset]:
    """Every view in a series of its own."""
    spacing = protocol.height / size.film
    columns = max(8, 2 * round(protocol.width / spacing / 2))
    grid = Grid(size.film, columns, spacing)
    for number, view in enumerate(protocol.views, 1):
        taken = exam.when + timedelta(seconds=75 * (number - 1))
        info = SeriesInfo(number, f"{protocol.name} {view.description}", protocol.name, taken)
        rng = exam.generator("noise", number)
        density = subject(grid, view.name)
        # Few photons reach the detector behind dense parts, so those are grainier.
        grain = (0.006 + 0.012 * density) * noise(rng, grid.rows, grid.columns)
        levels = (0.04 + 0.9 * density + grain) * LEVELS
        header = (
            _header(exam, view, protocol, grid) | _window(levels) | dict(pixel_module(grid.rows, grid.columns, bits=12))
        )
        ds = SeriesTemplate(exam, info, DigitalXRayImageStorageForPresentation, header).instance(1, taken, {})
        put_pixels(ds, levels, bits=12)
        yield ds


def _header(exam: Exam, view: DXView, protocol: DXProtocol, grid: Grid) -> dict[str, Any]:
    laterality = exam.order.procedure.laterality or "U"
    values: dict[str, Any] = {
        # DX Series, General Image and DX Image (C.8.11.1, C.7.6.1, C.8.11.3)
        "PresentationIntentType": "FOR PRESENTATION",
        "ImageType": ["ORIGINAL", "PRIMARY", ""],
        "PatientOrientation": _orientation(view, laterality),
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "IDENTITY",
        # DX Anatomy Imaged and DX Detector (C.8.11.2, C.8.11.4)
        "ImageLaterality": laterality,
        "DetectorType": "SCINTILLATOR",
        "DetectorConfiguration": "AREA",
        "DetectorActiveShape": "RECTANGLE",
        "ImagerPixelSpacing": [round(grid.spacing, 6)] * 2,
        # DX Positioning (C.8.11.5)
        "PositionerType": "COLUMN",
        "ViewPosition": view.position,
        "ViewCodeSequence": [code_item(*view.code)],
        "DistanceSourceToDetector": 1800 if protocol.height > 300 else 1100,
        # X-Ray Acquisition Dose, Generation and Grid (C.8.7.8, C.8.7.9, C.8.7.11)
        "KVP": view.kvp,
        "XRayTubeCurrent": 250,
        "ExposureTime": max(1, view.exposure * 4),
        "Exposure": view.exposure,
        "Grid": ["FIXED", "FOCUSED"] if protocol.grid else "NONE",
        # Acquisition Context (C.7.6.14) is type 2: nothing to add
        "AcquisitionContextSequence": [],
        **body_part(exam),
    }
    return values


def _window(levels: Picture) -> dict[str, Any]:
    """From the darkest to the densest that is of interest, as the modality's processing would choose it."""
    low, high = np.percentile(levels[::4, ::4], (1, 99.8))
    return {
        "WindowCenter": round(float(low + high) / 2),
        "WindowWidth": max(16, round(float(high - low))),
        "WindowCenterWidthExplanation": "STANDARD",
    }


def _orientation(view: DXView, laterality: str) -> list[str]:
    """From the front a left limb lies mirrored but the patient does not; from the side front and back change places."""
    row, column = view.orientation
    if laterality == "L":
        row = {"A": "P", "P": "A"}.get(row, row)
    return [row, column]
