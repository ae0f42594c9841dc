"""MR Image Storage (PS3.3 A.4): a series for each pulse sequence through the same body in the same plane."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from sample_dicom.instances.common import Exam, SeriesInfo, SeriesTemplate, body_part, pixel_module, put_pixels
from sample_dicom.instances.planes import ORIENTATIONS, orientation, position
from sample_dicom.phantoms.canvas import Grid, Picture, blur, noise
from sample_dicom.phantoms.subject import Slicer
from sample_dicom.protocol import MRProtocol, MRSeries
from sample_dicom.station import Size

FIELD_STRENGTH = 1.5
LARMOR = 42.577 * FIELD_STRENGTH
"""MHz of hydrogen."""


WINDOW_EVERY = 4
"""A series is windowed by every so many of its slices."""


def make_mr(exam: Exam, protocol: MRProtocol, size: Size, subject: Slicer) -> Iterator[Dataset]:
    """All series, slice by slice. Each slice is drawn once, in all contrasts, for all of them, and not before somebody
    wants it."""
    grid = Grid(size.matrix, size.matrix, protocol.fov / size.matrix)
    low, high = protocol.span
    step = (high - low) / size.slices
    places = [round(low + (index + 0.5) * step, 3) for index in range(size.slices)]
    rng = exam.generator("noise")
    shade = _shading(exam, grid)
    used = sorted({series.contrast for series in protocol.series})

    @cache
    def slab(index: int) -> Picture:
        return shade * blur(subject(grid, places[index])[used])

    for number, series in enumerate(protocol.series, 1):
        info = SeriesInfo(number, series.description, protocol.name, exam.when + timedelta(minutes=4 * number - 3))
        plane = used.index(series.contrast)
        window = _window(np.stack([slab(index)[plane, ::4, ::4] for index in range(0, size.slices, WINDOW_EVERY)]))
        template = SeriesTemplate(
            exam,
            info,
            MRImageStorage,
            {
                "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
                "PatientPosition": "HFS" if protocol.coil != "KNEE" else "FFS",
                "PatientOrientation": ORIENTATIONS[protocol.plane],
                "FrameOfReferenceUID": exam.uid("frame of reference"),
                "PositionReferenceIndicator": "",
                "PixelSpacing": [round(grid.spacing, 6)] * 2,
                "ImageOrientationPatient": orientation(protocol.plane),
                "SliceThickness": round(0.85 * step, 3),
                "SpacingBetweenSlices": round(step, 3),
                "WindowCenter": window[0],
                "WindowWidth": window[1],
                **body_part(exam),
                **_sequence(series, protocol, grid),
                **pixel_module(grid.rows, grid.columns, bits=12),
            },
        )
        for index, w in enumerate(places):
            ds = template.instance(
                index + 1,
                info.began + timedelta(milliseconds=80 * index),
                {"ImagePositionPatient": position(protocol.plane, grid, w, protocol.centre), "SliceLocation": w},
            )
            # The magnitude of two noisy channels is Rician: air is never quite black.
            real = slab(index)[plane] + protocol.noise * noise(rng, grid.rows, grid.columns)
            signal = np.hypot(real, protocol.noise * noise(rng, grid.rows, grid.columns))
            put_pixels(ds, signal, bits=12)
            yield ds


def _sequence(series: MRSeries, protocol: MRProtocol, grid: Grid) -> dict[str, object]:
    """MR Image module (C.8.3.1)."""
    values: dict[str, object] = {
        "ScanningSequence": list(series.sequence),
        "SequenceVariant": list(series.variant),
        "ScanOptions": "FS" if series.fat_suppressed else "",
        "MRAcquisitionType": "2D",
        "RepetitionTime": series.tr,
        "EchoTime": series.te,
        "NumberOfAverages": 1,
        "ImagingFrequency": round(LARMOR, 4),
        "ImagedNucleus": "1H",
        "EchoNumbers": 1,
        "MagneticFieldStrength": FIELD_STRENGTH,
        "EchoTrainLength": series.train,
        "PercentSampling": 100,
        "PercentPhaseFieldOfView": 100,
        "PixelBandwidth": 180,
        "ReceiveCoilName": protocol.coil,
        "AcquisitionMatrix": [0, grid.columns, grid.rows, 0],
        "InPlanePhaseEncodingDirection": "COL",
        "FlipAngle": series.flip,
        "VariableFlipAngleFlag": "N",
        "SAR": 0.8,
    }
    return values | ({"InversionTime": series.ti} if series.ti is not None else {})


def _shading(exam: Exam, grid: Grid) -> Picture:
    """The receive coil hears some places better than others: a smooth gain between about 0.85 and 1.15."""
    rng = exam.generator("coil")
    u, v = grid.u / (grid.columns * grid.spacing), grid.v / (grid.rows * grid.spacing)
    a, b, c = rng.uniform(-0.16, 0.16, 3)
    return np.asarray(1 + a * u + b * v + (0.35 + c) * (u * u + v * v) - 0.05, dtype=np.float32)


def _window(sample: Picture) -> tuple[int, int]:
    """Centre and width that show tissue from dark to bright and let fat and fluid just reach white."""
    tissue = sample[sample > 40]
    top = float(np.percentile(tissue, 98.0)) if tissue.size else 1000.0
    width = max(50, round(top * 1.08))
    return width // 2, width
