"""A capture exported as .pcap: what Wireshark makes of it, checked with tshark on a real DICOM conversation."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from sandbox.model.association import DialOutcome, Direction, Side
from sandbox.network.capture import Capture
from sandbox.network.pcap import checksum, export

AT = datetime(2026, 3, 2, 8, 30, 0)
ARCHIVE = "198.18.20.10:104"
PIXELS = 100_000


@pytest.fixture(scope="module")
def pdus() -> list[tuple[Direction, bytes]]:
    """A real association as the acceptor's socket saw it: C-ECHO, a C-STORE of some size, release."""
    said: list[tuple[Direction, bytes]] = []
    acceptor = AE(ae_title="ARCHIVE")
    acceptor.add_supported_context(Verification)
    acceptor.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)
    server = acceptor.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[
            (evt.EVT_C_STORE, lambda event: 0x0000),
            (evt.EVT_DATA_RECV, lambda event: said.append((Direction.RECEIVED, event.data))),
            (evt.EVT_DATA_SENT, lambda event: said.append((Direction.SENT, event.data))),
        ],
    )
    requestor = AE(ae_title="CT1")
    requestor.add_requested_context(Verification)
    requestor.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
    image.add_new(0x7FE00010, "OW", bytes(PIXELS))
    image.file_meta = Dataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    association = requestor.associate("127.0.0.1", server.socket.getsockname()[1], ae_title="ARCHIVE")
    assert association.is_established
    assert association.send_c_echo().Status == 0x0000
    assert association.send_c_store(image).Status == 0x0000
    association.release()
    server.shutdown()
    return said


def record(
    capture: Capture,
    pdus: list[tuple[Direction, bytes]],
    association: str = "a1",
    requestor: str = "198.18.10.11:40112",
    acceptor: str = ARCHIVE,
) -> None:
    """Let both ends of an association record ``pdus``, ten milliseconds apart."""
    opposite = {Direction.SENT: Direction.RECEIVED, Direction.RECEIVED: Direction.SENT}
    for number, (direction, data) in enumerate(pdus):
        at = AT + timedelta(milliseconds=10 * number)
        capture.record(association, "ARCHIVE", Side.ACCEPTOR, acceptor, requestor, direction, data, at)
        capture.record(association, "CT1", Side.REQUESTOR, requestor, acceptor, opposite[direction], data, at)


