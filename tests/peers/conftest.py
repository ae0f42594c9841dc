"""An outside implementation and ``archive serve``, which know each other by address, for all tests of one of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from tests.dicom.support import unused_port
from tests.peers.outside import HOST, TITLE, At, Outside
from tests.unbreakable.support import AE_TITLE, READY_S, ArchiveProcess, wait_until


@pytest.fixture(scope="module")
def outside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """The implementation that the test is for, started, with the archive it talks to."""
    kind: type[Outside] = request.param
    base: Path = tmp_path_factory.mktemp(kind.name)
    mine = base / "outside"
    mine.mkdir()
    port, archive_port = unused_port(), unused_port()
    peer = kind(mine, port, At(AE_TITLE, archive_port))
    peer.prepare()
    archive = ArchiveProcess(base / "archive", remotes=(f"{TITLE}={HOST}:{port}",))
    archive.port = archive_port
    with archive:
        try:
            peer.start()
            if peer.answers:
                wait_until(lambda: _listens(port), READY_S, peer.said)
            yield peer
        finally:
            peer.stop()
    assert archive.unexpected() == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.fixture
def ours() -> Iterator[Requestor]:
    timeouts = Timeouts(connect=5, acse=10, dimse=20)
    requestor = Requestor("CT1", "test", PlainDialler(), NullObserver(), timeouts, 65536, association_ids("t"))
    yield requestor
    requestor.close("the test is over")
