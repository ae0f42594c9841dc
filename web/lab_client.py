"""The console's only way to a lab: its HTTP API, typed. Answers become the models of sandbox.model.view, refusals the
errors of sandbox.model.errors. The lab's token stays in here and never reaches a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import TypeAdapter, ValidationError

from sandbox.model.base import Model
from sandbox.model.desk_view import DeskView
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError
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
    NodeView,
    QueueEntry,
    QueueView,
    StudyDetail,
    StudySummary,
)
from web.command_forms import CommandInfo


class HostSeen(Model):
    """A host of the department; ``vlan`` is that of its present address."""

    name: str
    address: str
    vlan: str
    is_on: bool


class RuleSeen(Model):
    """A line of the firewall; without a port it is for all of them."""

    source: str
    target: str
    port: int | None
    action: str
    note: str


class NetworkSeen(Model):
    """The department's network, as the lab tells it."""

    domain: str
    vlans: tuple[dict[str, Any], ...]
    hosts: tuple[HostSeen, ...]
    dns: dict[str, str]
    rules: tuple[RuleSeen, ...]
    default_action: str


AnswerT = TypeVar("AnswerT")
ModelT = TypeVar("ModelT", bound=Model)
ERRORS: Mapping[int, type[SandboxError]] = {
    400: BadInputError,
    404: NotFoundError,
    409: ConflictError,
    422: BadInputError,
    503: UnavailableError,
}
READ_S = 10.0
COMMAND_S = 300.0  # a command may retrieve a study or run every check
GONE = lazy_gettext("This lab does not answer.")
GONE_MEND = lazy_gettext(
    "It may be starting again by itself: wait a few seconds and reload. If it stays away, start a new one."
)


