"""What a lab shows of itself through its API: the typed answers that the console, the command line and tests read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from sandbox.model.base import Model
from sandbox.model.config import RemoteNode
from sandbox.model.config_path import Change
from sandbox.model.debrief_view import DebriefView as DebriefView
from sandbox.model.debrief_view import TimelineEntry as TimelineEntry
from sandbox.model.desk_view import DiagnosisView, Message, NoteView, PinView, SolutionStep
from sandbox.model.terminal_view import TerminalOutput
from sandbox.model.verdict import Finding


class NodeState(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


class QueueState(StrEnum):
    """``waiting`` means that a retry is due later; ``held`` that somebody suspended the destination."""

    IDLE = "idle"
    SENDING = "sending"
    WAITING = "waiting"
    HELD = "held"


class QueueView(Model):
    """One destination's send queue. ``oldest_s`` is the age of its oldest entry in seconds."""

    destination: str
    state: QueueState
    waiting: int
    dead: int
    sent: int
    oldest_s: float = 0.0
    last_error: str = ""
    retry_in_s: float | None = None
    held_since: datetime | None = None
    held_reason: str = ""


class QueueEntry(Model):
    """One instance waiting for (or set aside from) one destination."""

    id: int
    destination: str
    study_uid: str
    sop_instance: str
    patient_name: str
    accession_number: str
    description: str
    priority: int
    attempts: int
    added: datetime
    dead: bool = False
    last_error: str = ""


class Counts(Model):
    """What a node's store holds. ``size`` is in bytes."""

    patients: int = 0
    studies: int = 0
    series: int = 0
    instances: int = 0
    size: int = 0


class NodeView(Model):
    """One node at a glance. ``x`` and ``y`` place it on the map (0 to 100); ``published`` is its real host:port,
    ``dicomweb`` the real URL of its DICOMweb, if it has that."""

    name: str
    role: str
    title: str
    location: str = ""
    ae_title: str
    host: str
    address: str
    vlan: str
    port: int
    published: str
    tls_port: int = 0
    tls_published: str = ""
    dicomweb: str = ""
    state: NodeState
    needs_restart: bool
    sentence: str
    counts: Counts = Counts()
    queued: int = 0
    dead: int = 0
    held: tuple[str, ...] = ()
    associations: int = 0
    abilities: tuple[str, ...] = ()
    x: float = 50.0
    y: float = 50.0


class Flow(Model):
    """What one node is configured to send to another, for the map, and what has passed of late.

    ``waiting`` and ``dead`` are in its queue now, which is ``held`` if somebody suspended it; ``error`` is why it last
    could not send.
    """

    source: str
    target: str
    label: str = ""
    sent: int = 0
    failed: int = 0
    last_at: datetime | None = None
    last_ok: bool | None = None
    waiting: int = 0
    dead: int = 0
    held: bool = False
    held_reason: str = ""
    error: str = ""


class LabView(Model):
    """A lab at a glance."""

    id: str
    site: str
    site_title: str
    scenario: str = ""
    seed: int
    now: datetime
    started_at: datetime
    background_running: bool
    nodes: tuple[NodeView, ...]
    flows: tuple[Flow, ...]
    last_event: int


class ConfigView(Model):
    """A node's configuration: saved and running values, what differs, and the JSON schema the form is drawn from."""

    node: str
    role: str
    saved: dict[str, Any]
    running: dict[str, Any]
    differences: tuple[Change, ...]
    form_schema: dict[str, Any]


class AeTable(Model):
    """Whom a node can call, and as whom: its title and its AE table as they run, and the table as it is saved.

    It is what pages need that offer something to call. ``modality`` is the kind of exam that a modality makes,
    ``newest_study`` the Study Instance UID of what came last to an archive; empty for all others.
    """

    node: str
    ae_title: str
    remotes: tuple[RemoteNode, ...] = ()
    saved_remotes: tuple[RemoteNode, ...] = ()
    modality: str = ""
    newest_study: str = ""


class LogLine(Model):
    """A line of a node's own log. ``seq`` is the event it comes from."""

    seq: int
    at: datetime
    level: str
    text: str
    association: str = ""


class StudySummary(Model):
    """A study as a list shows it. Dates and times are in DICOM form, ``size`` is in bytes."""

    study_uid: str
    patient_id: str
    patient_name: str
    birth_date: str = ""
    sex: str = ""
    accession_number: str = ""
    study_date: str = ""
    study_time: str = ""
    description: str = ""
    modalities: tuple[str, ...] = ()
    series: int = 0
    instances: int = 0
    size: int = 0


