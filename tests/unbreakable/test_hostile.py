"""Values that are meant to do harm: refused with a status and a reason that says why, or kept as the harmless text they
are. Memory stays bounded whatever a few bytes claim to stand for."""

from __future__ import annotations

import contextlib
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from sandbox.archive.display import render_frame
from sandbox.archive.part10 import file_head
from sandbox.dicom.messages import DATA_SET, Command, decode_command
from sandbox.model.errors import ConflictError, NotFoundError
from tests.archive.support import CT, STUDY_FIND, encoded, identifier
from tests.unbreakable.conversations import deflate, message, request
from tests.unbreakable.mutations import element, nested
from tests.unbreakable.support import (
    DEFLATED,
    EXPLICIT,
    ArchiveProcess,
    Usage,
    count_in_study,
    ct,
    find,
    settled,
    with_meta,
)

_STUDY = "1.2.3.70"
_MB = 1 << 20
_TRAVERSALS = (
    "../../../../tmp/pwned",
    "/tmp/pwned",
    "..",
    ".",
    "1.2.3/../../pwned",
    "1.2.3\\..\\pwned",
    "1.2.3%2e%2e",
    "1.2.3\n4",
    "1" * 65,
    "1.2.3.dcm",
    "~root",
    "-rf",
    "1..2",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveProcess]:
    with ArchiveProcess(tmp_path_factory.mktemp("hostile") / "archive") as running:
        with running.associate() as association:
            assert association.store(ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.1", b"kept", PatientID="P_1%")).status == 0
        yield running


@pytest.fixture(autouse=True)
def unharmed(archive: ArchiveProcess) -> Iterator[Usage]:
    """After each test everything is as it was: what was stored, who is served, what is held."""
    archive.echo()
    before = archive.usage()
    yield before
    assert not archive.unexpected()
    assert count_in_study(archive, _STUDY) == 1
    settled(archive, before, more_memory=160 * _MB)


def send(archive: ArchiveProcess, sop_instance: str, data: bytes, syntax: str = EXPLICIT) -> tuple[int, str]:
    """A C-STORE with the very bytes given; status and error comment."""
    store: Command = {
        "CommandField": 1,
        "MessageID": 1,
        "AffectedSOPClassUID": CT,
        "AffectedSOPInstanceUID": sop_instance,
        "Priority": 0,
        "CommandDataSetType": DATA_SET,
    }
    with archive.connect(120) as connection:
        connection.sendall(request(((1, CT, syntax),)))
        connection.recv(65536)
        connection.sendall(b"".join(message(1, store, data)))
        answer = b""
        while len(answer) < 6 or len(answer) < 6 + int.from_bytes(answer[2:6], "big"):
            more = connection.recv(65536)
            assert more
            answer += more
    assert answer[0] == 4, answer[:10].hex()
    told = decode_command(answer[12:])
    return told["Status"], told.get("ErrorComment", "")


def plain(sop_instance: str, study: str = _STUDY, **elements: object) -> bytes:
    """An encoded instance; its UIDs are put in as they are, whatever pydicom thinks of them."""
    ds = ct("1.1", "1.1.1", "1.1.1.1", b"1234", **elements)
    values = {0x00080018: sop_instance, 0x0020000D: study}
    pieces = []
    for one in ds:
        if int(one.tag) in values:
            pieces.append(element(int(one.tag), b"UI", values[int(one.tag)].encode()))
        else:
            alone = Dataset()
            alone.add(one)
            pieces.append(encoded(alone))
    return b"".join(pieces)


def files_of(archive: ArchiveProcess) -> set[Path]:
    return {path for path in archive.directory.parent.rglob("*") if path.is_file() and not _grows(path)}


def _grows(path: Path) -> bool:
    return "index" in path.name or path.name == "audit.log"


# --- names that are paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uid", _TRAVERSALS)
def test_a_path_for_a_uid(archive: ArchiveProcess, uid: str) -> None:
    before = files_of(archive)
    status, comment = send(archive, uid, plain(uid))
    assert status == 0x0117, comment
    assert "UID" in comment
    status, comment = send(archive, "1.2.3.71", plain(uid))
    assert status == 0xA900
    assert "SOPInstanceUID differs" in comment
    status, comment = send(archive, "1.2.3.71", plain("1.2.3.71", study=uid))
    assert status == 0xA900
    assert "StudyInstanceUID is not a valid UID" in comment
    assert files_of(archive) == before
    assert not Path("/tmp/pwned").exists()


def test_a_large_object_with_a_path_for_a_uid(archive: ArchiveProcess) -> None:
    """It is written to a file before it is judged, and that file's name is the archive's own."""
    before = files_of(archive)
    for uid in ("../../../../tmp/pwned", "\xff\xfe" * 20, "9" * 3000):
        status, comment = send(archive, uid, plain("1.2.3.72") + element(0x7FE10010, b"OB", bytes(9 * _MB)))
        assert status == 0x0117, comment
    assert files_of(archive) == before


# --- values --------------------------------------------------------------------------------------------------------


def test_values_longer_than_any_rule(archive: ArchiveProcess) -> None:
    """Kept as they came, indexed as far as an index can, and no trouble to those who ask."""
    long = "X" * 60_000
    data = plain("1.2.3.73.1.1", study="1.2.3.73", PatientID=long, PatientName=long, StudyDescription=long)
    assert send(archive, "1.2.3.73.1.1", data) == (0, "")
    (found,) = find(archive, "STUDY", StudyInstanceUID="1.2.3.73", PatientID=None, StudyDescription=None)
    assert 64 <= len(found.PatientID) < 1000
    assert found.PatientID == "X" * len(found.PatientID)
    assert [one.StudyInstanceUID for one in find(archive, "STUDY", PatientID="XXXX*")] == ["1.2.3.73"]
    assert list(find(archive, "STUDY", PatientID="X" * 50_000)) == []


def test_control_characters_and_nuls(archive: ArchiveProcess) -> None:
    name = b"A\0B^C\r\n2026-01-01 10:00:00,000 ERROR forged\x1b[31m"
    data = plain("1.2.3.74.1.1", study="1.2.3.74").replace(element(0x00100010, b"PN", b"Doe^Jane"), b"")
    at = data.index(b"\x10\x00\x20\x00LO")
    data = data[:at] + element(0x00100010, b"PN", name) + data[at:]
    status, comment = send(archive, "1.2.3.74.1.1", data)
    assert (status, comment) == (0, "")
    (found,) = find(archive, "STUDY", StudyInstanceUID="1.2.3.74", PatientName=None)
    assert "\0" not in str(found.PatientName)


def test_a_line_of_the_log_cannot_be_forged(archive: ArchiveProcess) -> None:
    """Titles and UIDs stay on the line that tells of them, whatever they hold."""
    forged = "1.2\r\n2026-01-01 10:00:00,000 ERROR forged"
    with archive.connect() as connection:
        connection.sendall(request(((1, CT, EXPLICIT),), calling=b"A\nERROR forged"))
        # Rejected by the service user: calling AE title not recognised (PS3.8 9.3.4).
        assert connection.recv(10) == bytes((3, 0, 0, 0, 0, 4, 0, 1, 1, 3))
    assert send(archive, forged, plain("1.2.3.81"))[0] == 0x0117
    lines = archive.log.read_text().splitlines()
    assert any("\\x0d\\x0a2026-01-01 10:00:00,000 ERROR forged" in line for line in lines)
    assert any("A\\x0aERROR forged" in line for line in lines)
    assert not any(line.startswith(("2026-01-01", "ERROR forged")) for line in lines)


@pytest.mark.parametrize(("uid", "status"), [("1" * 65, 0x0115), ("", 0x0212)])
def test_a_normalised_request_with_values_that_cannot_be(archive: ArchiveProcess, uid: str, status: int) -> None:
    """It is answered, which pynetdicom does not do: it raises, or says nothing."""
    command: Command = {
        "CommandField": 0x0110,
        "MessageID": 5,
        "RequestedSOPClassUID": CT,
        "RequestedSOPInstanceUID": uid,
        "CommandDataSetType": 0x0101,
    }
    with archive.connect() as connection:
        connection.sendall(request(((1, CT, EXPLICIT),)))
        connection.recv(65536)
        connection.sendall(b"".join(message(1, command)))
        assert decode_command(connection.recv(65536)[12:])["Status"] == status


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE studies; --",
        "P_1_",
        "P%",
        "%",
        "_____",
        '" OR 1=1 --',
        "*' OR '1'='1",
        "P[_]1*",
        "P\\_1%*x",
        "(?:P.*)+$",
    ],
)
def test_sql_and_patterns_in_keys(archive: ArchiveProcess, text: str) -> None:
    """They are text: nothing matches, nothing breaks."""
    for key in ("PatientID", "AccessionNumber", "StudyDescription", "PatientName", "StudyID"):
        assert list(find(archive, "STUDY", StudyInstanceUID=_STUDY, **{key: text})) == []


