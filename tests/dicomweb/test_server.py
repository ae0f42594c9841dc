"""Over a real socket: a public client, a study larger than the memory it may take, hostile bytes, and a prompt end."""

from __future__ import annotations

import io
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from sandbox.archive.archive import Archive
from sandbox.dicomweb.options import WebOptions
from sandbox.dicomweb.server import RunningDicomweb, serve_dicomweb
from sandbox.model.errors import BadInputError, UnavailableError
from tests.archive.support import uid
from tests.dicomweb.support import colour, file_of, grey, keep, pixels_of


@pytest.fixture
def served(archive: Archive) -> Iterator[RunningDicomweb]:
    with serve_dicomweb(archive) as running:
        yield running


@pytest.fixture
def outside(served: RunningDicomweb) -> DICOMwebClient:
    return DICOMwebClient(served.url)


def test_a_public_client_searches(archive: Archive, outside: DICOMwebClient) -> None:
    study = uid()
    keep(archive, grey(StudyInstanceUID=study, PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 100"))
    keep(archive, grey(StudyInstanceUID=study))
    keep(archive, grey(PatientID="P2"))
    assert len(outside.search_for_studies()) == 2
    (found,) = outside.search_for_studies(search_filters={"PatientName": "muller*"}, fields=["StudyDescription"])
    assert found["00100010"]["Value"][0]["Alphabetic"] == "Müller^Jörg"
    assert len(outside.search_for_series(study)) == 2
    assert len(outside.search_for_instances()) == 3
    assert len(outside.search_for_instances(limit=2, offset=2)) == 1
    assert outside.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_a_public_client_retrieves(archive: Archive, outside: DICOMwebClient) -> None:
    study, series = uid(), uid()
    one = keep(archive, grey(StudyInstanceUID=study, SeriesInstanceUID=series), ImplicitVRLittleEndian)
    two = keep(archive, grey(3, StudyInstanceUID=study, SeriesInstanceUID=series), RLELossless)
    names = [one.SOPInstanceUID, two.SOPInstanceUID]
    assert [ds.SOPInstanceUID for ds in outside.retrieve_study(study)] == names
    assert [ds.SOPInstanceUID for ds in outside.iter_series(study, series)] == names
    explicit = (("application/dicom", "1.2.840.10008.1.2.1"),)
    assert outside.retrieve_instance(study, series, names[1], media_types=explicit).PixelData == two.PixelData
    as_stored = outside.retrieve_instance(
        study, series, names[1], media_types=(("application/dicom", str(RLELossless)),)
    )
    assert as_stored.file_meta.TransferSyntaxUID == RLELossless
    metadata = outside.retrieve_series_metadata(study, series)
    assert [one["00080018"]["Value"][0] for one in metadata] == names
    link = metadata[0]["7FE00010"]["BulkDataURI"]
    assert outside.retrieve_bulkdata(link) == [one.PixelData]
    frames = outside.retrieve_instance_frames(study, series, names[1], [1, 3])
    assert [bytes(frame) for frame in frames] == [pixels_of(two, 1), pixels_of(two, 3)]


def test_a_public_client_retrieves_pictures(archive: Archive, outside: DICOMwebClient) -> None:
    ds = keep(archive, colour(), JPEGBaseline8Bit)
    names = (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)
    (frame,) = outside.retrieve_instance_frames(*names, [1], media_types=("image/jpeg",))
    assert Image.open(io.BytesIO(frame)).format == "JPEG"
    drawn = outside.retrieve_instance_rendered(*names, media_types=("image/png",))
    assert Image.open(io.BytesIO(drawn)).format == "PNG"
    drawn = outside.retrieve_instance_frames_rendered(*names, [1], media_types=("image/jpeg",))
    assert Image.open(io.BytesIO(drawn)).format == "JPEG"


def test_a_public_client_stores(archive: Archive, served: RunningDicomweb) -> None:
    one, two = (dcmread(io.BytesIO(file_of(grey()))) for _ in range(2))
    outside = DICOMwebClient(served.url)
    told = outside.store_instances([one, two])
    assert [item.ReferencedSOPInstanceUID for item in told.ReferencedSOPSequence] == [
        one.SOPInstanceUID,
        two.SOPInstanceUID,
    ]
    told = outside.store_instances([one], study_instance_uid=one.StudyInstanceUID)
    assert told.RetrieveURL == f"{served.url}/studies/{one.StudyInstanceUID}"
    assert archive.counts().instances == 2


def test_a_public_client_with_a_token(archive: Archive) -> None:
    keep(archive, grey())
    with serve_dicomweb(archive, options=WebOptions(token="s3cret")) as served:
        session = create_session()
        session.headers["Authorization"] = "Bearer s3cret"
        assert len(DICOMwebClient(served.url, session=session).search_for_studies()) == 1
        assert httpx.get(f"{served.url}/studies").status_code == 401


def test_a_large_study_goes_out_in_little_memory(archive: Archive, served: RunningDicomweb) -> None:
    """Stored, converted and uncompressed instances, and an upload: none is in memory as a whole."""
    study = uid()
    syntaxes = [ImplicitVRLittleEndian, RLELossless, "1.2.840.10008.1.2.1"]
    for syntax in syntaxes:
        keep(archive, grey(24, rows=512, columns=1024, StudyInstanceUID=study), syntax)
    whole = 3 * 24 * 512 * 1024 * 2
    upload_file = file_of(grey(24, rows=512, columns=1024))
    tracemalloc.start()
    try:
        with httpx.stream("GET", f"{served.url}/studies/{study}", timeout=60) as answer:
            assert answer.status_code == 200
            received = sum(len(piece) for piece in answer.iter_raw(1 << 16))
        _, peak = tracemalloc.get_traced_memory()
        assert received > whole
        assert peak < 40_000_000
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        sent = httpx.post(
            f"{served.url}/studies",
            content=_in_pieces(upload_file),
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'},
            timeout=60,
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent.status_code == 200
    assert peak - before < 12_000_000


def _in_pieces(file: bytes) -> Iterator[bytes]:
    yield b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    for start in range(0, len(file), 65536):
        yield file[start : start + 65536]
    yield b"\r\n--b--\r\n"


def test_many_ask_at_once(archive: Archive, served: RunningDicomweb) -> None:
    study = uid()
    for _ in range(4):
        keep(archive, grey(StudyInstanceUID=study))
    failures: list[object] = []

    def ask() -> None:
        for path in ("studies", f"studies/{study}", f"studies/{study}/metadata", f"studies/{study}/thumbnail"):
            answer = httpx.get(f"{served.url}/{path}")
            if answer.status_code != 200:
                failures.append((path, answer.status_code))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


@pytest.mark.parametrize(
    "sent",
    [
        b"\x01\x00\x00\x00\x00\xcd\x00\x01",
        b"GET " + b"/" * 300_000,
        b"GET /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: " + b'"' * 10_000 + b"\r\n\r\n",
        b"GET /dicom-web/studies/%00%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /dicom-web/studies?%ff=%fe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /dicom-web/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_hostile_bytes_do_no_harm(served: RunningDicomweb, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock:
        answer = b""
        try:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                answer += piece
        except OSError:
            pass  # it may hang up as soon as it has seen enough
    if answer:
        status = int(answer.split(b" ")[1])
        assert 200 <= status < 500, answer[:300]
    assert httpx.get(f"{served.url}/studies").status_code == 204


def test_a_client_that_goes_away_leaves_nothing_open(archive: Archive, served: RunningDicomweb) -> None:
    study = uid()
    for _ in range(3):
        keep(archive, grey(24, rows=512, columns=1024, StudyInstanceUID=study))
    with httpx.stream("GET", f"{served.url}/studies/{study}") as answer:
        next(answer.iter_raw(1024))
    descriptors = Path("/proc/self/fd")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        held = [entry for entry in descriptors.iterdir() if _target(entry).endswith(".dcm")]
        if not held:
            break
        time.sleep(0.02)
    assert held == []


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def test_it_ends_promptly_and_frees_its_port(archive: Archive) -> None:
    running = serve_dicomweb(archive)
    assert httpx.get(f"{running.url}/studies").status_code == 204
    started = time.monotonic()
    running.stop()
    running.stop()
    assert time.monotonic() - started < 15
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/studies")
    with serve_dicomweb(archive, port=running.port) as again:
        assert again.port == running.port
        with pytest.raises(UnavailableError, match="Cannot listen"):
            serve_dicomweb(archive, port=running.port)


def test_beyond_loopback_a_token_is_needed(archive: Archive) -> None:
    with pytest.raises(BadInputError, match="could read every image"):
        serve_dicomweb(archive, "0.0.0.0")
