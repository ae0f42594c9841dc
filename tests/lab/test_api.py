"""The HTTP API: every route as described, nobody without the token, and no input that breaks it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from sandbox.events.event import PROBE
from sandbox.events.kinds import FaultApplied, NodeLogged
from sandbox.events.log import because, current
from sandbox.lab.api.app import LARGEST_BODY, MOST_STREAMS
from sandbox.lab.api.openapi import openapi_document
from sandbox.lab.api.routes import ROUTES, Media
from sandbox.lab.api.server import ApiServer
from sandbox.lab.lab import Lab
from sandbox.model.inspection import AssociationDetail
from sandbox.model.view import (
    AttemptState,
    CommandResult,
    EventView,
    LogLine,
    StudyDetail,
    StudySummary,
)
from tests.lab.conftest import MakeLab
from tests.lab.support import DEADLINE_S, Drill, do, until, wait_for

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[ApiServer]:
    server = ApiServer(lab, TOKEN)
    yield server
    server.close()


@pytest.fixture(scope="module")
def api(server: ApiServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture(scope="module")
def exam(lab: Lab) -> dict[str, str]:
    """An exam that has been everywhere, and things to ask for about it."""
    before = len(lab.events)
    do(lab, "exam.acquire", node="CT1", images=2)
    wait_for(lab, lambda e: e.kind == "association.released" and e.node == "WS2", after=before)
    echo = do(lab, "tool.echo", node="WS1", remote="ARCHIVE")
    store = lab.department.node("WS2").store
    assert store is not None
    study = store.study(store.studies()[0].study_uid)
    assert study is not None
    return {
        "name": "WS2",
        "destination": "ARCHIVE",
        "uid": study.study.study_uid,
        "sop_instance": study.series[0].instances[0].sop_instance,
        "number": "1",
        "association_id": echo.association,
    }


def address(path: str, values: dict[str, str]) -> str:
    if "queue" in path:
        values = {**values, "name": "ROUTER"}
    for name, value in values.items():
        path = path.replace(f"<{name}>", value).replace(f"<int:{name}>", value)
    return path


@pytest.fixture
def drill(lab: Lab) -> Iterator[Drill]:
    drill = Drill()
    lab.attempt = drill
    yield drill
    lab.attempt = None


GETS = [route for route in ROUTES if route.method == "GET" and route.media is Media.JSON]


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.path)
def test_every_route_answers_what_it_says(api: httpx.Client, exam: dict[str, str], drill: Drill, route: Any) -> None:
    answer = api.get(address(route.path, exam))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    TypeAdapter(route.answer).validate_json(answer.content)


def test_every_route_is_described_and_nothing_else(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert len(described) == len(ROUTES)
    identifiers = [methods[method]["operationId"] for methods in document["paths"].values() for method in methods]
    assert len(identifiers) == len(set(identifiers))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert {f"{{{name}}}" in path for name in named} <= {True}
            assert path.count("{") == len(named)


def test_every_reference_in_the_description_leads_somewhere() -> None:
    document = openapi_document()
    schemas = document["components"]["schemas"]
    references: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                references.append(value["$ref"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)
    assert len(references) > 30
    assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)
    assert all(reference.startswith("#/components/schemas/") for reference in references)
    json.dumps(document)


@pytest.mark.parametrize(
    "token", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_nobody_gets_in_without_the_token(server: ApiServer, exam: dict[str, str], token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token.encode()}
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for route in ROUTES:
            answer = client.request(route.method, address(route.path, exam), headers=headers)
            assert answer.status_code == (200 if route.is_public else 401), route
            assert TOKEN not in answer.text


def test_health_tells_no_more_than_that_it_is_there(server: ApiServer, lab: Lab) -> None:
    assert httpx.get(f"{server.url}/health", trust_env=False).json() == {
        "status": "ok",
        "lab": lab.id,
        "running": True,
    }


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:80", "127.0.0.1.evil.example:{port}", ""]
)
def test_a_request_for_another_host_is_refused(api: httpx.Client, server: ApiServer, host: str) -> None:
    answer = api.get("/lab", headers={"Host": host.format(port=server.port)})
    assert answer.status_code in (400, 421)


def test_it_listens_on_loopback_only(server: ApiServer) -> None:
    assert server._socket.getsockname()[0] == "127.0.0.1"


def command(api: httpx.Client, name: str, params: dict[str, Any], actor: str = "trainee:anna") -> httpx.Response:
    return api.post("/commands", json={"command": name, "params": params, "actor": actor})


def test_a_command_that_did_not_work_is_an_answer(api: httpx.Client) -> None:
    answer = command(api, "tool.lookup", {"node": "CT1", "host": "nowhere"}, actor="instructor:" + "m" * 64)
    assert answer.status_code == 200, "the longest name of a user is taken"
    assert CommandResult.model_validate_json(answer.content).ok is False


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (b'{"command": "tool.ping"}', 400),
        (b'{"command": 5, "params": {}}', 400),
        (b'{"command": "no.such", "params": {}}', 400),
        (b'{"command": "tool.ping", "params": []}', 400),
        (b'{"command": "tool.ping", "params": {"node": null, "host": {}}}', 400),
        (b'{"command": "tool.ping", "params": {"node": "CT1", "host": ""}}', 400),
        (b'{"command": "tool.ping", "params": {"node": "NOBODY", "host": "x"}}', 404),
        (b'{"command": "node.restart", "params": {"node": "../ARCHIVE"}}', 404),
        (b'{"command": "node.config.save", "params": {"node": "CT1", "set": {"__class__": 1}}}', 400),
        (b'{"command": "node.config.save", "params": {"node": "CT1", "set": {"remotes.0.port": 1e400}}}', 400),
        (b'{"command": "node.config.save", "params": {"node": "CT1", "set": {"": 1}}}', 400),
        (b'{"command": "exam.send", "params": {"node": "CT1", "study": "1.2/../../x", "to": "ROUTER"}}', 400),
        (b'{"command": "lab.reset", "params": {}, "actor": ""}', 400),
        (b'{"command": "lab.reset", "params": {}, "actor": "a\\u0000b"}', 400),
        (b'{"command": "lab.reset", "params": {}, "more": 1}', 400),
        (
            b'{"command": "tool.find", "params": {"node": "WS1", "remote": "ARCHIVE", "keys": {"x": '
            + b"[" * 500
            + b"]" * 500
            + b"}}}",
            400,
        ),
        (b"[" * 200_000, 400),
        (b'{"command": "' + b"x" * (LARGEST_BODY + 10) + b'"}', 413),
    ],
    ids=range(24),
)
def test_bad_input_is_told_in_words(api: httpx.Client, body: bytes, status: int) -> None:
    answer = api.post("/commands", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    if answer.headers["Content-Type"] == "application/json":
        assert answer.json()["sentence"]
    assert api.get("/lab").status_code == 200


def test_only_json_is_taken(api: httpx.Client) -> None:
    answer = api.post("/commands", data={"command": "lab.reset"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["sentence"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/nodes/NOBODY", 404),
        ("/nodes/..%2f..%2fetc", 404),
        ("/nodes/CT1/nothing", 404),
        ("/nodes/ARCHIVE/queue/WS1", 404),
        ("/nodes/ROUTER/queue/NOBODY", 404),
        ("/nodes/ARCHIVE/studies/1.2.3", 404),
        ("/nodes/ARCHIVE/studies/..%2f..%2fx", 404),
        ("/nodes/ARCHIVE/instances/1.2.3/frames/1.png", 404),
        ("/nodes/ARCHIVE/instances/x%00y/frames/1.png", 404),
        ("/nodes/ARCHIVE/instances/1.2.3/frames/-1.png", 404),
        ("/nodes/CT1/log?after=-1", 400),
        ("/nodes/CT1/log?limit=0", 400),
        ("/nodes/CT1/log?limit=1000000", 400),
        ("/nodes/CT1/log?limit=many", 400),
        ("/events?after=x", 400),
        ("/events?what=this", 400),
        ("/events/stream?after=-5", 400),
        ("/associations/a0", 404),
        ("/associations/%27%20OR%201", 404),
        ("/capture.pcap?association=a0", 404),
        ("/attempt", 404),
        ("/nodes/ARCHIVE/studies?q=" + "x" * 300, 400),
        ("/nodes/ARCHIVE/studies?q=%27%3B%20DROP%20TABLE%20studies%3B%20--", 200),
        ("/nodes/ARCHIVE/studies?q=%25", 200),
    ],
)
def test_what_is_not_there_is_told_in_words(api: httpx.Client, path: str, status: int) -> None:
    answer = api.get(path)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert set(answer.json()) == {"sentence", "mend"}
        assert answer.json()["sentence"]


def test_the_wrong_method_is_refused(api: httpx.Client) -> None:
    assert api.delete("/lab").status_code == 405
    assert api.get("/lab/").status_code == 404


def test_garbage_on_the_port_breaks_nothing(api: httpx.Client, server: ApiServer) -> None:
    for rubbish in (b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50, b"GET /" + b"x" * 70_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            sock.sendall(rubbish)
    assert api.get("/lab").status_code == 200


def test_studies_can_be_searched_and_opened(api: httpx.Client, exam: dict[str, str]) -> None:
    found = TypeAdapter(list[StudySummary]).validate_json(api.get("/nodes/WS2/studies").content)
    name = found[0].patient_name.partition("^")[0]
    again = api.get("/nodes/WS2/studies", params={"q": name}).json()
    assert again[0]["study_uid"] == exam["uid"]
    detail = StudyDetail.model_validate_json(api.get(f"/nodes/WS2/studies/{exam['uid']}").content)
    assert sum(len(series.instances) for series in detail.series) == detail.study.instances == 2


def test_a_frame_is_a_picture_and_the_window_matters(api: httpx.Client, exam: dict[str, str]) -> None:
    path = f"/nodes/WS2/instances/{exam['sop_instance']}/frames/1.png"
    plain = api.get(path)
    assert plain.headers["Content-Type"] == "image/png"
    assert plain.content.startswith(b"\x89PNG")
    narrow = api.get(path, params={"center": 40, "width": 80})
    assert narrow.status_code == 200
    assert narrow.content != plain.content
    assert api.get(path, params={"center": 40, "width": 0}).status_code == 400
    assert api.get(path, params={"center": "nan", "width": 5}).status_code == 400
    assert api.get(path.replace("/1.png", "/2.png")).status_code == 404


def test_the_log_is_paged(api: httpx.Client, exam: dict[str, str]) -> None:
    def read(**query: int) -> list[LogLine]:
        return TypeAdapter(list[LogLine]).validate_json(api.get("/nodes/ROUTER/log", params=query).content)

    everything = read()
    assert [line.seq for line in everything] == sorted(line.seq for line in everything)
    assert read(limit=2) == everything[-2:]
    assert read(after=everything[0].seq, limit=1) == everything[1:2]


def test_events_are_paged_and_filtered(api: httpx.Client, exam: dict[str, str]) -> None:
    def read(**query: Any) -> list[EventView]:
        return TypeAdapter(list[EventView]).validate_json(api.get("/events", params=query).content)

    newest = read(limit=3)
    assert len(newest) == 3
    assert [event.seq for event in newest] == sorted(event.seq for event in newest)
    assert [event.seq for event in read(after=4, limit=3)] == [5, 6, 7]
    assert {event.node for event in read(node="WS2")} == {"WS2"}


def test_the_capture_is_one_that_wireshark_reads(api: httpx.Client, exam: dict[str, str]) -> None:
    everything = api.get("/capture.pcap").content
    one = api.get("/capture.pcap", params={"association": exam["association_id"]}).content
    assert everything[:4] == one[:4]
    assert everything[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d")
    assert len(everything) > len(one) > 200


def test_what_is_for_later_is_hidden_while_the_drill_runs(api: httpx.Client, lab: Lab, drill: Drill) -> None:
    before = len(lab.events)
    hidden = lab.events.append(FaultApplied(fault="config.set", explanation="The secret."))
    line = lab.events.append(NodeLogged(level="info", text="The probe was here."), node="CT1", actor=PROBE)
    with because(None, PROBE):
        probe = lab.department.node("WS1").tools.echo("ARCHIVE")
    until(lambda: not lab.department.node("ARCHIVE").associations, "the probe has gone")

    def shown() -> tuple[set[int], str, int, bytes]:
        events = {each["seq"] for each in api.get("/events", params={"after": before}).json()}
        log = api.get("/nodes/CT1/log").text
        return events, log, api.get(f"/associations/{probe.association}").status_code, api.get("/capture.pcap").content

    events, log, status, capture = shown()
    assert not {hidden.seq, line.seq} & events
    assert "The probe was here." not in log
    assert status == 404
    assert probe.association not in api.get("/associations").text
    assert api.get("/capture.pcap", params={"association": probe.association}).status_code == 404
    drill.state = AttemptState.SOLVED
    events, log, status, more = shown()
    assert {hidden.seq, line.seq} <= events
    assert "The probe was here." in log
    assert status == 200
    assert len(more) > len(capture)


def test_looking_is_noted_once_in_a_while(api: httpx.Client, drill: Drill, exam: dict[str, str]) -> None:
    for _ in range(3):
        api.get("/nodes/CT1/log", headers={"X-Actor": "trainee:anna"})
    api.get("/nodes/ROUTER/queue", headers={"X-Actor": "trainee:anna"})
    api.get(f"/associations/{exam['association_id']}", headers={"X-Actor": "trainee:anna"})
    api.get("/nodes/NOBODY/log", headers={"X-Actor": "trainee:anna"})
    api.get("/lab", headers={"X-Actor": "trainee:anna"})
    assert drill.looked == [("log", "CT1", ""), ("queue", "ROUTER", ""), ("association", "", exam["association_id"])]


def test_who_looked_may_have_a_name_that_is_not_ascii_or_long(
    api: httpx.Client, drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    monkeypatch.setattr(drill, "opened", lambda *look: names.append(current().actor))
    longest = "instructor:" + "m" * 64
    api.get("/nodes/CT1/log", headers={"X-Actor": "trainee:jos%C3%A9"})
    api.get("/nodes/CT1/log", headers={"X-Actor": longest})
    assert names == ["trainee:josé", longest]


def test_a_look_at_logs_and_history_is_noted_for_the_nodes_that_were_seen(
    api: httpx.Client, drill: Drill, exam: dict[str, str]
) -> None:
    headers = {"X-Actor": "trainee:ben"}
    one = exam["association_id"]
    assert api.get(f"/logs?association={one}", headers=headers).json()["lines"]
    assert drill.looked == []
    api.get("/logs?node=CT1", headers=headers)
    api.get("/history?node=CT1", headers=headers)
    api.get(f"/associations/{one}/pdus/1", headers=headers)
    assert drill.looked == [("log", "CT1", ""), ("history", "CT1", ""), ("association", "", one)]
    lines = api.get("/logs?limit=500", headers=headers).json()["lines"]
    assert {node for what, node, _ in drill.looked if what == "log"} == {line["node"] for line in lines} | {"CT1"}


class Reader:
    """Reads a stream on a thread of its own."""

    def __init__(self, url: str, after: int | None = None) -> None:
        self.events: list[EventView] = []
        self.lines: list[str] = []
        self.status = 0
        self._socket: socket.socket | None = None
        self.ended = threading.Event()
        self._client = httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=30)
        self._url, self._after = url, after
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        params = {} if self._after is None else {"after": self._after}
        try:
            with self._client.stream("GET", f"{self._url}/events/stream", params=params) as answer:
                self._socket = answer.extensions["network_stream"].get_extra_info("socket")
                self.status = answer.status_code
                for line in answer.iter_lines():
                    self.lines.append(line)
                    if line.startswith("data: "):
                        self.events.append(EventView.model_validate_json(line[6:]))
        except httpx.HTTPError:
            pass
        self.ended.set()

    def close(self) -> None:
        """Go away. Closing alone would not do while the thread still reads."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self._client.close()


