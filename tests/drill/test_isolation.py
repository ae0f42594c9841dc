"""Two labs of one site with opposite faults, at work at the same time: nothing of one is ever in the other."""

from __future__ import annotations

import threading
from pathlib import Path

from sandbox.checks.exam_arrives import ExamArrives
from sandbox.checks.memory import Memory
from sandbox.faults.config_called_ae_title import CalledAETitle
from sandbox.lab.lab import Lab
from sandbox.model.verdict import Verdict
from tests.drill.support import do, running_lab

EXAMS = 4


def studies(lab: Lab) -> set[str]:
    return {
        study.study_uid
        for node in lab.department.nodes.values()
        if node.store is not None
        for study in node.store.studies(limit=1000)
    }


def acquired(lab: Lab) -> set[str]:
    return {
        event.body.study_uid  # type: ignore[attr-defined]
        for event in lab.events.since()
        if event.kind == "exam.acquired" and event.actor == "trainee:anna"
    }


def work(lab: Lab) -> None:
    for _ in range(EXAMS):
        for node in ("US1", "CT1"):
            do(lab, "exam.acquire", node=node, images=1)


def arrives(lab: Lab, node: str) -> Verdict:
    return ExamArrives(node=(node,), at=("ARCHIVE",), images=1, within_s=20).run(lab.department, Memory()).verdict


def test_opposite_faults_side_by_side(tmp_path: Path) -> None:
    with running_lab(tmp_path / "one", seed=11) as one, running_lab(tmp_path / "two", seed=12) as two:
        CalledAETitle(node="US1", peer="ROUTER", value="ROUTERX").apply(one.department)
        CalledAETitle(node="CT1", peer="ROUTER", value="ROUTERX").apply(two.department)

        hands = [threading.Thread(target=work, args=(lab,)) for lab in (one, two)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()

        assert arrives(one, "US1") is Verdict.FAIL
        assert arrives(two, "US1") is Verdict.PASS
        assert arrives(one, "CT1") is Verdict.PASS
        assert arrives(two, "CT1") is Verdict.FAIL

        # Studies: each lab has its own, and only its own.
        assert len(acquired(one)) == len(acquired(two)) == 2 * EXAMS
        assert acquired(one) == studies(one)
        assert acquired(two) == studies(two)
        assert not studies(one) & studies(two)

        # Events: none tells of a study or an association of the other lab.
        for lab, other in ((one, two), (two, one)):
            told = "\n".join(event.to_json() for event in lab.events.since())
            assert not [study for study in studies(other) if study in told]

        # Files: every path of a lab lies in its own directory, and no file is shared.
        files = [{path.stat().st_ino for path in lab.directory.rglob("*") if path.is_file()} for lab in (one, two)]
        assert files[0]
        assert not files[0] & files[1]

        # Ports: nobody else listens where a node of the first lab does.
        ports = [set(lab.department.network.published_ports().values()) for lab in (one, two)]
        assert not ports[0] & ports[1]
