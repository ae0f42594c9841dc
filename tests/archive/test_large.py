"""Instances too large for memory: received into the file they stay in, whatever happens on the way."""

from __future__ import annotations

import mmap
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.archive.archive import Archive
from sandbox.archive.part10 import opened
from sandbox.archive.store import free_bytes
from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import Peer, Services, Spool
from sandbox.dicom.datasets import encode_dataset, read_encoded
from sandbox.dicom.messages import C_STORE_RQ, DATA_SET, Command, encode_command
from sandbox.model.association import Side
from tests.dicom.support import (
    ABORT,
    CT,
    EXPLICIT,
    RELEASE_RQ,
    ScriptedPeer,
    Served,
    associate_rq,
    instance,
    make_requestor,
    pdu,
    pdv,
    serving,
    stored,
    wait_until,
)

UID = "1.2.3.4"
ABOVE = 1 << 20
SIZE = 5_000_000


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", ae_title="ARCHIVE") as made:
        yield made


def services(archive: Archive) -> Services:
    return Services(store=archive.store, spool=Spool(archive.begin, ABOVE))


def incoming(archive: Archive) -> list[Path]:
    return list((archive.directory / "store" / "incoming").iterdir())


def store(served: Served, tmp_path: Path, size: int = SIZE, uid: str = UID) -> tuple[int | None, str]:
    opened = served.requestor().associate(served.peer, syntaxes.storage_contexts((CT,)))
    assert isinstance(opened, Association), opened
    with opened:
        outcome = opened.store(stored(tmp_path, uid, pixels=size))
    return outcome.status, outcome.comment


def command(uid: str = UID) -> bytes:
    return encode_command(
        Command(
            CommandField=C_STORE_RQ,
            MessageID=1,
            Priority=0,
            CommandDataSetType=DATA_SET,
            AffectedSOPClassUID=CT,
            AffectedSOPInstanceUID=uid,
        )
    )