class InstanceSummary(Model):
    sop_instance: str
    sop_class: str
    number: int | None = None
    frames: int = 1
    transfer_syntax: str = ""
    size: int = 0


class SeriesSummary(Model):
    series_uid: str
    modality: str
    number: int | None = None
    description: str = ""
    instances: tuple[InstanceSummary, ...] = ()


class StudyDetail(Model):
    study: StudySummary
    series: tuple[SeriesSummary, ...]


class ContextView(Model):
    """One presentation context in words. ``result`` is empty while unanswered."""

    id: int
    abstract_syntax: str
    abstract_name: str
    transfer_syntaxes: tuple[str, ...]
    transfer_names: tuple[str, ...]
    result: int | None = None
    result_text: str = ""
    accepted_transfer: str = ""


class ExchangeView(Model):
    """One DIMSE exchange in words."""

    service: str
    sop_class_name: str = ""
    sop_instance: str = ""
    status: int
    status_text: str
    meaning: str = ""
    comment: str = ""
    size: int = 0
    pending: int = 0
    duration_ms: float = 0.0
    at: datetime


class AssociationView(Model):
    """One association, both ends together.

    ``outcome`` is one of requested, accepted, released, rejected, aborted, failed. ``for_check`` says that a check made
    it to try the department out: it is shown only once a drill is over, and was nobody's doing.
    """

    id: str
    at: datetime
    source: str
    target: str
    calling_ae: str
    called_ae: str
    source_address: str
    target_address: str
    outcome: str
    sentence: str
    explanation: str = ""
    contexts: tuple[ContextView, ...] = ()
    exchanges: tuple[ExchangeView, ...] = ()
    exchange_count: int = 0
    for_check: bool = False
    first_event: int


class EventView(Model):
    """An event with its sentence, for feeds and timelines."""

    seq: int
    at: datetime
    kind: str
    node: str
    actor: str
    cause: int | None
    sentence: str
    association: str = ""
    good: bool | None = None


class CommandResult(Model):
    """What came of a command. ``ok`` False is a result too: the thing was tried and did not work.

    ``facts`` are lines to show under the sentence; ``table`` (column names, then rows) is what a query returned.
    ``took_ms`` is how long it took where that tells something (0: it does not); ``terminal`` the output of a line that
    was typed in a terminal.
    """

    ok: bool
    sentence: str
    facts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    association: str = ""
    event: int = 0
    took_ms: float = 0.0
    terminal: TerminalOutput | None = None


class TicketView(Model):
    """A ticket and what was said on it since. ``thinking`` are the people who were asked and have not answered yet."""

    number: int
    sender: str
    role: str
    subject: str
    body: str
    at: datetime
    sender_id: str = ""
    messages: tuple[Message, ...] = ()
    thinking: tuple[str, ...] = ()
    closed: bool = False


class Choice(Model):
    """One alternative in the diagnosis form."""

    value: str
    text: str


class AttemptState(StrEnum):
    RUNNING = "running"
    SOLVED = "solved"
    GIVEN_UP = "given-up"


class AttemptView(Model):
    """The drill as the trainee sees it. ``debrief`` is there only when the attempt is over, as are ``steps``, those of
    the worked solution. ``checks`` are the claims in the order of ``findings``; one that would tell what is wrong has
    no name and no text until the attempt is over (its finding has both, once it was judged). ``found_before`` are the
    verdicts of the check before the last, by the name of the claim."""

    scenario: str
    title: str
    state: AttemptState
    difficulty: int
    expected_minutes: int
    objectives: tuple[str, ...]
    topics: tuple[str, ...]
    tickets: tuple[TicketView, ...]
    hints: tuple[str, ...]
    hints_left: int
    nodes: tuple[Choice, ...]
    layers: tuple[Choice, ...]
    faults: tuple[Choice, ...]
    diagnosis: dict[str, str] | None = None
    diagnoses: tuple[DiagnosisView, ...] = ()
    people: tuple[Choice, ...] = ()
    questions: tuple[Choice, ...] = ()
    notes: tuple[NoteView, ...] = ()
    pins: tuple[PinView, ...] = ()
    steps: tuple[SolutionStep, ...] = ()
    checks: tuple[Choice, ...]
    findings: tuple[Finding, ...]
    found_before: dict[str, str] = Field(default_factory=dict)
    checking: bool = False
    started_at: datetime
    debrief: DebriefView | None = None


class ReadyLine(Model):
    """The first line that ``lab run --json`` prints: how to reach the lab and each of its nodes."""

    api: str
    token: str
    pid: int
    lab: str
    site: str
    scenario: str
    seed: int
    nodes: tuple[NodeView, ...]
