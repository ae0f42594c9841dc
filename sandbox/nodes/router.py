"""The router: it takes whatever is sent to it, keeps it, decides by rules where it goes, and sends it on.

Rule: an instance is answered 0000 only when its file and its queue entries are durable. What no rule wants is kept
aside under ``unrouted`` with a warning, never dropped.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive.archive import CANNOT_UNDERSTAND, MISMATCH, OUT_OF_RESOURCES
from sandbox.archive.header import Header, UnreadableError, read_header
from sandbox.archive.incoming import IncomingFile, dataset_of, head_of
from sandbox.archive.sound import disagreement
from sandbox.dicom.contract import Services, Spool, StoredObject, StoreRequest, StoreStatus, SupportedContext
from sandbox.dicom.syntaxes import verification
from sandbox.events import kinds
from sandbox.events.log import because
from sandbox.model.association import AssociationFacts
from sandbox.model.config import NodeConfig, RetryPolicy, shown
from sandbox.model.errors import SandboxError
from sandbox.model.route import Priority, RouteRule
from sandbox.nodes.attributes import attributes_of
from sandbox.nodes.caller import QueueCarrier
from sandbox.nodes.context import NodeContext
from sandbox.nodes.node import Node
from sandbox.nodes.objects_config import ObjectsConfig, SendingConfig
from sandbox.nodes.queue import SendQueue
from sandbox.nodes.queue_tables import QueueItem

UNROUTED = "unrouted"
"""The queue in which instances wait that no rule sends anywhere. A redrive decides on them anew."""

_REMEMBERED = 500
"""Associations whose decisions are remembered. Only those still open can bring more of the same study."""

_NO_RULE = "No rule matched."


class RouterConfig(ObjectsConfig, SendingConfig):
    """What an administrator sets on a router."""

    rules: tuple[RouteRule, ...] = Field(
        (), **shown("Rules", "Every rule that matches sends; their order does not matter.", group="Routing")
    )
    retry: RetryPolicy = Field(RetryPolicy(), **shown("Retry", group="Sending"))


class Router(Node):
    """Stores and forwards."""

    role = "router"
    config_class = RouterConfig
    abilities: ClassVar[tuple[str, ...]] = ("echo", "route", "queue", "find", "move")

    saved: RouterConfig
    running: RouterConfig
    queue: SendQueue

    def __init__(self, context: NodeContext, config: NodeConfig) -> None:
        super().__init__(context, config)
        self._spool = context.directory / "spool"
        self._spool.mkdir(exist_ok=True)
        self.queue = RouterQueue(self)
        self._numbers = itertools.count(self._sweep())
        self._decisions: dict[str, dict[tuple[str, tuple[str, ...]], int]] = {}
        self._lock = threading.Lock()

    def contexts(self) -> tuple[SupportedContext, ...]:
        return (*verification(), *self.running.storage())

    def services(self) -> Services:
        return Services(store=self.receive, spool=Spool(self._begin))

    def open_work(self) -> None:
        self.queue.start()

    def close_work(self) -> None:
        self.queue.stop()

    def forget_study(self, study_uid: str) -> None:
        self.queue.forget_study(study_uid)

    # --- receiving ---------------------------------------------------------------------------------------------------

    def receive(self, request: StoreRequest) -> StoreStatus:
        """C-STORE: keep, decide, queue, and only then say yes (PS3.4 B.2.3)."""
        try:
            with dataset_of(request) as dataset:
                header = read_header(dataset, request.transfer_syntax)
        except UnreadableError as wrong:
            return StoreStatus(CANNOT_UNDERSTAND, str(wrong)[:64])
        if refused := disagreement(request, header):
            return StoreStatus(MISMATCH, refused)
        try:
            path = self._write(request)
            self._queue(request, header, path)
        except (OSError, SQLAlchemyError, SandboxError):
            return StoreStatus(OUT_OF_RESOURCES, "The spool cannot be written at the moment")
        study_uid = header.get_keyword("StudyInstanceUID")
        self.observer.stored(request.facts, study_uid)
        self.tell_stored(study_uid, request.sop_instance, request.facts)
        return StoreStatus(0x0000)

    def _write(self, request: StoreRequest) -> Path:
        """The instance as a Part 10 file in the spool. Nothing refers to it yet, so a torn one is swept up at start."""
        path = self._free_path()
        if request.file is not None:
            request.file.path.rename(path)
            return path
        try:
            with path.open("xb") as file:
                file.write(head_of(request))
                file.write(request.dataset)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    def _begin(self, request: StoreRequest) -> IncomingFile:
        """A file for an instance that is too large for memory, while it is received. In part or whole, it is swept up
        at start unless an entry has come to refer to it."""
        return IncomingFile(self._free_path(), head_of(request))

    def _free_path(self) -> Path:
        return self._spool / f"{next(self._numbers):08d}.dcm"

    def _queue(self, request: StoreRequest, header: Header, path: Path) -> None:
        item = QueueItem(
            object=StoredObject(path, request.sop_class, request.sop_instance, request.transfer_syntax),
            study_uid=header.get_keyword("StudyInstanceUID"),
            patient_name=header.get_keyword("PatientName"),
            accession_number=header.get_keyword("AccessionNumber"),
            description=header.get_keyword("StudyDescription"),
            calling_ae=request.facts.calling_ae.strip(),
            owned=True,
        )
        try:
            matched, routes = self.decide(item)
            with because(self._decided(request.facts, item, matched, tuple(routes))):
                if routes:
                    self.queue.add([item], routes)
                else:
                    self.queue.add([item], {UNROUTED: int(Priority.NORMAL)}, dead_because=_NO_RULE)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    # --- deciding ----------------------------------------------------------------------------------------------------

    def decide(self, item: QueueItem) -> tuple[tuple[str, ...], dict[str, int]]:
        """The rules that match an instance, and the destinations with the most urgent priority any of them gives."""
        wanted = {condition.attribute for rule in self.running.rules for condition in rule.conditions}
        attributes = attributes_of(item.object, wanted)
        at = self.now().time()
        matched = [rule for rule in self.running.rules if rule.matches(attributes, item.calling_ae, at)]
        routes: dict[str, int] = {}
        for rule in matched:
            for destination in rule.destinations:
                routes[destination] = min(int(rule.priority), routes.get(destination, int(rule.priority)))
        return tuple(rule.name for rule in matched), routes

    def _decided(
        self, facts: AssociationFacts, item: QueueItem, rules: tuple[str, ...], destinations: tuple[str, ...]
    ) -> int:
        """The study.routed event of this decision, written once for each study of an association."""
        with self._lock:
            if facts.id not in self._decisions:
                while len(self._decisions) >= _REMEMBERED:
                    del self._decisions[next(iter(self._decisions))]
                self._decisions[facts.id] = {}
            known = self._decisions[facts.id]
            key = (item.study_uid, (*rules, "", *destinations))
            if key not in known:
                known[key] = self._tell_decision(item, rules, destinations, facts.id)
            return known[key]

    def _tell_decision(
        self, item: QueueItem, rules: tuple[str, ...], destinations: tuple[str, ...], association: str = ""
    ) -> int:
        event = self.context.events.append(
            kinds.StudyRouted(
                study_uid=item.study_uid,
                accession_number=item.accession_number,
                rules=rules,
                destinations=destinations,
            ),
            node=self.name,
        )
        what = f"Study {item.accession_number or item.study_uid} {item.description}".strip()
        if rules:
            self.log("info", f"{what}: to {', '.join(destinations)} (rules {', '.join(rules)})", association)
        else:
            self.log("warning", f"{what}: no rule matched, set aside as {UNROUTED}", association)
        return event.seq

    def route_again(self) -> int:
        """Decide anew on everything that was set aside because no rule matched. Returns how many now go somewhere."""
        moved = 0
        told: dict[tuple[str, tuple[str, ...]], int] = {}
        for entry in self.queue.rows.entries(UNROUTED, 1_000_000):
            matched, routes = self.decide(entry.item)
            if not routes:
                continue
            key = (entry.item.study_uid, tuple(routes))
            with because(entry.cause, entry.actor):
                if key not in told:
                    told[key] = self._tell_decision(entry.item, matched, tuple(routes))
                with because(told[key]):
                    self.queue.reroute(entry, routes)
            moved += 1
        return moved

    # --- spool -------------------------------------------------------------------------------------------------------

    def _sweep(self) -> int:
        """Delete spool files that no entry refers to (never answered for); the first free number of a file.

        The number of a file that was lost is not free: its entry would send another patient's image in its place.
        """
        known = self.queue.rows.paths()
        for file in os.scandir(self._spool):
            path = self._spool / file.name
            if path not in known:
                path.unlink(missing_ok=True)
        return 1 + max((int(path.stem) for path in known if path.stem.isdigit()), default=0)


class RouterQueue(SendQueue):
    """A send queue whose dead letters without a rule are decided on anew by a redrive."""

    def __init__(self, router: Router) -> None:
        self._router = router
        super().__init__(
            router.context.directory,
            node=router.name,
            events=router.context.events,
            clock=router.context.clock,
            carrier=QueueCarrier(router),
            retry=lambda: router.running.retry,
            known=lambda: tuple(_destinations(router.running)),
            note=router.log,
        )

    def revive(self, destination: str) -> int:
        return self._router.route_again() if destination == UNROUTED else super().revive(destination)


def _destinations(config: RouterConfig) -> Mapping[str, None]:
    return dict.fromkeys(destination for rule in config.rules for destination in rule.destinations)
