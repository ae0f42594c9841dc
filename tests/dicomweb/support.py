"""What the DICOMweb tests are written with: images in many transfer syntaxes, and multipart messages both ways."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flask.testing import FlaskClient
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)
from werkzeug.test import TestResponse

from sandbox.archive.archive import Archive
from sandbox.archive.part10 import file_head
from sandbox.dicom.contract import StoreRequest
from tests.archive.support import FACTS, instance

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
MULTIFRAME = "1.2.840.10008.5.1.4.1.1.7.2"

UNDECODABLE = "1.2.840.10008.1.2.4.110"
"""JPEG XL: whichever codecs are installed, this is not among them."""

SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
}


def grey(frames: int = 1, rows: int = 8, columns: int = 6, **elements: object) -> Dataset:
    """16-bit grey frames that all differ."""
    pixels = np.arange(frames * rows * columns, dtype="<u2").reshape(frames, rows, columns) * 7
    sizes = {"Rows": rows, "Columns": columns, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
    found = instance(**({"SOPClassUID": MULTIFRAME if frames > 1 else SECONDARY} | sizes | elements))
    if frames > 1:
        found.NumberOfFrames = frames
    found.add_new(0x7FE00010, "OW", pixels.tobytes())
    return found


def colour(**elements: object) -> Dataset:
    """A red 16 by 16 image as JPEG baseline."""
    picture = Image.new("RGB", (16, 16), (200, 10, 10))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    samples = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PhotometricInterpretation": "YBR_FULL_422"}
    found = instance(**({"SOPClassUID": SECONDARY, "Rows": 16, "Columns": 16} | samples | elements))
    found.add_new(0x7FE00010, "OB", encapsulate([buffer.getvalue()]))
    found["PixelData"].is_undefined_length = True
    return found


def pixels_of(ds: Dataset, frame: int = 1) -> bytes:
    length = ds.Rows * ds.Columns * ds.SamplesPerPixel * ds.BitsAllocated // 8
    return bytes(ds.PixelData[(frame - 1) * length : frame * length])


def encode(ds: Dataset, syntax: str) -> bytes:
    """The data set's bytes in a transfer syntax, from native explicit little endian."""
    ds = dcmread(io.BytesIO(part10(ds, _written(ds, ExplicitVRLittleEndian), ExplicitVRLittleEndian)))
    if syntax == RLELossless:
        ds.compress(RLELossless, generate_instance_uid=False)
    if syntax == ExplicitVRBigEndian and ds.BitsAllocated == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    written = _written(ds, ExplicitVRLittleEndian if syntax == DeflatedExplicitVRLittleEndian else syntax)
    if syntax == DeflatedExplicitVRLittleEndian:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        written = deflater.compress(written) + deflater.flush()
        written += b"\0" * (len(written) % 2)
    return written


def _written(ds: Dataset, syntax: str) -> bytes:
    buffer = io.BytesIO()
    target = DicomFileLike(buffer)
    target.is_little_endian = syntax != ExplicitVRBigEndian
    target.is_implicit_VR = syntax == ImplicitVRLittleEndian
    copied = Dataset({element.tag: element for element in ds if element.tag.group != 2})
    write_dataset(target, copied)
    return buffer.getvalue()


def part10(ds: Dataset, data: bytes, syntax: str) -> bytes:
    """A file of these bytes, named by the data set."""
    return file_head(str(ds.SOPClassUID), str(ds.SOPInstanceUID), syntax) + data


def keep(archive: Archive, ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """Store an instance in a transfer syntax; what is compressed already is stored as it is."""
    data = _written(ds, ExplicitVRLittleEndian) if syntax in (JPEGBaseline8Bit, UNDECODABLE) else encode(ds, syntax)
    status = archive.store(StoreRequest(FACTS, str(ds.SOPClassUID), str(ds.SOPInstanceUID), syntax, data))
    assert status.status == 0, status
    return ds


def where(ds: Dataset) -> str:
    return f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"


@dataclass(frozen=True)
class Received:
    content_type: str
    location: str
    body: bytes


def parts(answer: TestResponse) -> list[Received]:
    """The parts of a multipart/related answer."""
    assert answer.status_code in (200, 206), answer.get_data(as_text=True)
    assert answer.mimetype == "multipart/related"
    boundary = answer.mimetype_params["boundary"].encode()
    pieces = answer.data.split(b"--" + boundary)
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    found = []
    for piece in pieces[1:-1]:
        head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        found.append(Received(lines["Content-Type"], lines.get("Content-Location", ""), body.removesuffix(b"\r\n")))
    return found


def datasets(answer: TestResponse) -> list[Dataset]:
    return [dcmread(io.BytesIO(part.body)) for part in parts(answer)]


def upload(web: FlaskClient, files: Sequence[bytes], path: str = "/studies", **headers: str) -> TestResponse:
    """Send Part 10 files as one multipart/related message."""
    boundary = "b0undary"
    body = b"".join(
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file + b"\r\n" for file in files
    )
    return web.post(
        path,
        data=body + f"--{boundary}--\r\n".encode(),
        headers={"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}', **headers},
    )


def file_of(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    return part10(ds, encode(ds, syntax), syntax)
