"""WADO-RS frames: uncompressed, as stored, and every way to ask for one that is not there."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import AllTransferSyntaxes, ExplicitVRLittleEndian, JPEGBaseline8Bit

from sandbox.archive.archive import Archive
from sandbox.dicom.syntaxes import COMPRESSED
from sandbox.dicomweb.frames import MEDIA_TYPES
from tests.archive.support import instance, store
from tests.dicomweb.support import MULTIFRAME, SYNTAXES, UNDECODABLE, colour, grey, keep, parts, pixels_of, where

OCTETS = 'multipart/related; type="application/octet-stream"'


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize("numbers", ["1", "1,2,3", "3,1", "2,2"])
def test_frames_uncompressed(archive: Archive, web: FlaskClient, name: str, numbers: str) -> None:
    ds = keep(archive, grey(3), SYNTAXES[name])
    got = parts(web.get(f"{where(ds)}/frames/{numbers}"))
    wanted = [int(number) for number in numbers.split(",")]
    assert [part.body for part in got] == [pixels_of(ds, number) for number in wanted]
    assert {part.content_type for part in got} == {
        f"application/octet-stream; transfer-syntax={ExplicitVRLittleEndian}"
    }
    assert got[0].location == f"http://localhost{where(ds)}/frames/{wanted[0]}"


def test_frames_as_they_are_stored(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, colour(), JPEGBaseline8Bit)
    for accept in ('multipart/related; type="image/jpeg"', 'multipart/related; type="image/*"; transfer-syntax=*'):
        (part,) = parts(web.get(f"{where(ds)}/frames/1", headers={"Accept": accept}))
        assert part.content_type == f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}"
        assert Image.open(io.BytesIO(part.body)).size == (16, 16)
    (any_syntax,) = parts(web.get(f"{where(ds)}/frames/1", headers={"Accept": f"{OCTETS}; transfer-syntax=*"}))
    assert any_syntax.content_type == f"application/octet-stream; transfer-syntax={JPEGBaseline8Bit}"
    assert any_syntax.body == part.body
    alone = web.get(f"{where(ds)}/frames/1", headers={"Accept": "image/jpeg"})
    assert alone.mimetype == "image/jpeg"
    assert alone.data == part.body
    (plain,) = parts(web.get(f"{where(ds)}/frames/1", headers={"Accept": OCTETS}))
    assert len(plain.body) == 16 * 16 * 3


def test_one_frame_without_multipart(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey(2))
    accept = {"Accept": "application/octet-stream"}
    assert web.get(f"{where(ds)}/frames/2", headers=accept).data == pixels_of(ds, 2)
    assert web.get(f"{where(ds)}/frames/1,2", headers=accept).status_code == 406


def test_without_a_decoder_pixels_are_only_what_they_are(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, colour(), UNDECODABLE)
    path = f"{where(ds)}/frames/1"
    (part,) = parts(web.get(path))
    assert part.content_type == f"image/jxl; transfer-syntax={UNDECODABLE}"
    assert web.get(path, headers={"Accept": OCTETS}).status_code == 406
    assert parts(web.get(path, headers={"Accept": f"{OCTETS}; transfer-syntax=*"}))[0].body == part.body


def test_fragments_of_one_frame_are_joined(archive: Archive, web: FlaskClient) -> None:
    frames = [bytes([number]) * 100 for number in (1, 2, 3)]
    ds = grey(3)
    ds.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=True)
    ds["PixelData"].is_undefined_length = True
    ds["PixelData"].VR = "OB"
    keep(archive, ds, UNDECODABLE)
    for numbers in ("1,2,3", "3,2", "2"):
        got = parts(web.get(f"{where(ds)}/frames/{numbers}"))
        assert [part.body for part in got] == [frames[int(number) - 1] for number in numbers.split(",")]


def test_single_bits_are_packed_frame_by_frame(archive: Archive, web: FlaskClient) -> None:
    ds = instance(SOPClassUID=MULTIFRAME, Rows=3, Columns=3, BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames=2)
    # Frame 1 is 101010101, frame 2 is 111111111, least significant bit first, with no gap between them.
    ds.PixelData = bytes([0b01010101, 0b11111111, 0b00000011, 0])
    keep(archive, ds)
    got = parts(web.get(f"{where(ds)}/frames/1,2"))
    assert [part.body for part in got] == [bytes([0b01010101, 0b1]), bytes([0b11111111, 0b1])]


@pytest.mark.parametrize(
    ("numbers", "status"),
    [("0", 400), ("x", 400), ("1,", 400), ("-1", 400), ("1.5", 400), ("%C2%B2", 400), ("4", 404), ("1,2,9", 404)],
)
def test_frames_that_are_not_there(archive: Archive, web: FlaskClient, numbers: str, status: int) -> None:
    ds = keep(archive, grey(3))
    answer = web.get(f"{where(ds)}/frames/{numbers}")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_what_has_no_frames_and_what_has_fewer_than_it_says(archive: Archive, web: FlaskClient) -> None:
    report = instance()
    del report.PixelData
    store(archive, report)
    assert web.get(f"{where(report)}/frames/1").status_code == 409
    native, compressed = grey(3), colour()
    native.NumberOfFrames = compressed.NumberOfFrames = 5
    keep(archive, native)
    keep(archive, compressed, JPEGBaseline8Bit)
    for short, accept in ((native, OCTETS), (compressed, 'multipart/related; type="image/jpeg"')):
        answer = web.get(f"{where(short)}/frames/5", headers={"Accept": accept})
        assert answer.status_code == 409
        assert "cannot be decoded" in answer.get_json()["detail"]


def test_every_compressed_syntax_has_a_media_type() -> None:
    deflated_frames = "1.2.840.10008.1.2.8.1"  # has none in the standard, and is given by name
    assert set(COMPRESSED) <= {*MEDIA_TYPES, deflated_frames}
    assert {str(syntax) for syntax in AllTransferSyntaxes} >= {uid for uid in MEDIA_TYPES if ".4.11" not in uid}


def test_a_header_that_promises_a_huge_frame_is_not_believed(archive: Archive, web: FlaskClient) -> None:
    ds = colour(Rows=65535, Columns=65535)
    keep(archive, ds, JPEGBaseline8Bit)
    answer = web.get(f"{where(ds)}/frames/1", headers={"Accept": OCTETS})
    assert answer.status_code == 409
    assert "too large" in answer.get_json()["detail"]
    assert web.get(f"{where(ds)}/rendered").status_code == 406
