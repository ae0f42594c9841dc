"""What goes wrong around an archive that runs: its index locked or gone, its files taken away, its peers silent, slow
or suddenly dead. The right status, recovery, nothing lost, and nobody else kept waiting."""

from __future__ import annotations

import socket
import sqlite3
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.archive.serve import RunningArchive, ServeOptions, serve_archive
from sandbox.dicom import syntaxes
from sandbox.dicom.contract import StoreRequest, StoreStatus
from sandbox.dicom.messages import DATA_SET, Command, decode_command
from tests.archive.support import CT, STUDY_FIND, STUDY_GET, STUDY_MOVE, encoded, identifier
from tests.unbreakable.conversations import message, pdata, request
from tests.unbreakable.support import (
    EXPLICIT,
    SETTLE_S,
    ArchiveProcess,
    count_in_study,
    ct,
    encoded_ct,
    find,
    get_study,
    settled,
    wait_until,
)

_STUDY = "1.2.3.60"
_MB = 1 << 20
_HALF_OPEN = 200
_NO_LINGER = struct.pack("ii", 1, 0)


@pytest.fixture
def workstation(tmp_path: Path) -> Iterator[RunningArchive]:
    with serve_archive(ServeOptions(ae_title="WS1", directory=tmp_path / "ws1", sync="normal")) as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path, workstation: RunningArchive) -> Iterator[ArchiveProcess]:
    at = workstation.describe()
    with ArchiveProcess(tmp_path / "archive", remotes=(f"WS1={at.host}:{at.port}", "SLOW=127.0.0.1:9")) as running:
        yield running
        assert not running.unexpected()


def fill(archive: ArchiveProcess, count: int, size: int = 2_000) -> dict[str, bytes]:
    """So many instances in one study, each answered 0000; their data sets by UID."""
    stored: dict[str, bytes] = {}
    with archive.associate() as association:
        for number in range(count):
            ds = ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.{number}", bytes((number % 256,)) * size)
            assert association.store(ds).status == 0
            stored[str(ds.SOPInstanceUID)] = encoded_ct(ds)
    return stored


def file_of(archive: ArchiveProcess, sop_instance: str) -> Path:
    (found,) = (archive.directory / "store" / "files").glob(f"*/{sop_instance}.dcm")
    return found


# --- the index ---------------------------------------------------------------------------------------------------


def test_a_locked_index(archive: ArchiveProcess) -> None:
    """Somebody's tool holds the write lock. Readers go on; senders wait for a while, then hear A700."""
    stored = fill(archive, 3)
    late = ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.100", b"late")
    lock = sqlite3.connect(archive.directory / "index.sqlite", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool, archive.associate() as sender:
            waiting = pool.submit(sender.store, late)
            archive.echo()
            assert get_study(archive, _STUDY) == (0, stored)
            assert not waiting.done()
            lock.execute("ROLLBACK")
            assert waiting.result(20).status == 0
        stored[str(late.SOPInstanceUID)] = encoded_ct(late)
        lock.execute("BEGIN EXCLUSIVE")
        refused = [ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.{number}", b"refused") for number in range(200, 204)]

        def send(number: int) -> tuple[int | None, str]:
            with archive.associate() as sender:
                outcome = sender.store(refused[number])
                return outcome.status, outcome.comment

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send, range(4)))
        assert {status for status, _ in answers} == {0xA700}
        assert all("index" in comment for _, comment in answers)
        assert get_study(archive, _STUDY) == (0, stored)
    finally:
        lock.close()
    with archive.associate() as sender:
        for ds in refused:
            assert sender.store(ds).status == 0
            stored[str(ds.SOPInstanceUID)] = encoded_ct(ds)
    assert get_study(archive, _STUDY) == (0, stored)


@pytest.mark.parametrize("pattern", ["index.sqlite", "index.sqlite-*", "index.sqlite*"])
@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_an_index_that_was_deleted_is_made_again(archive: ArchiveProcess, pattern: str, ending: str) -> None:
    stored = fill(archive, 30)
    if ending == "stopped":
        archive.stop()
    else:
        archive.kill()
    for file in archive.directory.glob(pattern):
        file.unlink()
    archive.start()
    assert count_in_study(archive, _STUDY) == 30
    assert get_study(archive, _STUDY) == (0, stored)


