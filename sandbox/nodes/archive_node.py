"""The archive of a department: stores, answers queries, sends what is asked for to whoever its AE table knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from sandbox.archive.archive import Archive, StoredInstance
from sandbox.archive.audit.observing import Auditor
from sandbox.archive.audit.sinks import AUDIT, AuditFile
from sandbox.archive.audit.trail import AuditTrail
from sandbox.archive.commitment_service import CommitmentService
from sandbox.archive.contexts import archive_contexts
from sandbox.dicom.contract import (
    FindAnswer,
    Observer,
    Peer,
    Query,
    RetrievePlan,
    Services,
    SupportedContext,
)
from sandbox.events.kinds import InstanceStored
from sandbox.events.log import current
from sandbox.model.config import NodeConfig, shown
from sandbox.nodes.answering import answer_find
from sandbox.nodes.archive_administration import ArchiveAdministration
from sandbox.nodes.context import NodeContext
from sandbox.nodes.node import Node
from sandbox.nodes.objects_config import ObjectsConfig
from sandbox.nodes.retention import Retention
from sandbox.nodes.web_port import WebPort
from sandbox.nodes.words import counted, query_in_words

_DISK = "Disk"
_STORING = "Storing"
_QUERIES = "Query and retrieve"
_RETENTION = "Retention"
_WEB = "DICOMweb"
_GB = 1_000_000_000


class NameMatching(StrEnum):
    """How names of a query are compared (PS3.4 C.2.2.2.1 leaves case and accents to the archive)."""

    ANY_CASE = "any-case"
    AS_WRITTEN = "as-written"


class ArchiveConfig(ObjectsConfig):
    """What an administrator sets on the archive."""

    query_limit: int = Field(
        0,
        ge=0,
        le=1_000_000,
        **shown(
            "Most matches of a query",
            "A query with more gets the first ones, and success. 0: no limit.",
            unit="matches",
            group=_QUERIES,
        ),
    )
    match_names: NameMatching = Field(
        NameMatching.ANY_CASE,
        **shown(
            "Names match",
            "any case: case and accents do not count. as written: they do, letter by letter.",
            group=_QUERIES,
        ),
    )
    transcode: bool = Field(
        True,
        **shown(
            "Decompress where needed",
            "Send uncompressed to those who do not take the transfer syntax that an image is stored in.",
            group=_QUERIES,
        ),
    )
    check_values: bool = Field(
        False,
        **shown(
            "Check values",
            "Refuse images with values that DICOM does not allow: malformed dates, too long names and the like.",
            group=_STORING,
        ),
    )
    dicomweb_port: int = Field(
        0,
        ge=0,
        le=65535,
        **shown("DICOMweb port", "Where it answers DICOMweb over HTTP; usually 8080. 0: nowhere.", group=_WEB),
    )
    dicomweb_token: str = Field(
        "",
        pattern=r"^[\x21-\x7e]*$",
        **shown(
            "DICOMweb token",
            "Bearer token that a client must send. Empty: none, which only this machine may do without.",
            group=_WEB,
        ),
    )
    quota_gb: float = Field(
        0.0,
        ge=0,
        le=1_000_000,
        **shown("Quota", "Most it may hold, the bin included. 0: no limit.", unit="GB", group=_DISK),
    )
    high_watermark_percent: int = Field(
        90, ge=1, le=100, **shown("High watermark", "Above this share of the quota it warns.", unit="%", group=_DISK)
    )
    reserve_gb: float = Field(
        0.0, ge=0, le=1_000_000, **shown("Reserve", "How much of the disk must stay free.", unit="GB", group=_DISK)
    )
    purge_after_days: int = Field(
        0,
        ge=0,
        le=36500,
        **shown(
            "Remove studies after",
            "Studies with an older study date leave this archive for good. 0: never.",
            unit="days",
            group=_RETENTION,
        ),
    )
    purge_needs: str = Field(
        "",
        **shown(
            "Only if committed by",
            "Name from the AE table of who must first confirm (storage commitment) to have them. Empty: nobody.",
            group=_RETENTION,
            choices="remotes",
        ),
    )


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
        self.administration = ArchiveAdministration(self, self._archive)
        self.retention = Retention(self)
        self._web = WebPort(self, self._archive)
        self._commitment = CommitmentService(
            self._archive,
            ae_title=lambda: self.running.ae_title,
            resolve=self._destination,
            requestor=lambda: self.caller.requestor,
            note=self.log,
        )

        # Beside the lab's event log: like that it goes on through a reset, which puts back all that is below nodes/.
        self.trail_directory = context.directory.parents[1] / AUDIT / context.name
        self.trail = AuditTrail(lambda: self.running.ae_title, [AuditFile(self.trail_directory)], now=self.aware_now)
        self._auditor = Auditor(self._archive, self.trail)

    def watcher(self) -> Observer:
        return self._auditor.observer(self.observer)

    def forget_study(self, study_uid: str) -> None:
        if self._commitment.waiting:
            # Of images that never came here as well: whoever made them has told of them.
            self._commitment.forget(
                {
                    event.body.sop_instance
                    for event in self.context.events.since()
                    if isinstance(event.body, InstanceStored) and event.body.study_uid == study_uid
                }
            )
        super().forget_study(study_uid)

    def contexts(self) -> tuple[SupportedContext, ...]:
        return archive_contexts(self.running.storage(peer_may_be_scp=True))

    def services(self) -> Services:
        services = replace(
            self._archive.services(),
            store=self.administration.store,
            find=self._find,
            move=self._move,
            get=self._get,
            resolve_destination=self._destination,
            transcode=self.running.transcode,
            n_action=self._commitment.answer,
            n_event_report=self.retention.commitments.report if self.running.purge_needs else None,
        )
        return self._auditor.services(services)

    def open_work(self) -> None:
        self.trail.start(current().actor)
        self.administration.set_limits(
            quota=int(self.running.quota_gb * _GB),
            watermark=self.running.high_watermark_percent,
            reserve=int(self.running.reserve_gb * _GB),
        )
        self._archive.refuses_invalid_values = self.running.check_values
        if self.running.dicomweb_port:
            self._web.open(self.running.dicomweb_port, self.running.dicomweb_token)
        self._commitment.start()
        self.retention.start()

    def halt_work(self) -> None:
        self._commitment.halt()
        self.retention.halt()

    def close_work(self) -> None:
        self._web.close()
        self._commitment.stop()
        self.retention.stop()
        self.trail.stop(current().actor)

    def close(self) -> None:
        super().close()
        self.retention.close()

    @property
    def dicomweb(self) -> str:
        return self._web.url

    @property
    def archive(self) -> Archive:
        """Its images and their index."""
        return self._archive

    def _destination(self, ae_title: str) -> Peer | None:
        remote = self.running.remote_by_title(ae_title)
        return None if remote is None else self.caller.peer_of(remote)

    def _stored(self, stored: StoredInstance) -> None:
        super()._stored(stored)
        if stored.is_new:
            self.administration.watch(stored.size)

    # --- the same services, with a line in the log -------------------------------------------------------------------

    def _find(self, query: Query) -> Iterator[FindAnswer]:
        as_written = self.running.match_names is NameMatching.AS_WRITTEN
        return answer_find(self, self._archive, query, self.running.query_limit, as_written=as_written)

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
