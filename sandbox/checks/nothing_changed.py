"""Where nothing is broken, nothing is to be mended: settings, network, queues and stored studies stay as they were."""

from __future__ import annotations

from typing import Any

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import said
from sandbox.nodes.department import Department


class NothingChanged(Check):
    """``nothing_changed``: every node's configuration, the firewall, DNS and held queues are as at the start, and no
    study that a node stored has left it.

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
        now = _studies(department)
        lost = [node for node, studies in before["studies"].items() if not set(studies) <= set(now.get(node, ()))]
        if lost:
            return failed(f"Studies were removed from {said(lost)}.")
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


def _studies(department: Department) -> dict[str, list[str]]:
    return {
        name: sorted(study.study_uid for study in node.store.studies(limit=100_000))
        for name, node in department.nodes.items()
        if node.store is not None
    }