@contextmanager
def sending(port: int, size: int, *, whole: bool = False) -> Iterator[ScriptedPeer]:
    """A peer that has sent a command and ``size`` bytes of pixels, the last of them or not."""
    with ScriptedPeer.connect(port) as peer:
        peer.associate(associate_rq(contexts=((1, CT, (EXPLICIT,)),)))
        peer.send(pdu(4, pdv(1, 3, command())))
        peer.send(pdu(4, pdv(1, 0, head(size))))
        piece = pdu(4, pdv(1, 0, bytes(65536)))
        for _ in range(size // 65536 - 1):
            peer.send(piece)
        if whole:
            peer.send(pdu(4, pdv(1, 2, bytes(65536))))
        yield peer


def head(size: int) -> bytes:
    """A data set up to where its pixels begin."""
    dataset = instance(UID)
    dataset.SeriesInstanceUID = "1.2.3.9"
    del dataset.PixelData
    return encode_dataset(dataset, EXPLICIT) + struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OW", 0, size)


@pytest.fixture(autouse=True)
def with_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small objects of the DICOM tests have no series, which an archive asks for."""
    from tests.dicom import support

    made = support.instance

    def instance(*args: object, **keywords: object) -> object:
        dataset = made(*args, **keywords)  # type: ignore[arg-type]
        dataset.SeriesInstanceUID = "1.2.3.9"
        return dataset

    monkeypatch.setattr(support, "instance", instance)


def test_a_large_instance_is_kept_byte_for_byte(archive: Archive, tmp_path: Path) -> None:
    with serving(services(archive)) as served:
        assert store(served, tmp_path) == (0, "")
        assert store(served, tmp_path, 1000, "1.2.3.5") == (0, "")
        sizes = [exchange.size for exchange in served.told.exchanges(Side.ACCEPTOR)]
        assert sizes[0] > SIZE
    path = archive.instance_path(UID)
    assert path is not None
    with opened(path) as (meta, kept), opened(tmp_path / f"{UID}.dcm") as (_, sent):
        assert kept == sent
        assert (meta.sop_class, meta.sop_instance, meta.transfer_syntax) == (CT, UID, EXPLICIT)
    assert archive.counts().instances == 2
    assert incoming(archive) == []


def test_the_same_again_and_another_of_the_same_name_leave_the_first(archive: Archive, tmp_path: Path) -> None:
    told: list[tuple[bool, bool]] = []
    archive._on_stored = lambda stored: told.append((stored.is_new, stored.differs))
    with serving(services(archive)) as served:
        for size in (SIZE, SIZE, SIZE + 2):
            assert store(served, tmp_path, size) == (0, "")
    assert told == [(True, False), (False, False), (False, True)]
    assert incoming(archive) == []
    assert archive.counts().instances == 1


@pytest.mark.parametrize("end", ["abort", "close", "release"])
def test_a_half_received_instance_leaves_nothing(archive: Archive, end: str) -> None:
    with serving(services(archive)) as served, sending(served.port, SIZE) as peer:
        wait_until(lambda: incoming(archive))
        if end == "abort":
            peer.send(ABORT)
        elif end == "release":
            peer.send(RELEASE_RQ)
        peer.sock.close()
        wait_until(lambda: not incoming(archive))
        assert archive.counts().instances == 0


def test_a_server_that_stops_leaves_nothing(archive: Archive) -> None:
    with serving(services(archive)) as served, sending(served.port, SIZE):
        wait_until(lambda: incoming(archive))
        served.server.stop()
        assert incoming(archive) == []


def test_a_cut_off_data_set_is_refused_and_leaves_nothing(archive: Archive) -> None:
    with serving(services(archive)) as served:
        with sending(served.port, SIZE) as peer:
            peer.send(pdu(4, pdv(1, 2, b"\0\0")))
            kind, body = peer.read()
        assert kind == 4
        assert struct.pack("<HHLH", 0, 0x0900, 2, 0xC000) in body
        assert incoming(archive) == []
        assert archive.counts().instances == 0


def test_a_full_disk_is_a700_and_the_association_goes_on(archive: Archive, tmp_path: Path) -> None:
    left = [20 << 20]
    archive.files.free = lambda directory: left[0]
    with serving(services(archive)) as served:
        requestor = served.requestor()
        opened = requestor.associate(served.peer, syntaxes.storage_contexts((CT,)))
        assert isinstance(opened, Association), opened
        with opened:
            outcome = opened.store(stored(tmp_path, UID, pixels=SIZE))
            assert outcome.status == 0xA700
            assert "Disk full" in outcome.comment
            assert opened.store(stored(tmp_path, "1.2.3.5", pixels=1000)).status == 0
            left[0] = free_bytes(tmp_path)
            assert opened.store(stored(tmp_path, UID, pixels=SIZE)).status == 0
    assert incoming(archive) == []


def test_what_a_kill_leaves_is_swept_up(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive", ae_title="ARCHIVE") as archive:
        (tmp_path / "archive" / "store" / "incoming" / "1-1.part").write_bytes(b"half")
    with Archive(tmp_path / "archive", ae_title="ARCHIVE") as archive:
        assert incoming(archive) == []


def test_a_large_file_is_sent_without_being_read_into_memory(tmp_path: Path) -> None:
    large, small = stored(tmp_path, UID, pixels=20_000_000), stored(tmp_path, "1.2.3.5")
    assert isinstance(read_encoded(large.path).obj, mmap.mmap)
    assert isinstance(read_encoded(small.path).obj, bytes)


def resident(process: str, field: str) -> int:
    """Kilobytes from /proc."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


SERVE = """
import sys
from pathlib import Path
from sandbox.archive.serve import ServeOptions, serve_archive
running = serve_archive(ServeOptions(ae_title="ARCHIVE", directory=Path(sys.argv[1])))
running.wait(lambda: print(running.describe().port, flush=True))
"""


def test_memory_stays_where_it_was_while_much_is_received(tmp_path: Path) -> None:
    size = 160 << 20
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        requestor = make_requestor()
        opened_one = requestor.associate(Peer("ARCHIVE", "127.0.0.1", port), syntaxes.verification())
        assert isinstance(opened_one, Association)
        opened_one.release()
        before = resident(str(process.pid), "VmHWM")
        with sending(port, size, whole=True) as peer:
            peer.sock.settimeout(60)
            kind, body = peer.read()
            assert kind == 4
            assert struct.pack("<HHLH", 0, 0x0900, 2, 0) in body
        # The threshold and its buffer; the pages of the file are the system's.
        assert resident(str(process.pid), "VmHWM") - before < 40_000
    finally:
        process.terminate()
        process.wait(10)
