"""What each route of the API answers: a lab and the request's parameters in, a typed value out. No HTTP in here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, StrictStr

from sample_dicom.procedures import PROCEDURES, procedures_for
from sandbox.archive.archive import Archive
from sandbox.archive.display import render_frame
from sandbox.archive.views import StudyFilter
from sandbox.events.kinds import NodeLogged
from sandbox.lab import headers
from sandbox.lab.follow import follow, search
from sandbox.lab.lab import Lab
from sandbox.lab.sentences import event_view
from sandbox.lab.views import node_view
from sandbox.model.base import Model
from sandbox.model.config_path import differences
from sandbox.model.desk_view import DeskView
from sandbox.model.errors import NotFoundError
from sandbox.model.follow_view import FollowedStudy, Search
from sandbox.model.header_view import HeaderComparison, HeaderView, ImageFacts
from sandbox.model.patient import Procedure
from sandbox.model.view import (
    AeTable,
    AssociationView,
    AttemptState,
    AttemptView,
    CommandResult,
    ConfigView,
    EventView,
    LabView,
    LogLine,
    NodeView,
    QueueEntry,
    QueueView,
    StudyDetail,
    StudySummary,
)
from sandbox.network.pcap import export
from sandbox.network.plan import Action, FirewallRule, Vlan
from sandbox.network.views import HostView
from sandbox.nodes.queue import SendQueue

MOST = 5000
"""The most lines of anything that one answer holds."""


LONGEST_ACTOR = 100
"""Characters of who asks: a role, and the name of a user with up to 64."""


class Nothing(Model):
    """No parameters."""


class Page(Model):
    """``after`` 0 gives the newest ``limit``; a number gives those that follow it. Oldest first either way."""

    after: int = Field(0, ge=0)
    limit: int = Field(200, ge=1, le=MOST)


class EventPage(Page):
    node: str = ""


class StudySearch(Model):
    """``q`` is looked for in name, patient ID, accession number and description."""

    q: str = Field("", max_length=200)
    limit: int = Field(100, ge=1, le=MOST)


class Window(Model):
    """The window of a grey image (PS3.3 C.11.2.1.2). Without one, the image's own."""

    center: float | None = Field(None, ge=-1e7, le=1e7)
    width: float | None = Field(None, ge=1, le=1e7)


class StudyWords(Model):
    """``q`` is looked for in name, patient ID, accession number and description, or is a Study Instance UID."""

    q: str = Field("", max_length=200)


class Other(Model):
    """The other object: without a node that of the same node, without an instance the same one."""

    with_node: str = Field("", max_length=64)
    with_instance: str = Field("", max_length=64)


class ByModality(Model):
    modality: str = Field("", max_length=16)


class OneAssociation(Model):
    """Empty for everything that was said in the lab."""

    association: str = Field("", max_length=32)


class StreamStart(Model):
    """``after`` is the last event known; without it the stream begins now. Last-Event-ID does the same."""

    after: int | None = Field(None, ge=0)


class Health(Model):
    """``status`` is "ok" as soon as the lab answers."""

    status: str = "ok"
    lab: str
    running: bool


class NetworkAnswer(Model):
    """What a network colleague can look up: VLANs, hosts, DNS and the firewall's rules in the order they are tried.

    What is wrong with a link can be seen only in how it behaves.
    """

    domain: str
    vlans: tuple[Vlan, ...]
    hosts: tuple[HostView, ...]
    dns: dict[str, str]
    rules: tuple[FirewallRule, ...]
    default_action: Action


class CommandInfo(Model):
    """A command that this lab takes, and the JSON schema of its parameters."""

    name: str
    title: str
    help: str
    params_schema: dict[str, Any] = Field(alias="schema")


class CommandRequest(Model):
    """``actor`` says who: "trainee:anna", "cli", "instructor:marion"."""

    command: StrictStr = Field(max_length=64)
    params: dict[str, Any] = Field(default_factory=dict)
    actor: StrictStr = Field("person", min_length=1, max_length=LONGEST_ACTOR, pattern=r"^[^\x00-\x1f]+$")


def health(lab: Lab, _: Nothing) -> Health:
    return Health(lab=lab.id, running=lab.is_running)


def lab(lab: Lab, _: Nothing) -> LabView:
    return lab.view()


def network(lab: Lab, _: Nothing) -> NetworkAnswer:
    seen = lab.department.network.describe()
    return NetworkAnswer(
        domain=seen.domain,
        vlans=seen.vlans,
        hosts=seen.hosts,
        dns=seen.dns,
        rules=seen.rules,
        default_action=seen.default_action,
    )


def node(lab: Lab, _: Nothing, name: str) -> NodeView:
    return node_view(lab, lab.department.node(name))


def config(lab: Lab, _: Nothing, name: str) -> ConfigView:
    node = lab.department.node(name)
    return ConfigView(
        node=node.name,
        role=node.role,
        saved=node.saved.model_dump(mode="json"),
        running=node.running.model_dump(mode="json"),
        differences=differences(node.running, node.saved),
        form_schema=type(node.saved).model_json_schema(),
    )


def ae_table(lab: Lab, _: Nothing, name: str) -> AeTable:
    node = lab.department.node(name)
    newest = node.store.studies(limit=1) if node.store is not None and node.role == "archive" else ()
    return AeTable(
        node=node.name,
        ae_title=node.running.ae_title,
        remotes=node.running.remotes,
        saved_remotes=node.saved.remotes,
        modality=str(getattr(node.running, "modality", "")),
        newest_study=newest[0].study_uid if newest else "",
    )


