"""Ultrasound Image Storage and Ultrasound Multi-frame Image Storage (PS3.3 A.6, A.7): stills, then a cine loop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from sample_dicom.instances.common import Exam, SeriesInfo, SeriesTemplate, body_part, pixel_module, put, put_pixels
from sample_dicom.phantoms.sector import frame_of
from sample_dicom.phantoms.subject import Sonogram
from sample_dicom.protocol import USProtocol
from sample_dicom.station import Size

FRAME_TIME = Tag("FrameTime")


def make_us(exam: Exam, protocol: USProtocol, size: Size, subject: Sonogram) -> Iterator[Dataset]:
    """One series: still frames of the protocol's views in turn, and a cine of the first view."""
    info = SeriesInfo(1, protocol.name, protocol.name, exam.when)
    header = _header(exam, protocol, size)
    stills = SeriesTemplate(exam, info, UltrasoundImageStorage, header)
    for index in range(size.stills):
        view = protocol.views[index % len(protocol.views)]
        # Seen again, a view is another moment of the breath.
        picture = subject(size.sonogram, view, (index // len(protocol.views)) * 0.37)
        ds = stills.instance(index + 1, exam.when + timedelta(seconds=31 * (index + 1)), {"ImageComments": view})
        put_pixels(ds, picture, bits=8)
        yield ds
    yield _cine(exam, protocol, size, subject, SeriesTemplate(exam, info, UltrasoundMultiFrameImageStorage, header))


def _cine(exam: Exam, protocol: USProtocol, size: Size, subject: Sonogram, template: SeriesTemplate) -> Dataset:
    """The first view through one breath or pulse, as a loop (Multi-frame C.7.6.6, Cine C.7.6.5)."""
    rate = round(1000 / protocol.frame_time)
    ds = template.instance(
        size.stills + 1,
        exam.when + timedelta(seconds=31 * (size.stills + 1)),
        {
            "ImageComments": protocol.views[0],
            "NumberOfFrames": size.cine_frames,
            "FrameIncrementPointer": FRAME_TIME,
            "FrameTime": protocol.frame_time,
            "StartTrim": 1,
            "StopTrim": size.cine_frames,
            "RecommendedDisplayFrameRate": rate,
            "CineRate": rate,
            "PreferredPlaybackSequencing": 0,
        },
    )
    phases = [frame / size.cine_frames for frame in range(size.cine_frames)]
    put_pixels(ds, np.stack([subject(size.sonogram, protocol.views[0], phase) for phase in phases]), bits=8)
    return ds


def _header(exam: Exam, protocol: USProtocol, size: Size) -> dict[str, object]:
    frame = frame_of(protocol.geometry, size.sonogram, protocol.depth)
    region = Dataset()
    put(
        region,
        {
            "RegionSpatialFormat": 1,
            "RegionDataType": 1,
            "RegionFlags": 0,
            "RegionLocationMinX0": frame.left,
            "RegionLocationMinY0": frame.top,
            "RegionLocationMaxX1": frame.right,
            "RegionLocationMaxY1": frame.bottom,
            "PhysicalUnitsXDirection": 3,
            "PhysicalUnitsYDirection": 3,
            "PhysicalDeltaX": round(frame.spacing / 10, 8),
            "PhysicalDeltaY": round(frame.spacing / 10, 8),
            "TransducerFrequency": round(protocol.frequency * 1000),
        },
    )
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "ABDOMINAL" if protocol.geometry == "convex" else "SMALL PARTS", "0001"],
        "PatientOrientation": "",
        "UltrasoundColorDataPresent": 0,
        "SequenceOfUltrasoundRegions": [region],
        "TransducerData": [protocol.transducer, "", ""],
        "TransducerType": "CURVED LINEAR" if protocol.geometry == "convex" else "LINEAR",
        "ProcessingFunction": "HARMONIC",
        "MechanicalIndex": 1.1 if protocol.geometry == "convex" else 0.8,
        "DepthOfScanField": round(protocol.depth),
        "WindowCenter": 128,
        "WindowWidth": 256,
        **body_part(exam),
        **pixel_module(frame.rows, frame.columns, bits=8),
    }