def test_events_come_as_they_happen(server: ApiServer, lab: Lab, api: httpx.Client) -> None:
    reader = Reader(server.url)
    until(lambda: bool(reader.lines), "the stream begins")
    assert reader.lines[0].startswith(":")
    began = time.monotonic()
    command(api, "tool.ping", {"node": "CT1", "host": "ROUTER"})
    until(lambda: len(reader.events) >= 2, "the events arrive", timeout=10)
    assert time.monotonic() - began < 10
    assert [event.kind for event in reader.events] == ["command.issued", "command.finished"]
    assert f"id: {reader.events[0].seq}" in reader.lines
    assert "event: command.issued" in reader.lines
    reader.close()


def test_a_stream_goes_on_after_the_event_that_is_named(server: ApiServer, lab: Lab) -> None:
    reader = Reader(server.url, after=len(lab.events) - 3)
    until(lambda: len(reader.events) >= 3, "what was missed arrives")
    assert reader.events[0].seq == reader.events[-1].seq - 2
    reader.close()


def test_many_streams_leave_room_for_others(server: ApiServer, api: httpx.Client) -> None:
    readers = [Reader(server.url) for _ in range(MOST_STREAMS + 4)]
    until(lambda: all(reader.status for reader in readers), "all are answered")
    try:
        statuses = [reader.status for reader in readers]
        assert statuses.count(503) >= 4
        assert statuses.count(200) >= MOST_STREAMS - 4
        began = time.monotonic()
        assert api.get("/lab").status_code == 200
        assert time.monotonic() - began < 10
    finally:
        for reader in readers:
            reader.close()

    def one_more() -> bool:
        late = Reader(server.url)
        until(lambda: late.status != 0, "an answer")
        late.close()
        return late.status == 200

    until(one_more, "the places of those who went away are free again")


