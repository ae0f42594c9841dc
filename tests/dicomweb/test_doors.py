"""Who may ask, from where, and what a web page may read."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError

from sandbox.archive.archive import Archive
from sandbox.dicomweb.app import create_app
from sandbox.dicomweb.options import WebOptions
from tests.dicomweb.support import file_of, grey, keep, upload, where

VIEWER = "http://localhost:3000"


def client(archive: Archive, **options: object) -> FlaskClient:
    return create_app(archive, WebOptions(**({"prefix": ""} | options))).test_client()  # type: ignore[arg-type]


def test_paths_begin_at_the_prefix(archive: Archive) -> None:
    keep(archive, grey())
    web = create_app(archive).test_client()
    assert web.get("/studies").status_code == 404
    (study,) = web.get("/dicom-web/studies").get_json()
    assert study["00081190"]["Value"][0].startswith("http://localhost/dicom-web/studies/")


def test_links_lead_to_the_proxy_if_there_is_one(archive: Archive) -> None:
    ds = keep(archive, grey())
    web = client(archive, public_url="https://pacs.example/x/", prefix="/dw")
    (study,) = web.get("/dw/studies").get_json()
    assert study["00081190"]["Value"] == [f"https://pacs.example/x/dw/studies/{ds.StudyInstanceUID}"]


def test_a_token_is_needed_for_everything(archive: Archive) -> None:
    ds = keep(archive, grey())
    web = client(archive, token="s3cret")
    for path in ("/studies", where(ds), where(ds) + "/rendered", "/wado", "/nowhere"):
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}):
            answer = web.get(path, headers=given)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.get_json()["mend"]
    assert upload(web, [file_of(grey())]).status_code == 401
    right = {"Authorization": "Bearer s3cret"}
    assert web.get("/studies", headers=right).status_code == 200
    assert upload(web, [file_of(grey())], **right).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::2]:80"])
def test_a_name_that_is_not_ours_is_turned_away(archive: Archive, host: str) -> None:
    web = client(archive)
    assert web.get("/studies", headers={"Host": host}).status_code == 421
    assert client(archive, host_names=frozenset()).get("/studies", headers={"Host": host}).status_code == 204


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8042", "localhost:1", "[::1]:8042"])
def test_loopback_is_ours_by_any_of_its_names(archive: Archive, host: str) -> None:
    assert client(archive).get("/studies", headers={"Host": host}).status_code == 204


def test_no_page_may_read_unless_it_is_named(archive: Archive) -> None:
    keep(archive, grey())
    answer = client(archive).get("/studies", headers={"Origin": VIEWER})
    assert "Access-Control-Allow-Origin" not in answer.headers
    web = client(archive, origins=(VIEWER,), token="t")
    for origin, allowed in ((VIEWER, VIEWER), ("http://localhost:3001", None), ("null", None), ("", None)):
        headers = {"Origin": origin, "Authorization": "Bearer t"} if origin else {"Authorization": "Bearer t"}
        answer = web.get("/studies", headers=headers)
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert answer.headers["Vary"] == "Origin"
    everyone = client(archive, origins=("*",)).get("/studies", headers={"Origin": "http://any.example"})
    assert everyone.headers["Access-Control-Allow-Origin"] == "*"


def test_preflights_need_no_token(archive: Archive) -> None:
    web = client(archive, origins=(VIEWER,), token="t")
    asked = {"Origin": VIEWER, "Access-Control-Request-Method": "POST"}
    answer = web.options("/studies", headers=asked)
    assert answer.status_code == 204
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Methods" not in web.options("/studies", headers={"Origin": "http://x"}).headers


def test_even_a_refusal_can_be_read_by_the_viewer(archive: Archive) -> None:
    answer = client(archive, origins=(VIEWER,)).get("/studies?limit=x", headers={"Origin": VIEWER})
    assert answer.status_code == 400
    assert answer.headers["Access-Control-Allow-Origin"] == VIEWER


@pytest.mark.parametrize(
    ("method", "path", "status"), [("delete", "/studies", 405), ("get", "/", 404), ("put", "/x", 404)]
)
def test_what_is_not_there_is_told(archive: Archive, method: str, path: str, status: int) -> None:
    answer = client(archive).open(path, method=method.upper())
    assert answer.status_code == status
    assert answer.get_json()["title"]


def test_what_breaks_inside_tells_nothing_of_the_inside(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(archive, "search", broken)
    answer = client(archive).get("/studies")
    assert answer.status_code == 500
    assert "secret" not in answer.get_data(as_text=True)


def test_answers_are_not_kept(archive: Archive, web: FlaskClient) -> None:
    keep(archive, grey())
    answer = web.get("/studies")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Type" not in web.get("/studies?PatientID=x").headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ("viewer.example",)},
        {"origins": ("http://viewer.example/path",)},
        {"origins": ("null",)},
        {"prefix": "no-slash"},
        {"prefix": "/a/../b"},
        {"token": "two words"},
        {"public_url": "ftp://x"},
        {"largest_upload": 0},
    ],
)
def test_options_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebOptions(**wrong)  # type: ignore[arg-type]
