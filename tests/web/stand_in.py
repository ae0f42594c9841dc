"""A lab's HTTP API without a lab: the contract's routes over a few fixture models, for tests of the console alone.

``StandIn`` keeps what commands were given; ``StandInHost`` is a lab host whose labs are such APIs, answered in-process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from flask import Flask, Response, jsonify, request
from pydantic import Field, TypeAdapter

from sandbox.lab.commands.registry import commands
from sandbox.model.config import NodeConfig, RemoteNode, RetryPolicy, shown
from sandbox.model.config_path import differences, with_row, with_value, without
from sandbox.model.debrief_view import AccountView
from sandbox.model.desk_view import DeskView, Message, NoteView, PinView, Said
from sandbox.model.errors import ConflictError, NotFoundError, SandboxError
from sandbox.model.patient import Procedure
from sandbox.model.route import Condition, RouteRule
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import (
    AeTable,
    AssociationView,
    AttemptState,
    AttemptView,
    Choice,
    CommandResult,
    ConfigView,
    ContextView,
    Counts,
    EventView,
    ExchangeView,
    Flow,
    InstanceSummary,
    LabView,
    LogLine,
    NodeState,
    NodeView,
    QueueEntry,
    QueueState,
    QueueView,
    SeriesSummary,
    StudyDetail,
    StudySummary,
    TicketView,
)
from tests.web import stand_in_follow, stand_in_inspection
from tests.web.told import told
from web.lab_client import LabClient
from web.labs import Running

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>^\"'&"
TOKEN = "stand-in-token"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class RouterConfig(NodeConfig):
    """As a router's: a table of lines with conditions within, names to choose, a group."""

    rules: tuple[RouteRule, ...] = Field((), **shown("Rules", group="Routing"))
    retry: RetryPolicy = Field(RetryPolicy(), **shown("Retry"))
    send_to: tuple[str, ...] = Field((), **shown("Send to", group="Sending", choices="remotes"))
    request_commitment: str = Field("", **shown("Request commitment", group="Sending", choices="remotes"))
    storage_classes: tuple[str, ...] = Field((), **shown("SOP classes accepted", group="Objects"))
    transfer_syntaxes: tuple[str, ...] = Field((), **shown("Transfer syntaxes accepted", group="Objects"))


def router_config() -> RouterConfig:
    return RouterConfig(
        ae_title="ROUTER",
        port=104,
        remotes=(
            RemoteNode(name="ARCHIVE", ae_title="ARCHIVE", host="archive.example", port=11112),
            RemoteNode(name="WS2", ae_title="WS2", host="198.18.40.42", port=104),
        ),
        rules=(
            RouteRule(name="to-archive", destinations=("ARCHIVE",)),
            RouteRule(
                name="ct-to-ed", conditions=(Condition(attribute="Modality", value="CT"),), destinations=("WS2",)
            ),
        ),
        send_to=("ARCHIVE",),
    )


def node(name: str, role: str, x: float, y: float, **over: Any) -> NodeView:
    known: dict[str, Any] = {
        "name": name,
        "role": role,
        "title": f"{name} title",
        "ae_title": name,
        "host": f"{name.lower()}.example",
        "address": "198.18.10.11",
        "vlan": role,
        "port": 104,
        "published": "127.0.0.1:40104",
        "state": NodeState.RUNNING,
        "needs_restart": False,
        "sentence": "Listens.",
        "abilities": ("echo", "queue", "acquire", "retrieve"),
        "x": x,
        "y": y,
    }
    return NodeView(**known | over)


STUDY = StudySummary(
    study_uid="1.2.3",
    patient_id="00123",
    patient_name=HOSTILE,
    birth_date="19800102",
    sex="O",
    accession_number="A1",
    study_date="20261123",
    study_time="093000",
    description=HOSTILE,
    modalities=("CT",),
    series=1,
    instances=1,
)
ASSOCIATION = AssociationView(
    id="a-1",
    at=NOW,
    source="CT1",
    target="ROUTER",
    calling_ae="CT1",
    called_ae="ROUTERX",
    source_address="198.18.10.11:40000",
    target_address="198.18.20.20:104",
    outcome="rejected",
    sentence="Rejected 1/1/7: called AE title not recognized.",
    explanation="Compare the **AE title** on both sides. " + HOSTILE,
    contexts=(
        ContextView(
            id=1,
            abstract_syntax="1.2.840.10008.1.1",
            abstract_name="Verification",
            transfer_syntaxes=("1.2.840.10008.1.2",),
            transfer_names=("Implicit VR Little Endian",),
            result=3,
            result_text="Abstract syntax not supported",
        ),
    ),
    exchanges=(ExchangeView(service="C-ECHO", status=0xA700, status_text="Out of resources", comment=HOSTILE, at=NOW),),
    exchange_count=1,
    first_event=3,
)


