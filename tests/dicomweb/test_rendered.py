"""Rendered images and thumbnails, by WADO-RS and WADO-URI."""

from __future__ import annotations

import io

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit
from werkzeug.test import TestResponse

from sandbox.archive.archive import Archive
from tests.archive.support import instance, store, uid
from tests.dicomweb.support import UNDECODABLE, colour, grey, keep, parts, where

PNG = {"Accept": "image/png"}


def picture(answer: TestResponse) -> Image.Image:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Image.open(io.BytesIO(answer.data))


def test_jpeg_unless_png_is_asked(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey())
    answer = web.get(where(ds) + "/rendered")
    assert answer.mimetype == "image/jpeg"
    assert picture(answer).format == "JPEG"
    assert picture(web.get(where(ds) + "/rendered", headers=PNG)).format == "PNG"
    assert picture(web.get(where(ds) + "/rendered?accept=image/png")).size == (6, 8)
    assert web.get(where(ds) + "/rendered", headers={"Accept": "image/gif"}).status_code == 406


def test_the_window_decides_what_is_seen(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey())
    stored = np.arange(48).reshape(8, 6) * 7
    for function in ("", ",linear", ",LINEAR", ",linear-exact", ",sigmoid"):
        drawn = np.asarray(picture(web.get(f"{where(ds)}/rendered?window=168,1{function}", headers=PNG)))
        assert drawn[stored < 160].max() < 5, function
        assert drawn[stored > 176].min() > 250, function


def test_the_viewport_crops_turns_and_scales(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey(rows=8, columns=16))
    path = f"{where(ds)}/rendered?window=400,800&viewport="
    whole = np.asarray(picture(web.get(path + "16,8", headers=PNG)))
    assert whole.shape == (8, 16)
    assert picture(web.get(path + "32,32", headers=PNG)).size == (32, 16)
    assert (np.asarray(picture(web.get(path + "4,4,2,1,4,4", headers=PNG))) == whole[1:5, 2:6]).all()
    assert (np.asarray(picture(web.get(path + "16,8,,,-16,8", headers=PNG))) == whole[:, ::-1]).all()
    assert (np.asarray(picture(web.get(path + "16,8,,,,-8", headers=PNG))) == whole[::-1]).all()


def test_frames_alone_and_together(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey(3))
    path = f"{where(ds)}/frames"
    single = [web.get(f"{path}/{number}/rendered?window=500,1000", headers=PNG).data for number in (1, 2, 3)]
    assert len(set(single)) == 3
    accept = {"Accept": 'multipart/related; type="image/png"'}
    together = parts(web.get(f"{path}/1,2,3/rendered?window=500,1000", headers=accept))
    assert [part.body for part in together] == single
    assert web.get(f"{path}/4/rendered").status_code == 404
    assert web.get(f"{path}/{','.join(['1'] * 65)}/rendered").status_code == 400


def test_thumbnails_of_everything(archive: Archive, web: FlaskClient) -> None:
    study, series = uid(), uid()
    report = instance(StudyInstanceUID=study, SeriesInstanceUID=series)
    del report.PixelData
    store(archive, report)
    ds = keep(archive, grey(2, rows=200, columns=100, StudyInstanceUID=study, SeriesInstanceUID=series))
    for path in (f"/studies/{study}", f"/studies/{study}/series/{series}", where(ds), f"{where(ds)}/frames/2"):
        assert picture(web.get(path + "/thumbnail")).size == (64, 128)
    assert picture(web.get(f"/studies/{study}/thumbnail?viewport=20,20")).size == (10, 20)
    assert web.get(where(report) + "/thumbnail").status_code == 406
    assert web.get(where(ds) + "/frames/1,2/thumbnail").status_code == 400


def test_colour(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, colour(), JPEGBaseline8Bit)
    red, green, blue = np.asarray(picture(web.get(where(ds) + "/rendered", headers=PNG)))[8, 8]
    assert red > 180
    assert max(green, blue) < 40


