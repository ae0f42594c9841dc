"""An archive's retention rule: studies older than so many days leave it for good, if need be only once somebody else
has confirmed by storage commitment (PS3.4 J) that it has charge of them.

One thread looks when the archive starts and then now and then; an administrator can have it look at once. Rule: with a
gate, nothing is removed that was not committed; without one, age alone decides, as it does on real systems.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.archive.operations.journal import Entry
from sandbox.archive.operations.operation import Kind
from sandbox.archive.views import StudyFilter
from sandbox.events import kinds
from sandbox.model.config import RetryPolicy
from sandbox.model.errors import SandboxError
from sandbox.model.view import StudySummary
from sandbox.nodes.commitment import Commitments
from sandbox.nodes.commitment_rows import CommitmentState
from sandbox.nodes.words import counted

if TYPE_CHECKING:
    from sandbox.nodes.archive_node import ArchiveNode

log = logging.getLogger(__name__)

EVERY_S = 60.0
"""How often the rule is applied by itself, in seconds."""

_AT_A_TIME = 200
_AGAIN = RetryPolicy(first_s=10.0, factor=2.0, maximum_s=600.0, attempts=1000)
"""How a commitment is asked for again: what is not there yet may come."""


@dataclass(frozen=True)
class Applied:
    """What one application of the rule did: studies removed, and studies that wait to be committed elsewhere."""

    removed: int = 0
    instances: int = 0
    waiting: int = 0


class Retention:
    """The rule of one archive. ``commitments`` asks for what is about to be removed."""

    def __init__(self, node: ArchiveNode) -> None:
        self._node = node
        self.commitments = Commitments(
            node, remote=lambda: node.running.purge_needs if node.running.purge_after_days else "", retry=lambda: _AGAIN
        )
        self._ending = threading.Event()
        self._applying = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Apply the rule from now on, if there is one."""
        self._ending = threading.Event()
        self.commitments.start()
        if self._node.running.purge_after_days:
            self._thread = threading.Thread(
                target=self._run, args=(self._ending,), name=f"{self._node.name}-retention", daemon=True
            )
            self._thread.start()

    def halt(self) -> None:
        """Tell it to end."""
        self._ending.set()
        self.commitments.halt()

    def stop(self) -> None:
        """End, and wait for it."""
        self.halt()
        self.commitments.stop()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)

    def close(self) -> None:
        """Stop, and let go of the file."""
        self.stop()
        self.commitments.close()

    def _run(self, ending: threading.Event) -> None:
        while not ending.is_set():
            try:
                self.apply()
            except Exception as wrong:
                if not ending.is_set() and not isinstance(wrong, SandboxError):
                    log.exception("The retention rule of %s cannot be applied", self._node.name)
            ending.wait(EVERY_S)

    def apply(self) -> Applied:
        """Remove what the running rule lets go. Does nothing without a rule."""
        with self._applying:
            config = self._node.running
            if not config.purge_after_days:
                return Applied()
            last_day = self._node.now() - timedelta(days=config.purge_after_days + 1)
            old = self._node.archive.studies(StudyFilter(date_to=f"{last_day:%Y%m%d}"), limit=_AT_A_TIME)
            # Without a date nobody can say how old it is.
            due = [study for study in old if study.study_date]
            ready = [study for study in due if not config.purge_needs or self._is_committed(study)]
            if ready:
                self._remove(ready)
            if waiting := len(due) - len(ready):
                self._node.log(
                    "info",
                    f"Retention: {counted(waiting, 'study', 'studies')} not removed, since {config.purge_needs} has "
                    "not confirmed to have them",
                )
            return Applied(len(ready), sum(study.instances for study in ready), waiting)

    def would_let_go(self, ahead_days: int) -> list[StudySummary]:
        """The studies that the running rule would remove within so many days as things are now. Nothing is removed,
        and nothing is asked for."""
        config = self._node.running
        if not config.purge_after_days:
            return []
        last_day = self._node.now() + timedelta(days=ahead_days - config.purge_after_days - 1)
        due = self._node.archive.studies(StudyFilter(date_to=f"{last_day:%Y%m%d}"), limit=_AT_A_TIME)
        states = self.commitments.states() if config.purge_needs else {}
        return [
            study
            for study in due
            if study.study_date
            and (
                not config.purge_needs
                or all(
                    states.get(item.sop_instance) is CommitmentState.COMMITTED
                    for item in self._node.archive.objects(study.study_uid)
                )
            )
        ]

    def _is_committed(self, study: StudySummary) -> bool:
        """Whether all of it is committed; what was never asked for is asked for now."""
        objects = self._node.archive.objects(study.study_uid)
        states = self.commitments.states()
        unasked = [item for item in objects if item.sop_instance not in states]
        for item in unasked:
            self.commitments.sent(item)
        self.commitments.delivered(unasked)
        return all(states.get(item.sop_instance) is CommitmentState.COMMITTED for item in objects)

    def _remove(self, studies: list[StudySummary]) -> None:
        node = self._node
        instances = 0
        for study in studies:
            self.commitments.forget([item.sop_instance for item in node.archive.objects(study.study_uid)])
            instances += node.archive.forget_study(study.study_uid)
        days = counted(node.running.purge_after_days, "day")
        sentence = (
            f"Purged {counted(len(studies), 'study', 'studies')} ({counted(instances, 'instance')}) for good: "
            f"older than {days}."
        )
        reason = f"Retention rule: {days}"
        subject = ", ".join(study.accession_number or study.study_uid for study in studies[:3])
        entry = node.archive.bench.note(Entry("retention", Kind.DELETE, reason, subject, sentence))
        node.context.events.append(
            kinds.ArchiveDeleted(
                sentence=sentence,
                reason=reason,
                entry=entry,
                instances=instances,
                studies=tuple(study.study_uid for study in studies),
            ),
            node=node.name,
        )
        node.log("info", sentence)
        node.administration.watch(0)
