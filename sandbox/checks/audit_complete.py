"""Nothing goes without a word: whatever left an archive or a queue stands somewhere with who, when and why."""

from __future__ import annotations

from typing import Any

from sandbox.archive.operations.entries import taken_out_since
from sandbox.archive.views import StudyFilter
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.events.event import FAULT, PROBE
from sandbox.events.kinds import QueueDiscarded
from sandbox.nodes.department import Department

_ALL = 1_000_000


class AuditComplete(Check):
    """``audit_complete``: every image that is gone from ``node`` since the start has an entry in its journal, and
    whatever was thrown out of a queue was thrown out for a reason that was given.

    An index that has lost rows fails it as well: to whoever looks, those images are gone and nobody said so.
    """

    kind = "audit_complete"

    node: str = "ARCHIVE"

    def claim(self) -> str:
        return f"Whatever left {self.node} or a queue is written down, with a reason."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def baseline(self, department: Department) -> Any:
        """The journal's last entry, and how many images each study has."""
        store = department.node(self.node).store
        if store is None:
            return None
        journal = store.journal(limit=1)
        studies = store.studies(StudyFilter(), limit=_ALL)
        return {
            "entry": journal[0].number if journal else 0,
            "studies": {study.study_uid: study.instances for study in studies},
        }

    def judge(self, department: Department, memory: Memory) -> Judgement:
        noted, store = memory.baselines.get(self.name), department.node(self.node).store
        if noted is None or store is None:
            return unclear("It was not noted beforehand what the archive holds.")
        resets = department.events.latest(lambda event: event.kind == "lab.reset", limit=1)
        start = max(memory.start, resets[0].seq if resets else 0)
        for event in department.events.since(start):
            body = event.body
            silent = isinstance(body, QueueDiscarded) and body.entries and not body.reason.strip()
            if silent and event.actor not in (PROBE, FAULT):
                sentence = f"Images were thrown out of a queue of {event.node}, and nobody said why."
                return failed(sentence, (event.seq,))
        explained = taken_out_since(store.bench, noted["entry"])
        now = {study.study_uid: study.instances for study in store.studies(StudyFilter(), limit=_ALL)}
        gone = {
            uid: before - now.get(uid, 0) - explained[uid]
            for uid, before in noted["studies"].items()
            if before - now.get(uid, 0) > explained[uid]
        }
        if gone:
            sentence = (
                f"{counted(sum(gone.values()), 'image')} of {counted(len(gone), 'study', 'studies')} "
                f"gone from {self.node} without an entry in its journal."
            )
            return failed(sentence, facts=tuple(gone)[:5])
        return passed(f"Nothing has left {self.node} or a queue without a word.")
