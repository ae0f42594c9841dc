"""Following a study: from every node's disk, queue, bin and the log, where it is and where it is not, and why.

Only means that an administrator has. While a drill runs, events for later are left out, and so are studies that a check
has scanned for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.archive import holdings
from sandbox.archive.holdings import Held
from sandbox.archive.uids import is_uid
from sandbox.archive.views import StudyFilter
from sandbox.dicom.explain import uid_name
from sandbox.events import kinds
from sandbox.events.event import Event
from sandbox.lab import hops
from sandbox.lab.sentences import counted
from sandbox.model.errors import NotFoundError
from sandbox.model.follow_view import (
    Carried,
    Commitment,
    Disagreement,
    Followed,
    FollowedStudy,
    Presence,
    Search,
    SeriesShare,
    Share,
    TakenOut,
    Waiting,
)
from sandbox.model.view import QueueState, QueueView, StudySummary
from sandbox.nodes.archive_node import ArchiveNode
from sandbox.nodes.modality import Modality
from sandbox.nodes.queue_tables import Entry

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.node import Node

FOUND = 20
"""The most studies that one search tells."""

_TOLD: Mapping[str, str] = {
    "patient_name": "Patient's name",
    "patient_id": "Patient ID",
    "birth_date": "Birth date",
    "sex": "Sex",
    "accession_number": "Accession number",
    "study_date": "Study date",
    "study_time": "Study time",
    "description": "Study description",
}
"""What copies of one study must tell alike, and how it is named."""


@dataclass(frozen=True)
class _Copy:
    """What one node has of the study."""

    node: Node
    held: Sequence[Held]
    entries: Sequence[Entry]

    @property
    def waiting(self) -> set[str]:
        return {entry.item.object.sop_instance for entry in self.entries if not entry.dead}

    @property
    def dead(self) -> set[str]:
        return {entry.item.object.sop_instance for entry in self.entries if entry.dead} - self.waiting


def search(lab: Lab, q: str) -> Search:
    """The studies of which ``q`` is in name, patient ID, accession number or description, or is the Study Instance UID:
    on any disk, in any queue, or scanned in this lab. Without it, those that came last."""
    q = q.strip()
    hidden = _hidden_studies(lab)
    found: dict[str, StudySummary] = {}
    wanted = StudyFilter(study_uid=q) if is_uid(q) and "." in q else StudyFilter(text=q)
    for node in _by_interest(lab):
        if node.store is not None:
            for study in node.store.studies(wanted, limit=FOUND + 1):
                found.setdefault(study.study_uid, study)
    for summary in _not_on_a_disk(lab, set(found)):
        if not q or q == summary.study_uid or q.lower() in _said(summary):
            found.setdefault(summary.study_uid, summary)
    shown = sorted(
        (study for study in found.values() if study.study_uid not in hidden),
        key=lambda study: (study.study_date, study.study_time),
        reverse=True,
    )
    return Search(q=q, studies=tuple(_briefly(lab, shown[:FOUND])), more=len(shown) > FOUND)


def follow(lab: Lab, study_uid: str) -> FollowedStudy:
    """One study hop by hop. NotFoundError when the department knows nothing of it."""
    if study_uid in _hidden_studies(lab):
        raise _unknown(study_uid)
    copies = [_copy(node, study_uid) for node in lab.department.nodes.values()]
    taken_out = _taken_out(lab, study_uid)
    removed = {one for _, rows in taken_out for row in rows for one in row.sop_instances}
    known = {one.sop_instance for copy in copies for one in copy.held}
    known |= {entry.item.object.sop_instance for copy in copies for entry in copy.entries}
    queues = {(node.name, to) for node in lab.department.nodes.values() for to in _destinations(node)}
    events = _visible(lab, lab.following.events(study_uid, known | removed, queues))
    events = _of_its_queues(events, copies)
    summaries = _summaries(lab, study_uid)
    study = _summary(study_uid, summaries, copies, events, bool(removed))
    shares = tuple(_share(copy, len(known)) for copy in copies)
    waiting = tuple(one for copy in copies for one in _waiting(copy))
    routing = hops.routing(lab, events)
    carried = hops.carried(lab, events)
    out = tuple(_told_out(node, row) for node, rows in taken_out for row in rows)
    where = _where(shares, len(known))
    return FollowedStudy(
        study=study,
        shares=shares,
        where=where,
        instances=len(known),
        sentences=(
            *(one.sentence for one in waiting),
            *_refused(carried),
            *(one.sentence for one in routing if not one.destinations),
            *(one.sentence for one in out if not one.undone),
            *_scanned_more(events, study_uid, len(known)),
        ),
        series=_series(copies),
        disagreements=_disagreements(summaries),
        waiting=waiting,
        routing=routing,
        carried=carried,
        taken_out=out,
        commitment=tuple(_commitments(lab, known)),
        hops=hops.hops(events),
    )


# --- looking ---------------------------------------------------------------------------------------------------------


def _hidden_studies(lab: Lab) -> set[str]:
    """Studies that a check has scanned for itself, while a drill runs."""
    if not lab.hides_later:
        return set()
    return {uid for uid, exam in lab.following.exams().items() if exam.is_for_later}


def _visible(lab: Lab, events: Iterable[Event]) -> list[Event]:
    hidden = lab.hides_later
    return [event for event in events if not (hidden and event.is_for_later)]


def _of_its_queues(events: Sequence[Event], copies: Sequence[_Copy]) -> list[Event]:
    """Without what concerned a whole queue that the study was never in."""
    been = {(copy.node.name, entry.destination) for copy in copies for entry in copy.entries}
    been |= {(event.node, event.body.destination) for event in events if isinstance(event.body, kinds.QueueSent)}
    for event in events:
        if isinstance(event.body, kinds.StudyRouted):
            been |= {(event.node, destination) for destination in event.body.destinations}
    of_all = (kinds.QueueFailed, kinds.QueueHeld, kinds.QueueResumed, kinds.QueueRedriven, kinds.QueueDiscarded)
    return [
        event
        for event in events
        if not isinstance(event.body, of_all)
        or bool(getattr(event.body, "study_uid", ""))
        or (event.node, event.body.destination) in been
    ]


def _by_interest(lab: Lab) -> list[Node]:
    """Archives first: what they say of a study counts most."""
    return sorted(lab.department.nodes.values(), key=lambda node: not isinstance(node, ArchiveNode))


def _destinations(node: Node) -> tuple[str, ...]:
    return () if node.queue is None else node.queue.destinations()


def _copy(node: Node, study_uid: str) -> _Copy:
    held = [] if node.store is None else holdings.held(node.store.bench.index, study_uid)
    return _Copy(node, held, _entries(node, study_uid))


def _entries(node: Node, study_uid: str) -> list[Entry]:
    if node.queue is None:
        return []
    with node.queue.changed:
        return [] if node.queue.is_closed else node.queue.rows.entries_of(study_uid)


def _waiting_studies(node: Node) -> set[str]:
    return set() if node.queue is None or node.queue.is_closed else node.queue.waiting_studies()


def _summaries(lab: Lab, study_uid: str) -> dict[str, StudySummary]:
    """What each node that has it says of the study."""
    found = {}
    for node in _by_interest(lab):
        if node.store is not None:
            for summary in node.store.studies(StudyFilter(study_uid=study_uid), limit=1):
                found[node.name] = summary
    return found


def _summary(
    study_uid: str,
    summaries: Mapping[str, StudySummary],
    copies: Sequence[_Copy],
    events: Sequence[Event],
    was_removed: bool,
) -> StudySummary:
    for summary in summaries.values():
        return summary
    for copy in copies:
        for entry in copy.entries:
            return _of_entry(entry)
    for event in events:
        if isinstance(event.body, kinds.ExamAcquired):
            return _of_exam(event, event.body)
    if events or was_removed:
        return StudySummary(study_uid=study_uid, patient_id="", patient_name="")
    raise _unknown(study_uid)


def _unknown(study_uid: str) -> NotFoundError:
    return NotFoundError(
        f"Nothing in the department has the study {study_uid[:64]}.",
        "Look for it by name, patient ID or accession number; it may have another Study Instance UID.",
    )


def _not_on_a_disk(lab: Lab, known: set[str]) -> Iterable[StudySummary]:
    """Studies that are only in queues, or were scanned here and are nowhere now."""
    for node in lab.department.nodes.values():
        for study_uid in _waiting_studies(node) - known:
            for entry in _entries(node, study_uid)[:1]:
                known.add(study_uid)
                yield _of_entry(entry)
    for study_uid, exam in reversed(lab.following.exams().items()):
        if study_uid not in known and isinstance(exam.body, kinds.ExamAcquired):
            yield _of_exam(exam, exam.body)


def _of_entry(entry: Entry) -> StudySummary:
    item = entry.item
    return StudySummary(
        study_uid=item.study_uid,
        patient_id="",
        patient_name=item.patient_name,
        accession_number=item.accession_number,
        description=item.description,
        study_date=f"{entry.added:%Y%m%d}",
        study_time=f"{entry.added:%H%M%S}",
    )


def _of_exam(event: Event, body: kinds.ExamAcquired) -> StudySummary:
    return StudySummary(
        study_uid=body.study_uid,
        patient_id=body.patient_id,
        patient_name=body.patient_name,
        accession_number=body.accession_number,
        description=body.description,
        modalities=(body.modality,),
        study_date=f"{event.at:%Y%m%d}",
        study_time=f"{event.at:%H%M%S}",
    )


def _said(summary: StudySummary) -> str:
    return " ".join((summary.patient_name, summary.patient_id, summary.accession_number, summary.description)).lower()


# --- telling ---------------------------------------------------------------------------------------------------------


def _briefly(lab: Lab, studies: Sequence[StudySummary]) -> Iterable[Followed]:
    """Counts alone. ``of`` is the most that any node has or that were scanned: copies are not compared."""
    uids = [study.study_uid for study in studies]
    nodes = list(lab.department.nodes.values())
    on = {
        node.name: {} if node.store is None or not uids else holdings.counts(node.store.bench.index, uids)
        for node in nodes
    }
    queued = {node.name: _waiting_studies(node) for node in nodes}
    exams = lab.following.exams()
    for study in studies:
        exam = exams.get(study.study_uid)
        scanned = exam.body.instances if exam is not None and isinstance(exam.body, kinds.ExamAcquired) else 0
        of = max([scanned, *(counts.get(study.study_uid, 0) for counts in on.values())])
        shares = []
        for node in nodes:
            entries = _entries(node, study.study_uid) if study.study_uid in queued[node.name] else []
            copy = _Copy(node, (), entries)
            waiting = {entry.item.object.sop_instance for entry in entries}
            shares.append(_share(copy, max(of, len(waiting)), on[node.name].get(study.study_uid, 0)))
        yield Followed(study=study, shares=tuple(shares), where=_where(shares, of))


def _share(copy: _Copy, of: int, here: int | None = None) -> Share:
    here = len(copy.held) if here is None else here
    waiting, dead = copy.waiting, copy.dead
    if here:
        presence = Presence.WHOLE if here >= of else Presence.PART
    else:
        presence = Presence.PASSING if waiting or dead else Presence.NONE
    parts = [f"{here} of {of}"] if copy.node.store is not None else []
    if waiting:
        to = dict.fromkeys(entry.destination for entry in copy.entries if not entry.dead)
        parts.append(f"{len(waiting)} waiting for {', '.join(to)}")
    if dead:
        parts.append(f"{len(dead)} given up")
    return Share(
        node=copy.node.name,
        role=copy.node.role,
        presence=presence,
        instances=here,
        of=of,
        waiting=len(waiting),
        dead=len(dead),
        sentence=", ".join(parts) or "nothing",
    )


def _where(shares: Sequence[Share], of: int) -> str:
    whole = [share.node for share in shares if share.presence is Presence.WHOLE]
    part = [f"{share.node} ({share.instances} of {share.of})" for share in shares if share.presence is Presence.PART]
    passing = [share.node for share in shares if share.presence is Presence.PASSING]
    absent = [
        share.node for share in shares if share.presence is Presence.NONE and share.role in ("archive", "workstation")
    ]
    said = []
    if whole:
        said.append(f"{', '.join(whole)} {'has' if len(whole) == 1 else 'have'} {_all_of_it(of)}.")
    if part:
        said.append(f"In part on {', '.join(part)}.")
    if passing:
        said.append(f"Waiting at {', '.join(passing)}.")
    if absent:
        said.append(f"Not on {', '.join(absent)}.")
    return " ".join(said) if whole or part or passing else "No node has it now."


def _all_of_it(of: int) -> str:
    return {1: "its only image", 2: "both images"}.get(of, f"all {of} images")


def _waiting(copy: _Copy) -> Iterable[Waiting]:
    if copy.node.queue is None or not copy.entries:
        return
    views = {view.destination: view for view in copy.node.queue.views()}
    for destination in dict.fromkeys(entry.destination for entry in copy.entries):
        entries = [entry for entry in copy.entries if entry.destination == destination]
        view = views.get(destination) or QueueView(
            destination=destination, state=QueueState.IDLE, waiting=0, dead=0, sent=0
        )
        dead = [entry for entry in entries if entry.dead]
        alive = len(entries) - len(dead)
        errors = [entry.last_error for entry in entries if entry.last_error]
        error = errors[-1] if errors else view.last_error
        yield Waiting(
            node=copy.node.name,
            destination=destination,
            state=view.state,
            waiting=alive,
            dead=len(dead),
            since=min(entry.added for entry in entries),
            attempts=max(entry.attempts for entry in entries),
            last_error=error,
            retry_in_s=view.retry_in_s,
            held_reason=view.held_reason,
            sentence=_waits(copy.node.name, destination, alive, len(dead), view, error),
        )


def _waits(node: str, destination: str, alive: int, dead: int, view: QueueView, error: str) -> str:
    why = error.rstrip(".")
    said = []
    if alive and view.state is QueueState.HELD:
        because = f" ({view.held_reason.rstrip('.')})" if view.held_reason else ""
        said.append(f"{counted(alive, 'image')} at {node} for {destination}: the queue is on hold{because}.")
    elif alive:
        said.append(f"{counted(alive, 'image')} at {node} for {destination}{': ' + why if why else ''}.")
    if dead:
        said.append(f"{counted(dead, 'image')} given up at {node} for {destination}{': ' + why if why else ''}.")
    return " ".join(said)


def _series(copies: Sequence[_Copy]) -> tuple[SeriesShare, ...]:
    first: dict[tuple[str, str], Held] = {}
    every: dict[tuple[str, str], set[str]] = {}
    on: dict[tuple[str, str], Counter[str]] = {}
    sample: dict[tuple[str, str], dict[str, str]] = {}
    for copy in copies:
        for one in copy.held:
            key = (one.series_uid, one.sop_class)
            first.setdefault(key, one)
            every.setdefault(key, set()).add(one.sop_instance)
            on.setdefault(key, Counter())[copy.node.name] += 1
            sample.setdefault(key, {}).setdefault(copy.node.name, one.sop_instance)
    found = [
        SeriesShare(
            series_uid=one.series_uid,
            modality=one.modality,
            number=int(one.number) if one.number else None,
            description=one.description,
            sop_class=one.sop_class,
            sop_class_name=uid_name(one.sop_class),
            instances=len(every[key]),
            on=dict(on[key]),
            sample=sample[key],
        )
        for key, one in first.items()
    ]
    found.sort(key=lambda one: (one.number is None, one.number or 0, one.series_uid))
    return tuple(found)


def _disagreements(summaries: Mapping[str, StudySummary]) -> tuple[Disagreement, ...]:
    found = []
    for name, title in _TOLD.items():
        values = {node: str(getattr(summary, name)) for node, summary in summaries.items()}
        if len(set(values.values())) > 1:
            found.append(Disagreement(name=title, values=values))
    return tuple(found)


def _taken_out(lab: Lab, study_uid: str) -> list[tuple[str, list[holdings.Removed]]]:
    return [
        (node.name, rows)
        for node in lab.department.nodes.values()
        if isinstance(node, ArchiveNode) and (rows := holdings.removed(node.archive.bench.index, study_uid))
    ]


def _told_out(node: str, row: holdings.Removed) -> TakenOut:
    sentence = f"{node}: {row.sentence.rstrip('.')}. Reason: {row.reason.rstrip('.')}."
    kept = f" Its bin keeps {row.in_bin} of them." if row.in_bin else ""
    return TakenOut(
        node=node,
        entry=row.entry,
        kind=row.kind,
        at=datetime.fromtimestamp(row.at, UTC),
        by=row.actor,
        reason=row.reason,
        instances=len(row.sop_instances),
        in_bin=row.in_bin,
        undone=row.undone,
        sentence=sentence + (" It was taken back." if row.undone else kept),
    )


def _refused(carried: Iterable[Carried]) -> Iterable[str]:
    for one in carried:
        if one.refused:
            yield f"{one.target} refused {counted(one.refused, 'image')} from {one.source}: {one.refusals[0]}."


def _scanned_more(events: Sequence[Event], study_uid: str, known: int) -> Iterable[str]:
    for event in events:
        body = event.body
        if isinstance(body, kinds.ExamAcquired) and body.study_uid == study_uid and body.instances > known:
            yield f"{event.node} scanned {counted(body.instances, 'image')}; {known} can be found in this study now."


def _commitments(lab: Lab, known: set[str]) -> Iterable[Commitment]:
    for node in lab.department.nodes.values():
        if isinstance(node, Modality):
            asked = node.commitment
        elif isinstance(node, ArchiveNode):
            asked = node.retention.commitments
        else:
            continue
        states = Counter(str(state) for one, state in asked.states().items() if one in known)
        if states:
            told = ", ".join(f"{count} {state}" for state, count in states.items())
            yield Commitment(node=node.name, states=dict(states), sentence=f"{node.name}: {told}.")