class LabClient:
    """One lab's API. ``transport`` is for tests that answer without a socket."""

    def __init__(self, api: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._actor = "console"
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=8)
        self._http = httpx.Client(
            base_url=api.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(READ_S, connect=3.0),
            limits=limits,
            transport=transport,
            trust_env=False,
        )

    def by(self, actor: str) -> LabClient:
        """The same way to the lab, in the name of ``actor``: the lab notes who looked at what, for the debrief."""
        found = copy(self)
        found._actor = actor
        return found

    def close(self) -> None:
        self._http.close()

    def lab(self) -> LabView:
        return self._one(LabView, "/lab")

    def attempt(self) -> AttemptView | None:
        """The drill that runs in this lab; None where the lab has no scenario."""
        try:
            return self._one(AttemptView, "/attempt")
        except NotFoundError:
            return None

    def desk(self) -> DeskView | None:
        """Notes and pinned evidence of the drill; None where the lab has no scenario."""
        try:
            return self._one(DeskView, "/attempt/desk")
        except NotFoundError:
            return None

    def node(self, node: str) -> NodeView:
        return self._one(NodeView, f"/nodes/{_part(node)}")

    def config(self, node: str) -> ConfigView:
        return self._one(ConfigView, f"/nodes/{_part(node)}/config")

    def ae_table(self, node: str) -> AeTable:
        """What a page needs that offers a node something to call. Nobody is said to have looked at it."""
        return self._one(AeTable, f"/nodes/{_part(node)}/ae-table")

    def queues(self, node: str) -> tuple[QueueView, ...]:
        return self._many(QueueView, f"/nodes/{_part(node)}/queue")

    def queue_entries(self, node: str, destination: str) -> tuple[QueueEntry, ...]:
        return self._many(QueueEntry, f"/nodes/{_part(node)}/queue/{_part(destination)}")

    def studies(self, node: str, q: str = "", limit: int = 100) -> tuple[StudySummary, ...]:
        return self._many(StudySummary, f"/nodes/{_part(node)}/studies", q=q, limit=limit)

    def study(self, node: str, study_uid: str) -> StudyDetail:
        return self._one(StudyDetail, f"/nodes/{_part(node)}/studies/{_part(study_uid)}")

    def frame(self, node: str, sop_instance: str, frame: int, window: Mapping[str, float]) -> bytes:
        """One frame as PNG; ``window`` is empty or has center and width (PS3.3 C.11.2.1.2)."""
        path = f"/nodes/{_part(node)}/instances/{_part(sop_instance)}/frames/{frame}.png"
        return self._ask("GET", path, params=dict(window)).content

    def find_studies(self, q: str = "") -> Search:
        """Studies by name, patient ID, accession number or UID, wherever they are."""
        return self._one(Search, "/follow", q=q)

    def followed(self, study_uid: str) -> FollowedStudy:
        """A study hop by hop."""
        return self._one(FollowedStudy, f"/follow/{_part(study_uid)}")

    def header(self, node: str, sop_instance: str) -> HeaderView:
        return self._one(HeaderView, f"/nodes/{_part(node)}/instances/{_part(sop_instance)}/header")

    def compared(self, left: tuple[str, str], right: tuple[str, str]) -> HeaderComparison:
        """Two headers, each given by node and SOP Instance UID."""
        path = f"/nodes/{_part(left[0])}/instances/{_part(left[1])}/compare"
        return self._one(HeaderComparison, path, with_node=right[0], with_instance=right[1])

    def image_facts(self, node: str, sop_instance: str) -> ImageFacts:
        return self._one(ImageFacts, f"/nodes/{_part(node)}/instances/{_part(sop_instance)}/facts")

    def procedures(self, modality: str = "") -> tuple[Procedure, ...]:
        return self._many(Procedure, "/procedures", modality=modality)

    def associations(
        self, *, node: str = "", limit: int = 100, ae: str = "", outcome: str = "", service: str = "", q: str = ""
    ) -> tuple[AssociationView, ...]:
        """The newest, of one node or of all, narrowed by what is given."""
        return self._many(
            AssociationView, "/associations", node=node, limit=limit, ae=ae, outcome=outcome, service=service, q=q
        )

    def association(self, association_id: str) -> AssociationDetail:
        return self._one(AssociationDetail, f"/associations/{_part(association_id)}")

    def steps(self, association_id: str, *, after: int = 0, limit: int = 50) -> Steps:
        """What was said on an association, a page at a time."""
        return self._one(Steps, f"/associations/{_part(association_id)}/messages", after=after, limit=limit)

    def step(self, association_id: str, number: int) -> StepDetail:
        return self._one(StepDetail, f"/associations/{_part(association_id)}/messages/{number}")

    def pdus(self, association_id: str, *, after: int = 0, limit: int = 50) -> PduLines:
        return self._one(PduLines, f"/associations/{_part(association_id)}/pdus", after=after, limit=limit)

    def pdu(self, association_id: str, number: int, *, start: int = 0) -> PduDetail:
        """One PDU, and its bytes from ``start`` on."""
        return self._one(PduDetail, f"/associations/{_part(association_id)}/pdus/{number}", start=start)

    def connections(self, *, node: str = "", limit: int = 20) -> tuple[Unspoken, ...]:
        """Connections that never became an association."""
        return self._many(Unspoken, "/connections", node=node, limit=limit)

    def logs(self, **query: str | int) -> LogLines:
        """Lines of the logs of all nodes; the query is that of the lab's API (q, node, level, association, since,
        until, after, before, limit)."""
        return self._one(LogLines, "/logs", **query)

    def history(self, *, node: str = "", before: int = 0, limit: int = 100) -> History:
        """Who changed what, newest first."""
        return self._one(History, "/history", node=node, before=before, limit=limit)

    def events(self, *, after: int = 0, limit: int = 100, node: str = "") -> tuple[EventView, ...]:
        return self._many(EventView, "/events", after=after, limit=limit, node=node)

    def capture(self, association: str = "") -> bytes:
        """Everything captured, or one association, as .pcap."""
        return self._ask("GET", "/capture.pcap", params={"association": association} if association else {}).content

    def terminal(self, node: str, run: str) -> TerminalOutput:
        """How far a line has come that runs in a terminal of ``node``; status 0 when it does not run any more."""
        return self._one(TerminalOutput, f"/nodes/{_part(node)}/terminal?run={_part(run)}")

    def terminal_words(self, node: str, line: str, directory: str) -> Completion:
        """What the last word of ``line`` can become."""
        path = f"/nodes/{_part(node)}/terminal/words"
        return _parsed(TypeAdapter(Completion), self._ask("GET", path, params={"line": line, "directory": directory}))

    def commands(self) -> tuple[CommandInfo, ...]:
        """Every command that this lab takes."""
        return self._many(CommandInfo, "/commands")

    def network(self) -> NetworkSeen:
        """What can be looked up about the department's network."""
        return self._one(NetworkSeen, "/network")

    def command(self, name: str, params: Mapping[str, Any]) -> CommandResult:
        """Do what a person may do in a lab. A thing tried in vain is a result with ``ok`` False, not an error."""
        document = {"command": name, "params": dict(params), "actor": self._actor}
        return _parsed(TypeAdapter(CommandResult), self._ask("POST", "/commands", json=document, timeout=COMMAND_S))

    @contextmanager
    def stream(self, after: int) -> Iterator[Iterator[EventView | None]]:
        """The lab's events as they happen, from the one after ``after``; None is the lab's heartbeat."""
        timeout = httpx.Timeout(READ_S, read=45.0)
        asked = self._http.stream("GET", "/events/stream", params={"after": after}, timeout=timeout)
        with self._answered(), asked as answer:
            if answer.status_code != 200:
                answer.read()
                raise _refusal(answer)
            yield _events(answer.iter_lines())

    def _one(self, kind: type[ModelT], path: str, **params: str | int) -> ModelT:
        given = {name: value for name, value in params.items() if value != ""}
        return _parsed(TypeAdapter(kind), self._ask("GET", path, params=given or None))

    def _many(self, kind: type[ModelT], path: str, **params: str | int) -> tuple[ModelT, ...]:
        given = {name: value for name, value in params.items() if value != ""}
        return tuple(_parsed(TypeAdapter(list[kind]), self._ask("GET", path, params=given)))  # type: ignore[valid-type]

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            with self._answered():
                answer = self._http.request(method, path, headers=self._in_the_name(), **options)
        except (httpx.InvalidURL, ValueError) as unsent:
            # An address has a length, JSON has no endless numbers, and half a character has no bytes.
            raise BadInputError(
                _("This cannot be asked of a lab: it is too long, or holds something that cannot be sent."),
                _("Shorten it, or leave out what is unusual."),
            ) from unsent
        if answer.is_error:
            raise _refusal(answer)
        return answer

    def _in_the_name(self) -> dict[str, str]:
        """Who asks. A header is ASCII and the name of an account need not be (RFC 9110, 5.5)."""
        return {"X-Actor": quote(self._actor, safe=":")}

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """UnavailableError for a lab that does not answer, or whose client another thread has closed meanwhile."""
        try:
            yield
        except httpx.TimeoutException as late:
            raise UnavailableError(_("This lab took too long to answer."), _("Reload the page to try again.")) from late
        except httpx.HTTPError as lost:
            raise UnavailableError(GONE, GONE_MEND) from lost
        except RuntimeError as closed:
            if not self._http.is_closed:
                raise
            raise UnavailableError(GONE, GONE_MEND) from closed


def _parsed(adapter: TypeAdapter[AnswerT], answer: httpx.Response) -> AnswerT:
    try:
        return adapter.validate_json(answer.content)
    except ValidationError as wrong:
        raise UnavailableError(
            _("This lab answered something the console does not understand."),
            _("The lab and the console may be of different versions: start a new lab."),
        ) from wrong


def _part(text: str) -> str:
    return quote(text, safe="")


def _refusal(answer: httpx.Response) -> SandboxError:
    try:
        said = answer.json()
        sentence, mend = str(said["sentence"]), str(said.get("mend", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        sentence, mend = f"The lab refused this ({answer.status_code}).", "Reload the page and try again."
    return ERRORS.get(answer.status_code, UnavailableError)(sentence, mend)


def _events(lines: Iterator[str]) -> Iterator[EventView | None]:
    """Server-sent events (WHATWG HTML, 9.2): data lines up to a blank line are one event, ':' begins a comment."""
    data: list[str] = []
    for line in lines:
        if line.startswith(":"):
            yield None
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield EventView.model_validate_json("\n".join(data))
            data.clear()
