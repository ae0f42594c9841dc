"""A retrieve brings what was asked for: every image of a study comes to who is to have it, and to nobody else."""

from __future__ import annotations

import time

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.names import Names, counted
from sandbox.events.event import PROBE
from sandbox.events.kinds import InstanceStored
from sandbox.nodes.department import Department
from sandbox.nodes.node import Node
from sandbox.nodes.workstation import Workstation


class RetrieveCompletes(Check):
    """``retrieve_completes``: ``node`` asks its archive for each of ``exams``, and all their images come to ``to``
    (empty: to itself) within ``within_s``.

    ``remote`` is the line of its AE table that is asked; empty, the archive it is configured for. A workstation that
    retrieves for itself does so as it is set to, by C-MOVE or C-GET; everything else is a C-MOVE to the AE title that
    ``to`` has now. Who did not have the study before is rid of it afterwards, unless somebody else sent it meanwhile.
    """

    kind = "retrieve_completes"

    node: str
    exams: Names
    to: str = ""
    remote: str = Field("", max_length=64)
    within_s: float = Field(20.0, gt=0, le=300)

    def claim(self) -> str:
        where = f" to {self.to}" if self.to and self.to != self.node else ""
        return f"{self.node} can retrieve the exam that was asked for{where}, complete."

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.to) if self.to else (self.node,)

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        node, target = department.node(self.node), department.node(self.to or self.node)
        evidence: list[int] = []
        exams = [exam for label in self.exams for exam in memory.labelled(label)]
        for exam in exams:
            strangers = [other for other in department.nodes.values() if not _has(other, exam)]
            before = len(department.events)
            try:
                wrong = self._retrieve(department, node, target, exam, evidence)
            finally:
                # Whoever got it, the right one or not, is rid of it again, but for what somebody else sent meanwhile.
                wanted = _sent_by_others(department, exam, before)
                for other in strangers:
                    if _has(other, exam) and other.name not in wanted:
                        other.forget_study(exam.study_uid)
            if wrong:
                return failed(wrong, tuple(dict.fromkeys(evidence)))
        what = f"{counted(len(exams), 'exam')} retrieved from {self.node}"
        return passed(f"{what}: complete at {target.name}.", tuple(dict.fromkeys(evidence)))

    def _retrieve(self, department: Department, node: Node, target: Node, exam: NotedExam, evidence: list[int]) -> str:
        """What was wrong, or nothing."""
        remote = self.remote or str(getattr(node.running, "archive", ""))
        before, deadline = len(department.events), time.monotonic() + self.within_s
        if isinstance(node, Workstation) and target is node and remote == node.running.archive:
            answer = node.retrieve(exam.study_uid)
        else:
            keys = {"StudyInstanceUID": exam.study_uid}
            answer = node.tools.move(remote, target.running.ae_title, "STUDY", keys)
        evidence += [
            event.seq
            for event in department.events.since(before)
            if answer.association and getattr(event.body, "association", "") == answer.association
        ]
        if not answer.ok:
            return f"The retrieve from {node.name} did not work: {answer.sentence}"
        missing = set(exam.sop_instances)
        position = before
        while True:
            for event in department.events.since(position):
                position = event.seq
                if event.node == target.name and isinstance(event.body, InstanceStored):
                    missing.discard(event.body.sop_instance)
            left = deadline - time.monotonic()
            if not missing:
                return ""
            if left <= 0 or not department.events.follow(position, timeout=min(left, _QUIET_S)):
                # The answer came, so all was sent: what is not there by now went elsewhere, or was not known.
                there = len(exam.sop_instances) - len(missing)
                total = counted(len(exam.sop_instances), "image")
                return f"The retrieve from {node.name} succeeded, but {there} of {total} came to {target.name}."


_QUIET_S = 1.0


def _sent_by_others(department: Department, exam: NotedExam, since: int) -> set[str]:
    """The nodes that anybody but the check sent images of the exam to."""
    return {
        event.node
        for event in department.events.since(since)
        if isinstance(event.body, InstanceStored) and event.body.study_uid == exam.study_uid and event.actor != PROBE
    }


def _has(node: Node, exam: NotedExam) -> bool:
    return node.store is not None and node.store.study(exam.study_uid) is not None
