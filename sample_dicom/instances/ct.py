"""CT Image Storage (PS3.3 A.3): a frontal localizer and one axial series in Hounsfield units."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from sample_dicom.instances.common import Exam, SeriesInfo, SeriesTemplate, body_part, pixel_module, put_pixels
from sample_dicom.instances.planes import ORIENTATIONS, Plane, orientation, position
from sample_dicom.phantoms.canvas import Grid, Picture, blur, noise
from sample_dicom.phantoms.subject import Slicer
from sample_dicom.protocol import CTProtocol
from sample_dicom.station import Size

INTERCEPT = -1024
LOCALIZER_CUTS = 36
"""The localizer is the sum of so many coarse slices: enough for ribs and orbits, cheap enough to forget."""


def make_ct(exam: Exam, protocol: CTProtocol, size: Size, subject: Slicer) -> Iterator[Dataset]:
    """The localizer, then the axial slices from the feet's end upwards."""
    frame_of_reference = exam.uid("frame of reference")
    yield _localizer(exam, protocol, size, subject, frame_of_reference)
    series = SeriesInfo(2, f"{protocol.name} AXIAL", protocol.name, exam.when + timedelta(seconds=42))
    grid = Grid(size.matrix, size.matrix, protocol.fov / size.matrix)
    low, high = protocol.span
    step = (high - low) / size.slices
    rng = exam.generator("noise")
    # Thin pixels and thin slices are noisier: photons are shared among more voxels.
    spread = protocol.noise * (256 / size.matrix) ** -0.5 * (5 / max(step, 1)) ** 0.5
    template = SeriesTemplate(
        exam,
        series,
        CTImageStorage,
        {
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "FrameOfReferenceUID": frame_of_reference,
            "PositionReferenceIndicator": "",
            "RescaleType": "HU",
            **_plane(Plane.AXIAL, grid, step),
            **_acquisition(protocol, exam, step),
            **_values(grid, protocol.window),
        },
    )
    for index in range(size.slices):
        w = round(low + (index + 0.5) * step, 3)
        ds = template.instance(
            index + 1,
            series.began + timedelta(milliseconds=350 * index),
            {"ImagePositionPatient": position(Plane.AXIAL, grid, w), "SliceLocation": w},
        )
        units = blur(subject(grid, w)[0])
        units += spread * noise(rng, grid.rows, grid.columns, correlated=True)
        put_pixels(ds, units - INTERCEPT, bits=12)
        yield ds


def _localizer(exam: Exam, protocol: CTProtocol, size: Size, subject: Slicer, frame_of_reference: str) -> Dataset:
    low, high = protocol.span
    coarse = Grid(64, 80, protocol.fov / 64)
    cuts = np.linspace(high, low, LOCALIZER_CUTS)
    sums = np.stack([np.maximum(subject(coarse, float(w))[0] + 1000, 0).sum(axis=0) for w in cuts])
    grid = Grid(
        max(8, 2 * round((high - low) * size.matrix / protocol.fov / 2)), size.matrix, protocol.fov / size.matrix
    )
    picture = _stretch(_stretch(sums[:, 8:72], grid.rows, 0), grid.columns, 1)
    # A digital radiograph of the body, scaled so that air stays air and the densest ray is bone.
    units = 1500 * (picture / (np.percentile(picture, 99.5) + 1)) ** 0.8 - 1000
    units += 9 * noise(exam.generator("scout"), grid.rows, grid.columns)
    template = SeriesTemplate(
        exam,
        SeriesInfo(1, "SCOUT", protocol.name, exam.when),
        CTImageStorage,
        {
            "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"],
            "FrameOfReferenceUID": frame_of_reference,
            "PositionReferenceIndicator": "",
            **_plane(Plane.CORONAL, grid, protocol.fov),
            **_acquisition(protocol, exam, None),
            **_values(grid, (-250, 1500)),
        },
    )
    place = position(Plane.CORONAL, grid, 0.0, (0.0, 0.0, (low + high) / 2))
    ds = template.instance(1, exam.when, {"ImagePositionPatient": place, "SliceLocation": 0})
    put_pixels(ds, units - INTERCEPT, bits=12)
    return ds


def _stretch(picture: Picture, count: int, axis: int) -> Picture:
    """Linear resampling along one axis, pixel centres kept apart evenly."""
    have = picture.shape[axis]
    places = np.clip((np.arange(count) + 0.5) * have / count - 0.5, 0, have - 1)
    lower = np.minimum(places.astype(int), have - 2)
    share = (places - lower).astype(np.float32)
    share = share[:, None] if axis == 0 else share[None, :]
    first, second = np.take(picture, lower, axis), np.take(picture, lower + 1, axis)
    return np.asarray(first + share * (second - first), dtype=np.float32)


def _plane(plane: Plane, grid: Grid, thickness: float) -> dict[str, object]:
    return {
        "PatientPosition": "HFS",
        "PatientOrientation": ORIENTATIONS[plane],
        "PixelSpacing": [round(grid.spacing, 6)] * 2,
        "ImageOrientationPatient": orientation(plane),
        "SliceThickness": round(thickness, 3),
    }


def _acquisition(protocol: CTProtocol, exam: Exam, step: float | None) -> dict[str, object]:
    """CT Image module (C.8.2.1) and, where a contrast agent was given, Contrast/Bolus (C.7.6.4)."""
    values: dict[str, object] = {
        "KVP": protocol.kvp,
        "DataCollectionDiameter": 500,
        "ReconstructionDiameter": round(protocol.fov, 3),
        "DistanceSourceToDetector": 1040,
        "DistanceSourceToPatient": 570,
        "GantryDetectorTilt": 0,
        "TableHeight": protocol.table_height,
        "RotationDirection": "CW",
        "XRayTubeCurrent": protocol.current if step is not None else 35,
        "ConvolutionKernel": protocol.kernel if step is not None else "SCOUT",
        "ScanOptions": "HELICAL MODE" if step is not None else "SCOUT MODE",
        **body_part(exam),
    }
    if step is not None:
        values |= {
            "ExposureTime": 500,
            "Exposure": protocol.current // 2,
            "FilterType": "BODY FILTER" if protocol.fov > 300 else "HEAD FILTER",
            "FocalSpots": 0.7,
            "SpacingBetweenSlices": round(step, 3),
        }
    if protocol.agent:
        values |= {"ContrastBolusAgent": protocol.agent, "ContrastBolusRoute": "IV"}
    return values


def _values(grid: Grid, window: tuple[int, int]) -> dict[str, object]:
    return {
        "RescaleIntercept": INTERCEPT,
        "RescaleSlope": 1,
        "WindowCenter": window[0],
        "WindowWidth": window[1],
        **pixel_module(grid.rows, grid.columns, bits=12),
    }