def test_what_stands_for_itself_is_found_by_itself(archive: ArchiveProcess) -> None:
    for key in ("P_1%", "P_*", "*%", "?_1%"):
        assert len(list(find(archive, "STUDY", StudyInstanceUID=_STUDY, PatientID=key))) == 1, key


@pytest.mark.parametrize("pattern", ["*a" * 2000 + "b", "?" * 5000, "*" * 20_000 + "q", "\\".join(["*a*a*a*b"] * 4000)])
def test_wildcards_without_end(archive: ArchiveProcess, pattern: str) -> None:
    long = "a" * 60_000
    data = plain("1.2.3.75.1.1", study="1.2.3.75", PatientName=long, StudyDescription=long)
    assert send(archive, "1.2.3.75.1.1", data)[0] == 0
    began = time.monotonic()
    for key in ("PatientName", "StudyDescription"):
        list(find(archive, "STUDY", **{key: pattern}))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("depth", [100, 3000, 40_000])
def test_sequences_in_sequences(archive: ArchiveProcess, depth: int) -> None:
    """Deeper than any recursion: a query is refused, an instance is stored, since it is only stepped over."""
    inner = nested(0x00081110, depth)
    ds = identifier("STUDY", StudyInstanceUID="")
    with archive.connect(60) as connection:
        connection.sendall(request(((1, STUDY_FIND, EXPLICIT),)))
        connection.recv(65536)
        find_request: Command = {
            "CommandField": 0x0020,
            "MessageID": 1,
            "AffectedSOPClassUID": STUDY_FIND,
            "Priority": 0,
            "CommandDataSetType": DATA_SET,
        }
        connection.sendall(b"".join(message(1, find_request, inner + encoded(ds))))
        assert connection.recv(1) == b"\x04"
    data = plain(f"1.2.3.76.1.{depth}", study="1.2.3.76")
    at = data.index(b"\x10\x00\x10\x00PN")
    assert send(archive, f"1.2.3.76.1.{depth}", data[:at] + inner + data[at:])[0] == 0


