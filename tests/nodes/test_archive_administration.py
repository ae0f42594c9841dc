"""Operations of an archive node as events and log lines; its quota, from the warning to A700 and back."""

from __future__ import annotations

import pytest

from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.operation import Kind
from sandbox.dicom.contract import Services
from sandbox.events import kinds
from sandbox.events.event import FAULT, SYSTEM
from sandbox.events.log import because
from sandbox.nodes.archive_administration import TOLD
from sandbox.nodes.doors import Doors
from tests.nodes.conftest import Small


def test_every_operation_has_an_event() -> None:
    assert set(TOLD) == set(Kind)


def test_an_operation_is_told_with_reason_and_actor(small: Small) -> None:
    exam = small.scan(images=2)
    small.wait_stored("ARCHIVE", exam)
    with because(None, "trainee:anna"):
        outcome = small.archive.administration.operate(Delete(reason="a phantom", study_uid=exam.study_uid))
    event = small.wait("archive.deleted", "ARCHIVE")
    assert isinstance(event.body, kinds.ArchiveDeleted)
    assert (event.actor, event.body.reason, event.body.instances) == ("trainee:anna", "a phantom", 2)
    assert event.body.entry == outcome.entry
    assert event.body.studies == (exam.study_uid,)
    (entry,) = small.archive.administration.archive.journal()
    assert (entry.actor, entry.reason) == ("trainee:anna", "a phantom")
    assert any("a phantom" in e.body.text for e in small.events.since() if isinstance(e.body, kinds.NodeLogged))


def _limited(small: Small, gigabytes: float, percent: int = 90) -> None:
    config = small.archive.saved
    small.archive.save(config.model_copy(update={"quota_gb": gigabytes, "high_watermark_percent": percent}))
    small.archive.restart()


def test_it_warns_above_the_watermark_and_refuses_when_full(small: Small) -> None:
    exam = small.scan(images=1)
    small.wait_stored("ARCHIVE", exam)
    small.wait_stored("ARCHIVE", small.scan(images=1))
    archive = small.archive.administration.archive
    _limited(small, archive.size() * 1.1 / 1e9, 80)
    warned = small.wait("archive.watermark.passed", "ARCHIVE")
    assert isinstance(warned.body, kinds.ArchiveWatermarkPassed)
    assert 80 <= warned.body.percent <= 100
    small.scan(images=1)
    full = small.wait("archive.filled", "ARCHIVE")
    assert isinstance(full.body, kinds.ArchiveFilled)
    assert full.body.reason.startswith("Quota reached")
    refused = small.wait("dimse.exchanged", "ARCHIVE", where=lambda body: body.exchange.status == 0xA700)
    assert refused.body.exchange.comment.startswith("Quota reached")  # type: ignore[attr-defined]
    assert archive.counts().instances == 2
    # The bin counts: only emptying it makes room.
    desk = small.archive.administration
    desk.operate(Delete(reason="make room", study_uid=exam.study_uid))
    assert not [e for e in small.events.since() if e.kind == "archive.watermark.cleared"]
    desk.operate(EmptyBin(reason="make room", confirmed=True))
    small.wait("archive.watermark.cleared", "ARCHIVE")
    assert len([e for e in small.events.since() if e.kind == "archive.watermark.passed"]) == 1


def test_the_archive_warns_for_all_to_see_whatever_filled_it(small: Small) -> None:
    small.wait_stored("ARCHIVE", small.scan(images=1))
    with because(None, FAULT):
        _limited(small, small.archive.administration.archive.size() / 1e9)
    warned = small.wait("archive.watermark.passed", "ARCHIVE")
    assert (warned.actor, warned.is_for_later) == (SYSTEM, False)
    logged = small.wait("node.logged", "ARCHIVE", where=lambda body: "above the high watermark" in body.text)
    assert not logged.is_for_later


def test_a_reserve_that_is_not_there_refuses_with_its_reason(small: Small) -> None:
    config = small.archive.saved
    small.archive.save(config.model_copy(update={"reserve_gb": 900_000.0}))
    small.archive.restart()
    small.scan(images=1)
    full = small.wait("archive.filled", "ARCHIVE")
    assert full.body.reason.startswith("Disk full")  # type: ignore[attr-defined]
    assert small.archive.administration.archive.counts().instances == 0


def test_what_is_configured_holds_for_the_first_caller(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images that wait at the router come the moment the archive answers, not a moment later."""
    seen: list[bool] = []
    answer = Doors.answer

    def watched(doors: Doors, services: Services) -> None:
        seen.append(small.archive.archive.refuses_invalid_values)
        answer(doors, services)

    monkeypatch.setattr(Doors, "answer", watched)
    small.archive.save(small.archive.saved.model_copy(update={"check_values": True}))
    small.archive.restart()
    assert seen == [True]
