"""The audit trail of one archive: told what happens from whatever thread, it writes messages on a thread of its own.

Whoever tells it something leaves a note in a queue and goes on. Instances that come by C-STORE are counted, and become
one message for each study when their association ends, or has been quiet for a while. What there is to look up, whose
study it was and how many instances of which class, is looked up on the trail's own thread.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.archive.audit import messages as m
from sandbox.archive.audit.messages import Action, Code, Message, Participant, Study, Told
from sandbox.archive.audit.sinks import Sink
from sandbox.archive.audit.xml import to_xml
from sandbox.dicom.contract import Query, RetrievePlan
from sandbox.model.association import AssociationFacts

log = logging.getLogger(__name__)

QUIET_S = 10.0
"""How long an association stores nothing before what it stored is told."""
_MOST_WAITING = 20_000
_AT_ONCE = 200
_GATHER_S = 0.2
_STOP_S = 5.0

Note = Callable[[], Iterable[Message]]


@dataclass
class _Arriving:
    """What one association has stored of one study."""

    facts: AssociationFacts
    patient_id: str
    patient_name: str
    accession: str
    last: float
    counts: Counter[str] = field(default_factory=Counter)


class AuditTrail:
    """``ae_title`` is the archive's own, ``now`` (with a zone) dates its messages. What it is told before it starts, or
    after it stopped, is written once it runs again. It is stopped last, and may be started anew."""

    def __init__(
        self,
        ae_title: Callable[[], str],
        sinks: Sequence[Sink],
        *,
        quiet: float = QUIET_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._ae_title = ae_title
        self._sinks = sinks
        self._quiet = quiet
        self._notes: queue.Queue[Note | None] = queue.Queue(_MOST_WAITING)
        self._lost = 0
        self._lock = threading.Lock()
        self._arriving: dict[tuple[str, str], _Arriving] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self, by: str = "system") -> None:
        """Begin to write; the archive was started by this user."""
        self._activity(starts=True, by=by)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="audit trail", daemon=True)
        self._thread.start()

    def stop(self, by: str = "system") -> None:
        """Write what there is, that the archive stops, and end."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._flush(lambda arriving: True)
        self._activity(starts=False, by=by)
        self._notes.put(None)
        self._stopping.set()
        thread.join(_STOP_S)

    # --- what it is told ------------------------------------------------------------------------------------------

    def note(self, make: Note) -> None:
        """Write the messages that ``make`` makes, later and on the trail's thread. Never blocks."""
        try:
            self._notes.put_nowait(make)
        except queue.Full:
            self._lost += 1

    def arrived(self, facts: AssociationFacts, study_uid: str, sop_class: str, whose: Callable[[], Study]) -> None:
        """An instance was stored. ``whose`` is asked at the first of a study."""
        key = (facts.id, study_uid)
        now = time.monotonic()
        with self._lock:
            arriving = self._arriving.get(key)
            is_first = not self._arriving
            if arriving is None:
                study = whose()
                arriving = _Arriving(facts, study.patient_id, study.patient_name, study.accession, now)
                self._arriving[key] = arriving
            arriving.counts[sop_class] += 1
            arriving.last = now
        if is_first:
            self.note(tuple)  # wakes the thread, which then looks for what is quiet

    def ended(self, facts: AssociationFacts) -> None:
        """An association is over: tell what it stored."""
        if self._arriving:
            self._flush(lambda arriving: arriving.facts.id == facts.id)

    def queried(self, query: Query, outcome: m.Outcome, words: str) -> None:
        """A C-FIND was answered."""
        told = self._told(outcome, words)
        facts, keys, own = query.facts, query.encoded, self.own()
        syntax = query.transfer_syntax
        # The bytes may be those of a buffer that is used again.
        sent = bytes(keys) if keys is not None else None

        def make() -> Iterable[Message]:
            asked = sent
            if asked is None:
                from sandbox.dicom.datasets import encode_dataset

                asked = encode_dataset(query.identifier, syntax)
            return [m.queried(told, peer_of(facts, m.SOURCE), own(m.DESTINATION), query.sop_class, asked, syntax)]

        self.note(make)

    def retrieving(self, query: Query, plan: RetrievePlan, destination: str, look_up: LookUp) -> None:
        """Instances are about to be sent to ``destination``, or to the asker if that is empty."""
        self._retrieve(query.facts, plan, destination, look_up, None, "")

    def retrieved(
        self,
        facts: AssociationFacts,
        plan: RetrievePlan,
        destination: str,
        look_up: LookUp,
        outcome: m.Outcome,
        words: str,
    ) -> None:
        """They were sent, or not."""
        self._retrieve(facts, plan, destination, look_up, outcome, words)

    def alert(self, kind: Code, outcome: m.Outcome, who: Participant, subject: str, words: str) -> None:
        """A security alert."""
        told, own = self._told(outcome, words), self.own()
        self.note(lambda: [m.security_alert(told, kind, own(), (who,), subject, words)])

    def operated(self, make: Callable[[Told, Participant], Iterable[Message]]) -> None:
        """An administrator did something; ``make`` says it, given what all messages say and the archive itself."""
        told, own = self._told(), self.own()
        self.note(lambda: make(told, own()))

    def own(self) -> Callable[..., Participant]:
        """The archive as a participant, in a role."""
        title = self._ae_title()
        return lambda *roles, requests=False: Participant(title, requests, roles, f"AETITLES={title}")

    # --- within ---------------------------------------------------------------------------------------------------

    def _told(self, outcome: m.Outcome = m.Outcome.SUCCESS, words: str = "") -> Told:
        return Told(self._now(), self._ae_title(), outcome, words)

    def _activity(self, *, starts: bool, by: str) -> None:
        told, own = self._told(), self.own()
        self.note(lambda: [m.application_activity(told, own(m.APPLICATION), starts=starts, by=by)])

    def _retrieve(
        self,
        facts: AssociationFacts,
        plan: RetrievePlan,
        destination: str,
        look_up: LookUp,
        outcome: m.Outcome | None,
        words: str,
    ) -> None:
        told, own = self._told(outcome or m.Outcome.SUCCESS, words), self.own()
        asker = peer_of(facts, *(() if destination else (m.DESTINATION,)))
        receiver = Participant(destination, False, (m.DESTINATION,), f"AETITLES={destination}")
        sender, to, others = own(m.SOURCE), receiver if destination else asker, (asker,) if destination else ()

        def make() -> Iterable[Message]:
            # A message is about one patient.
            for studies in by_patient(look_up([one.sop_instance for one in plan.objects])):
                if outcome is None:
                    yield m.begin_transferring(told, sender, to, others, studies)
                else:
                    yield m.transferred(told, Action.READ, sender, to, others, studies)

        self.note(make)

    def _flush(self, ready: Callable[[_Arriving], bool]) -> None:
        with self._lock:
            done = {key: arriving for key, arriving in self._arriving.items() if ready(arriving)}
            for key in done:
                del self._arriving[key]
        own = self.own()
        for (_, uid), one in done.items():
            study = Study(uid, one.patient_id, one.patient_name, one.accession, dict(one.counts))
            told, source = self._told(), peer_of(one.facts, m.SOURCE)
            message = m.transferred(told, Action.CREATE, source, own(m.DESTINATION), (), (study,))
            self.note(lambda message=message: [message])  # type: ignore[misc]

    def _run(self) -> None:
        looked = time.monotonic()
        while True:
            # By the clock and not when nothing comes: something may come all the time.
            if time.monotonic() - looked >= self._quiet:
                self._look()
                looked = time.monotonic()
            try:
                looks_again = self._arriving or any(sink.waits for sink in self._sinks)
                left = max(looked + self._quiet - time.monotonic(), 0.0)
                note = self._notes.get(timeout=left if looks_again else None)
            except queue.Empty:
                continue
            notes, over = [note], note is None
            if not over and self._notes.qsize() < _AT_ONCE:
                # A thread that woke for each note would be in the way of those that leave them.
                self._stopping.wait(_GATHER_S)
            while not over and len(notes) < _AT_ONCE:
                try:
                    notes.append(self._notes.get_nowait())
                except queue.Empty:
                    break
                over = notes[-1] is None
            self._write(one for one in notes if one is not None)
            if over:
                break
        for sink in self._sinks:
            sink.close()

    def _look(self) -> None:
        """Write what waits, and tell what was stored and has been quiet since."""
        for sink in self._sinks:
            if sink.waits:
                sink.write(())
        limit = time.monotonic() - self._quiet
        self._flush(lambda arriving: arriving.last <= limit)

    def _write(self, notes: Iterable[Note]) -> None:
        written: list[tuple[datetime, str]] = []
        for note in notes:
            try:
                written += [(message.at, to_xml(message)) for message in note()]
                time.sleep(0)  # lets who serves a query go first
            except Exception:
                log.exception("An audit message cannot be made")
        if self._lost:
            log.error("%d audit messages were lost: more came than could be written", self._lost)
            self._lost = 0
        if written:
            for sink in self._sinks:
                sink.write(written)


LookUp = Callable[[list[str]], list[Study]]
"""The studies of these SOP instances, with their counts."""


def peer_of(facts: AssociationFacts, *roles: Code) -> Participant:
    """Whoever called."""
    host = facts.peer.rpartition(":")[0].strip("[]")
    title = facts.calling_ae.strip() or host or "unknown"
    return Participant(title, True, roles, f"AETITLES={title}", host)


def by_patient(studies: Iterable[Study]) -> list[list[Study]]:
    """The studies of each patient: one ID of two issuers is two patients."""
    groups: dict[tuple[str, str], list[Study]] = {}
    for study in studies:
        groups.setdefault((study.issuer, study.patient_id), []).append(study)
    return list(groups.values())