# --- bombs ---------------------------------------------------------------------------------------------------------


def zeros(size: int) -> bytes:
    """What inflates to so many zero bytes."""
    stream, pieces = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), []
    for _ in range(size // _MB):
        pieces.append(stream.compress(bytes(_MB)))
    return b"".join(pieces) + stream.flush()


def bomb(sop_instance: str, size: int) -> bytes:
    """A sound instance whose pixels are ``size`` zeros, deflated: a thousandth of that."""
    head = plain(sop_instance, study="1.2.3.79")
    head = head[: head.index(b"\xe0\x7f\x10\x00")] + struct.pack("<HH2sxxL", 0x7FE0, 0x10, b"OB", size)
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    pieces = [stream.compress(head)] + [stream.compress(bytes(_MB)) for _ in range(size // _MB)]
    return b"".join(pieces) + stream.flush()


def test_a_deflated_data_set_that_becomes_gigabytes(archive: ArchiveProcess, unharmed: Usage) -> None:
    """Less than two megabytes that stand for more than one gigabyte."""
    data = zeros(1200 * _MB)
    assert len(data) < 2 * _MB
    status, comment = send(archive, "1.2.3.79.1", data, DEFLATED)
    assert status == 0xC000
    assert comment == "Deflated data set is larger than 1 GiB"
    assert archive.peak() - unharmed.resident < 300 * _MB


def test_a_deflated_data_set_that_is_merely_large(archive: ArchiveProcess, unharmed: Usage) -> None:
    """Four hundred megabytes are read, and are not held in memory."""
    assert send(archive, "1.2.3.79.2", bomb("1.2.3.79.2", 400 * _MB), DEFLATED) == (0, "")
    assert count_in_study(archive, "1.2.3.79") == 1
    status, comment = send(archive, "1.2.3.79.3", bomb("1.2.3.79.3", 40 * _MB)[:-500], DEFLATED)
    assert status == 0xC000
    assert comment == "Deflated data set is cut off"
    assert archive.peak() - unharmed.resident < 300 * _MB


@pytest.mark.parametrize("filling", [bytes(8), b"\xfe\xff\x00\xe0\0\0\0\0", b"\x09\x00\x01\x10UN\0\0\0\0\0\0"])
def test_a_deflated_data_set_of_nothing_but_elements(archive: ArchiveProcess, unharmed: Usage, filling: bytes) -> None:
    """What costs time instead of memory: millions of empty elements, items in a sequence among them."""
    head = plain("1.2.3.79.4", study="1.2.3.79")
    sequence = struct.pack("<HH2sxxL", 0x0040, 0x0275, b"SQ", 0xFFFFFFFF)
    for start in (b"", sequence):
        data = deflate(head[: head.index(b"\xe0\x7f\x10\x00")] + start + filling * (80 * _MB // len(filling)))
        status, comment = send(archive, "1.2.3.79.4", data, DEFLATED)
        assert status == 0xC000, comment
        assert comment
    assert archive.peak() - unharmed.resident < 400 * _MB


def test_a_value_as_long_as_the_object(archive: ArchiveProcess, unharmed: Usage) -> None:
    """In implicit VR a patient's name may say that it has a hundred million characters."""
    implicit = "1.2.840.10008.1.2"
    ds = ct("1.2.3.80", "1.2.3.80.1", "1.2.3.80.1.1", b"1234", PatientName="*MARK*")
    data = encoded(ds, implicit)
    at = data.index(b"\x10\x00\x10\x00")
    size = 100 * _MB
    data = data[: at + 4] + struct.pack("<L", size) + b"N" * size + data[at + 8 + 6 :]
    assert send(archive, "1.2.3.80.1.1", data, implicit) == (0, "")
    assert archive.peak() - unharmed.resident < 300 * _MB
    (found,) = find(archive, "STUDY", StudyInstanceUID="1.2.3.80", PatientName=None)
    assert set(str(found.PatientName)) == {"N"}


# --- the viewer ----------------------------------------------------------------------------------------------------


def test_an_image_that_inflates_to_more_than_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(file_head(CT, "1.2.3.79.9", DEFLATED) + bomb("1.2.3.79.9", 1 << 30))
    with pytest.raises(ConflictError, match="too large"):
        render_frame(path)


@pytest.mark.parametrize(
    "elements",
    [
        {"NumberOfFrames": "999999999"},
        {"NumberOfFrames": "-5"},
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 8000, "Columns": 8000, "SamplesPerPixel": 65535},
        {"Rows": 8000, "Columns": 8000, "BitsAllocated": 64},
        {"Rows": 0, "Columns": 0},
        {"BitsAllocated": 0, "BitsStored": 0},
    ],
)
@pytest.mark.parametrize("syntax", [EXPLICIT, DEFLATED, str(RLELossless)])
def test_an_image_that_claims_to_be_huge(tmp_path: Path, elements: dict[str, object], syntax: str) -> None:
    """The viewer shows what is there or says why not, and neither takes long."""
    pixels = b"\1\2\3\4"
    if syntax == RLELossless:
        pixels = encapsulate([struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\x00" * 1000])
    ds = with_meta(ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.1", pixels, **elements), syntax)
    if syntax == RLELossless:
        ds["PixelData"].is_undefined_length = True
    path = tmp_path / "image.dcm"
    dcmwrite(path, ds, enforce_file_format=True)
    began = time.monotonic()
    for frame in (0, 1, 900_000_000, -1):
        with contextlib.suppress(ConflictError, NotFoundError):
            assert render_frame(path, frame)
    assert time.monotonic() - began < 15