def test_what_cannot_be_drawn_is_told(archive: Archive, web: FlaskClient) -> None:
    unknown = keep(archive, colour(), UNDECODABLE)
    report = instance()
    del report.PixelData
    store(archive, report)
    for ds, words in ((unknown, "JPEG XL"), (report, "no image")):
        answer = web.get(where(ds) + "/rendered")
        assert answer.status_code == 406
        assert words in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "window=40",
        "window=a,b",
        "window=40,0",
        "window=40,-1",
        "window=40,400,cubic",
        "window=nan,1",
        "window=1e99,1",
        "window=1,2,linear,4",
        "viewport=10",
        "viewport=0,10",
        "viewport=x,y",
        "viewport=99999,10",
        "viewport=10,10,1",
        "viewport=10,10,0,0,99,99",
        "viewport=10,10,-1,0,2,2",
        "viewport=10,10,0,0,0,0",
        "viewport=10,10,nan,0,2,2",
        "quality=0",
        "quality=101",
        pytest.param("quality=" + "9" * 5000, id="quality=9…"),
        "quality=best",
    ],
)
def test_bad_parameters_are_refused_in_words(archive: Archive, web: FlaskClient, query: str) -> None:
    ds = keep(archive, grey())
    answer = web.get(f"{where(ds)}/rendered?{query}")
    assert answer.status_code == 400, query
    assert answer.get_json()["mend"]


# -- WADO-URI ---------------------------------------------------------------------------------------------------------


def wado(ds: object, **more: str) -> str:
    asked = {
        "requestType": "WADO",
        "studyUID": ds.StudyInstanceUID,  # type: ignore[attr-defined]
        "seriesUID": ds.SeriesInstanceUID,  # type: ignore[attr-defined]
        "objectUID": ds.SOPInstanceUID,  # type: ignore[attr-defined]
    } | more
    return "/wado?" + "&".join(f"{name}={value}" for name, value in asked.items())


def test_wado_uri_draws_and_retrieves(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey(2), "1.2.840.10008.1.2")
    assert picture(web.get(wado(ds))).format == "JPEG"
    drawn = picture(web.get(wado(ds, contentType="image/png", rows="16", columns="12", frameNumber="2")))
    assert (drawn.format, drawn.size) == ("PNG", (12, 16))
    windowed = picture(web.get(wado(ds, contentType="image/png", windowCenter="10000", windowWidth="10")))
    assert np.asarray(windowed).max() == 0
    file = web.get(wado(ds, contentType="application/dicom"))
    assert file.mimetype == "application/dicom"
    assert b"1.2.840.10008.1.2.1\0" in file.data[:500]
    stored = web.get(wado(ds, contentType="application/dicom", transferSyntax="1.2.840.10008.1.2"))
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    assert stored.data == path.read_bytes()


def test_wado_uri_refuses_in_words(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey())
    for path, status in (
        ("/wado", 400),
        ("/wado?requestType=WADO&studyUID=1.2", 400),
        (wado(ds, objectUID="../x"), 400),
        (wado(ds, objectUID="1.2.3"), 404),
        (wado(ds, frameNumber="0"), 400),
        (wado(ds, frameNumber="2"), 404),
        (wado(ds, frameNumber="1,1"), 400),
        (wado(ds, frameNumber="9" * 5000), 400),
        (wado(ds, contentType="video/mpeg"), 406),
        (wado(ds, contentType="application/dicom", transferSyntax="1.2.840.10008.1.2.4.50"), 406),
        (wado(ds, windowCenter="1"), 400),
    ):
        answer = web.get(path)
        assert answer.status_code == status, path
        assert answer.mimetype == "application/problem+json"


def test_wado_uri_gives_no_damaged_file(archive: Archive, web: FlaskClient) -> None:
    ds = keep(archive, grey())
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    path.write_bytes(path.read_bytes()[:-10])
    for media in ("application/dicom", "image/png"):
        assert web.get(wado(ds, contentType=media)).status_code == 404
