"""One lab: a department that lives in a directory, with everything a person may do in it.

A lab is opened on a directory (new or left by an earlier process), started, given commands, reset and stopped. It owns
the event log, the network and the department; nothing of it is shared with another lab. The department is composed anew
by a reset, so whoever works for a lab asks it for ``department`` each time and keeps no node.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from sandbox.events.event import SYSTEM, Event
from sandbox.events.kinds import CommandFinished, CommandIssued, LabReset, LabStarted, LabStopped
from sandbox.events.log import EventLog, because
from sandbox.lab import command as command_module
from sandbox.lab.advice import advise
from sandbox.lab.associations import Associations, Story
from sandbox.lab.command import Command
from sandbox.lab.commands import registry
from sandbox.lab.composition import Composition, compose
from sandbox.lab.directory import LabDirectory, LabRecord
from sandbox.lab.following import Following
from sandbox.lab.history import collected
from sandbox.lab.lock import DirectoryLock
from sandbox.lab.network_state import NetworkKeeper
from sandbox.lab.prepared import place_nodes
from sandbox.lab.site import Site
from sandbox.lab.site_check import check_site
from sandbox.lab.snapshot import mend_after_kill, restore_snapshot, take_snapshot
from sandbox.lab.terminal.sessions import Terminals
from sandbox.lab.views import lab_view
from sandbox.model.clock import Clock
from sandbox.model.errors import BadInputError, ConflictError, SandboxError, UnavailableError
from sandbox.model.view import AttemptState, AttemptView, CommandResult, LabView, NodeState
from sandbox.network.network import Network
from sandbox.nodes.department import Department

log = logging.getLogger(__name__)

COMMANDS_END_S = 5.0
"""How long a reset waits for commands that it has cut off, in seconds."""


class AttemptSource(Protocol):
    """A drill as its lab knows it: something that can be shown, and wants to know what was looked at."""

    @property
    def state(self) -> AttemptState:
        """Whether it still runs."""
        ...

    def view(self) -> AttemptView:
        """The drill as the trainee may see it now."""
        ...

    def opened(self, what: str, node: str, association: str = "") -> None:
        """Somebody looked at something; the drill notes it while it runs."""
        ...

    def close(self) -> None:
        """The lab ends: let go of whatever waits."""
        ...


@dataclass(frozen=True)
class Offer:
    """A command that this lab takes, and what it is run on."""

    command: type[Command]
    target: object


class Lab:
    """A running department. Every public method may be called from any thread."""

    def __init__(
        self,
        site: Site,
        directory: Path,
        seed: int,
        *,
        clock: Clock | None = None,
        scenario: str = "",
        lab_id: str = "",
        cache: Path | None = None,
        collection: Path | None = None,
    ) -> None:
        """``directory`` is the lab's own; what an earlier process left there is gone on with. ``cache`` is where
        generated histories are kept for the next lab; None keeps them nowhere. ``collection`` is an imported
        collection (sample_dicom.importing) that a new lab's archive holds besides."""
        self.site = site
        self.place = LabDirectory(directory)
        self._lock = DirectoryLock(self.place.lock_file)
        self._lock.acquire()
        try:
            mend_after_kill(self.place)
            known = self.place.read_record()
            self.recovered = known is not None
            self.record = known or LabRecord.new(site, seed=seed, scenario=scenario, lab_id=lab_id)
            self.clock = clock or Clock()
            self.events = EventLog(self.clock, self.place.events_file)
        except BaseException:
            self._lock.release()
            raise
        self._cache = cache
        self._collection = collection
        self._lifecycle = threading.RLock()
        self._gate = threading.Condition()
        self._busy = 0
        self._resetting = False
        self._stopped = False
        self._composition: Composition | None = None
        self._network_keeper: NetworkKeeper | None = None
        self._offers: dict[str, Offer] = {name: Offer(entry, self) for name, entry in registry.commands().items()}
        self.associations = Associations(self.events, self._advice, self._owner)
        self.following = Following(self.events)
        self.attempt: AttemptSource | None = None
        self.terminals = Terminals()
        self.started_at: datetime = self.clock.now()

    @classmethod
    def open(cls, directory: Path, *, clock: Clock | None = None, cache: Path | None = None) -> Lab:
        """The lab that an earlier process left in ``directory``. NotFoundError when there is none."""
        record = LabDirectory(directory).record()
        return cls(record.site, directory, record.seed, clock=clock, cache=cache)

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def seed(self) -> int:
        return self.record.seed

    @property
    def scenario(self) -> str:
        """The slug of the scenario, or empty."""
        return self.record.scenario

    @property
    def directory(self) -> Path:
        """The lab's own directory. A drill keeps its files in it too; a reset touches only ``nodes``."""
        return self.place.path

    @property
    def department(self) -> Department:
        """The nodes, as faults and checks are given them. Another one after a reset."""
        return self.composition.department

    @property
    def composition(self) -> Composition:
        """The department with its network, capture and background."""
        if self._composition is None:
            raise UnavailableError("The lab is not running.", "Start it first.")
        return self._composition

    @property
    def is_running(self) -> bool:
        return self._composition is not None

    @property
    def is_between(self) -> bool:
        """Whether the lab is being reset or stopped, so that what fails now need not be wrong."""
        return self._resetting or self._stopped

    @property
    def hides_later(self) -> bool:
        """Whether events for later (faults, the traffic of checks) are hidden now: while a drill runs."""
        return self.attempt is not None and self.attempt.state is AttemptState.RUNNING

    def may_show(self, event: Event) -> bool:
        """Whether an event may be shown to a trainee now."""
        return not event.is_for_later or not self.hides_later

    def view(self) -> LabView:
        """The lab at a glance."""
        return lab_view(self)

    # --- lifecycle ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the department up: its history put in place, all nodes started together, every one answering.

        Without an earlier start there is a snapshot of the healthy department, to which ``reset`` goes back.
        """
        with self._lifecycle:
            if self._composition is not None:
                return
            if self._stopped:
                raise ConflictError("This lab has been stopped.", "Open it again.")
            if not self.place.is_filled:
                _insist_on_sound(self.site)
                place_nodes(self.site, self.seed, self.place, self._cache, collected(self._collection))
            if not self.place.has_snapshot:
                # Nothing is open yet, which makes this the cheapest moment.
                with Network(self.site.plan) as as_declared:
                    take_snapshot(self.place, as_declared, live=False)
            self.place.write_record(self.record)
            self.events.append(
                LabStarted(site=self.site.slug, scenario=self.scenario, seed=self.seed, recovered=self.recovered),
                actor=SYSTEM,
            )
            self._composition = composition = compose(
                self.site, self.place, seed=self.seed, events=self.events, clock=self.clock, ports=self.record.ports
            )
            self._network_keeper = NetworkKeeper(composition.network, self.place.network_file)
            self._network_keeper.start()
            composition.start()
            if not self.recovered:
                _insist_on_all(composition.department)
            # A node that is stopped has no port now and shall have its own again when it starts.
            ports = {**self.record.ports, **composition.network.published_ports()}
            self.record = self.record.model_copy(update={"ports": ports})
            self.place.write_record(self.record)
            composition.background.start()

    def stop(self) -> None:
        """End everything the lab runs and let go of its directory, which can be opened again. Safe to call twice."""
        with self._lifecycle:
            if self._stopped:
                return
            self._stopped = True
            if self.attempt is not None:
                self.attempt.close()
            self._cut_off_commands()
            try:
                if self._network_keeper is not None:
                    self._network_keeper.stop()
                if self._composition is not None:
                    composition, self._composition = self._composition, None
                    composition.close()
                    composition.network.close()
                    composition.capture.close()
            finally:
                if not self.events.is_closed:
                    self.events.append(LabStopped(), actor=SYSTEM)
                    self.events.close()
                self._lock.release()

    def reset(self) -> None:
        """Return to the last marked start: files, queues, configurations and network. The event log goes on."""
        with self._lifecycle:
            composition = self.composition
            if not self.place.has_snapshot:
                raise ConflictError("This lab has no marked start to return to.", "Wait until it is ready.")
            with self._quiet():
                composition.close()
                state = restore_snapshot(self.place)
                state.apply(composition.network)
                self._composition = composition = compose(
                    self.site,
                    self.place,
                    seed=self.seed,
                    events=self.events,
                    clock=self.clock,
                    network=composition.network,
                    capture=composition.capture,
                )
                self.events.append(LabReset())
                composition.start()
                composition.background.start()

    def note_api_port(self, port: int) -> None:
        """Remember the port of the API for the next process of this lab."""
        with self._lifecycle:
            self.record = self.record.model_copy(update={"api_port": port})
            self.place.write_record(self.record)

    def mark_start(self) -> None:
        """Take the snapshot to which ``reset`` returns. A drill calls it when the fault is in and all is quiet."""
        with self._lifecycle:
            composition = self.composition
            with composition.background.held():
                take_snapshot(self.place, composition.network)

    snapshot = mark_start

    # --- commands ----------------------------------------------------------------------------------------------------

    @property
    def commands(self) -> Mapping[str, Offer]:
        """Every command that this lab takes, by name."""
        return MappingProxyType(self._offers)

    def extend(self, commands: Iterable[type[Command]], target: object) -> None:
        """Take more commands, which are run on ``target`` (a drill, for one)."""
        self._offers.update({entry.name: Offer(entry, target) for entry in commands})

    def parse(self, name: str, params: Mapping[str, Any]) -> Command:
        """The command ``name`` with ``params``, or BadInputError in words."""
        return command_module.parse({key: offer.command for key, offer in self._offers.items()}, name, params)

    def execute(self, command: Command, actor: str) -> CommandResult:
        """Run a command on behalf of ``actor``. The log has when it was issued, what it caused and how it ended."""
        if command.name not in self._offers:
            raise UnavailableError(f"This lab does not take {command.name}.", "It belongs to a drill.")
        target = self._offers[command.name].target
        issued = self.events.append(
            CommandIssued(command=command.name, params=command.params), node=command.about_node, actor=actor
        )
        with because(issued.seq, actor):
            try:
                with self._at_work(command):
                    result = command.run(target)
            except SandboxError as wrong:
                self._finished(command, False, str(wrong))
                raise
            except Exception as wrong:
                if self._resetting or self._stopped:
                    self._finished(command, False, "The lab was reset meanwhile.")
                    raise ConflictError("The lab was reset meanwhile.", "Try again.") from wrong
                log.exception("%s failed", command.name)
                self._finished(command, False, f"This went wrong inside the sandbox: {wrong}")
                raise
            self._finished(command, result.ok, result.sentence)
        return result.model_copy(update={"event": issued.seq})

    def _finished(self, command: Command, ok: bool, sentence: str) -> None:
        self.events.append(CommandFinished(command=command.name, ok=ok, sentence=sentence), node=command.about_node)

    @contextmanager
    def _at_work(self, command: Command) -> Iterator[None]:
        """Counted as busy, so that a reset can wait for what it cuts off. The reset itself is not counted."""
        if command.is_lifecycle:
            yield
            return
        with self._gate:
            if self._resetting:
                raise ConflictError("The lab is being reset.", "Try again in a second.")
            self._busy += 1
        try:
            yield
        finally:
            with self._gate:
                self._busy -= 1
                self._gate.notify_all()

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """No command begins inside the block, and those under way are cut off first."""
        self._cut_off_commands()
        try:
            yield
        finally:
            with self._gate:
                self._resetting = False
                self._gate.notify_all()

    def _advice(self, story: Story) -> str:
        composition = self._composition
        if composition is None:
            return ""
        return advise(story, {node.name: node.running for node in composition.department.nodes.values()})

    def _owner(self, address: str) -> str:
        """The node that has a simulated address; empty for none."""
        composition = self._composition
        if composition is None or not address:
            return ""
        network = composition.network
        return next((node for node in composition.department.nodes if network.address_of(node) == address), "")

    def _cut_off_commands(self) -> None:
        with self._gate:
            self._resetting = True
            busy = self._busy
        self.terminals.cancel_all()
        if busy and self._composition is not None:
            self._composition.close()
            with self._gate:
                self._gate.wait_for(lambda: self._busy == 0, COMMANDS_END_S)


def _insist_on_sound(site: Site) -> None:
    """What a site says must fit together; the first thing that does not is told."""
    for problem in check_site(site):
        raise BadInputError(f"{problem.file}: {problem.key}: {problem.sentence}", problem.mend)


def _insist_on_all(department: Department) -> None:
    """A new department in which a node does not come up is no use to anybody."""
    for node in department.nodes.values():
        if node.state is not NodeState.RUNNING:
            raise UnavailableError(f"{node.name} does not come up: {node.trouble}", "Look at its settings in the site.")
