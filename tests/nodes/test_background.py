"""The quiet flow of exams: the same from the same seed, paused and resumed, and over a restart."""

from __future__ import annotations

import time
from pathlib import Path

from sandbox.nodes.background import Background
from tests.nodes.conftest import Small


def test_the_same_seed_plans_the_same_exams(small: Small) -> None:
    def plan(background: Background) -> list[tuple[object, ...]]:
        exams = [background.planned(number) for number in range(20)]
        return [
            (exam.node, exam.after_s, exam.images, exam.order.patient, exam.order.procedure.code)
            for exam in exams
            if exam is not None
        ]

    first = plan(Background(small.department))
    assert first == plan(Background(small.department))
    small.department.seed += 1
    assert first != plan(Background(small.department))
    mean = sum(exam[1] for exam in first) / len(first)  # type: ignore[misc]
    assert 30 < mean < 200


def test_exams_come_until_they_are_paused(small: Small, tmp_path: Path) -> None:
    background = Background(small.department, every_s=0.05, images=(1, 1), state=tmp_path / "background.json")
    background.start()
    small.wait("exam.acquired")
    background.pause()
    background.pause()
    with background.held():
        seen = small.events.since()[-1].seq
    assert small.has("background.paused")
    small.wait_until(lambda: small.ct.queue.is_empty() and small.router.queue.is_empty())
    acquired = [event for event in small.events.since(seen) if event.kind == "exam.acquired"]
    assert len(acquired) <= 1
    background.stop()

    again = Background(small.department, every_s=0.05, images=(1, 1), state=tmp_path / "background.json")
    assert again.is_paused
    last = small.events.since()[-1].seq
    again.resume()
    exam = small.wait("exam.acquired", after=last)
    assert exam.actor == "system"
    began = time.monotonic()
    again.stop()
    assert time.monotonic() - began < 10
    names = [event.body.accession_number for event in small.events.since() if event.kind == "exam.acquired"]  # type: ignore[attr-defined]
    assert len(names) == len(set(names))


def test_a_modality_set_to_what_nobody_knows_has_no_patients(small: Small) -> None:
    small.change("CT1", modality="ZZ")
    assert Background(small.department).planned(0) is None


def test_a_modality_that_is_stopped_has_no_patients(small: Small) -> None:
    small.ct.stop()
    background = Background(small.department, every_s=0.01, images=(1, 1))
    background.start()
    assert small.events.wait_for(lambda event: event.kind == "exam.acquired", timeout=0.2) is None
    background.stop()