def test_an_index_that_is_deleted_while_it_runs(archive: ArchiveProcess) -> None:
    """Nothing that is answered 0000 before or after is lost, at the latest when it is started again."""
    stored = fill(archive, 10)
    for file in archive.directory.glob("index.sqlite*"):
        file.unlink()
    with archive.associate() as association:
        ds = ct(_STUDY, f"{_STUDY}.2", f"{_STUDY}.2.1", b"after")
        if association.store(ds).status == 0:
            stored[str(ds.SOPInstanceUID)] = encoded_ct(ds)
    archive.echo()
    archive.stop()
    archive.start()
    status, got = get_study(archive, _STUDY)
    assert status == 0
    assert stored.items() <= got.items()
    archive.unexpected()


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["removed", "emptied", "cut", "overwritten"])
def test_a_file_lost_behind_its_back(archive: ArchiveProcess, workstation: RunningArchive, loss: str) -> None:
    """What is gone or no DICOM file any more fails alone, by name, and comes back when it is sent again."""
    stored = fill(archive, 4)
    lost = f"{_STUDY}.1.2"
    path = file_of(archive, lost)
    content = path.read_bytes()
    match loss:
        case "removed":
            path.unlink()
        case "emptied":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(content[:300])
        case "overwritten":
            path.write_bytes(bytes(len(content)))
    status, got = get_study(archive, _STUDY)
    assert status == 0xB000
    assert got == {uid: data for uid, data in stored.items() if uid != lost}
    with archive.associate() as association:
        last = list(association.move(STUDY_MOVE, identifier("STUDY", StudyInstanceUID=_STUDY), "WS1"))[-1]
        assert (last.status, last.completed, last.failed, last.failed_uids) == (0xB000, 3, 1, (lost,))
        alone = identifier("IMAGE", StudyInstanceUID=_STUDY, SeriesInstanceUID=f"{_STUDY}.1", SOPInstanceUID=lost)
        last = list(association.move(STUDY_MOVE, alone, "WS1"))[-1]
        assert (last.status, last.failed_uids) == (0xA702, (lost,))
    assert workstation.archive.counts().instances == 3
    # Sent again: it must not be taken for a copy of what is there no more.
    with archive.associate() as association:
        again = ct(_STUDY, f"{_STUDY}.1", lost, bytes((2,)) * 2_000)
        assert association.store(again).status == 0
    assert get_study(archive, _STUDY) == (0, stored)
    assert count_in_study(archive, _STUDY) == 4


# --- peers -------------------------------------------------------------------------------------------------------


def test_two_hundred_half_open_connections(archive: ArchiveProcess) -> None:
    """Connections that never speak, that stop in the middle of a request, and that are refused and never close."""
    archive.echo()
    before = archive.usage()
    wanted = request(((1, syntaxes.VERIFICATION, EXPLICIT),))
    refused = request(((1, syntaxes.VERIFICATION, EXPLICIT),), called=b"NOBODY")
    held: list[socket.socket] = []
    try:
        for number in range(3 * _HALF_OPEN):
            connection = archive.connect()
            held.append(connection)
            connection.sendall((b"", wanted[: 10 + number % 60], refused)[number % 3])
        began = time.monotonic()
        archive.echo(timeout=20)
        stored = fill(archive, 5)
        assert get_study(archive, _STUDY) == (0, stored)
        assert time.monotonic() - began < 25
        # However many they are, what they cost has a bound.
        wait_until(lambda: archive.usage().threads - before.threads < 280, SETTLE_S, archive.usage)
    finally:
        for connection in held:
            connection.close()
    settled(archive, before, more_memory=64 * _MB)


