"""The terminal's page: a form that works without a script, and what its script asks for."""

from __future__ import annotations

import pytest
from flask import Flask

from sandbox.model.errors import ConflictError
from sandbox.model.terminal_view import TerminalOutput
from sandbox.model.view import CommandResult
from tests.web.conftest import Visitor
from tests.web.stand_in import HOSTILE, StandIn

SAID = TerminalOutput(text=f"F: Association Rejected:\n{HOSTILE}", status=1, directory="/log", took_ms=1500)


@pytest.fixture
def answered(lab: StandIn) -> StandIn:
    lab.result = CommandResult(ok=False, sentence="CT1: x", terminal=SAID, association="a-1")
    return lab


def test_without_a_script_it_is_a_form_and_its_answer(visitor: Visitor, answered: StandIn, lab_path: str) -> None:
    page = visitor.page(f"{lab_path}/terminal/?node=CT1&line=help")
    assert 'value="help"' in page
    assert "Terminal" in page
    answer = visitor.post(f"{lab_path}/terminal/", {"node": "CT1", "directory": "/", "line": HOSTILE}).text
    assert "&lt;script&gt;" in answer
    assert "<script>alert" not in answer
    assert "Exit status 1" in answer
    assert f'href="{lab_path}/associations/a-1"' in answer
    assert 'name="directory" value="/log"' in answer
    assert answered.commands[-1]["params"] == {"node": "CT1", "line": HOSTILE, "directory": "/", "run": ""}


def test_a_script_gets_a_piece_and_where_the_terminal_is(
    app: Flask, visitor: Visitor, answered: StandIn, lab_path: str
) -> None:
    headers = {"X-Terminal": "script", "X-CSRFToken": visitor.token()}
    data = {"node": "CT1", "line": "echoscu router 104", "run": "r-1"}
    answer = visitor.client.post(f"{lab_path}/terminal/", data=data, headers=headers)
    assert answer.status_code == 200
    assert answer.text.strip().startswith('<div class="term-ran">')
    assert (answer.headers["X-Directory"], answer.headers["X-Clears"]) == ("/log", "0")


def test_what_cannot_be_run_is_told_in_the_terminal(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.refuse = ConflictError("The lab is being reset.", "Try again in a second.")
    answer = visitor.post(f"{lab_path}/terminal/", {"node": "CT1", "line": "ls"}).text
    assert "The lab is being reset. Try again in a second." in answer


def test_a_directory_that_was_made_up_ends_no_header(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.refuse = ConflictError("The lab is being reset.", "Try again in a second.")
    headers = {"X-Terminal": "script", "X-CSRFToken": visitor.token()}
    data = {"node": "CT1", "line": "ls", "directory": "/log\r\nX-Clears: 1"}
    answer = visitor.client.post(f"{lab_path}/terminal/", data=data, headers=headers)
    assert (answer.status_code, answer.headers["X-Directory"]) == (200, "/log??X-Clears: 1")


def test_ctrl_c_is_a_command(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.result = CommandResult(ok=True, sentence="It is being stopped.")
    answer = visitor.post(f"{lab_path}/terminal/cancel", {"run": "r-1"})
    assert answer.json == {"stopped": True}
    assert lab.commands[-1]["command"] == "terminal.cancel"


def test_nobody_runs_a_line_without_the_token(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    assert visitor.client.post(f"{lab_path}/terminal/", data={"node": "CT1", "line": "ls"}).status_code == 400
    assert not lab.commands


def test_there_is_one_on_every_node(visitor: Visitor, lab_path: str) -> None:
    assert f"{lab_path}/terminal/?node=ROUTER" in visitor.page(f"{lab_path}/nodes/ROUTER/")
    assert visitor.get(f"{lab_path}/terminal/?node=NOBODY").status_code == 404


def test_what_does_not_say_which_line_is_a_bad_request(visitor: Visitor, lab_path: str) -> None:
    for path in ("now", "now?node=CT1", "words?line=l"):
        assert visitor.client.get(f"{lab_path}/terminal/{path}").status_code == 400
