"""The way of a study told from its events: steps, the associations that carried it, and how routers decided.

A study of four hundred images is four hundred events at every node; what is alike and close together is one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.dicom.explain import explain_status
from sandbox.events import kinds
from sandbox.events.event import Event
from sandbox.lab.associations import Story
from sandbox.lab.sentences import counted, event_view
from sandbox.model.association import Side
from sandbox.model.errors import NotFoundError
from sandbox.model.follow_view import Carried, Hop, Routing

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

TOGETHER_S = 60.0
"""Events alike that follow each other within so many seconds are one step."""

MOST = 300
"""The most steps that are told: the newest."""


def is_refusal(status: int) -> bool:
    """Whether a C-STORE failed. Warnings (Bxxx) store all the same (PS3.4 B.2.3)."""
    return status != 0 and status >> 12 != 0xB


@dataclass
class _Step:
    first: Event
    last: Event
    count: int = 1
    again: int = 0
    bodies: list[Any] = field(default_factory=list)


def hops(events: Sequence[Event]) -> tuple[Hop, ...]:
    """The steps, oldest first."""
    steps: list[_Step] = []
    latest: dict[tuple[object, ...], _Step] = {}
    for event in events:
        key = _key(event)
        if key is None:
            continue
        step = latest.get(key)
        if step is None or (event.at - step.last.at).total_seconds() > TOGETHER_S:
            step = latest[key] = _Step(event, event, 0)
            steps.append(step)
        step.last = event
        step.count += 1
        step.again += bool(getattr(event.body, "duplicate", False))
    return tuple(_hop(step) for step in steps[-MOST:])


def _key(event: Event) -> tuple[object, ...] | None:
    """What makes two events one step; None for what is no step."""
    body: Any = event.body
    match body:
        case kinds.DimseExchanged():
            # Success is told by what was stored; both ends tell of a refusal, one is enough.
            if not is_refusal(body.exchange.status):
                return None
            return (event.kind, body.association, body.exchange.status)
        case kinds.InstanceStored():
            return (event.kind, event.node, body.association)
        case kinds.QueueSent():
            return (event.kind, event.node, body.destination)
        case kinds.QueueFailed() | kinds.QueueEntryDied():
            return (event.kind, event.node, body.destination, body.reason)
        case kinds.StudyRouted():
            return (event.kind, event.node, body.rules, body.destinations)
    return (event.kind, event.seq)


def _hop(step: _Step) -> Hop:
    view = event_view(step.first)
    return Hop(
        at=step.first.at,
        until=step.last.at,
        node=step.first.node,
        kind=step.first.kind,
        sentence=_sentence(step) or view.sentence,
        count=step.count,
        association=view.association,
        good=view.good,
        seq=step.first.seq,
    )


def _sentence(step: _Step) -> str:
    """What several events say together; empty where the first one's own sentence does."""
    node, body = step.first.node, step.last.body
    match body:
        case kinds.InstanceStored():
            said = (
                f"{node} stored {counted(step.count, 'image')} from {body.calling_ae}"
                if body.association
                else f"{node} keeps {counted(step.count, 'image')} on its own disk"
            )
            return said + (f"; {step.again} of them it had already." if step.again else ".")
        case kinds.QueueSent():
            return f"{node} sent {counted(step.count, 'image')} to {body.destination}."
        case kinds.QueueFailed():
            times = f" ({step.count} times)" if step.count > 1 else ""
            return f"{node} could not send to {body.destination}{times}: {body.reason.rstrip('.')}."
        case kinds.QueueEntryDied():
            what = counted(step.count, "image")
            return f"{node} gave up sending {what} to {body.destination}: {body.reason.rstrip('.')}."
        case kinds.DimseExchanged():
            answer = explain_status("C-STORE", body.exchange.status).name
            who = body.peer_ae or "an unnamed AE"
            return f"{node} and {who}: {counted(_images(step), 'image')} refused, {answer}."
    return ""


def _images(step: _Step) -> int:
    """Both ends tell of one refusal where both are nodes of the lab."""
    return step.count if step.first.node == step.last.node else (step.count + 1) // 2


def carried(lab: Lab, events: Sequence[Event]) -> tuple[Carried, ...]:
    """The associations on which its instances went, oldest first."""
    ends: dict[str, dict[Side, list[Event]]] = {}
    for event in events:
        if isinstance(event.body, kinds.DimseExchanged):
            ends.setdefault(event.body.association, {}).setdefault(Side(event.body.side), []).append(event)
    found = []
    for association, told in ends.items():
        try:
            story = lab.associations.story(association)
        except NotFoundError:
            continue
        found.append(_carried(story, max(told.values(), key=len)))
    return tuple(found)


def _carried(story: Story, told: Sequence[Event]) -> Carried:
    statuses = Counter(event.body.exchange.status for event in told if isinstance(event.body, kinds.DimseExchanged))
    refusals = {status: times for status, times in statuses.items() if is_refusal(status)}
    return Carried(
        association=story.id,
        at=story.first.at,
        source=story.source,
        target=story.target,
        calling_ae=story.facts.calling_ae,
        called_ae=story.facts.called_ae,
        stored=sum(statuses.values()) - sum(refusals.values()),
        refused=sum(refusals.values()),
        refusals=tuple(
            f"{explain_status('C-STORE', status).name}" + (f" ({status:04X})" if status >= 0 else "") + f", {times}×"
            for status, times in refusals.items()
        ),
        outcome=story.outcome,
    )


def routing(lab: Lab, events: Sequence[Event]) -> tuple[Routing, ...]:
    """How routers decided, oldest first. The same decision on another association is told again."""
    found = []
    for event in events:
        body = event.body
        if not isinstance(body, kinds.StudyRouted):
            continue
        node = lab.department.nodes.get(event.node)
        rules = [] if node is None else getattr(node.running, "rules", ())
        known = dict.fromkeys(name for rule in rules if rule.enabled for name in rule.destinations)
        found.append(
            Routing(
                node=event.node,
                at=event.at,
                rules=body.rules,
                destinations=body.destinations,
                not_to=tuple(name for name in known if name not in body.destinations),
                sentence=_routed(event.node, body),
                seq=event.seq,
            )
        )
    return tuple(found)


def _routed(node: str, body: kinds.StudyRouted) -> str:
    if not body.destinations:
        return f"No rule of {node} matched, so it goes nowhere."
    rules = f"rule{'' if len(body.rules) == 1 else 's'} {', '.join(body.rules)}"
    return f"{node} sends it to {', '.join(body.destinations)} by {rules}."
