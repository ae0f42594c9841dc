"""Associations as people look at them: both ends put together from the events of the log, and told in words.

The index follows the log, each event being read once however often it is asked. What became of an association is its
last word ("rejected", "released"); ``advice`` adds which setting most likely matters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.dicom.explain import explain_context, explain_dial, explain_rejection, explain_status, uid_name
from sandbox.events import kinds
from sandbox.events.event import PROBE, Event
from sandbox.events.log import EventLog
from sandbox.lab.sentences import counted
from sandbox.lab.transcripts import Transcripts
from sandbox.model.association import (
    AssociationFacts,
    ContextResult,
    DialFailure,
    Exchange,
    ProposedContext,
    Rejection,
    Side,
)
from sandbox.model.errors import NotFoundError
from sandbox.model.view import AssociationView, ContextView, ExchangeView

OUTSIDE = "outside"
"""What the source or target is called when it is no node of the lab."""

NO_TITLE = "(no AE title)"

Advice = Callable[["Story"], str]
Owner = Callable[[str], str]
"""The node that a simulated address belongs to; empty for none."""


@dataclass
class Story:
    """One association as far as the log tells it. ``outcome`` is the word of AssociationView."""

    id: str
    first: Event
    outcome: str = "requested"
    ends: dict[Side, AssociationFacts] = field(default_factory=dict)
    proposed: tuple[ProposedContext, ...] = ()
    results: dict[int, ContextResult] = field(default_factory=dict)
    exchanges: dict[Side, list[tuple[datetime, Exchange]]] = field(default_factory=dict)
    rejection: Rejection | None = None
    failure: DialFailure | None = None
    abort: str = ""
    dialled: str = ""
    ended_at: datetime | None = None

    @property
    def facts(self) -> AssociationFacts:
        """The facts of the end that tells more: the requestor's where it is a node of the lab."""
        return self.ends.get(Side.REQUESTOR) or self.ends[Side.ACCEPTOR]

    @property
    def source(self) -> str:
        """The node that called, or "outside"."""
        if Side.REQUESTOR in self.ends:
            return self.ends[Side.REQUESTOR].node
        return self.ends[Side.ACCEPTOR].peer_node or OUTSIDE

    @property
    def target(self) -> str:
        """The node that was called, or "outside"."""
        if Side.ACCEPTOR in self.ends:
            return self.ends[Side.ACCEPTOR].node
        # Without a connection there was no peer, only an address and whose it is.
        return self.ends[Side.REQUESTOR].peer_node or self.dialled or OUTSIDE

    @property
    def told(self) -> list[tuple[datetime, Exchange]]:
        """The exchanges as one end saw them; both ends saw the same."""
        return self.exchanges.get(self.facts.side) or next(iter(self.exchanges.values()), [])

    @property
    def addresses(self) -> tuple[str, str]:
        """Address and port of source and target."""
        facts = self.facts
        return (facts.local, facts.peer) if facts.side is Side.REQUESTOR else (facts.peer, facts.local)


