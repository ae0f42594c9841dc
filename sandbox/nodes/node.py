"""The base of every node: its one lifecycle, its saved and running configuration, its log and how it is seen.

A role adds a configuration class, what it answers (``services``, ``contexts``) and what works in the background
(``open_work``, ``close_work``). Rule: nothing but ``start`` opens a port, and nothing but ``stop`` closes it. What it
listens with is sandbox.nodes.doors, how it looks from outside sandbox.nodes.glance.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from sandbox.archive.archive import Archive, StoredInstance
from sandbox.archive.store import Sync
from sandbox.dicom.contract import AcceptorPolicy, Observer, Services, SupportedContext, Timeouts
from sandbox.events import kinds
from sandbox.events.event import FAULT
from sandbox.events.log import current
from sandbox.model.association import AssociationFacts
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import Change, differences
from sandbox.model.errors import SandboxError
from sandbox.model.view import NodeState, NodeView
from sandbox.nodes.caller import NodeCaller
from sandbox.nodes.context import NodeContext
from sandbox.nodes.doors import Doors
from sandbox.nodes.glance import view_of
from sandbox.nodes.impaired import ImpairedServices
from sandbox.nodes.impairments import NO_IMPAIRMENTS, Impairments, after_restart
from sandbox.nodes.observer import NodeObserver
from sandbox.nodes.process import ProcessTrouble
from sandbox.nodes.state_file import NodeFile, ValueFile
from sandbox.nodes.tls import NodeTls
from sandbox.nodes.tools import NodeTools

if TYPE_CHECKING:
    from sandbox.nodes.queue import SendQueue

log = logging.getLogger(__name__)


class Node:
    """One application entity. A subclass with a ``role`` is found by the registry.

    ``config`` is what the site declares; it counts only until the node has a directory of its own, from which a killed
    lab comes back with what was running. ``open`` is then still to be called; a new node is stopped.
    """

    role: ClassVar[str] = ""
    config_class: ClassVar[type[NodeConfig]] = NodeConfig
    abilities: ClassVar[tuple[str, ...]] = ()

    saved: NodeConfig
    running: NodeConfig

    def __init__(self, context: NodeContext, config: NodeConfig) -> None:
        self.context = context
        self.name = context.name
        self.title = context.title
        self.state = NodeState.STOPPED
        self.trouble = ""
        context.directory.mkdir(parents=True, exist_ok=True)
        self._file = NodeFile(context.directory / "node.json", self.config_class)
        kept = self._file.read()
        self.saved, self.running, self._is_wanted = (config, config, True) if kept is None else kept
        if kept is None:
            self._keep()
        self._impairments_file = ValueFile(context.directory / "impairments.json", NO_IMPAIRMENTS)
        self._impairments = self._impairments_file.read()
        self._has_run = False
        self._is_closed = False
        self._ended, self._since_crash = threading.Event(), threading.Event()
        self._lifecycle = threading.RLock()
        self.observer = NodeObserver(
            self.name,
            context.events,
            context.capture,
            self.log,
            now=context.clock.now,
            address=lambda: context.network.address_of(self.name),
        )
        self.tls = NodeTls(self.name, context.directory, context.network, context.authority)
        self.caller = NodeCaller(self)
        self.tools = NodeTools(self)
        self._doors = Doors(self)
        self._process = ProcessTrouble(self)
        self.store: Archive | None = None
        self.queue: SendQueue | None = None

    # --- what a role adds --------------------------------------------------------------------------------------------

    def contexts(self) -> tuple[SupportedContext, ...]:
        """The presentation contexts this node accepts."""
        return ()

    def services(self) -> Services:
        """What this node answers."""
        return Services()

    def watcher(self) -> Observer:
        """Who is told what happens on this node's own port."""
        return self.observer

    def open_work(self) -> None:
        """Begin whatever runs beside the listener."""

    def halt_work(self) -> None:
        """Tell it to end, before the associations are ended under it: what breaks off is nobody's failure."""

    def close_work(self) -> None:
        """End it, promptly."""

    def forget_study(self, study_uid: str) -> None:
        """Remove every trace of a study from store and queues (a check cleans up after itself)."""
        if self.queue is not None:
            self.queue.forget_study(study_uid)
        if self.store is not None:
            self.store.forget_study(study_uid)

    # --- what is wrong with it ---------------------------------------------------------------------------------------

    @property
    def impairments(self) -> Impairments:
        """What is wrong with this node below its configuration. For the node itself and for faults, not for a view."""
        return self._impairments

    def impair(self, impairments: Impairments) -> None:
        """Let this be wrong with the node from now on, and nothing else. Survives the lab."""
        with self._lifecycle:
            if impairments == self._impairments:
                return
            self._impairments_file.write(impairments)
            before, self._impairments = self._impairments.process, impairments
            if before != impairments.process and self.state is NodeState.RUNNING:
                self._process.halt()
                self._process.end()
                if bool(before.hangs) is not bool(impairments.process.hangs):
                    self._hang_or_wake()
                elif not impairments.process.hangs:
                    self._process.begin(at_once=len(impairments.process.crashes) > len(before.crashes))

    def wait_for_leaks(self, timeout_s: float) -> None:
        """If its program keeps associations that it should release, wait until it has taken them."""
        self._process.wait_for_leaks(timeout_s)

    def crash(self, line: str, ending: threading.Event) -> threading.Event | None:
        """The program ends by itself and writes ``line``. The event is set as soon as somebody starts or stops the
        node; None when ``ending`` says that it is not running any more."""
        with self._lifecycle:
            if ending.is_set() or self.state is not NodeState.RUNNING:
                return None
            self._end()
            self.state = NodeState.FAILED
            self.trouble = line
            self.log("error", f"{self.running.ae_title} {line}")
            self.context.events.append(kinds.NodeStopped(reason=line), node=self.name)
            self._since_crash = threading.Event()
            return self._since_crash

    @property
    def has_crashed(self) -> bool:
        """Whether its program ended by itself, and nobody has started or stopped it since."""
        return self.state is NodeState.FAILED and not self._since_crash.is_set()

    def revive(self, over: threading.Event) -> None:
        """Start again after a crash, as a watchdog does, unless somebody has done something about it (``over``)."""
        with self._lifecycle:
            if not over.is_set() and self._is_wanted:
                self.start()

    def _hang_or_wake(self) -> None:
        """Go over from working to hanging, or back, without a word: nobody has stopped or started anything."""
        self._end()
        try:
            self._serve()
        except (SandboxError, OSError) as wrong:
            self._end()
            self.state = NodeState.FAILED
            self.trouble = wrong.sentence if isinstance(wrong, SandboxError) else str(wrong)

    def now(self) -> datetime:
        """The date and time that this node believes in, which it writes into what it makes."""
        return self.context.clock.now() + timedelta(seconds=self._impairments.clock.ahead_s)

    def aware_now(self) -> datetime:
        """The same in UTC, for what is kept with a zone: the department's local time is that of the machine's zone."""
        return self.now().astimezone(UTC)

    # --- storing -----------------------------------------------------------------------------------------------------

    def open_store(self) -> Archive:
        """This node's own images, under its directory. What it stores is told to the event log."""
        # A lab must survive the end of its process, not of the machine: no sync to disk for every instance.
        return Archive(
            self.context.directory / "images",
            ae_title=lambda: self.running.ae_title,
            sync=Sync.NORMAL,
            on_stored=self._stored,
            now=self.aware_now,
        )

    def _stored(self, stored: StoredInstance) -> None:
        facts = stored.request.facts
        self.observer.stored(facts, stored.study_uid)
        self.tell_stored(stored.study_uid, stored.request.sop_instance, facts, duplicate=not stored.is_new)
        if stored.differs:
            self.log(
                "warning",
                f"{stored.request.sop_instance} from {facts.calling_ae} is here already with other contents; "
                "the first one is kept",
                facts.id,
            )

    def tell_stored(
        self, study_uid: str, sop_instance: str, facts: AssociationFacts | None = None, *, duplicate: bool = False
    ) -> None:
        """Write that an instance is durable on this node, from now on."""
        self.context.events.append(
            kinds.InstanceStored(
                study_uid=study_uid,
                sop_instance=sop_instance,
                calling_ae="" if facts is None else facts.calling_ae,
                association="" if facts is None else facts.id,
                duplicate=duplicate,
            ),
            node=self.name,
        )

    # --- lifecycle ---------------------------------------------------------------------------------------------------

    @property
    def is_wanted(self) -> bool:
        """Whether the node should run: it was not stopped by anybody. Survives the lab."""
        return self._is_wanted

    def start(self) -> None:
        """Listen and work. A node that was stopped reads its saved configuration, as a program does that starts.

        A failure is a state and a line in the log, not an exception.
        """
        with self._lifecycle:
            if self.state is NodeState.RUNNING or self._is_closed:
                return
            is_restart = self._has_run or not self._is_wanted
            if is_restart:
                self.running = self.saved
            self._has_run = True
            self._is_wanted = True
            try:
                self._keep()
                if is_restart and current().actor != FAULT:
                    # A fault that restarts the node mends nothing of what another fault has broken.
                    self.impair(after_restart(self._impairments))
                self._since_crash.set()
                self._serve()
            except Exception as wrong:
                # Whatever it was, a port that was opened must not stay open behind a node that does not run.
                if not isinstance(wrong, SandboxError | OSError):
                    log.exception("%s cannot start", self.name)
                self._end()
                self.state = NodeState.FAILED
                self.trouble = wrong.sentence if isinstance(wrong, SandboxError) else str(wrong)
                self.log("error", f"{self.running.ae_title} could not start: {self.trouble}")
                return
            self.state = NodeState.RUNNING
            self.trouble = ""
            address, tls_address = self._doors.address, self._doors.tls_address
            self.context.events.append(
                kinds.NodeStarted(
                    ae_title=self.running.ae_title,
                    address=address,
                    published=self._doors.published,
                    tls_address=tls_address,
                    tls_published=self._doors.tls_published,
                    dicomweb=self.dicomweb,
                ),
                node=self.name,
            )
            with_tls = f", for TLS on {tls_address}" if tls_address else ""
            with_web = f", with DICOMweb at {self.dicomweb}" if self.dicomweb else ""
            self.log("info", f"{self.running.ae_title} listens on {address}{with_tls}{with_web}")

    def _serve(self) -> None:
        """Listen, answer and work."""
        self.caller.open()
        self._doors.open()
        if self._impairments.process.hangs:
            self._doors.leave_unanswered()
            return
        self._ended = threading.Event()
        impaired = ImpairedServices(lambda: self._impairments.service, self._ended.wait)
        self.open_work()  # first, so that what is configured holds for the very first caller
        self._doors.answer(impaired.around(self.services()))
        self._process.begin()

    def stop(self, reason: str = "") -> None:
        """Stop listening and working; whatever is under way is aborted. It stays stopped until it is started."""
        with self._lifecycle:
            self._is_wanted = False
            self._keep()
            self._stop(reason)

    def restart(self) -> None:
        """Stop and start: the saved configuration becomes the running one."""
        with self._lifecycle:
            self._stop("restart")
            self._has_run = True
            self.start()

    def close(self) -> None:
        """End because the lab ends: the node will be running (or not) as it was when the lab is opened again.

        A command that still waited to start it comes too late, and must not take the port from the next department.
        """
        with self._lifecycle:
            self._is_closed = True
            self._end()
            self.state = NodeState.STOPPED
            if self.queue is not None:
                self.queue.close()
            if self.store is not None:
                self.store.close()

    def _stop(self, reason: str) -> None:
        if self.state is NodeState.STOPPED:
            return
        was_running = self.state is NodeState.RUNNING
        self._end()
        self.state = NodeState.STOPPED
        self.trouble = ""
        if was_running:
            self.log("info", f"{self.running.ae_title} stopped" + (f": {reason}" if reason else ""))
            self.context.events.append(kinds.NodeStopped(reason=reason), node=self.name)

    def _end(self) -> None:
        self._since_crash.set()
        self._ended.set()
        self._process.halt()
        if self.queue is not None:
            self.queue.halt()
        self.halt_work()
        self.caller.close()
        self._process.end()
        self._doors.hang_up()
        self.close_work()
        self._doors.close()

    # --- configuration -----------------------------------------------------------------------------------------------

    def save(self, config: NodeConfig) -> tuple[Change, ...]:
        """Write ``config`` as the saved one; what differs is told and logged. It runs after a restart."""
        with self._lifecycle:
            changes = differences(self.saved, config)
            if changes:
                self.saved = config
                self._keep()
                self.context.events.append(kinds.NodeConfigSaved(changes=changes), node=self.name)
        return changes

    @property
    def needs_restart(self) -> bool:
        return self.saved != self.running

    def policy(self) -> AcceptorPolicy:
        """Whom the running configuration lets in, and for what."""
        config = self.running
        listed = frozenset(remote.ae_title for remote in config.remotes)
        return AcceptorPolicy(
            ae_title=config.ae_title,
            contexts=self.contexts(),
            calling_ae=None if config.accept_unlisted_callers else listed,
            ignore_called_ae=not config.check_called_ae,
            maximum_associations=config.maximum_associations,
            maximum_pdu=config.maximum_pdu,
            timeouts=self.timeouts(),
        )

    def timeouts(self) -> Timeouts:
        """The running configuration's timeouts, as sandbox.dicom takes them."""
        config = self.running
        return Timeouts(
            connect=config.connect_timeout_s,
            acse=config.association_timeout_s,
            dimse=config.dimse_timeout_s,
            network=config.network_timeout_s,
        )

    def _keep(self) -> None:
        self._file.write(self.saved, self.running, self._is_wanted)

    # --- being seen --------------------------------------------------------------------------------------------------

    def log(self, level: str, text: str, association: str = "") -> None:
        """A line of the node's own log. ``level`` is debug, info, warning or error."""
        self.context.events.append(kinds.NodeLogged(level=level, text=text, association=association), node=self.name)

    @property
    def associations(self) -> int:
        """Associations open with this node now, both ways."""
        return self.observer.open_associations

    @property
    def published(self) -> str:
        """The real host:port for outside tools; empty until the node has listened once."""
        return self._published_at(self.running.port)

    @property
    def tls_published(self) -> str:
        """The same for TLS; empty without."""
        return self._published_at(self.running.tls_port)

    @property
    def dicomweb(self) -> str:
        """The real URL of its DICOMweb; empty without."""
        return ""

    def _published_at(self, port: int) -> str:
        network = self.context.network
        real = network.published_ports().get(f"{self.name}:{port}")
        return "" if real is None else f"{network.publish_host}:{real}"

    def view(self) -> NodeView:
        """The node at a glance. Where it stands on the map is the lab's to add."""
        return view_of(self)
