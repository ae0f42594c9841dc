"""What is told of the past happens in a running department, in its order."""

from __future__ import annotations

from pathlib import Path

from sandbox.drill.load import read_scenario
from sandbox.drill.scene import stage
from sandbox.events.event import SYSTEM
from sandbox.events.kinds import AssociationRejected, ExamAcquired
from tests.drill.support import running_lab, write_tiny

TRIED = """[[meanwhile]]
command = "exam.send"
node = "US1"
study = "{study_uid}"
to = "ROUTER"

[[check]]
id = "us-is-archived\""""


def test_what_people_tried_before_they_called_is_done_last_and_may_fail(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[check]]\nid = "us-is-archived"': TRIED})
    scenario = read_scenario(folder)
    with running_lab(tmp_path / "lab") as lab:
        rings_at = stage(lab, scenario).rings_at
        events = lab.events.since()
        exam = next(event for event in events if isinstance(event.body, ExamAcquired))
        tried = [
            event
            for event in events
            if isinstance(event.body, AssociationRejected) and event.node == "US1" and event.cause != exam.seq
        ]
        assert tried
        assert tried[-1].actor == SYSTEM
        assert tried[-1].seq > exam.seq
        assert abs((tried[-1].at - rings_at).total_seconds()) < 60