@dataclass
class StandIn:
    """One lab that is not there. ``commands`` are those that were given; ``refuse`` is raised at the next one."""

    drill: bool = True
    state: AttemptState = AttemptState.RUNNING
    commands: list[dict[str, Any]] = field(default_factory=list)
    seen_actors: list[str] = field(default_factory=list)
    result: CommandResult = field(default_factory=lambda: CommandResult(ok=True, sentence="Done.", association="a-1"))
    refuse: SandboxError | None = None
    saved: RouterConfig = field(default_factory=router_config)
    running: RouterConfig = field(default_factory=router_config)
    findings: tuple[Finding, ...] = ()
    over: dict[str, Any] = field(default_factory=dict)
    account: AccountView | None = None

    def lab(self) -> LabView:
        return LabView(
            id="lab",
            site="riverside",
            site_title="Riverside",
            scenario="drill" if self.drill else "",
            seed=7,
            now=NOW,
            started_at=NOW,
            background_running=True,
            nodes=(
                node("CT1", "modality", 10, 20, queued=3, held=("ROUTER",), **self.over),
                node("ROUTER", "router", 50, 50, needs_restart=self.saved != self.running, dead=1),
                node("ARCHIVE", "archive", 90, 20, state=NodeState.FAILED, counts=Counts(studies=4, instances=9)),
                node("WS2", "workstation", 90, 80, state=NodeState.STOPPED),
            ),
            flows=(
                Flow(source="CT1", target="ROUTER", sent=0, failed=2, last_at=NOW, last_ok=False),
                Flow(source="ROUTER", target="WS2", label="ct-to-ed", sent=4, last_at=NOW, last_ok=True),
                Flow(source="ROUTER", target="WS2", label="films"),
            ),
            last_event=2,
        )

    def attempt(self) -> AttemptView:
        over = self.state is not AttemptState.RUNNING
        return AttemptView(
            scenario="drill",
            title="CT images do not come up",
            state=self.state,
            difficulty=1,
            expected_minutes=10,
            objectives=("Read a rejection.",),
            topics=("cdip:negotiation",),
            tickets=(
                TicketView(
                    number=1,
                    sender="Rosalind Pike",
                    role="Nurse",
                    subject=HOSTILE,
                    body=HOSTILE,
                    at=NOW,
                    sender_id="ed_nurse",
                    messages=(
                        Message(
                            seq=4, at=NOW, said=Said.ASKED, to="Rosalind Pike", about="see", text="What do you see?"
                        ),
                        Message(seq=5, at=NOW, said=Said.ANSWERED, name="Rosalind Pike", about="see", text=HOSTILE),
                    ),
                    thinking=("Rosalind Pike",),
                ),
            ),
            people=(Choice(value="ed_nurse", text="Rosalind Pike, Nurse"),),
            questions=(Choice(value="see", text="What exactly do you see?"),),
            notes=(NoteView(number=1, at=NOW, changed_at=NOW, text=f"It is **CT1**. {HOSTILE}"),),
            pins=(PinView(number=1, at=NOW, what="log", node="CT1", text=HOSTILE, points_to="a typo"),),
            hints=("Look at **CT1**.",),
            hints_left=2,
            nodes=(Choice(value="CT1", text="CT1"),),
            layers=(Choice(value="association", text="Association"),),
            faults=(Choice(value="typo", text="A typo"),),
            diagnosis={"node": "CT1", "layer": "association", "fault": "typo"} if over else None,
            checks=(Choice(value="ct", text="A CT reaches the ED."),),
            findings=self.findings,
            started_at=NOW,
            debrief=told(solved=self.state is AttemptState.SOLVED, account=self.account) if over else None,
        )

    def execute(self, name: str, params: dict[str, Any]) -> CommandResult:
        if self.refuse is not None:
            refused, self.refuse = self.refuse, None
            raise refused
        if name == "node.config.save":
            config = self.saved
            for path in params.get("remove", ()):
                config = without(config, path)
            for path, value in params.get("set", {}).items():
                config = with_value(config, path, value)
            for table, rows in params.get("add", {}).items():
                for row in rows:
                    config = with_row(config, table, row)
            self.saved = config
        if name == "node.restart":
            self.running = self.saved
        if name == "attempt.account":
            self.account = AccountView(**params)
        if name == "attempt.check":
            self.findings = (Finding(id="ct", check="exam_arrives", verdict=Verdict.PASS, sentence="It came."),)
            self.state = AttemptState.SOLVED
        return self.result


