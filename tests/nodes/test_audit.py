"""The department's archive keeps an audit trail, whoever did what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.archive.audit.reading import AuditLine, last_lines
from sandbox.archive.operations.delete import Delete
from sandbox.events.log import because
from tests.nodes.conftest import Small


def trail(small: Small) -> list[AuditLine]:
    return last_lines(small.archive.trail_directory, 100)


def test_an_exam_and_its_deletion_are_in_the_trail(small: Small) -> None:
    exam = small.scan(images=2)
    small.wait_stored("ARCHIVE", exam)
    with because(None, "trainee:anna"):
        small.archive.administration.operate(Delete(reason="a phantom", study_uid=exam.study_uid))
    small.wait_until(lambda: any(line.event == "DICOM Study Deleted" for line in trail(small)))
    (deleted,) = (line for line in trail(small) if line.event == "DICOM Study Deleted")
    assert deleted.who == ("trainee:anna", "ARCHIVE")
    assert exam.study_uid in deleted.about
    # The router's association ends later, or what it stored is told after a while.
    small.wait_until(lambda: any(line.event == "DICOM Instances Transferred" for line in trail(small)))
    (stored,) = (line for line in trail(small) if line.event == "DICOM Instances Transferred")
    assert stored.who[0] == "ROUTER"


def test_it_goes_on_after_a_restart(small: Small) -> None:
    small.archive.restart()
    small.wait_until(lambda: len(trail(small)) >= 3)
    assert [line.event.rpartition(" ")[2] for line in trail(small)] == ["Start", "Stop", "Start"]


def test_journal_and_trail_are_dated_by_the_clock_of_the_department(small: Small) -> None:
    exam = small.scan(images=1)
    small.wait_stored("ARCHIVE", exam)
    small.clock.move_to(small.clock.now() + timedelta(days=3))
    small.archive.administration.operate(Delete(reason="a phantom", study_uid=exam.study_uid))
    small.wait_until(lambda: any(line.event == "DICOM Study Deleted" for line in trail(small)))
    (deleted,) = (line for line in trail(small) if line.event == "DICOM Study Deleted")
    (entry,) = small.archive.administration.archive.journal()
    for moment in (datetime.fromisoformat(deleted.at), datetime.fromtimestamp(entry.at, UTC)):
        assert timedelta(days=2) < moment - datetime.now(UTC) < timedelta(days=4)