def log(lab: Lab, query: Page, name: str) -> tuple[LogLine, ...]:
    node = lab.department.node(name)
    lines: list[LogLine] = []
    hidden = lab.hides_later
    events = lab.events.since(query.after)
    for event in events if query.after else reversed(events):
        if event.node == node.name and isinstance(event.body, NodeLogged) and not (hidden and event.is_for_later):
            body = event.body
            lines.append(
                LogLine(seq=event.seq, at=event.at, level=body.level, text=body.text, association=body.association)
            )
            if len(lines) == query.limit:
                break
    return tuple(lines if query.after else reversed(lines))


def queues(lab: Lab, _: Nothing, name: str) -> tuple[QueueView, ...]:
    node = lab.department.node(name)
    return () if node.queue is None else node.queue.views()


def queue_entries(lab: Lab, _: Nothing, name: str, destination: str) -> tuple[QueueEntry, ...]:
    return _queue(lab, name).entries(destination)


def studies(lab: Lab, query: StudySearch, name: str) -> tuple[StudySummary, ...]:
    store = lab.department.node(name).store
    if store is None:
        return ()
    return tuple(store.studies(StudyFilter(text=query.q), limit=query.limit))


def study(lab: Lab, _: Nothing, name: str, uid: str) -> StudyDetail:
    found = _store(lab, name).study(uid)
    if found is None:
        raise NotFoundError(f"{name} does not hold the study {uid}.", "Look where else it may be.")
    return found


def frame(lab: Lab, query: Window, name: str, sop_instance: str, number: int) -> bytes:
    path = _store(lab, name).instance_path(sop_instance)
    if path is None:
        raise NotFoundError(f"{name} does not hold the image {sop_instance}.", "Look where else it may be.")
    return render_frame(path, number - 1, center=query.center, width=query.width)


def find_studies(lab: Lab, query: StudyWords) -> Search:
    return search(lab, query.q)


def followed(lab: Lab, _: Nothing, uid: str) -> FollowedStudy:
    return follow(lab, uid)


def nodes_followed(_: Nothing, answer: FollowedStudy) -> tuple[str, ...]:
    """The nodes of which it tells more than that they have the study, or have it not."""
    telling = [row.node for row in answer.waiting]
    telling += [row.node for row in answer.taken_out]
    telling += [row.node for row in answer.routing if not row.destinations]
    telling += [node for row in answer.carried if row.refused for node in (row.source, row.target)]
    return tuple(dict.fromkeys(telling)) or ("",)


def nodes_compared(_: Other, answer: HeaderComparison) -> tuple[str, ...]:
    return tuple(dict.fromkeys((answer.left.node, answer.right.node)))


def header(lab: Lab, _: Nothing, name: str, sop_instance: str) -> HeaderView:
    return headers.header(lab, name, sop_instance)


def comparison(lab: Lab, query: Other, name: str, sop_instance: str) -> HeaderComparison:
    other = (query.with_node or name, query.with_instance or sop_instance)
    return headers.compare(lab, (name, sop_instance), other)


def image_facts(lab: Lab, _: Nothing, name: str, sop_instance: str) -> ImageFacts:
    return headers.facts(lab, name, sop_instance)


def procedures(_lab: Lab, query: ByModality) -> tuple[Procedure, ...]:
    return procedures_for(query.modality) if query.modality else PROCEDURES


def association(lab: Lab, _: Nothing, association_id: str) -> AssociationView:
    return lab.associations.view(lab.associations.story(association_id, show=lab.may_show))


def events(lab: Lab, query: EventPage) -> tuple[EventView, ...]:
    found: list[EventView] = []
    hidden = lab.hides_later
    events = lab.events.since(query.after)
    for event in events if query.after else reversed(events):
        if (not query.node or event.node == query.node) and not (hidden and event.is_for_later):
            found.append(event_view(event))
            if len(found) == query.limit:
                break
    return tuple(found if query.after else reversed(found))


def capture(lab: Lab, query: OneAssociation) -> Iterator[bytes]:
    """Without the traffic of checks and faults while a drill runs."""
    wanted: set[str] | None = None
    if query.association:
        wanted = {association(lab, Nothing(), query.association).id}
    elif lab.hides_later:
        stories = lab.associations.newest(limit=len(lab.events), show=lambda event: not event.is_for_later)
        wanted = {story.id for story in stories}
    return export(lab.composition.capture, wanted)


def commands(lab: Lab, _: Nothing) -> tuple[CommandInfo, ...]:
    return tuple(
        CommandInfo(
            name=name,
            title=offer.command.title,
            help=" ".join((offer.command.__doc__ or "").split()),
            schema=offer.command.model_json_schema(),
        )
        for name, offer in sorted(lab.commands.items())
    )


def command(lab: Lab, body: CommandRequest) -> CommandResult:
    return lab.execute(lab.parse(body.command, body.params), body.actor)


def attempt(lab: Lab, _: Nothing) -> AttemptView:
    if lab.attempt is None:
        raise NotFoundError("No drill runs in this lab.", "Start one from the list of drills.")
    return lab.attempt.view()


def desk(lab: Lab, _: Nothing) -> DeskView:
    view = attempt(lab, _)
    return DeskView(running=view.state is AttemptState.RUNNING, notes=view.notes, pins=view.pins)


def _queue(lab: Lab, name: str) -> SendQueue:
    queue = lab.department.node(name).queue
    if queue is None:
        raise NotFoundError(f"{name} has no send queue.", "Modalities and routers have one.")
    return queue


def _store(lab: Lab, name: str) -> Archive:
    store = lab.department.node(name).store
    if store is None:
        raise NotFoundError(f"{name} keeps no images.", "Look on another node.")
    return store
