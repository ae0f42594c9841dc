"""Following a study: from every node's disk, queue, bin and the log, where it is and where it is not, and why.

Only means that an administrator has. While a drill runs, events for later are left out, and so are studies that a check
has scanned for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox.archive import holdings
from sandbox.archive.uids import is_uid
from sandbox.archive.views import StudyFilter
from sandbox.events import kinds
from sandbox.events.event import Event
from sandbox.lab import hops, whereabouts
from sandbox.lab.whereabouts import Copy
from sandbox.model.errors import NotFoundError
from sandbox.model.follow_view import (
    Commitment,
    Followed,
    FollowedStudy,
    Search,
)
from sandbox.model.view import StudySummary
from sandbox.nodes.archive_node import ArchiveNode
from sandbox.nodes.modality import Modality
from sandbox.nodes.queue_tables import Entry

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.node import Node

FOUND = 20
"""The most studies that one search tells."""


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
    shares = tuple(whereabouts.share(copy, len(known)) for copy in copies)
    waiting = tuple(one for copy in copies for one in whereabouts.waiting(copy))
    routing = hops.routing(lab, events)
    carried = hops.carried(lab, events)
    out = tuple(whereabouts.told_out(node, row) for node, rows in taken_out for row in rows)
    where = whereabouts.where(shares, len(known))
    return FollowedStudy(
        study=study,
        shares=shares,
        where=where,
        instances=len(known),
        sentences=(
            *(one.sentence for one in waiting),
            *whereabouts.refused(carried),
            *(one.sentence for one in routing if not one.destinations),
            *(one.sentence for one in out if not one.undone),
            *whereabouts.scanned_more(events, study_uid, len(known)),
        ),
        series=whereabouts.series(copies),
        disagreements=whereabouts.disagreements(summaries),
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


def _of_its_queues(events: Sequence[Event], copies: Sequence[Copy]) -> list[Event]:
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


def _copy(node: Node, study_uid: str) -> Copy:
    held = [] if node.store is None else holdings.held(node.store.bench.index, study_uid)
    return Copy(node, held, _entries(node, study_uid))


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
    copies: Sequence[Copy],
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
            copy = Copy(node, (), entries)
            waiting = {entry.item.object.sop_instance for entry in entries}
            shares.append(whereabouts.share(copy, max(of, len(waiting)), on[node.name].get(study.study_uid, 0)))
        yield Followed(study=study, shares=tuple(shares), where=whereabouts.where(shares, of))


def _taken_out(lab: Lab, study_uid: str) -> list[tuple[str, list[holdings.Removed]]]:
    return [
        (node.name, rows)
        for node in lab.department.nodes.values()
        if isinstance(node, ArchiveNode) and (rows := holdings.removed(node.archive.bench.index, study_uid))
    ]


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