def tshark(path: Path, *options: str) -> list[str]:
    """tshark's lines on a file, with checksums checked, or a skipped test where there is no tshark."""
    tool = shutil.which("tshark")
    if tool is None:
        if os.environ.get("CI"):
            pytest.fail("tshark is not installed")
        pytest.skip("tshark is not installed")
    checked = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    done = subprocess.run(
        [tool, "-r", str(path), *checked, *options], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def written(capture: Capture, path: Path, associations: set[str] | None = None) -> Path:
    path.write_bytes(b"".join(export(capture, associations)))
    return path


_ODD = (
    *("_ws.malformed", "tcp.checksum.status == 0", "ip.checksum.status == 0", "tcp.analysis.lost_segment"),
    *("tcp.analysis.ack_lost_segment", "tcp.analysis.out_of_order", "tcp.analysis.window_full"),
    "(tcp.analysis.retransmission && !tcp.flags.syn)",
)


def assert_sound(path: Path, *, except_for: tuple[str, ...] = ()) -> None:
    """Nothing malformed, no wrong checksum, nothing Wireshark's TCP analysis finds odd."""
    assert tshark(path, "-Y", " || ".join(odd for odd in _ODD if odd not in except_for)) == []


@pytest.mark.tools
@pytest.mark.parametrize("acceptor", ["198.18.20.10:104", "198.18.20.10:11112", "[::1]:11112"])
def test_wireshark_dissects_the_conversation(
    tmp_path: Path, pdus: list[tuple[Direction, bytes]], acceptor: str
) -> None:
    capture = Capture(tmp_path / "capture")
    record(capture, pdus, acceptor=acceptor)
    path = written(capture, tmp_path / "x.pcap")
    assert_sound(path)
    lines = tshark(path, "-d", "tcp.port==11112,dicom", "-Y", "dicom", "-T", "fields", "-e", "_ws.col.Info")
    text = "\n".join(lines)
    for expected in (
        "A-ASSOCIATE request CT1",
        "A-ASSOCIATE accept",
        "C-ECHO-RQ",
        "C-ECHO-RSP",
        "C-STORE-RQ",
        "C-STORE-RSP",
        "A-RELEASE request",
        "A-RELEASE response",
    ):
        assert text.count(expected) == 1, (expected, text)


@pytest.mark.tools
def test_the_packets_are_those_of_one_connection(tmp_path: Path, pdus: list[tuple[Direction, bytes]]) -> None:
    capture = Capture(tmp_path / "capture")
    record(capture, pdus)
    path = written(capture, tmp_path / "x.pcap")
    fields = ["ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.flags.str", "tcp.len", "frame.time_epoch"]
    rows = [line.split("\t") for line in tshark(path, "-T", "fields", *(x for f in fields for x in ("-e", f)))]
    assert {tuple(row[:4]) for row in rows} == {
        ("198.18.10.11", "40112", "198.18.20.10", "104"),
        ("198.18.20.10", "104", "198.18.10.11", "40112"),
    }
    flags = [row[4].replace("·", "") for row in rows]
    assert flags[:3] == ["S", "AS", "A"]
    assert flags[-3:] == ["AF", "AF", "A"]
    assert rows[-3][0] == "198.18.10.11", "who received the A-RELEASE-RP closes"
    assert max(int(row[5]) for row in rows) == 1460
    assert sum(int(row[5]) for row in rows) == sum(len(data) for _, data in pdus)
    times = [float(row[6]) for row in rows]
    assert times == sorted(times)
    assert abs(times[0] - AT.timestamp()) < 0.001


@pytest.mark.tools
def test_failures_show_as_what_they_are(tmp_path: Path, pdus: list[tuple[Direction, bytes]]) -> None:
    capture = Capture(tmp_path / "capture")
    router = "198.18.20.11"
    capture.tcp_failure(router, ARCHIVE, DialOutcome.TIMED_OUT, AT - timedelta(seconds=1), elapsed_s=4.0)
    capture.tcp_failure(f"{router}:41000", ARCHIVE, DialOutcome.REFUSED, AT - timedelta(seconds=0.5))
    capture.tcp_failure(router, "archiv:104", DialOutcome.UNKNOWN_HOST, AT - timedelta(seconds=0.4))
    capture.tcp_failure(router, "192.0.2.1:104", DialOutcome.UNREACHABLE, AT - timedelta(seconds=0.3))
    capture.tcp_failure(router, ARCHIVE, DialOutcome.RESET, AT - timedelta(seconds=0.2))
    record(capture, pdus)
    path = written(capture, tmp_path / "x.pcap")
    assert_sound(path)
    fields = ["tcp.stream", "tcp.flags.str", "frame.time_relative"]
    rows = [
        line.split("\t")
        for line in tshark(path, "-Y", f"ip.addr == {router}", "-T", "fields", *(x for f in fields for x in ("-e", f)))
    ]
    streams: dict[str, list[str]] = {}
    for stream, flags, _ in rows:
        streams.setdefault(stream, []).append(flags.replace("·", ""))
    assert list(streams.values()) == [["S", "S", "S"], ["S", "AR"], ["S"], ["S", "AS", "A", "AR"]]
    assert [round(float(at)) for stream, _, at in rows if stream == "0"] == [0, 1, 3]
    retransmitted = tshark(path, "-Y", "tcp.analysis.retransmission")
    assert len(retransmitted) == 2


@pytest.mark.tools
def test_associations_are_chosen_and_side_by_side(tmp_path: Path, pdus: list[tuple[Direction, bytes]]) -> None:
    capture = Capture(tmp_path / "capture")
    record(capture, pdus, "a1")
    record(capture, pdus[:3], "a2", requestor="198.18.10.12:50000")
    capture.record("a3", "CT1", Side.REQUESTOR, "198.18.10.11:1", "127.0.0.1:4242", Direction.SENT, pdus[0][1], AT)
    everything = written(capture, tmp_path / "all.pcap")
    assert_sound(everything)
    assert len(set(tshark(everything, "-T", "fields", "-e", "tcp.stream"))) == 3
    chosen = written(capture, tmp_path / "one.pcap", {"a2"})
    assert set(tshark(chosen, "-T", "fields", "-e", "ip.addr")) == {
        "198.18.10.12,198.18.20.10",
        "198.18.20.10,198.18.10.12",
    }


@pytest.mark.tools
def test_an_association_whose_beginning_was_dropped_has_no_handshake(
    tmp_path: Path, pdus: list[tuple[Direction, bytes]]
) -> None:
    capture = Capture(tmp_path / "capture")
    record(capture, pdus[4:])
    path = written(capture, tmp_path / "x.pcap")
    assert tshark(path, "-Y", "tcp.flags.syn == 1") == []
    # Without it Wireshark knows neither how windows are scaled nor in which transfer syntax the data sets are.
    assert_sound(path, except_for=("tcp.analysis.window_full", "_ws.malformed"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes.fromhex("45000073000040004011 0000 c0a80001c0a800c7".replace(" ", "")), 0xB861),
        (b"", 0xFFFF),
        (b"\0\0", 0xFFFF),
        (b"\xff\xff", 0x0000),
        (b"\x01", 0xFEFF),
    ],
)
def test_checksum(data: bytes, expected: int) -> None:
    assert checksum(data) == expected