_LAST = frozenset({"association.failed", "association.rejected", "association.released", "association.aborted"})
BAD = frozenset({"failed", "rejected", "aborted"})
"""Outcomes of associations that went wrong as a whole."""


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; what is empty narrows nothing. ``ae_title`` is either end's, in part and whatever its
    case; ``outcome`` is the word of AssociationView, or "bad" for all that went wrong, as a whole, in every context or
    in one request; ``service`` is a DIMSE service or a SOP class in part; ``text`` is looked for in the sentence,
    titles, nodes and addresses, word by word."""

    ae_title: str = ""
    outcome: str = ""
    service: str = ""
    text: str = ""

    def takes(self, story: Story) -> bool:
        facts = story.facts
        if self.ae_title and self.ae_title.lower() not in f"{facts.calling_ae}\n{facts.called_ae}".lower():
            return False
        if self.outcome and not (_went_wrong(story) if self.outcome == "bad" else story.outcome == self.outcome):
            return False
        if self.service and not self._serves(story):
            return False
        if not self.text:
            return True
        told = [exchange for _, exchange in story.told]
        said = " ".join((_sentence(story, told), story.source, story.target, *story.addresses, story.id)).lower()
        return all(word in said for word in self.text.lower().split())

    def _serves(self, story: Story) -> bool:
        wanted = self.service.lower()
        if any(wanted in exchange.service.lower() for _, exchange in story.told):
            return True
        return any(wanted in uid_name(context.abstract_syntax).lower() for context in story.proposed)


def _went_wrong(story: Story) -> bool:
    if story.outcome in BAD or (story.results and not any(result.accepted for result in story.results.values())):
        return True
    return any(exchange.status not in (0, 0xFE00) and exchange.status >> 12 != 0xB for _, exchange in story.told)


class Associations:
    """Every association of one log. Thread-safe."""

    def __init__(self, events: EventLog, advice: Advice = lambda story: "", owner: Owner = lambda address: "") -> None:
        self.transcripts = Transcripts()
        self._events = events
        self._advice = advice
        self._owner = owner
        self._lock = threading.Lock()
        self._position = 0
        self._stories: dict[str, Story] = {}

    def newest(
        self,
        *,
        limit: int,
        node: str = "",
        show: Callable[[Event], bool] = lambda event: True,
        wanted: Wanted | None = None,
    ) -> list[Story]:
        """The newest associations first: those of ``node`` if it is given, those that ``show`` lets through, and of
        them what is ``wanted``."""
        with self._lock:
            self._read_on()
            found: list[Story] = []
            for story in reversed(self._stories.values()):
                if len(found) == limit:
                    break
                if node and node not in (story.source, story.target):
                    continue
                if show(story.first) and (wanted is None or wanted.takes(story)):
                    found.append(story)
            return found

    def story(self, association: str, *, show: Callable[[Event], bool] = lambda event: True) -> Story:
        """One association; NotFoundError when there is none, or none that ``show`` lets through."""
        with self._lock:
            self._read_on()
            story = self._stories.get(association)
        if story is None or not show(story.first):
            raise NotFoundError(f"There is no association {association!r}.", "Choose one from the list.")
        return story

    def view(self, story: Story, *, detail: bool = True) -> AssociationView:
        """A story as screens show it; without ``detail`` it has neither contexts nor exchanges."""
        with self._lock:
            facts, told = story.facts, list(story.told)
            source_address, target_address = story.addresses
        return AssociationView(
            id=story.id,
            at=story.first.at,
            source=story.source,
            target=story.target,
            calling_ae=facts.calling_ae,
            called_ae=facts.called_ae,
            source_address=source_address,
            target_address=target_address,
            outcome=story.outcome,
            sentence=_sentence(story, [exchange for _, exchange in told]),
            explanation=" ".join(part for part in (_explanation(story), self._advice(story)) if part),
            contexts=tuple(_context_view(each, story.results.get(each.id)) for each in story.proposed)
            if detail
            else (),
            exchanges=tuple(_exchange_view(at, exchange) for at, exchange in told) if detail else (),
            exchange_count=len(told),
            for_check=story.first.actor == PROBE,
            first_event=story.first.seq,
        )

    def _read_on(self) -> None:
        for event in self._events.since(self._position):
            self._position = event.seq
            self._take(event)

    def _take(self, event: Event) -> None:
        body: Any = event.body
        if isinstance(body, kinds.DimseExchanged):
            story = self._stories.get(body.association)
            if story is not None:
                story.exchanges.setdefault(Side(body.side), []).append((event.at, body.exchange))
            return
        facts = getattr(body, "facts", None)
        if not isinstance(facts, AssociationFacts):
            return
        story = self._stories.setdefault(facts.id, Story(facts.id, event))
        story.ends[facts.side] = facts
        if event.kind in _LAST:
            story.ended_at = event.at
        match body:
            case kinds.AssociationRequested():
                story.proposed = story.proposed or body.proposed
            case kinds.AssociationFailed():
                story.outcome, story.failure = "failed", body.failure
                story.dialled = self._owner(body.failure.address)
            case kinds.AssociationAccepted():
                story.results = {result.id: result for result in body.contexts}
                if story.outcome == "requested":
                    story.outcome = "accepted"
            case kinds.AssociationRejected():
                story.outcome, story.rejection = "rejected", body.rejection
            case kinds.AssociationReleased():
                if story.outcome != "aborted":
                    story.outcome = "released"
            case kinds.AssociationAborted():
                story.outcome, story.abort = "aborted", body.reason


def _sentence(story: Story, told: list[Exchange]) -> str:
    who = f"{story.facts.calling_ae or NO_TITLE} to {story.facts.called_ae or NO_TITLE}"
    if story.failure is not None:
        return f"{who}: no connection, {explain_dial(story.failure.outcome).name}."
    if story.rejection is not None:
        return f"{who}: rejected ({story.rejection}), {explain_rejection(story.rejection).name}."
    if story.outcome == "requested":
        return f"{who}: asked, not answered yet."
    refused = sum(not result.accepted for result in story.results.values())
    contexts = f"{len(story.results) - refused} of {counted(len(story.results), 'context')} accepted"
    parts = [contexts, *_work(told)]
    if story.outcome == "aborted":
        parts.append(f"aborted: {story.abort}")
    return f"{who}: {', '.join(parts)}."


def _work(told: list[Exchange]) -> list[str]:
    """ "12 C-STORE, 2 of them failed"."""
    parts: list[str] = []
    for service in dict.fromkeys(exchange.service for exchange in told):
        of_it = [exchange for exchange in told if exchange.service == service]
        failed = sum(exchange.status != 0 and exchange.status >> 12 != 0xB for exchange in of_it)
        parts.append(f"{len(of_it)} {service}" + (f" ({failed} failed)" if failed else ""))
    return parts


def _explanation(story: Story) -> str:
    if story.failure is not None:
        words = explain_dial(story.failure.outcome)
    elif story.rejection is not None:
        words = explain_rejection(story.rejection)
    elif story.results and not any(result.accepted for result in story.results.values()):
        words = explain_context(next(iter(story.results.values())).result)
    else:
        return ""
    return f"{words.meaning}. {words.look}".strip()


def _context_view(proposed: ProposedContext, result: ContextResult | None) -> ContextView:
    words = None if result is None else explain_context(result.result)
    return ContextView(
        id=proposed.id,
        abstract_syntax=proposed.abstract_syntax,
        abstract_name=uid_name(proposed.abstract_syntax),
        transfer_syntaxes=proposed.transfer_syntaxes,
        transfer_names=tuple(uid_name(uid) for uid in proposed.transfer_syntaxes),
        result=None if result is None else result.result,
        result_text="" if words is None else words.name,
        accepted_transfer="" if result is None or not result.accepted else uid_name(result.transfer_syntax),
    )


def _exchange_view(at: datetime, exchange: Exchange) -> ExchangeView:
    words = explain_status(exchange.service, exchange.status)
    return ExchangeView(
        service=exchange.service,
        sop_class_name=uid_name(exchange.sop_class),
        sop_instance=exchange.sop_instance,
        status=exchange.status,
        status_text=words.name,
        meaning=words.meaning,
        comment=exchange.comment,
        size=exchange.size,
        pending=exchange.pending,
        duration_ms=exchange.duration_ms,
        at=at,
    )
