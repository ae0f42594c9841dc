"""A retention rule that lets go only what is safe elsewhere: seen before anything is removed, not after."""

from __future__ import annotations

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.nodes.archive_node import ArchiveNode
from sandbox.nodes.department import Department


class PurgeSpares(Check):
    """``purge_spares``: the retention rule of ``node`` removes nothing, now or within ``ahead_days``, that ``kept_at``
    lacks.

    A rule that is switched off removes nothing. One that asks nobody fails even while all happens to be there: what
    comes tomorrow is not. Nothing is removed by the trial, and no commitment is asked for.
    """

    kind = "purge_spares"

    node: str = "ARCHIVE"
    kept_at: str
    ahead_days: int = Field(30, ge=0, le=36500)

    def claim(self) -> str:
        return f"{self.node} removes nothing that {self.kept_at} has not confirmed to have."

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.kept_at)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        node, keeper = department.node(self.node), department.node(self.kept_at)
        if not isinstance(node, ArchiveNode) or keeper.store is None:
            return unclear(f"{self.node} or {self.kept_at} is no archive.")
        if not node.running.purge_after_days:
            return passed(f"{self.node} removes nothing by itself.")
        lost: list[str] = []
        for study in node.retention.would_let_go(self.ahead_days):
            copy = keeper.store.study(study.study_uid)
            there = set() if copy is None else {one.sop_instance for part in copy.series for one in part.instances}
            if any(item.sop_instance not in there for item in node.archive.objects(study.study_uid)):
                lost.append(f"{study.accession_number or study.study_uid} of {study.study_date}")
        if lost:
            sentence = f"{self.node} would remove {counted(len(lost), 'study', 'studies')} that {self.kept_at} lacks."
            return failed(sentence, (), tuple(lost))
        asked = node.running.remote(node.running.purge_needs)
        if asked is None:
            return failed(f"{self.node} removes what is old, and asks nobody first whether another copy is safe.")
        address = department.network.resolve(self.node, asked.host).address
        if address != department.network.address_of(self.kept_at):
            return failed(f"{self.node} asks {asked.name} before it removes anything, which is not {self.kept_at}.")
        return passed(f"{self.node} removes only what {self.kept_at} has confirmed to have.")
