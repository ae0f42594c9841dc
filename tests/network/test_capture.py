"""A capture keeps whole PDUs, one end of each association, within its bound, and over a restart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.model.association import DialOutcome, Direction, Side
from sandbox.network.capture import Capture, CapturedFailure, CapturedPdu

AT = datetime(2026, 3, 2, 8, 30, 0, 123456)
CT1, ARCHIVE = "198.18.10.11:40112", "198.18.20.10:104"


def say(capture: Capture, association: str, data: bytes, *, ends: str = "ra", back: bool = False, at: datetime = AT):
    """One PDU as seen by the requestor (r), the acceptor (a) or both."""
    if "r" in ends:
        direction = Direction.RECEIVED if back else Direction.SENT
        capture.record(association, "CT1", Side.REQUESTOR, CT1, ARCHIVE, direction, memoryview(data), at)
    if "a" in ends:
        direction = Direction.SENT if back else Direction.RECEIVED
        capture.record(association, "ARCHIVE", Side.ACCEPTOR, ARCHIVE, CT1, direction, memoryview(data), at)


def test_both_ends_write_and_one_is_read(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    say(capture, "a1", b"request")
    say(capture, "a1", b"answer", back=True, at=AT + timedelta(seconds=1))
    say(capture, "a2", b"only the requestor is ours", ends="r")
    pdus = list(capture.pdus("a1"))
    assert [(pdu.data, pdu.node, pdu.direction) for pdu in pdus] == [
        (b"request", "ARCHIVE", Direction.RECEIVED),
        (b"answer", "ARCHIVE", Direction.SENT),
    ]
    assert [(pdu.source, pdu.client, pdu.server) for pdu in pdus] == [(CT1, CT1, ARCHIVE), (ARCHIVE, CT1, ARCHIVE)]
    assert [pdu.node for pdu in capture.pdus("a2")] == ["CT1"]
    assert list(capture.pdus("a3")) == []
    first, second = capture.associations()
    assert (first.association, first.node, first.pdus, first.bytes) == ("a1", "ARCHIVE", 2, 13)
    assert (first.first_at, first.last_at) == (AT, AT + timedelta(seconds=1))
    assert (second.association, second.side, second.peer) == ("a2", Side.REQUESTOR, ARCHIVE)


def test_failures_are_kept_between_the_pdus(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    say(capture, "a1", b"one")
    capture.tcp_failure(CT1, ARCHIVE, DialOutcome.TIMED_OUT, AT, elapsed_s=3.0, association="f1", node="CT1")
    say(capture, "a1", b"two")
    kinds = [type(entry) for entry in capture.entries()]
    assert kinds == [CapturedPdu, CapturedFailure, CapturedPdu]
    (failure,) = capture.entries({"f1"})
    assert failure == CapturedFailure("f1", "CT1", CT1, ARCHIVE, DialOutcome.TIMED_OUT, AT, 3.0)


def test_the_bound_is_kept_and_the_oldest_goes(tmp_path: Path) -> None:
    capture = Capture(tmp_path, max_bytes=160_000)
    for number in range(1000):
        say(capture, f"a{number}", bytes(1000), ends="r")
        assert capture.size <= 160_000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == capture.size
    kept = [each.association for each in capture.associations()]
    assert kept[-1] == "a999"
    assert 100 < len(kept) < 160
    assert kept == [f"a{number}" for number in range(1000 - len(kept), 1000)]
    assert list(capture.pdus("a0")) == []
    assert len(list(capture.pdus("a999"))) == 1
    capture.record("big", "CT1", Side.REQUESTOR, CT1, ARCHIVE, Direction.SENT, bytes(200_000), AT)
    assert capture.lost == 1
    capture.record("big", "CT1", Side.REQUESTOR, CT1, ARCHIVE, Direction.SENT, bytes(100_000), AT)
    assert len(next(capture.pdus("big")).data) == 100_000
    assert capture.size <= 160_000


def test_the_index_is_bounded_however_short_associations_are(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    for number in range(4100):
        say(capture, f"a{number}", b"", ends="r")
    assert max(len(segment.ends) for segment in capture._segments) <= 2000
    assert len(capture.associations()) == 4100


def test_a_capture_survives_a_restart_and_a_torn_end(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    say(capture, "a1", b"kept")
    capture.tcp_failure(CT1, ARCHIVE, DialOutcome.REFUSED, AT)
    say(capture, "a1", b"torn", ends="a")
    capture.close()
    say(capture, "a1", b"too late")
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-2])
    again = Capture(tmp_path)
    assert [pdu.data for pdu in again.pdus("a1")] == [b"kept"]
    say(again, "a1", b"new", ends="a")
    assert [pdu.data for pdu in again.pdus("a1")] == [b"kept", b"new"]
    assert again.associations()[0].pdus == 2
    assert sum(isinstance(entry, CapturedFailure) for entry in again.entries()) == 1
    again.clear()
    assert again.associations() == ()
    assert list(tmp_path.iterdir()) == []
    say(again, "a2", b"after")
    assert len(list(again.pdus("a2"))) == 1


def test_a_full_disk_does_not_fail_an_association(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture(tmp_path)
    say(capture, "a1", b"before", ends="a")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.writev", full)
        say(capture, "a1", b"lost", ends="a")
        say(capture, "a1", b"lost", ends="a")
    assert capture.lost == 2
    say(capture, "a1", b"after", ends="a")
    assert [pdu.data for pdu in capture.pdus("a1")] == [b"before", b"after"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_time_with_a_zone_is_told_in_local_time(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    at = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
    say(capture, "a1", b"x", ends="a", at=at)
    assert next(capture.pdus("a1")).at == at.astimezone().replace(tzinfo=None)


def test_threads_write_at_once(tmp_path: Path) -> None:
    capture = Capture(tmp_path, max_bytes=64 * 1024 * 1024)

    def write(name: str) -> None:
        for number in range(300):
            say(capture, name, f"{name} {number}".encode() * 50, ends="a")

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    reading = sum(1 for _ in capture.entries())
    for thread in threads:
        thread.join()
    assert reading <= 1800
    for number in range(6):
        expected = [f"t{number} {each}".encode() * 50 for each in range(300)]
        assert [pdu.data for pdu in capture.pdus(f"t{number}")] == expected


def test_heads_are_read_once_and_whole_pdus_when_asked_for(tmp_path: Path) -> None:
    capture = Capture(tmp_path, max_bytes=400_000)
    say(capture, "a1", b"\1" + bytes(3000), ends="r")
    is_new, (only,), seen = capture.heads("a1")
    assert (is_new, only.node, only.from_requestor, only.size) == (True, "CT1", True, 3001)
    assert len(only.head) < 1000
    assert capture.read(only) == b"\1" + bytes(3000)
    assert capture.read(only, 2999, 50) == bytes(2)
    assert capture.heads("a1", seen)[:2] == (False, [])

    say(capture, "a2", b"another")
    say(capture, "a1", b"\2answer", back=True)
    is_new, again, seen = capture.heads("a1", seen)
    assert is_new, "the acceptor's end is the one to read, now that it has written"
    assert [(head.node, head.from_requestor, head.head) for head in again] == [("ARCHIVE", False, b"\2answer")]
    say(capture, "a1", b"\3more")
    is_new, more, seen = capture.heads("a1", seen)
    assert (is_new, [head.head for head in more]) == (False, [b"\3more"])
    assert capture.heads("nobody")[1] == []

    for _ in range(60):
        say(capture, "a3", bytes(9000), ends="a")
    assert capture.read(again[0], 0, 3) == b"\2an", "what was read at first is still known"
    assert capture.read(only) == b"", "and the rest was dropped to keep the bound"


def test_heads_are_found_after_a_restart(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    for number in range(5):
        say(capture, "a1", bytes([4]) * (100 + number))
        say(capture, "a2", b"between")
    capture.close()
    again = Capture(tmp_path)
    heads = again.heads("a1")[1]
    assert [head.size for head in heads] == [100, 101, 102, 103, 104]
    assert [again.read(head) for head in heads] == [pdu.data for pdu in again.pdus("a1")]
