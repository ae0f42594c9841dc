"""The archive of a department: stores, answers queries, sends what is asked for to whoever its AE table knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from sandbox.archive.commitment_service import CommitmentService
from sandbox.archive.contexts import archive_contexts
from sandbox.dicom.contract import FindAnswer, Peer, Query, RetrievePlan, Services, SupportedContext
from sandbox.model.config import NodeConfig
from sandbox.nodes.node import Node, NodeContext
from sandbox.nodes.words import counted, query_in_words


class ArchiveConfig(NodeConfig):
    """What an administrator sets on the archive."""


class ArchiveNode(Node):
    """The mini PACS (sandbox.archive) as a node of the department."""

    role = "archive"
    config_class = ArchiveConfig
    abilities: ClassVar[tuple[str, ...]] = ("echo", "studies", "find", "move")

    saved: ArchiveConfig
    running: ArchiveConfig

    def __init__(self, context: NodeContext, config: NodeConfig) -> None:
        super().__init__(context, config)
        self.store = self._archive = self.open_store()
        self._commitment = CommitmentService(
            self._archive,
            ae_title=lambda: self.running.ae_title,
            resolve=self._destination,
            requestor=lambda: self.caller.requestor,
            note=self.log,
        )

    def contexts(self) -> tuple[SupportedContext, ...]:
        return archive_contexts()

    def services(self) -> Services:
        return replace(
            self._archive.services(),
            find=self._find,
            move=self._move,
            get=self._get,
            resolve_destination=self._destination,
            n_action=self._commitment.answer,
        )

    def open_work(self) -> None:
        self._commitment.start()

    def halt_work(self) -> None:
        self._commitment.halt()

    def close_work(self) -> None:
        self._commitment.stop()

    def _destination(self, ae_title: str) -> Peer | None:
        remote = self.running.remote_by_title(ae_title)
        return None if remote is None else self.caller.peer_of(remote)

    # --- the same services, with a line in the log -------------------------------------------------------------------

    def _find(self, query: Query) -> Iterator[FindAnswer]:
        matches, refused = 0, False
        try:
            for answer in self._archive.find(query):
                if answer.identifier is None:
                    refused = True
                else:
                    matches += 1
                yield answer
        finally:
            asked = f"Query from {query.facts.calling_ae}: {query_in_words(query.identifier)}"
            # Why it was refused stands in the line of the answer itself, which every node writes.
            told = "refused" if refused else counted(matches, "match", "matches")
            self.log("info", f"{asked} → {told}", query.facts.id)

    def _move(self, query: Query, destination: str) -> RetrievePlan:
        plan = self._archive.move(query, destination)
        asked = f"Retrieve from {query.facts.calling_ae} to {destination}: {query_in_words(query.identifier)}"
        self._log_plan(asked, query, plan)
        return plan

    def _get(self, query: Query) -> RetrievePlan:
        plan = self._archive.get(query)
        asked = f"Retrieve from {query.facts.calling_ae}: {query_in_words(query.identifier)}"
        self._log_plan(asked, query, plan)
        return plan

    def _log_plan(self, asked: str, query: Query, plan: RetrievePlan) -> None:
        if plan.status:
            self.log("info", f"{asked} → refused", query.facts.id)
        else:
            self.log("info", f"{asked} → {counted(len(plan.objects), 'instance')} to send", query.facts.id)