EVENTS = tuple(
    EventView(seq=seq, at=NOW, kind=kind, node="CT1", actor="system", cause=None, sentence=sentence, good=good)
    for seq, (kind, sentence, good) in enumerate(
        (
            ("exam.acquired", f"CT1 scanned {HOSTILE}.", None),
            ("queue.failed", "CT1 could not send to ROUTER.", False),
            ("instance.stored", "ROUTER stored an image.", None),
        ),
        start=1,
    )
)


def api(lab: StandIn) -> Flask:
    """The API of ``lab``, as the contract has it."""
    app = Flask("stand-in")

    @app.before_request
    def _token() -> Response | None:
        lab.seen_actors.append(request.headers.get("X-Actor", ""))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response("{}", 401)
        return None

    @app.errorhandler(SandboxError)
    def _refused(wrong: SandboxError) -> tuple[Response, int]:
        status = {"NotFoundError": 404, "ConflictError": 409}.get(type(wrong).__name__, 400)
        return jsonify(sentence=wrong.sentence, mend=wrong.mend), status

    def answer(value: Any) -> Response:
        return Response(TypeAdapter(type(value)).dump_json(value), mimetype="application/json")

    app.add_url_rule("/lab", "lab", lambda: answer(lab.lab()))

    @app.get("/attempt")
    def _attempt() -> Response:
        if not lab.drill:
            raise NotFoundError("No drill runs in this lab.")
        return answer(lab.attempt())

    @app.get("/attempt/desk")
    def _desk() -> Response:
        if not lab.drill:
            raise NotFoundError("No drill runs in this lab.")
        view = lab.attempt()
        return answer(DeskView(running=view.state is AttemptState.RUNNING, notes=view.notes, pins=view.pins))

    @app.get("/nodes/<name>")
    def _node(name: str) -> Response:
        return answer(next(one for one in lab.lab().nodes if one.name == name))

    @app.get("/nodes/<name>/config")
    def _config(name: str) -> Response:
        if name not in [one.name for one in lab.lab().nodes]:
            raise NotFoundError(f"There is no node {name}.", "Choose another.")
        return answer(
            ConfigView(
                node=name,
                role="router",
                saved=lab.saved.model_dump(mode="json"),
                running=lab.running.model_dump(mode="json"),
                differences=differences(lab.running, lab.saved),
                form_schema=RouterConfig.model_json_schema(),
            )
        )

    @app.get("/nodes/<name>/ae-table")
    def _ae_table(name: str) -> Response:
        if name not in [one.name for one in lab.lab().nodes]:
            raise NotFoundError(f"There is no node {name}.", "Choose another.")
        return answer(
            AeTable(
                node=name,
                ae_title=lab.running.ae_title,
                remotes=lab.running.remotes,
                saved_remotes=lab.saved.remotes,
            )
        )

    @app.get("/nodes/<name>/log")
    def _log(name: str) -> Response:
        lines = [
            LogLine(seq=1, at=NOW, level="info", text="started"),
            LogLine(seq=2, at=NOW, level="error", text=f"rejected {HOSTILE}", association="a-1"),
        ]
        return answer(lines)

    @app.get("/nodes/<name>/queue")
    def _queue(name: str) -> Response:
        held = QueueView(
            destination="ROUTER", state=QueueState.HELD, waiting=1, dead=1, sent=2, held_since=NOW, held_reason=HOSTILE
        )
        retrying = QueueView(
            destination="WS2", state=QueueState.WAITING, waiting=4, dead=0, sent=0, last_error="refused", retry_in_s=9.0
        )
        return answer([held, retrying])

    @app.get("/nodes/<name>/queue/<destination>")
    def _entries(name: str, destination: str) -> Response:
        entry = QueueEntry(
            id=5,
            destination=destination,
            study_uid="1.2.3",
            sop_instance="1.2.3.4",
            patient_name=HOSTILE,
            accession_number="A1",
            description="CT",
            priority=2,
            attempts=3,
            added=NOW,
        )
        return answer([entry])

    @app.get("/nodes/<name>/studies")
    def _studies(name: str) -> Response:
        return answer([] if request.args.get("q") == "nobody" else [STUDY])

    @app.get("/nodes/<name>/studies/<uid>")
    def _study(name: str, uid: str) -> Response:
        if uid != STUDY.study_uid:
            raise NotFoundError("That study is not here.", "Look elsewhere.")
        instance = InstanceSummary(
            sop_instance="1.2.3.4", sop_class="1.2", frames=2, transfer_syntax="1.2.840.10008.1.2.1"
        )
        series = SeriesSummary(series_uid="1.2.3.1", modality="CT", description=HOSTILE, instances=(instance,))
        damaged = series.model_copy(
            update={
                "series_uid": "1.2.3.2",
                "description": "DAMAGED",
                "instances": (InstanceSummary(sop_instance=stand_in_follow.DAMAGED, sop_class="1.2"),),
            }
        )
        return answer(StudyDetail(study=STUDY, series=(series, damaged)))

    stand_in_follow.add(app, answer, STUDY, HOSTILE)

    @app.get("/nodes/<name>/instances/<sop>/frames/<int:frame>.png")
    def _frame(name: str, sop: str, frame: int) -> Response:
        if sop == stand_in_follow.DAMAGED:
            raise ConflictError("The image cannot be shown: its pixel data are damaged.", "Retrieve it again.")
        return Response(PNG, mimetype="image/png", headers={"X-Window": request.args.get("width", "")})

    app.add_url_rule("/procedures", "procedures", lambda: answer([_procedure()]))
    app.add_url_rule("/associations", "associations", lambda: answer([ASSOCIATION]))

    stand_in_inspection.register(app, answer, ASSOCIATION, NOW, HOSTILE)

    @app.get("/events")
    def _events() -> Response:
        return answer([event for event in EVENTS if event.seq > int(request.args.get("after", 0))])

    @app.get("/events/stream")
    def _stream() -> Response:
        after = int(request.args.get("after", 0))

        def lines() -> Iterator[str]:
            yield ": hello\n\n"
            for event in EVENTS:
                if event.seq > after:
                    yield f"id: {event.seq}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n"

        return Response(lines(), mimetype="text/event-stream")

    app.add_url_rule("/capture.pcap", "capture", lambda: Response(b"\xd4\xc3\xb2\xa1"))

    @app.get("/commands")
    def _commands() -> Response:
        return Response(
            json.dumps(
                [
                    {
                        "name": entry.name,
                        "title": entry.title,
                        "help": entry.__doc__,
                        "schema": entry.model_json_schema(),
                    }
                    for entry in commands().values()
                ]
            ),
            mimetype="application/json",
        )

    @app.get("/network")
    def _network() -> Response:
        rule = {"source": "servers", "target": "reading", "port": 104, "action": "allow", "note": HOSTILE}
        host = {"name": "CT1", "address": "198.18.10.11", "vlan": "modalities", "is_on": True}
        return jsonify(
            domain="riverside.example",
            vlans=[],
            hosts=[host],
            dns={"ct1": "198.18.10.11"},
            rules=[rule, rule | {"port": None}],
            default_action="drop",
        )

    @app.post("/commands")
    def _command() -> Response:
        asked = json.loads(request.data)
        lab.commands.append(asked)
        return answer(lab.execute(asked["command"], asked["params"]))

    return app


