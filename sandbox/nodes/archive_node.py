"""The archive of a department: stores, answers queries, sends what is asked for to whoever its AE table knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from sandbox.archive.contexts import archive_contexts
from sandbox.dicom.contract import FindAnswer, Peer, Query, RetrievePlan, Services, SupportedContext
from sandbox.model.config import NodeConfig
from sandbox.nodes.node import Node, NodeContext
from sandbox.nodes.words import counted, query_in_words, status_in_words


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

    def contexts(self) -> tuple[SupportedContext, ...]:
        return archive_contexts()

    def services(self) -> Services:
        return replace(
            self._archive.services(),
            find=self._find,
            move=self._move,
            get=self._get,
            resolve_destination=self._destination,
        )

    def _destination(self, ae_title: str) -> Peer | None:
        remote = self.running.remote_by_title(ae_title)
        return None if remote is None else Peer(remote.ae_title, remote.host, remote.port)

    # --- the same services, with a line in the log -------------------------------------------------------------------

    def _find(self, query: Query) -> Iterator[FindAnswer]:
        matches, refusal = 0, None
        try:
            for answer in self._archive.find(query):
                if answer.identifier is None:
                    refusal = answer
                else:
                    matches += 1
                yield answer
        finally:
            asked = f"Query from {query.facts.calling_ae}: {query_in_words(query.identifier)}"
            if refusal is None:
                self.log("info", f"{asked} → {counted(matches, 'match', 'matches')}", query.facts.id)
            else:
                why = status_in_words("C-FIND", refusal.status, refusal.comment)
                self.log("warning", f"{asked} → {why}", query.facts.id)

    def _move(self, query: Query, destination: str) -> RetrievePlan:
        plan = self._archive.move(query, destination)
        asked = f"Retrieve from {query.facts.calling_ae} to {destination}: {query_in_words(query.identifier)}"
        self._log_plan("C-MOVE", asked, query, plan)
        return plan

    def _get(self, query: Query) -> RetrievePlan:
        plan = self._archive.get(query)
        asked = f"Retrieve from {query.facts.calling_ae}: {query_in_words(query.identifier)}"
        self._log_plan("C-GET", asked, query, plan)
        return plan

    def _log_plan(self, service: str, asked: str, query: Query, plan: RetrievePlan) -> None:
        if plan.status:
            self.log("warning", f"{asked} → {status_in_words(service, plan.status, plan.comment)}", query.facts.id)
        else:
            self.log("info", f"{asked} → {counted(len(plan.objects), 'instance')} to send", query.facts.id)
