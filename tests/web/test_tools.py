"""The page of a node's tools: one at a time, what was typed is kept, results stay for comparison."""

from __future__ import annotations

import re

import pytest
from werkzeug.datastructures import MultiDict

from sandbox.model.view import CommandResult
from tests.web.conftest import Visitor
from tests.web.stand_in import HOSTILE, StandIn
from web.pages.tools import TOOLS
from web.recent_results import MOST_PAGES, MOST_RESULTS, RecentResults, Tried

HERE = "/nodes/CT1/tools/"


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_each_tool_has_its_address_and_tries_nothing_by_being_opened(
    visitor: Visitor, lab: StandIn, lab_path: str, tool: str
) -> None:
    page = visitor.page(f"{lab_path}{HERE}?tool={tool}&host=archive")
    assert f'name="tool" value="{tool}"' in page
    assert re.search(rf'\?tool={tool}"[^>]*aria-current="true"', page)
    assert not lab.commands


def test_rows_of_a_query_come_and_go_without_a_script(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    form = MultiDict([("tool", "find"), ("remote", "ARCHIVE"), ("act", "add-key"), ("csrf_token", visitor.token())])
    for key, value in (("PatientName", HOSTILE), ("Modality", "")):
        form.add("key", key)
        form.add("value", value)
    page = visitor.client.post(f"{lab_path}{HERE}", data=form).text
    assert page.count("data-key-row") == 3
    assert "<script>alert" not in page
    assert not lab.commands


def test_a_query_is_asked_again_without_each_key(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    form = {"tool": "find", "remote": "ARCHIVE", "PatientID": "1", "root": "PATIENT", "act": "drop"}
    visitor.post(f"{lab_path}{HERE}", form, part=True)
    params = lab.commands[-1]["params"]
    assert (params["drop_each"], params["root"], params["keys"]["PatientID"]) == (True, "PATIENT", "1")


@pytest.mark.parametrize("port", ["000001" + "0" * 4300, "0000104999999", "70000", ""])
def test_what_is_no_port_is_not_tried(visitor: Visitor, lab: StandIn, lab_path: str, port: str) -> None:
    answer = visitor.post(f"{lab_path}{HERE}", {"tool": "port", "host": "archive", "port": port}, part=True)
    assert answer.status_code == 200
    assert "The port is not a number from 1 to 65535." in answer.text
    assert not lab.commands


def test_a_damaged_object_is_sent(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    visitor.post(f"{lab_path}{HERE}", {"tool": "store", "remote": "ARCHIVE", "damage": "truncated"}, part=True)
    assert lab.commands[-1]["params"] == {"node": "CT1", "remote": "ARCHIVE", "damage": "truncated"}


def test_the_last_results_stay_and_fill_in_the_form_again(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.result = CommandResult(ok=False, sentence="No answer from one.", took_ms=12.0)
    visitor.post(f"{lab_path}{HERE}", {"tool": "ping", "host": "one"}, part=True)
    lab.result = CommandResult(ok=True, sentence=f"{HOSTILE} answers.", columns=("A",), rows=(("b",),))
    part = visitor.post(f"{lab_path}{HERE}", {"tool": "ping", "host": "two"}, part=True).text
    assert part.index("answers.") < part.index("No answer from one.")
    assert "<script>alert" not in part
    assert "It took 12 ms." in part
    assert "host=one" in part
    page = visitor.page(f"{lab_path}{HERE}?tool=ping&host=one")
    assert 'value="one"' in page
    assert "No answer from one." in page
    visitor.post(f"{lab_path}{HERE}", {"tool": "ping", "act": "forget"})
    assert "Nothing tried yet." in visitor.page(f"{lab_path}{HERE}")


def test_results_are_bounded_and_each_persons_own() -> None:
    recent = RecentResults()
    tried = Tried("ping", "one", CommandResult(ok=True, sentence="Yes."))
    for _ in range(MOST_RESULTS + 5):
        recent.add("anna", "lab", "CT1", tried)
    assert len(recent.of("anna", "lab", "CT1")) == MOST_RESULTS
    assert not recent.of("ben", "lab", "CT1")
    for number in range(MOST_PAGES):
        recent.add("ben", f"lab{number}", "CT1", tried)
    assert not recent.of("anna", "lab", "CT1"), "the page that was longest not used is forgotten"
