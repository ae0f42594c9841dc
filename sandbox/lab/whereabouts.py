"""Where a study is, in words and numbers: what each node has of it, what waits, what was refused or taken out.

Nothing is looked up in here: from what sandbox.lab.follow has gathered to what is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.archive import holdings
from sandbox.archive.holdings import Held
from sandbox.dicom.explain import uid_name
from sandbox.events import kinds
from sandbox.events.event import Event
from sandbox.lab.sentences import counted
from sandbox.model.follow_view import Carried, Disagreement, Presence, SeriesShare, Share, TakenOut, Waiting
from sandbox.model.view import QueueState, QueueView, StudySummary
from sandbox.nodes.queue_tables import Entry

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

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
class Copy:
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


def share(copy: Copy, of: int, here: int | None = None) -> Share:
    """A node's part of a study of ``of`` instances. ``here`` is given where they were counted and not listed."""
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


def where(shares: Sequence[Share], of: int) -> str:
    """Who has it whole, in part, in passing, and which archives and workstations do not."""
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


def waiting(copy: Copy) -> Iterable[Waiting]:
    """What of it is in each of a node's queues."""
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


def series(copies: Sequence[Copy]) -> tuple[SeriesShare, ...]:
    """Series by series and SOP class by SOP class, what each node has."""
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


def disagreements(summaries: Mapping[str, StudySummary]) -> tuple[Disagreement, ...]:
    """What the nodes that have it say differently of the same study."""
    found = []
    for name, title in _TOLD.items():
        values = {node: str(getattr(summary, name)) for node, summary in summaries.items()}
        if len(set(values.values())) > 1:
            found.append(Disagreement(name=title, values=values))
    return tuple(found)


def told_out(node: str, row: holdings.Removed) -> TakenOut:
    """An entry of an archive's journal, in words."""
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


def refused(carried: Iterable[Carried]) -> Iterable[str]:
    """What was refused on the way."""
    for one in carried:
        if one.refused:
            yield f"{one.target} refused {counted(one.refused, 'image')} from {one.source}: {one.refusals[0]}."


def scanned_more(events: Sequence[Event], study_uid: str, known: int) -> Iterable[str]:
    """What a scanner made and nobody has."""
    for event in events:
        body = event.body
        if isinstance(body, kinds.ExamAcquired) and body.study_uid == study_uid and body.instances > known:
            yield f"{event.node} scanned {counted(body.instances, 'image')}; {known} can be found in this study now."