def test_streams_end_with_the_lab(make_lab: MakeLab) -> None:
    lab = make_lab()
    server = ApiServer(lab, TOKEN)
    reader = Reader(server.url)
    until(lambda: bool(reader.lines), "the stream begins")
    began = time.monotonic()
    lab.stop()
    assert reader.ended.wait(10)
    server.close()
    assert time.monotonic() - began < 12, "it waited for the heartbeat"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health", trust_env=False)


def test_a_lab_keeps_the_port_of_its_api_if_it_can(make_lab: MakeLab) -> None:
    lab = make_lab()
    server = ApiServer(lab, TOKEN)
    other = ApiServer(lab, TOKEN, server.port)
    assert other.port != server.port
    other.close()
    server.close()
    again = ApiServer(lab, TOKEN, server.port)
    assert again.port == server.port
    again.close()


def test_reads_during_a_reset_break_nothing(api: httpx.Client, lab: Lab, exam: dict[str, str]) -> None:
    statuses: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for path in ("/lab", "/nodes/ROUTER/queue", "/nodes/ARCHIVE/studies", "/associations"):
                statuses.append(api.get(path).status_code)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(3):
            assert command(api, "lab.reset", {}).status_code == 200
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert set(statuses) <= {200, 409, 503}, statuses
    assert 200 in statuses
    assert AssociationDetail.model_validate_json(api.get(f"/associations/{exam['association_id']}").content)
