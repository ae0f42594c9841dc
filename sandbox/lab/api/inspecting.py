"""What the API answers to those who look closely: an association step by step and byte by byte, the logs of all nodes,
the history of the configuration. Everything is paged, so that no answer grows with what has happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from sandbox.events.event import Event
from sandbox.events.kinds import ConnectionUnspoken
from sandbox.lab.advice import Configs
from sandbox.lab.association_detail import detail
from sandbox.lab.associations import Story, Wanted
from sandbox.lab.changes import history as read_history
from sandbox.lab.lab import Lab
from sandbox.lab.log_search import LogQuery, search
from sandbox.lab.transcripts import Transcript
from sandbox.model.base import Model
from sandbox.model.history_view import History, LogLines
from sandbox.model.inspection import AssociationDetail, PduDetail, PduLines, StepDetail, Steps, Unspoken
from sandbox.model.view import AssociationView

MOST = 5000
MOST_STEPS = 200


class AssociationPage(Model):
    """The newest ``limit`` associations, of one node or of all; narrowed by an AE title of either end (a part of it),
    outcome ("bad" for all that went wrong), service ("C-STORE", or a SOP class), and words."""

    node: str = Field("", max_length=64)
    ae: str = Field("", max_length=16)
    outcome: str = Field("", max_length=16)
    service: str = Field("", max_length=64)
    q: str = Field("", max_length=200)
    limit: int = Field(100, ge=1, le=MOST)


class StepPage(Model):
    """So many after the one with the number ``after``."""

    after: int = Field(0, ge=0)
    limit: int = Field(50, ge=1, le=MOST_STEPS)


class Window(Model):
    """From which byte on the bytes are told."""

    start: int = Field(0, ge=0)


class LogPage(Model):
    """The newest ``limit`` lines before the event ``before``, or those that follow ``after``. ``q``: all its words must
    be in a line, those in quotation marks together; ``level``: this one and what is more serious. Times are the
    department's own."""

    q: str = Field("", max_length=200)
    node: str = Field("", max_length=64)
    level: Literal["", "info", "warning", "error"] = ""
    association: str = Field("", max_length=32)
    since: datetime | None = None
    until: datetime | None = None
    after: int = Field(0, ge=0)
    before: int = Field(0, ge=0)
    limit: int = Field(200, ge=1, le=MOST)


class HistoryPage(Model):
    """The newest ``limit`` changes before the event ``before``, of one node or of the whole department."""

    node: str = Field("", max_length=64)
    before: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=1000)


class NodePage(Model):
    """The newest ``limit``, of one node or of all."""

    node: str = Field("", max_length=64)
    limit: int = Field(20, ge=1, le=500)


def associations(lab: Lab, query: AssociationPage) -> tuple[AssociationView, ...]:
    hidden = lab.hides_later
    wanted = Wanted(ae_title=query.ae, outcome=query.outcome, service=query.service, text=query.q)
    found = lab.associations.newest(
        limit=query.limit,
        node=query.node,
        show=lambda event: not (hidden and event.is_for_later),
        wanted=None if wanted == Wanted() else wanted,
    )
    return tuple(lab.associations.view(story, detail=False) for story in found)


def connections(lab: Lab, query: NodePage) -> tuple[Unspoken, ...]:
    """Connections that never became an association, newest first."""
    hidden = lab.hides_later

    def wanted(event: Event) -> bool:
        if not isinstance(event.body, ConnectionUnspoken) or (hidden and event.is_for_later):
            return False
        return not query.node or query.node in (event.node, event.body.peer_node)

    found: list[Unspoken] = []
    for event in lab.events.latest(wanted, limit=query.limit):
        body: Any = event.body
        found.append(
            Unspoken(
                seq=event.seq,
                at=event.at,
                node=event.node,
                peer=body.peer,
                peer_node=body.peer_node,
                reason=body.reason,
            )
        )
    return tuple(found)


def association(lab: Lab, _: Model, association_id: str) -> AssociationDetail:
    story = _story(lab, association_id)
    nodes = lab.department.nodes
    supports = {name: nodes[name].contexts() for name in (story.target,) if name in nodes}
    return detail(
        lab.associations.view(story), story, _transcript(lab, story), {n: _configs(lab, n) for n in nodes}, supports
    )


def steps(lab: Lab, query: StepPage, association_id: str) -> Steps:
    return _transcript(lab, _story(lab, association_id)).steps(query.after, query.limit)


def step(lab: Lab, _: Model, association_id: str, number: int) -> StepDetail:
    story = _story(lab, association_id)
    agreed = {result.id: result.transfer_syntax for result in story.results.values() if result.accepted}
    return _transcript(lab, story).step(number, agreed)


def pdus(lab: Lab, query: StepPage, association_id: str) -> PduLines:
    return _transcript(lab, _story(lab, association_id)).pdus(query.after, query.limit)


def pdu(lab: Lab, query: Window, association_id: str, number: int) -> PduDetail:
    return _transcript(lab, _story(lab, association_id)).pdu(number, query.start)


def logs(lab: Lab, query: LogPage) -> LogLines:
    asked = LogQuery(
        text=query.q,
        node=query.node,
        level=query.level,
        association=query.association,
        since=_local(query.since),
        until=_local(query.until),
    )
    return search(
        lab.events.since(0), asked, after=query.after, before=query.before, limit=query.limit, hidden=lab.hides_later
    )


def history(lab: Lab, query: HistoryPage) -> History:
    if query.node:
        lab.department.node(query.node)
    hidden = lab.hides_later
    return read_history(
        lab.events.since(0),
        {name: _configs(lab, name) for name in lab.department.nodes},
        node=query.node,
        before=query.before,
        limit=query.limit,
        show=lambda event: not (hidden and event.is_for_later),
    )


def nodes_of_logs(query: Any, answer: Any) -> Iterable[str]:
    """Whose log somebody has looked at: that of the node they asked for, or of all whose lines they saw. The lines of
    one association belong to its page, and the look at that is noted already."""
    if query.association:
        return ()
    return (query.node,) if query.node else tuple(dict.fromkeys(line.node for line in answer.lines))


def nodes_of_history(query: Any, answer: Any) -> Iterable[str]:
    """Whose history somebody has looked at."""
    return (query.node,) if query.node else tuple(dict.fromkeys(one.node for one in answer.entries if one.node))


def _story(lab: Lab, association_id: str) -> Story:
    return lab.associations.story(association_id, show=lab.may_show)


def _transcript(lab: Lab, story: Story) -> Transcript:
    return lab.associations.transcripts.of(story.id, lab.composition.capture)


def _configs(lab: Lab, name: str) -> Configs:
    node = lab.department.node(name)
    return Configs(running=node.running, saved=node.saved)


def _local(at: datetime | None) -> datetime | None:
    """The department's clock has no zone."""
    return None if at is None else at if at.tzinfo is None else at.astimezone().replace(tzinfo=None)
