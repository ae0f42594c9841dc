"""Where nothing is broken, nothing is to be mended: settings, network, queues and stored studies stay as they were."""

from __future__ import annotations

from typing import Any

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.names import said
from sandbox.nodes.department import Department


class NothingChanged(Check):
    """``nothing_changed``: every node's configuration, the firewall, DNS and held queues are as at the start, and no
    study that a node stored has left it or says another patient, accession number or date.

    Studies that came since are no change: somebody may have looked, and the day goes on.
    """

    kind = "nothing_changed"

    def claim(self) -> str:
        return "Nothing in the department was changed that was not broken."

    def baseline(self, department: Department) -> Any:
        return {
            "settings": _settings(department),
            "network": _network(department),
            "held": _held(department),
            "studies": _studies(department),
        }

    def nodes(self) -> tuple[str, ...]:
        return ()

    def judge(self, department: Department, memory: Memory) -> Judgement:
        before = memory.baselines.get(self.name)
        if before is None:
            return unclear("It was not noted beforehand what the department was like.")
        changed = [node for node, text in _settings(department).items() if before["settings"].get(node) != text]
        if changed:
            return failed(f"The configuration of {said(changed)} was changed, and it was not broken.")
        if _network(department) != before["network"]:
            return failed("The firewall or DNS was changed, and it was not broken.")
        if _held(department) != before["held"]:
            return failed("A queue was held or resumed, and there was nothing wrong with it.")
        expected: dict[str, dict[str, str]] = before["studies"]
        exams = {exam.study_uid: _made(exam) for exam in memory.exams}
        for node, studies in _studies(department).items():
            was = expected.get(node, {})
            if was.keys() - studies.keys():
                return failed(f"Studies were removed from {node}.")
            edited = [uid for uid, values in studies.items() if values != was.get(uid, exams.get(uid, values))]
            if edited:
                return failed(f"On {node} a study says something else than it did: {studies[edited[0]]}.")
        return passed("Settings, network, queues and studies are as they were.")


def _settings(department: Department) -> dict[str, str]:
    return {name: node.saved.model_dump_json() for name, node in department.nodes.items()}


def _network(department: Department) -> list[str]:
    network = department.network
    dns = [f"{name} {address}" for name, address in sorted(network.topology.dns.items())]
    return [*(str(rule) for rule in network.rules), *dns]


def _held(department: Department) -> list[str]:
    return sorted(
        f"{name} {view.destination}"
        for name, node in department.nodes.items()
        if node.queue is not None
        for view in node.queue.views()
        if view.held_since is not None
    )


def _studies(department: Department) -> dict[str, dict[str, str]]:
    """By node, what the index says of each study."""
    return {
        name: {
            study.study_uid: _identity(study.patient_id, study.accession_number, study.study_date)
            for study in node.store.studies(limit=100_000)
        }
        for name, node in department.nodes.items()
        if node.store is not None
    }


def _made(exam: NotedExam) -> str:
    return _identity(exam.patient_id, exam.accession_number, f"{exam.at:%Y%m%d}")


def _identity(patient_id: str, accession_number: str, study_date: str) -> str:
    return f"patient {patient_id}, accession {accession_number or 'none'}, date {study_date or 'none'}"
