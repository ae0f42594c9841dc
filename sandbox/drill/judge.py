"""Runs the checks and invariants of a scenario side by side and gathers their findings, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from sandbox.checks.check import Check
from sandbox.checks.memory import Memory
from sandbox.model.verdict import Finding, Verdict
from sandbox.nodes.department import Department

WORKERS = 8
"""Checks at once. They mostly wait, so more than there are processors does no harm."""


def judge(
    department: Department,
    memory: Memory,
    checks: Sequence[Check],
    invariants: Sequence[Check],
    tell: Callable[[Finding], None] = lambda finding: None,
) -> tuple[Finding, ...]:
    """The findings of all. ``tell`` hears each as soon as it is there, from the thread that asked."""
    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="check") as pool:
        asked = [
            # A thread of the pool works for whoever asked.
            pool.submit(copy_context().run, check.run, department, memory, invariant=position >= len(checks))
            for position, check in enumerate((*checks, *invariants))
        ]
        findings = []
        for future in asked:
            finding = future.result()
            tell(finding)
            findings.append(finding)
    return tuple(findings)


def all_pass(findings: Sequence[Finding]) -> bool:
    """Whether there is nothing that failed or could not be told."""
    return bool(findings) and all(finding.verdict is Verdict.PASS for finding in findings)


def baselines(department: Department, checks: Sequence[Check]) -> dict[str, object]:
    """What the checks want to remember from the start, by their names."""
    noted = {check.name: check.note(department) for check in checks}
    return {name: value for name, value in noted.items() if value is not None}
