"""The root-cause graph: what led to what, from the causes that the log keeps, bounded in size.

Fault, then what it did to the department, then what failed, then the call; the trainee's changes, then what went
through again. A recorded edge is a chain of causes in the log. Where the log ends (a person rings because of what is on
their screen) an edge follows the lesson, and says that it does. The like of one kind are one node with a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.events.event import FAULT, PROBE, STAGING, Event
from sandbox.events.kinds import ExamAcquired, FaultApplied, NodeConfigSaved, QueueSent, TicketReceived
from sandbox.learning.acts import Done
from sandbox.learning.evidence import is_telling
from sandbox.learning.story import NOT_PEOPLE, Story, Words
from sandbox.learning.timeline import ALWAYS, SYMPTOMS, alike, is_failure
from sandbox.model.debrief_view import GraphEdge, GraphNode, GraphView

LAYERS: Mapping[str, int] = {
    "fault": 0,
    "event": 1,
    "symptom": 2,
    "trace": 2,
    "ticket": 3,
    "change": 4,
    "recovery": 5,
}
"""The kinds of nodes, and the order in which they lead to each other."""

MOST: Mapping[str, int] = {"fault": 3, "event": 3, "symptom": 4, "trace": 2, "ticket": 3, "change": 4, "recovery": 4}
"""How many nodes of a kind are drawn; the others are counted."""


@dataclass
class _Group:
    """Events that are one node while the graph is made."""

    kind: str
    first: Event
    sentence: str
    seqs: list[int]


def graph_of(events: Sequence[Event], done: Done, story: Story, words: Words) -> GraphView:
    """The graph of one attempt. Empty when nothing was broken: nothing led to the call then."""
    if not story.broken:
        return GraphView()
    groups: dict[tuple[str, ...], _Group] = {}
    fixes = {act.seq for act in done.fixes}
    failed: set[tuple[str, str]] = set()
    for event in events:
        placed = _place(event, story, fixes, failed, words)
        if placed is None:
            continue
        kind, key, sentence = placed
        group = groups.setdefault((kind, *key), _Group(kind, event, sentence, []))
        group.seqs.append(event.seq)
    kept, left_out = _bounded(groups.values(), {clue.node for clue in story.clues})
    present = sorted({LAYERS[group.kind] for group in kept})
    nodes = tuple(
        GraphNode(
            id=number,
            kind=group.kind,
            sentence=group.sentence,
            node=group.first.node,
            count=len(group.seqs),
            layer=present.index(LAYERS[group.kind]),
            seq=group.first.seq,
            elapsed_s=story.elapsed(group.first.at),
        )
        for number, group in enumerate(kept)
    )
    return GraphView(nodes=nodes, edges=tuple(_edges(kept, events)), left_out=left_out)


def _place(
    event: Event, story: Story, fixes: set[int], failed: set[tuple[str, str]], words: Words
) -> tuple[str, tuple[str, ...], str] | None:
    """The kind of node that an event is, what it is grouped by, and its sentence. None: it is in no graph."""
    body = event.body
    if isinstance(body, FaultApplied):
        return ("fault", (str(event.seq),), body.explanation) if body.explanation else None
    if event.actor == FAULT and isinstance(body, NodeConfigSaved):
        return "event", (event.kind, event.node), words(event)
    if event.seq in fixes:
        return "change", (str(getattr(body, "command", "")), event.node), words(event)
    if isinstance(body, TicketReceived):
        return "ticket", (str(body.ticket),), f"{body.sender} calls: {body.subject}"
    if event.actor in STAGING | {PROBE} or event.actor not in NOT_PEOPLE:
        return None
    if isinstance(body, QueueSent):
        key = (event.node, body.destination)
        if key in failed and fixes and event.seq > min(fixes):
            return "recovery", key, f"{event.node} sends to {body.destination} again."
        return None
    if event.kind in SYMPTOMS or event.kind in ALWAYS or any(is_telling(event, clue) for clue in story.clues):
        if fixes and event.seq > min(fixes):
            return None
        if event.kind.startswith("queue."):
            failed.add((event.node, str(getattr(body, "destination", ""))))
        kind = "event" if isinstance(body, ExamAcquired) else "symptom" if is_failure(event) else "trace"
        sentence = words(event)
        # Both ends of a call tell the same of it.
        return kind, (sentence,) if event.kind.startswith("association.") else alike(event), sentence
    return None


def _bounded(groups: object, scene: set[str]) -> tuple[list[_Group], int]:
    """At most so many of each kind: those on the nodes that tell first, then the earliest."""
    kept: list[_Group] = []
    left_out = 0
    by_kind: dict[str, list[_Group]] = {kind: [] for kind in LAYERS}
    for group in groups:  # type: ignore[attr-defined]
        by_kind[group.kind].append(group)
    for kind, members in by_kind.items():
        members.sort(key=lambda group: (group.first.node not in scene, group.first.seq))
        kept += sorted(members[: MOST[kind]], key=lambda group: group.first.seq)
        left_out += max(0, len(members) - MOST[kind])
    return kept, left_out


def _edges(groups: Sequence[_Group], events: Sequence[Event]) -> Iterator[GraphEdge]:
    """Recorded where a chain of causes leads from one group to another; else from kind to kind."""
    by_seq = {event.seq: event for event in events}
    home = {seq: number for number, group in enumerate(groups) for seq in group.seqs}
    recorded: set[tuple[int, int]] = set()
    for number, group in enumerate(groups):
        for seq in group.seqs[:50]:
            above = by_seq[seq].cause
            while above is not None and above in by_seq:
                if home.get(above, number) != number:
                    recorded.add((home[above], number))
                    break
                above = by_seq[above].cause
    yield from (GraphEdge(source=a, target=b, recorded=True) for a, b in sorted(recorded))
    reached = {target for _, target in recorded}
    told: set[tuple[int, int]] = set()
    for target, group in enumerate(groups):
        if target in reached:
            continue
        for source in _sources(groups, group):
            told.add((source, target))
    sources = {source for source, _ in told | recorded}
    for source, group in enumerate(groups):
        if source not in sources and group.kind in ("fault", "event"):
            # What it led to has left no event of its own, as where images lie still: the call tells of it.
            later = [n for n, other in enumerate(groups) if LAYERS[other.kind] > LAYERS[group.kind]]
            told |= {(source, n) for n in later if groups[n].kind == "ticket"}
    yield from (GraphEdge(source=a, target=b, recorded=False) for a, b in sorted(told))


def _sources(groups: Sequence[_Group], group: _Group) -> list[int]:
    """What a node follows by the lesson: the nearest layer above that is there, on the same node if one is."""
    above: dict[int, list[int]] = {}
    for number, other in enumerate(groups):
        if LAYERS[other.kind] < LAYERS[group.kind] and other.first.seq < group.first.seq:
            above.setdefault(LAYERS[other.kind], []).append(number)
    if not above:
        return []
    found = above[max(above)]
    if group.kind == "recovery":
        # What brought it back is what was done last, and what was done to the same node before.
        return [number for number in found if groups[number].first.node == groups[found[-1]].first.node]
    near = [number for number in found if groups[number].first.node == group.first.node]
    return near or found
