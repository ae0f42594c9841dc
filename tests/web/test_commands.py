"""Forms become the commands of the contract, and what cannot be done is said on the page."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sandbox.model.errors import BadInputError, ConflictError
from sandbox.model.view import AttemptState, CommandResult
from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn, StandInHost

ACTS: tuple[tuple[str, dict[str, str], str, dict[str, Any]], ...] = (
    ("/reset", {}, "lab.reset", {}),
    ("/background", {"act": "pause"}, "background.pause", {}),
    ("/background", {"act": "resume"}, "background.resume", {}),
    ("/drill/hint", {}, "attempt.hint", {}),
    ("/drill/give-up", {}, "attempt.give_up", {}),
    (
        "/drill/diagnosis",
        {"node": "CT1", "layer": "association", "fault": "typo", "evidence": "the log"},
        "attempt.diagnose",
        {"node": "CT1", "layer": "association", "fault": "typo", "evidence": "the log"},
    ),
    ("/nodes/CT1/restart", {}, "node.restart", {"node": "CT1"}),
    ("/nodes/CT1/stop", {}, "node.stop", {"node": "CT1"}),
    ("/nodes/CT1/start", {}, "node.start", {"node": "CT1"}),
    ("/nodes/CT1/configuration/discard", {}, "node.config.discard", {"node": "CT1"}),
    (
        "/nodes/CT1/queue/",
        {"act": "hold", "destination": "ROUTER", "reason": "works"},
        "queue.hold",
        {"node": "CT1", "destination": "ROUTER", "reason": "works"},
    ),
    (
        "/nodes/CT1/queue/",
        {"act": "resume", "destination": "ROUTER"},
        "queue.resume",
        {"node": "CT1", "destination": "ROUTER"},
    ),
    (
        "/nodes/CT1/queue/",
        {"act": "discard", "destination": "ROUTER", "entry": "5"},
        "queue.discard",
        {"node": "CT1", "destination": "ROUTER", "entry": 5, "reason": ""},
    ),
    (
        "/nodes/CT1/queue/",
        {"act": "promote", "destination": "ROUTER", "study": "1.2.3"},
        "queue.promote",
        {"node": "CT1", "destination": "ROUTER", "study": "1.2.3"},
    ),
    (
        "/nodes/CT1/queue/",
        {"act": "set_aside", "destination": "ROUTER", "study": "1.2.3", "reason": "refused"},
        "queue.set_aside",
        {"node": "CT1", "destination": "ROUTER", "study": "1.2.3", "reason": "refused"},
    ),
    (
        "/nodes/CT1/studies/1.2.3/send",
        {"to": "ARCHIVE"},
        "exam.send",
        {"node": "CT1", "study": "1.2.3", "to": "ARCHIVE"},
    ),
    ("/nodes/WS2/studies/1.2.3/retrieve", {}, "study.retrieve", {"node": "WS2", "study": "1.2.3"}),
)
TOOLS: tuple[tuple[dict[str, str], str, dict[str, Any]], ...] = (
    ({"tool": "ping", "host": " archive "}, "tool.ping", {"host": "archive"}),
    ({"tool": "port", "host": "archive", "port": "104"}, "tool.port", {"host": "archive", "port": 104}),
    ({"tool": "lookup", "host": "archive"}, "tool.lookup", {"host": "archive"}),
    ({"tool": "echo", "remote": "ARCHIVE"}, "tool.echo", {"remote": "ARCHIVE"}),
    (
        {"tool": "echo", "remote": "", "ae_title": "X", "host": "h", "port": "104", "calling_ae": "ME"},
        "tool.echo",
        {"ae_title": "X", "host": "h", "port": 104, "calling_ae": "ME"},
    ),
    (
        {"tool": "find", "remote": "ARCHIVE", "level": "STUDY", "PatientName": "A*"},
        "tool.find",
        {
            "remote": "ARCHIVE",
            "level": "STUDY",
            "keys": {"PatientName": "A*", "PatientID": "", "AccessionNumber": "", "StudyDate": ""},
        },
    ),
    (
        {"tool": "move", "remote": "ARCHIVE", "level": "STUDY", "destination": "WS2", "PatientID": "00123"},
        "tool.move",
        {"remote": "ARCHIVE", "level": "STUDY", "keys": {"PatientID": "00123"}, "destination": "WS2"},
    ),
    (
        {"tool": "exam", "procedure": "CTHEAD", "images": "3", "stat": "on"},
        "exam.acquire",
        {"procedure": "CTHEAD", "images": 3, "stat": True},
    ),
    ({"tool": "exam", "procedure": "", "images": ""}, "exam.acquire", {}),
)


@pytest.mark.parametrize(("path", "form", "command", "params"), ACTS)
def test_an_act_is_one_command(
    visitor: Visitor, lab: StandIn, lab_path: str, path: str, form: dict[str, str], command: str, params: dict[str, Any]
) -> None:
    answer = visitor.post(lab_path + path, form)
    assert answer.status_code == 302
    assert lab.commands == [{"command": command, "params": params, "actor": "trainee"}]


@pytest.mark.parametrize(("form", "command", "params"), TOOLS)
def test_a_tool_is_one_command_from_its_node(
    visitor: Visitor, lab: StandIn, lab_path: str, form: dict[str, str], command: str, params: dict[str, Any]
) -> None:
    answer = visitor.post(lab_path + "/nodes/CT1/tools/", form, part=True)
    assert answer.status_code == 200
    assert lab.commands == [{"command": command, "params": {"node": "CT1", **params}, "actor": "trainee"}]


def test_a_tool_that_makes_no_sense_says_so_in_place(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    part = visitor.post(lab_path + "/nodes/CT1/tools/", {"tool": "port", "host": "a", "port": "x"}, part=True).text
    assert "The port is not a number" in part
    assert not lab.commands
    assert visitor.post(lab_path + "/nodes/CT1/tools/", {"tool": "rm"}).status_code == 400


def test_what_came_of_it_is_said_on_the_next_page(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.result = CommandResult(ok=False, sentence="It <b>failed</b>.", association="a-1")
    visitor.post(lab_path + "/nodes/CT1/restart")
    page = visitor.page(lab_path + "/")
    assert "It &lt;b&gt;failed&lt;/b&gt;." in page
    assert f'href="{lab_path}/associations/a-1"' in page
    assert 'role="alert"' in page


def test_a_refusal_is_said_on_the_next_page(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.refuse = ConflictError("It is being reset.", "Wait a second.")
    visitor.post(lab_path + "/reset")
    assert "It is being reset. Wait a second." in visitor.page(lab_path + "/")


def test_unknown_queue_act_is_refused(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    assert visitor.post(lab_path + "/nodes/CT1/queue/", {"act": "burn", "destination": "X"}).status_code == 400
    assert not lab.commands


def test_check_runs_behind_the_page_and_ends_in_the_debrief(
    visitor: Visitor, lab: StandIn, lab_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    execute = StandIn.execute

    def slowly(self: StandIn, name: str, params: dict[str, Any]) -> CommandResult:
        assert go_on.wait(10)
        return execute(self, name, params)

    monkeypatch.setattr(StandIn, "execute", slowly)
    part = visitor.post(lab_path + "/drill/check", part=True).text
    assert "every 1s" in part
    assert "tried for real" in part
    again = visitor.post(lab_path + "/drill/check", part=True)
    assert "every 1s" in again.text
    go_on.set()
    for _ in range(1000):
        answer = visitor.get(lab_path + "/drill/check", part=True)
        if "HX-Redirect" in answer.headers:
            break
    assert answer.headers["HX-Redirect"].endswith("#debrief")
    assert lab.state is AttemptState.SOLVED
    assert [one["command"] for one in lab.commands] == ["attempt.check"]
    assert 'id="past-title"' not in visitor.page("/"), "the lab still runs: it is not among the past ones"


def test_a_check_that_cannot_be_run_says_why(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.refuse = BadInputError("The department is being reset.", "Wait.")
    visitor.post(lab_path + "/drill/check")
    for _ in range(1000):
        page = visitor.page(lab_path + "/drill/check")
        if "being reset" in page:
            break
    assert "The department is being reset. Wait." in page
    assert "every 1s" not in page


def test_ending_a_lab_keeps_its_record(visitor: Visitor, host: StandInHost, lab_path: str) -> None:
    visitor.post(lab_path + "/end")
    assert not host.labs
    page = visitor.page("/")
    assert "Running now" not in page
    assert "Not finished" in page
    assert "the lab has ended" in page


@pytest.mark.parametrize("seed", ["-1", "1.5", "99999999999", "x"])
def test_a_seed_must_be_a_number(visitor: Visitor, host: StandInHost, seed: str) -> None:
    assert visitor.post("/labs", {"scenario": "drill", "seed": seed}).status_code == 400
    assert not host.labs
