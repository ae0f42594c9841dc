"""The route table of the API: every address, what it takes, what it answers and who looks at what there.

The application, the OpenAPI document and the test that all of them answer as described are made from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.lab.api import inspecting, reads, terminal_reads
from sandbox.lab.api.reads import Nothing
from sandbox.model.base import Model
from sandbox.model.desk_view import DeskView
from sandbox.model.follow_view import FollowedStudy, Search
from sandbox.model.header_view import HeaderComparison, HeaderView, ImageFacts
from sandbox.model.history_view import History, LogLines
from sandbox.model.inspection import AssociationDetail, PduDetail, PduLines, StepDetail, Steps, Unspoken
from sandbox.model.patient import Procedure
from sandbox.model.terminal_view import Completion, TerminalOutput
from sandbox.model.view import (
    AeTable,
    AssociationView,
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


class Media(StrEnum):
    """What an answer is made of."""

    JSON = "application/json"
    PNG = "image/png"
    PCAP = "application/vnd.tcpdump.pcap"
    EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Route:
    """``path`` has its parameters in angle brackets. ``answer`` is the type of a JSON answer. ``takes`` are the
    query's parameters, or the body's for POST. ``evidence`` says what somebody has looked at who asked for this, and
    ``nodes`` of which nodes, where the path does not name one (from what was asked and what was answered)."""

    path: str
    title: str
    handler: Callable[..., Any] | None
    answer: Any = None
    takes: type[Model] = Nothing
    media: Media = Media.JSON
    method: str = "GET"
    is_public: bool = False
    evidence: str = ""
    nodes: Callable[[Any, Any], Iterable[str]] | None = None

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.title.lower().replace(" ", "-").replace("'", "")


ROUTES: tuple[Route, ...] = (
    Route("/health", "Health", reads.health, reads.Health, is_public=True),
    Route("/openapi.json", "This description", None, dict[str, Any]),
    Route("/lab", "The lab", reads.lab, LabView),
    Route("/network", "The network", reads.network, reads.NetworkAnswer),
    Route("/nodes/<name>", "A node", reads.node, NodeView),
    Route("/nodes/<name>/config", "A node's configuration", reads.config, ConfigView, evidence="config"),
    # Tools, terminals and the tour ask for this by themselves, so it is no sign that somebody has looked.
    Route("/nodes/<name>/ae-table", "A node's AE table", reads.ae_table, AeTable),
    Route("/nodes/<name>/log", "A node's log", reads.log, tuple[LogLine, ...], reads.Page, evidence="log"),
    Route("/nodes/<name>/queue", "A node's queues", reads.queues, tuple[QueueView, ...], evidence="queue"),
    Route(
        "/nodes/<name>/queue/<destination>",
        "The entries of a queue",
        reads.queue_entries,
        tuple[QueueEntry, ...],
        evidence="queue",
    ),
    Route(
        "/nodes/<name>/studies",
        "A node's studies",
        reads.studies,
        tuple[StudySummary, ...],
        reads.StudySearch,
        evidence="studies",
    ),
    Route("/nodes/<name>/studies/<uid>", "A study", reads.study, StudyDetail, evidence="studies"),
    Route(
        "/nodes/<name>/instances/<sop_instance>/frames/<int:number>.png",
        "A frame",
        reads.frame,
        takes=reads.Window,
        media=Media.PNG,
        evidence="instance",
    ),
    Route(
        "/nodes/<name>/instances/<sop_instance>/facts",
        "What a viewer needs of an image",
        reads.image_facts,
        ImageFacts,
        evidence="instance",
    ),
    Route("/nodes/<name>/instances/<sop_instance>/header", "A header", reads.header, HeaderView, evidence="header"),
    Route(
        "/nodes/<name>/instances/<sop_instance>/compare",
        "Two headers compared",
        reads.comparison,
        HeaderComparison,
        reads.Other,
        evidence="compare",
        nodes=reads.nodes_compared,
    ),
    Route("/follow", "Studies found anywhere", reads.find_studies, Search, reads.StudyWords, evidence="follow"),
    Route(
        "/follow/<uid>",
        "A study followed hop by hop",
        reads.followed,
        FollowedStudy,
        evidence="follow",
        nodes=reads.nodes_followed,
    ),
    Route("/procedures", "The procedure catalogue", reads.procedures, tuple[Procedure, ...], reads.ByModality),
    Route(
        "/associations",
        "The associations",
        inspecting.associations,
        tuple[AssociationView, ...],
        inspecting.AssociationPage,
    ),
    Route(
        "/associations/<association_id>",
        "An association",
        inspecting.association,
        AssociationDetail,
        evidence="association",
    ),
    Route(
        "/associations/<association_id>/messages",
        "What was said on an association",
        inspecting.steps,
        Steps,
        inspecting.StepPage,
        evidence="association",
    ),
    Route(
        "/associations/<association_id>/messages/<int:number>",
        "A message",
        inspecting.step,
        StepDetail,
        evidence="association",
    ),
    Route(
        "/associations/<association_id>/pdus",
        "The PDUs of an association",
        inspecting.pdus,
        PduLines,
        inspecting.StepPage,
        evidence="association",
    ),
    Route(
        "/associations/<association_id>/pdus/<int:number>",
        "A PDU",
        inspecting.pdu,
        PduDetail,
        inspecting.Window,
        evidence="association",
    ),
    Route(
        "/connections",
        "Connections without an association",
        inspecting.connections,
        tuple[Unspoken, ...],
        inspecting.NodePage,
    ),
    Route(
        "/logs",
        "The logs of all nodes",
        inspecting.logs,
        LogLines,
        inspecting.LogPage,
        evidence="log",
        nodes=inspecting.nodes_of_logs,
    ),
    Route(
        "/history",
        "The history of the configuration",
        inspecting.history,
        History,
        inspecting.HistoryPage,
        evidence="history",
        nodes=inspecting.nodes_of_history,
    ),
    Route("/events", "Events", reads.events, tuple[EventView, ...], reads.EventPage),
    Route("/events/stream", "Events as they happen", None, takes=reads.StreamStart, media=Media.EVENTS),
    Route("/capture.pcap", "The capture", reads.capture, takes=reads.OneAssociation, media=Media.PCAP),
    Route("/commands", "The commands", reads.commands, tuple[reads.CommandInfo, ...]),
    Route("/commands", "Give a command", reads.command, CommandResult, reads.CommandRequest, method="POST"),
    Route(
        "/nodes/<name>/terminal", "A line that runs", terminal_reads.terminal_now, TerminalOutput, terminal_reads.OneRun
    ),
    Route(
        "/nodes/<name>/terminal/words",
        "What can be typed next",
        terminal_reads.terminal_words,
        Completion,
        terminal_reads.Typed,
    ),
    Route("/attempt", "The drill", reads.attempt, AttemptView),
    Route("/attempt/desk", "Notes and pinned evidence", reads.desk, DeskView),
)
