"""STOW-RS: what is stored, what is refused and why, and uploads that are not what they should be."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydicom.uid import ExplicitVRLittleEndian

from sandbox.archive.archive import Archive, StoredInstance
from sandbox.dicomweb.app import create_app
from sandbox.dicomweb.options import WebOptions
from tests.archive.support import encoded, instance, uid
from tests.dicomweb.support import SYNTAXES, encode, file_of, grey, part10, upload


def reasons(answer: dict[str, Any], tag: str = "00081198") -> list[int]:
    return [item["00081197"]["Value"][0] for item in answer.get(tag, {}).get("Value", [])]


@pytest.mark.parametrize("name", SYNTAXES)
def test_an_instance_is_kept_byte_for_byte(archive: Archive, web: FlaskClient, name: str) -> None:
    ds = grey(2)
    data = encode(ds, SYNTAXES[name])
    answer = upload(web, [part10(ds, data, SYNTAXES[name])])
    assert answer.status_code == 200
    assert answer.mimetype == "application/dicom+json"
    told = answer.get_json()
    study = f"http://localhost/studies/{ds.StudyInstanceUID}"
    assert told["00081190"] == {"vr": "UR", "Value": [study]}
    assert told["00081199"]["Value"] == [
        {
            "00081150": {"vr": "UI", "Value": [ds.SOPClassUID]},
            "00081155": {"vr": "UI", "Value": [ds.SOPInstanceUID]},
            "00081190": {
                "vr": "UR",
                "Value": [f"{study}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"],
            },
        }
    ]
    assert "00081198" not in told
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    assert path.read_bytes().endswith(data)


def test_many_at_once_and_again(archive: Archive, web: FlaskClient) -> None:
    files = [file_of(grey()) for _ in range(5)]
    for _ in range(2):
        answer = upload(web, files)
        assert answer.status_code == 200
        assert len(answer.get_json()["00081199"]["Value"]) == 5
        assert "00081190" not in answer.get_json()
    assert archive.counts().instances == 5


def test_into_a_study(archive: Archive, web: FlaskClient) -> None:
    study = uid()
    mine, other = grey(StudyInstanceUID=study), grey()
    answer = upload(web, [file_of(mine), file_of(other)], f"/studies/{study}")
    assert answer.status_code == 202
    told = answer.get_json()
    assert len(told["00081199"]["Value"]) == 1
    assert told["00081198"]["Value"][0]["00081155"]["Value"] == [other.SOPInstanceUID]
    assert reasons(told) == [0xA900]
    assert "another study" in answer.headers["Warning"]
    assert archive.instance_path(other.SOPInstanceUID) is None
    assert upload(web, [file_of(other)], f"/studies/{study}").status_code == 409
    assert upload(web, [file_of(other)], "/studies/1.2.x").status_code == 400


def refused(**over: object) -> bytes:
    return file_of(grey(**over))


def test_the_refusals_of_a_c_store(web: FlaskClient) -> None:
    whole = grey()
    cut_off = part10(whole, encoded(whole)[:-40], ExplicitVRLittleEndian)
    foreign = part10(grey(), encoded(whole), ExplicitVRLittleEndian)
    no_class = grey(SOPClassUID="1.2.3.4")
    for file, status in (
        (cut_off, 0xC000),
        (foreign, 0xA900),
        (file_of(no_class), 0x0122),
        (part10(whole, encoded(whole), "1.2.840.10008.1.2.4.99"), 0x0122),
        (file_of(grey(StudyInstanceUID=None)), 0xA900),
    ):
        answer = upload(web, [file])
        assert answer.status_code == 409
        assert reasons(answer.get_json()) == [status]
        assert answer.headers["Warning"].endswith(".")


def test_parts_that_are_no_instance(web: FlaskClient) -> None:
    answer = upload(web, [b"", b"x" * 500, file_of(grey())])
    assert answer.status_code == 202
    assert reasons(answer.get_json(), "0008119A") == [0xC000, 0xC000]
    hostile = file_of(grey()).replace(grey().SOPClassUID.encode(), b"../../etc/passwd")
    answer = upload(web, [hostile])
    assert answer.status_code == 409
    assert reasons(answer.get_json(), "0008119A") == [0xC000]


def test_a_full_disk_is_a700(archive: Archive, web: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    answer = upload(web, [file_of(grey())])
    assert answer.status_code == 409
    assert reasons(answer.get_json()) == [0xA700]
    assert archive.counts().instances == 0


def test_what_is_stored_is_told_to_the_archives_owner(tmp_path: Path) -> None:
    heard: list[StoredInstance] = []
    with Archive(tmp_path / "store", ae_title="A", sync="normal", on_stored=heard.append) as archive:
        ds = grey()
        upload(create_app(archive, WebOptions(prefix="")).test_client(), [file_of(ds)])
    assert [one.request.sop_instance for one in heard] == [ds.SOPInstanceUID]
    assert heard[0].request.facts.peer.startswith("127.0.0.1")


def test_a_large_instance_waits_on_disk(archive: Archive, web: FlaskClient) -> None:
    ds = grey(rows=1500, columns=1000)
    assert upload(web, [file_of(ds), file_of(grey())]).status_code == 200
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    assert path.read_bytes().endswith(encoded(ds))
    assert {entry.name for entry in archive.directory.iterdir()} <= {
        "store",
        "lock",
        "index.sqlite",
        "index.sqlite-wal",
        "index.sqlite-shm",
    }


def test_a_bare_instance_is_an_upload_of_one(web: FlaskClient) -> None:
    headers = {"Content-Type": "application/dicom"}
    assert web.post("/studies", data=file_of(grey()), headers=headers).status_code == 200


def test_a_file_without_instance_in_its_meta_is_taken_by_its_data_set(web: FlaskClient) -> None:
    ds = grey()
    file = file_of(ds)
    start = file.index(b"\x02\x00\x03\x00UI")
    length = int.from_bytes(file[start + 6 : start + 8], "little") + 8
    total = int.from_bytes(file[140:144], "little") - length
    bare = file[:140] + total.to_bytes(4, "little") + file[144:start] + file[start + length :]
    assert upload(web, [bare]).status_code == 200


MULTIPART = 'multipart/related; type="application/dicom"; boundary=b'


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("", b"", 400),
        ("text/plain", b"x", 415),
        ("multipart/form-data; boundary=b", b"--b--", 415),
        ('multipart/related; type="application/dicom+json"; boundary=b', b"--b--", 415),
        ('multipart/related; type="application/dicom"', b"--b--", 400),
        (f'multipart/related; type="application/dicom"; boundary={"b" * 71}', b"", 400),
        (MULTIPART, b"", 400),
        (MULTIPART, b"no boundary at all", 400),
        (MULTIPART, b"--b--", 400),
        (MULTIPART, b"--b\r\n", 400),
        (MULTIPART, b"--b\r\nContent-Type: application/dicom\r\n\r\nDICM", 400),
        (MULTIPART, b"--b\r\n" + b"x" * 70_000, 400),
        (MULTIPART, b"--b\r\nContent-Type: nonsense\r\n\r\nx\r\n--b--", 400),
        (MULTIPART, b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", 409),
    ],
)
def test_uploads_that_are_none(web: FlaskClient, content_type: str, body: bytes, status: int) -> None:
    answer = web.post("/studies", data=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.get_data(as_text=True)


def test_an_upload_that_is_cut_off_tells_what_was_stored(archive: Archive, web: FlaskClient) -> None:
    first = file_of(grey())
    head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    body = head + first + b"\r\n" + head + file_of(grey())
    answer = web.post("/studies", data=body, headers={"Content-Type": MULTIPART})
    assert answer.status_code == 202
    assert len(answer.get_json()["00081199"]["Value"]) == 1
    assert reasons(answer.get_json(), "0008119A") == [0xC000]
    assert archive.counts().instances == 1


def test_an_upload_that_is_too_large_is_refused(archive: Archive) -> None:
    web = create_app(archive, WebOptions(prefix="", largest_upload=1000)).test_client()
    answer = upload(web, [file_of(grey(rows=100))])
    assert answer.status_code == 413
    assert answer.get_json()["detail"] == "The upload is too large."
    assert archive.counts().instances == 0


def test_the_answer_is_json_or_nothing(web: FlaskClient) -> None:
    answer = upload(web, [file_of(instance())], Accept="application/dicom+xml")
    assert answer.status_code == 406