def _procedure() -> Procedure:
    return Procedure(code="CTHEAD", modality="CT", description="CT HEAD", body_part="HEAD", anatomy="head_ct")


@dataclass(frozen=True)
class StandInLab:
    id: str
    api: str = "http://127.0.0.1:1"
    token: str = TOKEN
    state: str = "running"
    trouble: str = ""


class StandInHost:
    """A lab host whose labs are ``StandIn``s, by id."""

    def __init__(self) -> None:
        self.labs: dict[str, StandIn] = {}
        self.asked: list[tuple[str, str, int]] = []

    def start(self, site: str, scenario: str, seed: int, *, lab_id: str) -> StandInLab:
        self.asked.append((site, scenario, seed))
        self.labs[lab_id] = StandIn(drill=bool(scenario))
        return StandInLab(lab_id)

    def get(self, lab_id: str) -> StandInLab:
        if lab_id not in self.labs:
            raise NotFoundError(f"There is no lab {lab_id}.")
        return StandInLab(lab_id)

    def list(self) -> list[StandInLab]:
        return [StandInLab(lab_id) for lab_id in self.labs]

    def end(self, lab_id: str, delete: bool = False) -> None:
        self.get(lab_id)
        del self.labs[lab_id]

    def close(self) -> None:
        self.labs.clear()

    def connect(self, running: Running) -> LabClient:
        return LabClient(running.api, running.token, httpx.WSGITransport(app=api(self.labs[running.id])))