def _ask(archive: ArchiveProcess, model: str, command: Command, buffer: int = 4096) -> socket.socket:
    """An association whose owner reads next to nothing, with one request for the whole study on it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", archive.port))
    connection.sendall(request(((1, model, EXPLICIT), (3, CT, EXPLICIT))))
    assert connection.recv(1, socket.MSG_PEEK) == b"\x02"
    _read_pdu(connection)
    level = "IMAGE" if model == STUDY_FIND else "STUDY"
    keys = {"StudyInstanceUID": _STUDY}
    if level == "IMAGE":
        keys |= {"SeriesInstanceUID": f"{_STUDY}.1", "SOPInstanceUID": "", "SOPClassUID": "", "InstanceNumber": ""}
    sent: Command = {"MessageID": 1, "AffectedSOPClassUID": model, "Priority": 0, "CommandDataSetType": DATA_SET}
    sent |= command
    connection.sendall(b"".join(message(1, sent, encoded(identifier(level, **keys)))))
    return connection


def _read_pdu(connection: socket.socket) -> bytes:
    head = _read(connection, 6)
    return head + _read(connection, int.from_bytes(head[2:6], "big"))


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(min(size - len(data), 65536))
        assert more, "it closed the connection"
        data += more
    return data


_REQUESTS: dict[str, tuple[str, Command]] = {
    "C-FIND": (STUDY_FIND, {"CommandField": 0x0020}),
    "C-MOVE": (STUDY_MOVE, {"CommandField": 0x0021, "MoveDestination": "WS1"}),
}


@pytest.mark.parametrize("service", _REQUESTS)
def test_a_slow_reader(archive: ArchiveProcess, service: str) -> None:
    """It gets all its answers, and nobody waits for it: others store and ask meanwhile."""
    fill(archive, 400, size=100)
    model, command = _REQUESTS[service]
    with _ask(archive, model, command) as slow:
        archive.echo()
        with archive.associate() as other:
            assert other.store(ct(f"{_STUDY}.9", f"{_STUDY}.9.1", f"{_STUDY}.9.1.1", b"x")).status == 0
        assert count_in_study(archive, _STUDY) == 400
        *pending, last = _answers(slow)
    assert last["Status"] == 0
    if service == "C-FIND":
        assert len(pending) == 400
        return
    # A C-MOVE tells how far it is as often as it likes (PS3.4 C.4.2.3.2): what it tells must be right.
    counted = [[answer[f"NumberOf{which}Suboperations"] for which in _COUNTS] for answer in pending]
    assert {sum(counts) for counts in counted} == {400}
    done = [completed for completed, *_ in counted]
    assert len(done) >= 10
    assert done == sorted(set(done))
    assert not any(failed or warning for _, _, failed, warning in counted)
    assert [last[f"NumberOf{which}Suboperations"] for which in ("Completed", "Failed", "Warning")] == [400, 0, 0]


_COUNTS = ("Completed", "Remaining", "Failed", "Warning")


def _answers(connection: socket.socket) -> Iterator[Command]:
    """The commands of the responses to one request, up to the final one."""
    while True:
        pdu = _read_pdu(connection)
        assert pdu[0] == 4, pdu[:10]
        if not pdu[11] & 1:
            continue
        answer = decode_command(pdu[12 : 10 + int.from_bytes(pdu[6:10], "big")])
        yield answer
        if answer["Status"] != 0xFF00:
            return


def test_a_slow_reader_of_a_c_get(archive: ArchiveProcess) -> None:
    stored = fill(archive, 12, size=_MB)
    got: dict[str, bytes] = {}

    def take(received: StoreRequest) -> StoreStatus:
        # Others are served while this one keeps the archive waiting.
        archive.echo()
        got[received.sop_instance] = bytes(received.dataset)
        return StoreStatus(0)

    with archive.associate(roles=(CT,)) as association:
        wanted = identifier("STUDY", StudyInstanceUID=_STUDY)
        assert list(association.get(STUDY_GET, wanted, take))[-1].status == 0
    assert got == stored


@pytest.mark.parametrize("service", _REQUESTS)
def test_a_reader_that_vanishes(archive: ArchiveProcess, service: str) -> None:
    """It asked for much, read none of it and is gone: so is what served it."""
    fill(archive, 400, size=100)
    before = archive.usage()
    model, command = _REQUESTS[service]
    for _ in range(20):
        with _ask(archive, model, command) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    settled(archive, before, more_memory=64 * _MB, readers=20)
    assert count_in_study(archive, _STUDY) == 400


@pytest.mark.parametrize("size", [50_000, 12 * _MB])
def test_a_peer_that_vanishes_in_mid_store(archive: ArchiveProcess, size: int) -> None:
    """Half an object is nobody's: not seen, not kept, no file left, no thread waiting for the rest."""
    fill(archive, 2)
    before = archive.usage()
    for number in range(20):
        uid = f"{_STUDY}.1.{500 + number}"
        data = encoded_ct(ct(_STUDY, f"{_STUDY}.1", uid, bytes(size)))
        store: Command = {
            "CommandField": 1,
            "MessageID": 1,
            "AffectedSOPClassUID": CT,
            "AffectedSOPInstanceUID": uid,
            "Priority": 0,
            "CommandDataSetType": DATA_SET,
        }
        pdus = message(1, store, data)
        with archive.connect(20) as connection:
            connection.sendall(request(((1, CT, EXPLICIT),)))
            _read_pdu(connection)
            half = b"".join(pdus[: 1 + max(1, len(pdus) * (5 + number % 5) // 10 - 1)])
            connection.sendall(half[: len(half) - number])
            if number % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    incoming = archive.directory / "store" / "incoming"
    settled(archive, before, more_memory=64 * _MB)
    wait_until(lambda: not list(incoming.iterdir()), SETTLE_S, lambda: list(incoming.iterdir()))
    assert count_in_study(archive, _STUDY) == 2
    assert not list((archive.directory / "store" / "files").glob(f"*/{_STUDY}.1.5??.dcm"))
    assert len(list(find(archive, "STUDY", StudyInstanceUID=""))) == 1


def test_a_query_that_has_no_end_is_ended(archive: ArchiveProcess) -> None:
    """An identifier is read into memory, so there is a limit to it; an instance is not, and has none."""
    archive.echo()
    before = archive.usage()
    find_request: Command = {
        "CommandField": 0x0020,
        "MessageID": 1,
        "AffectedSOPClassUID": STUDY_FIND,
        "Priority": 0,
        "CommandDataSetType": DATA_SET,
    }
    head = b"".join(message(1, find_request))
    piece = pdata(1, 0, bytes(100_000))
    sent = 0
    with archive.connect(20) as connection:
        connection.sendall(request(((1, STUDY_FIND, EXPLICIT),)))
        _read_pdu(connection)
        connection.sendall(head)
        while sent < 200 * _MB:
            connection.sendall(piece)
            sent += len(piece)
        assert archive.usage().resident - before.resident < 120 * _MB
        # A-ABORT by the provider: invalid parameter value (PS3.8 9.3.8).
        assert _read_pdu(connection) == bytes((7, 0, 0, 0, 0, 4, 0, 0, 2, 6))
    settled(archive, before, more_memory=120 * _MB)
