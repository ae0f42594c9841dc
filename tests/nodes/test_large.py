"""An object too large for memory on its way through the department: received into files, sent on, kept once."""

from __future__ import annotations

from pathlib import Path

from sandbox.archive.part10 import opened
from sandbox.dicom.client import Association
from sandbox.dicom.syntaxes import storage_contexts
from tests.dicom.support import CT, EXPLICIT, instance
from tests.nodes.conftest import Small

SIZE = 12 << 20


def test_it_goes_through_the_router_into_the_archive(small: Small, tmp_path: Path) -> None:
    dataset = instance("1.2.3.77", pixels=SIZE)
    dataset.SeriesInstanceUID = "1.2.3.9"
    dataset.save_as(tmp_path / "sent.dcm", enforce_file_format=True)
    peer = small.ct.caller.peer("ROUTER")
    assert peer is not None
    association = small.ct.caller.requestor.associate(peer, storage_contexts((CT,), (EXPLICIT,)))
    assert isinstance(association, Association), association
    with association:
        assert association.store(dataset).status == 0
    small.wait("queue.sent", "ROUTER", where=lambda body: body.destination == "ARCHIVE")
    archive = small.department.node("ARCHIVE").store
    assert archive is not None
    path = archive.instance_path("1.2.3.77")
    assert path is not None
    with opened(path) as (_, kept), opened(tmp_path / "sent.dcm") as (_, sent):
        assert kept == sent
    router = small.department.node("ROUTER").context.directory / "spool"
    small.wait_until(lambda: list(router.iterdir()) == [])
    assert list((archive.directory / "store" / "incoming").iterdir()) == []
