"""WADO-RS for instances, metadata and bulk data."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from flask.testing import FlaskClient
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from sandbox.archive.archive import Archive
from sandbox.dicom.transcode import transcode
from tests.archive.support import instance, store, uid
from tests.dicomweb.support import SYNTAXES, UNDECODABLE, colour, datasets, grey, keep, parts, pixels_of, where

AS_STORED = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}


def test_a_study_a_series_an_instance(archive: Archive, web: FlaskClient) -> None:
    study, one, two = uid(), uid(), uid()
    mine = [instance(StudyInstanceUID=study, SeriesInstanceUID=series) for series in (one, one, two)]
    store(archive, *mine, instance())

    def got(path: str) -> list[str]:
        return [str(ds.SOPInstanceUID) for ds in datasets(web.get(path))]

    names = [str(ds.SOPInstanceUID) for ds in mine]
    assert got(f"/studies/{study}") == names
    assert got(f"/studies/{study}/series/{one}") == names[:2]
    assert got(where(mine[1])) == [names[1]]
    (part,) = parts(web.get(where(mine[1])))
    assert part.content_type == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"
    assert part.location == f"http://localhost{where(mine[1])}"


@pytest.mark.parametrize("name", SYNTAXES)
def test_as_stored_is_byte_for_byte(archive: Archive, web: FlaskClient, name: str) -> None:
    ds = keep(archive, grey(3), SYNTAXES[name])
    (part,) = parts(web.get(where(ds), headers=AS_STORED))
    assert part.content_type.endswith(SYNTAXES[name])
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    assert part.body == path.read_bytes()


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize("frames", [1, 3])
def test_without_a_transfer_syntax_it_is_explicit_little_endian(
    archive: Archive, web: FlaskClient, name: str, frames: int
) -> None:
    ds = keep(archive, grey(frames, rows=5, columns=3, PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 100"))
    other = keep(
        archive,
        grey(frames, rows=5, columns=3, PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 100"),
        SYNTAXES[name],
    )
    (got,) = datasets(web.get(where(other)))
    assert got.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert got.file_meta.MediaStorageSOPInstanceUID == other.SOPInstanceUID
    assert got.PixelData[: len(ds.PixelData)] == ds.PixelData
    assert len(got.PixelData) % 2 == 0
    assert got.PatientName == "Müller^Jörg"
    assert {e.tag for e in got} == {e.tag for e in ds}


@pytest.mark.parametrize("name", SYNTAXES)
def test_it_is_the_data_set_that_a_c_store_would_carry(archive: Archive, web: FlaskClient, name: str) -> None:
    ds = keep(archive, grey(2, rows=5, columns=3), SYNTAXES[name])
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    (part,) = parts(web.get(where(ds)))
    assert part.body.endswith(bytes(transcode(path, ExplicitVRLittleEndian)))


def test_colour_is_uncompressed_to_rgb(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, colour(), JPEGBaseline8Bit)
    (got,) = datasets(web.get(where(ds)))
    assert (got.PhotometricInterpretation, got.PlanarConfiguration) == ("RGB", 0)
    red, green, blue = got.pixel_array[8, 8]
    assert red > 180
    assert max(green, blue) < 40


def test_what_has_no_decoder_is_given_as_stored_unless_another_syntax_is_named(
    archive: Archive, web: FlaskClient
) -> None:
    ds = keep(archive, colour(), UNDECODABLE)
    (part,) = parts(web.get(where(ds)))
    assert part.content_type.endswith(UNDECODABLE)
    named = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'
    assert web.get(where(ds), headers={"Accept": named}).status_code == 406


def test_damaged_pixels_are_given_as_stored_and_refused_when_they_must_be_decoded(
    archive: Archive, web: FlaskClient
) -> None:
    ds = colour()
    data = bytearray(ds.PixelData)
    data[20:] = b"\0" * len(data[20:])
    ds.PixelData = bytes(data)
    keep(archive, ds, JPEGBaseline8Bit)
    (part,) = parts(web.get(where(ds)))
    assert part.content_type.endswith(JPEGBaseline8Bit)
    named = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'
    answer = web.get(where(ds), headers={"Accept": named})
    assert answer.status_code == 409
    assert "cannot be decoded" in answer.get_json()["detail"]


def test_a_study_of_which_only_some_can_be_given_is_partial(archive: Archive, web: FlaskClient) -> None:
    study = uid()
    plain, rle = grey(StudyInstanceUID=study), grey(StudyInstanceUID=study)
    keep(archive, plain, ImplicitVRLittleEndian)
    keep(archive, rle, RLELossless)
    named = f'multipart/related; type="application/dicom"; transfer-syntax={RLELossless}'
    answer = web.get(f"/studies/{study}", headers={"Accept": named})
    assert answer.status_code == 206
    assert [ds.SOPInstanceUID for ds in datasets(answer)] == [rle.SOPInstanceUID]


def test_one_instance_without_multipart(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey(), ImplicitVRLittleEndian)
    answer = web.get(where(ds), headers={"Accept": "application/dicom"})
    assert answer.mimetype == "application/dicom"
    assert answer.mimetype_params == {"transfer-syntax": ExplicitVRLittleEndian}
    assert dcmread(io.BytesIO(answer.data)).SOPInstanceUID == ds.SOPInstanceUID
    assert web.get(f"/studies/{ds.StudyInstanceUID}", headers={"Accept": "application/dicom"}).status_code == 406


def test_what_is_not_there(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey())
    other = keep(archive, grey())
    for path in (
        "/studies/1.2.3",
        f"/studies/{ds.StudyInstanceUID}/series/1.2.3",
        f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{other.SOPInstanceUID}",
    ):
        for rest in ("", "/metadata"):
            answer = web.get(path + rest)
            assert answer.status_code == 404, path
            assert answer.get_json()["detail"].endswith(" here.")
    assert web.get("/studies/1.2.x").status_code == 400
    assert web.get(where(ds), headers={"Accept": "image/gif"}).status_code == 406


def test_a_file_that_is_gone_is_told(archive: Archive, web: FlaskClient) -> None:
    study = uid()
    kept, lost = (keep(archive, grey(StudyInstanceUID=study)) for _ in range(2))
    path = archive.instance_path(lost.SOPInstanceUID)
    assert path is not None
    path.unlink()
    answer = web.get(f"/studies/{study}")
    assert answer.status_code == 206
    assert [ds.SOPInstanceUID for ds in datasets(answer)] == [kept.SOPInstanceUID]
    assert web.get(where(lost)).status_code == 404
    path.write_bytes(b"garbage")
    for rest in ("", "/metadata"):
        answer = web.get(where(lost) + rest)
        assert answer.status_code == 404
        assert "gone or damaged" in answer.get_json()["detail"]
    assert web.get(where(lost) + "/frames/1").status_code == 503


# -- Metadata ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SYNTAXES)
def test_metadata_are_the_whole_header_with_links_to_bulk(archive: Archive, web: FlaskClient, name: str) -> None:
    ds = grey(2, PatientName="Yamada^Tarou=山田^太郎", SpecificCharacterSet=["", "ISO 2022 IR 87"])
    ds.SliceThickness, ds.ImageType = "2.50", ["ORIGINAL", "PRIMARY"]
    ds.SmallestImagePixelValue = 3
    ds.FrameIncrementPointer = 0x00181063
    ds.PatientBirthDate = ""
    keep(archive, ds, SYNTAXES[name])
    (told,) = web.get(where(ds) + "/metadata").get_json()
    assert list(told) == sorted(told)
    assert told["00100010"]["Value"] == [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]
    assert told["00080005"]["Value"] == [None, "ISO 2022 IR 87"]
    assert told["00180050"] == {"vr": "DS", "Value": [2.5]}
    assert told["00080008"] == {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]}
    assert told["00280106"] == {"vr": "US", "Value": [3]}
    assert told["00280009"] == {"vr": "AT", "Value": ["00181063"]}
    assert told["00100030"] == {"vr": "DA"}
    assert told["00280010"] == {"vr": "US", "Value": [8]}
    assert told["00083002"]["Value"] == [SYNTAXES[name]]
    assert told["7FE00010"]["BulkDataURI"] == f"http://localhost{where(ds)}/bulkdata/7FE00010"
    assert not any(tag.startswith("0002") or tag.endswith("0000") for tag in told)
    back = Dataset.from_json(json.dumps({tag: e for tag, e in told.items() if tag != "7FE00010"}))
    assert back.PatientName == ds.PatientName


def test_metadata_of_a_series_and_a_study(archive: Archive, web: FlaskClient) -> None:
    study, series = uid(), uid()
    mine = [keep(archive, grey(StudyInstanceUID=study, SeriesInstanceUID=series)) for _ in range(3)]
    keep(archive, grey(StudyInstanceUID=study))
    assert len(web.get(f"/studies/{study}/metadata").get_json()) == 4
    told = web.get(f"/studies/{study}/series/{series}/metadata").get_json()
    assert [one["00080018"]["Value"][0] for one in told] == [ds.SOPInstanceUID for ds in mine]


def test_values_that_break_their_rules_hide_nothing(archive: Archive, web: FlaskClient) -> None:
    ds = grey()
    ds.add_new(0x00180050, "DS", "2.5")
    ds.add_new(0x00280030, "DS", ["1", "1"])
    ds.add_new(0x0018602C, "FD", [float("nan"), 1.5])
    ds.add_new(0x00091001, "UN", b"\xff\xfe private")
    data = keep_broken(archive, ds)
    assert data
    (told,) = web.get(where(ds) + "/metadata").get_json()
    assert told["00180050"]["vr"] in ("DS", "UN")
    assert told["0018602C"] == {"vr": "FD", "Value": ["nan", 1.5]}
    assert base64.b64decode(told["00091001"]["InlineBinary"]) == b"\xff\xfe private"
    assert told["00100020"]["Value"] == ["P1"]


def keep_broken(archive: Archive, ds: Dataset) -> bytes:
    """As ``keep``, with a decimal string that is none."""
    from sandbox.dicom.contract import StoreRequest
    from tests.archive.support import FACTS
    from tests.dicomweb.support import encode

    data = encode(ds, ExplicitVRLittleEndian).replace(b"DS\x04\x002.5 ", b"DS\x04\x002,5x")
    status = archive.store(
        StoreRequest(FACTS, str(ds.SOPClassUID), str(ds.SOPInstanceUID), ExplicitVRLittleEndian, data)
    )
    assert status.status == 0
    return data


# -- Bulk data --------------------------------------------------------------------------------------------------------


def nested() -> Dataset:
    """A large value at the top, and one two sequences down."""
    ds = grey()
    inner, outer = Dataset(), Dataset()
    inner.add_new(0x00660016, "OF", bytes(range(256)) * 10)
    outer.add_new(0x00400260, "SQ", [Dataset(), inner])
    ds.add_new(0x00400275, "SQ", [outer])
    ds.add_new(0x00420011, "OB", b"%PDF" * 1000)
    return ds


@pytest.mark.parametrize("name", ["explicit", "implicit", "deflated", "big"])
def test_every_bulk_link_of_the_metadata_gives_its_value(archive: Archive, web: FlaskClient, name: str) -> None:
    ds = nested()
    keep(archive, ds, SYNTAXES[name])
    (told,) = web.get(where(ds) + "/metadata").get_json()
    top = told["00420011"]["BulkDataURI"]
    deep = told["00400275"]["Value"][0]["00400260"]["Value"][1]["00660016"]["BulkDataURI"]
    assert deep.endswith("/bulkdata/00400275/0/00400260/1/00660016")
    assert web.get(top, headers={"Accept": "application/octet-stream"}).data == b"%PDF" * 1000
    (part,) = parts(web.get(deep))
    assert part.content_type == "application/octet-stream"
    expected = bytes(range(256)) * 10
    if name == "big":  # the test writes the bytes as they are, which then are big endian floats
        expected = np.frombuffer(expected, ">u4").astype("<u4").tobytes()
    assert part.body == expected
    if name != "big":
        (pixels,) = parts(web.get(told["7FE00010"]["BulkDataURI"]))
        assert pixels.body == ds.PixelData


def test_compressed_pixels_as_bulk_are_frames(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey(3), RLELossless)
    got = parts(web.get(where(ds) + "/bulkdata/7FE00010"))
    assert [part.body for part in got] == [pixels_of(ds, number) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("00420012", 404),
        ("00400275/7/00400260", 404),
        ("00100010/0/00100010", 404),
        ("../../x", 400),
        ("7fe00010x", 400),
        ("00400275/0", 400),
        ("%2Fetc%2Fpasswd", 400),
    ],
)
def test_addresses_that_lead_nowhere(archive: Archive, web: FlaskClient, path: str, status: int) -> None:
    ds = keep(archive, nested())
    assert web.get(f"{where(ds)}/bulkdata/{path}").status_code in (status, 404)
