"""The trainee's desk in the console: conversation, notebook, pins, and how they become commands."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from flask import Flask

from sandbox.model.desk_view import DiagnosisView, SolutionStep
from sandbox.model.errors import ConflictError
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState, AttemptView, Choice, CommandResult
from tests.web.conftest import Visitor
from tests.web.stand_in import HOSTILE, NOW, StandIn, StandInHost
from web.drafts import LONGEST, MOST, Drafts

ESCAPED = "&lt;script&gt;"
CLOSING = {"cause": "A typo.", "done": "Corrected.", "verified": "It came.", "follow_up": "Tell the others."}
ACTS: tuple[tuple[str, dict[str, str], str, dict[str, Any]], ...] = (
    (
        "/tickets/1/ask",
        {"to": "ed_nurse", "about": "see"},
        "attempt.ask",
        {"ticket": 1, "to": "ed_nurse", "about": "see"},
    ),
    (
        "/tickets/1/update",
        {"impact": "CT waits.", "known": "Refused.", "unknown": "Why.", "next_update_min": "20"},
        "attempt.update",
        {"ticket": 1, "impact": "CT waits.", "known": "Refused.", "unknown": "Why.", "next_update_min": 20},
    ),
    ("/notebook/notes", {"text": "Red at once."}, "attempt.note", {"text": "Red at once."}),
    ("/notebook/notes", {"text": "Red.", "note": "1"}, "attempt.note", {"text": "Red.", "note": 1}),
    ("/notebook/notes/1/remove", {}, "attempt.note.remove", {"note": 1}),
    ("/notebook/notes/1/restore", {}, "attempt.note.restore", {"note": 1}),
    (
        "/notebook/pins",
        {"what": "log", "node": "CT1", "association": "a-1", "seq": "7", "text": "Rejected."},
        "attempt.pin",
        {"what": "log", "node": "CT1", "association": "a-1", "seq": 7, "text": "Rejected."},
    ),
    ("/notebook/pins", {"what": "log", "text": "Rejected.", "pin": "3"}, "attempt.unpin", {"pin": 3}),
    ("/notebook/pins/1/unpin", {}, "attempt.unpin", {"pin": 1}),
    (
        "/notebook/pins/1/means",
        {"points_to": "the title"},
        "attempt.pin",
        {"what": "log", "node": "CT1", "text": HOSTILE, "points_to": "the title"},
    ),
    (
        "/drill/diagnosis",
        {"node": "CT1", "layer": "association", "fault": "typo", "pins": "1", "confidence": "sure"},
        "attempt.diagnose",
        {"node": "CT1", "layer": "association", "fault": "typo", "evidence": "", "pins": [1], "confidence": "sure"},
    ),
    ("/drill/step", {"number": "2"}, "attempt.step", {"number": 2}),
    ("/drill/rehearse", {}, "attempt.rehearse", {}),
)


@pytest.mark.parametrize(("path", "values", "command", "params"), ACTS)
def test_forms_become_commands(
    visitor: Visitor,
    lab_path: str,
    lab: StandIn,
    path: str,
    values: dict[str, str],
    command: str,
    params: dict[str, Any],
) -> None:
    assert visitor.post(lab_path + path, values).status_code == 302
    assert lab.commands[-1]["command"] == command
    assert lab.commands[-1]["params"] == params


def test_what_was_said_is_shown_and_harmless(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/")
    assert "What do you see?" in page
    assert ESCAPED in page
    assert "<script>alert" not in page
    assert "Rosalind Pike is looking…" in page
    part = visitor.get(lab_path + "/tickets/1", part=True).text
    assert part.lstrip().startswith("<div")
    assert "Rosalind Pike is looking…" in part


def test_asking_in_place_answers_with_the_thread(visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    answer = visitor.post(lab_path + "/tickets/1/ask", {"to": "ed_nurse", "about": "see"}, part=True)
    assert answer.status_code == 200
    assert 'id="talk-1"' in answer.text
    lab.refuse = ConflictError("Rosalind Pike is still answering.", "Wait.")
    refused = visitor.post(lab_path + "/tickets/1/ask", {"to": "ed_nurse", "about": "see"}, part=True)
    assert "Rosalind Pike is still answering. Wait." in refused.text


def test_a_ticket_that_came_later_is_added(visitor: Visitor, lab_path: str) -> None:
    assert 'id="ticket-1"' in visitor.get(lab_path + "/tickets/after/0", part=True).text
    none_new = visitor.get(lab_path + "/tickets/after/1", part=True).text
    assert 'id="ticket-1"' not in none_new
    assert "/tickets/after/1" in none_new


def test_closing_while_the_drill_runs_is_tried_behind_the_page(visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    answer = visitor.post(lab_path + "/tickets/1/close", CLOSING)
    assert answer.headers["Location"].endswith("#check")
    deadline = time.monotonic() + 30
    while not lab.commands and time.monotonic() < deadline:
        visitor.get(lab_path + "/drill/check", part=True)
    assert lab.commands[-1] == {
        "command": "attempt.close",
        "params": {"ticket": 1, **CLOSING},
        "actor": lab.commands[-1]["actor"],
    }


def no_check_is_under_way(app: Flask, lab_path: str) -> None:
    deadline = time.monotonic() + 30
    while app.extensions["console"].checking.is_running(lab_path.rpartition("/")[2]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("mode", ["drill", "exam"])
def test_a_closing_message_that_comes_during_a_check_is_kept_and_told_so(
    app: Flask, visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    done = threading.Event()
    monkeypatch.setattr(StandIn, "execute", lambda self, *_: (done.wait(60), self.result)[1])
    path = visitor.post("/labs", {"scenario": "drill", "mode": mode}).headers["Location"].rstrip("/")
    visitor.post(path + "/drill/check")
    assert visitor.post(path + "/tickets/1/close", CLOSING).status_code == 302
    page = visitor.page(path + "/")
    done.set()
    assert "A check is under way" in page
    for words in CLOSING.values():
        assert f">{words}</textarea>" in page
    no_check_is_under_way(app, path)
    assert [one["command"] for one in host.labs[path.rpartition("/")[2]].commands] == ["attempt.check"]


def test_a_closing_message_is_kept_until_it_is_taken(app: Flask, visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    kept = f">{CLOSING['cause']}</textarea>"
    assert kept not in visitor.page(lab_path + "/")
    lab.result = CommandResult(ok=False, sentence="The caller has tried, and the ticket stays open.")
    visitor.post(lab_path + "/tickets/1/close", CLOSING)
    no_check_is_under_way(app, lab_path)
    assert kept in visitor.page(lab_path + "/")
    lab.refuse = ConflictError("The department is being reset.", "Wait.")
    visitor.post(lab_path + "/tickets/1/close", CLOSING)
    no_check_is_under_way(app, lab_path)
    assert kept in visitor.page(lab_path + "/")
    lab.result = CommandResult(ok=True, sentence="The ticket is closed.")
    visitor.post(lab_path + "/tickets/1/close", CLOSING)
    no_check_is_under_way(app, lab_path)
    assert kept not in visitor.page(lab_path + "/")


def test_of_closing_messages_only_so_many_are_kept() -> None:
    drafts = Drafts()
    for ticket in range(MOST + 1):
        drafts.keep("lab", ticket, {"cause": "x" * (LONGEST + 1), "done": " "})
    assert drafts.get("lab", 0) == {}
    assert drafts.get("lab", MOST) == {"cause": "x" * LONGEST}


def test_a_solved_ticket_is_closed_at_once(visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    lab.state = AttemptState.SOLVED
    lab.refuse = ConflictError("The department is being reset.", "Wait.")
    visitor.post(lab_path + "/tickets/1/close", CLOSING)
    assert f">{CLOSING['cause']}</textarea>" in visitor.page(lab_path + "/")
    assert "It is solved. Tell Rosalind Pike what it was." in visitor.page(lab_path + "/")
    assert visitor.post(lab_path + "/tickets/1/close", CLOSING).status_code == 302
    assert lab.commands[-1]["command"] == "attempt.close"


def test_a_pin_toggles_and_comes_back(visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    wanted = {"what": "log", "node": "CT1", "text": HOSTILE, "next": lab_path + "/associations/?x=1"}
    part = visitor.post(lab_path + "/notebook/pins", wanted, part=True).text
    assert "Pinned" in part
    assert ESCAPED in part
    assert 'name="pin" value="1"' in part
    assert f'name="next" value="{lab_path}/associations/?x=1"' in part
    other = visitor.post(lab_path + "/notebook/pins", {**wanted, "text": "something else"}, part=True).text
    assert 'name="pin"' not in other
    away = visitor.post(lab_path + "/notebook/pins", {**wanted, "next": "https://example.org/"})
    assert "example.org" not in away.headers["Location"]
    back = visitor.post(lab_path + "/notebook/pins", wanted)
    assert back.headers["Location"] == lab_path + "/associations/?x=1"


def test_pins_are_there_only_while_a_drill_runs(visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    assert "pin-button" in visitor.page(lab_path + "/")
    lab.state = AttemptState.GIVEN_UP
    assert "pin-button" not in visitor.page(lab_path + "/")


def test_the_notebook_as_page_part_and_file(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/notebook/")
    assert "<strong>CT1</strong>" in page, "a note's Markdown is shown as such"
    assert ESCAPED in page
    assert "notebook-drawer" not in page, "the page is the notebook"
    assert "notebook-drawer" in visitor.page(lab_path + "/associations/")
    assert visitor.get(lab_path + "/notebook/body", part=True).text.count('id="notebook-body"') == 1
    file = visitor.get(lab_path + "/notebook/notebook.md")
    assert file.mimetype == "text/markdown"
    assert "It is **CT1**." in file.text
    assert "Points to: a typo" in file.text


def test_a_note_that_was_taken_out_can_be_had_back(visitor: Visitor, lab_path: str) -> None:
    part = visitor.post(lab_path + "/notebook/notes/1/remove", part=True).text
    assert "Note 1 is taken out." in part
    assert "/notebook/notes/1/restore" in part


def test_what_to_do_next_is_asked_for_alone(visitor: Visitor, lab_path: str, lab: StandIn) -> None:
    page = visitor.page(lab_path + "/")
    nav = page[page.index('<nav class="next"') :].partition("</nav>")[0]
    assert f'hx-get="{lab_path}/next"' in nav
    assert visitor.get(lab_path + "/next", part=True).text.count("<nav") == 1
    lab.state = AttemptState.GIVEN_UP
    assert visitor.get(lab_path + "/next", part=True).text == "", "a drill that is over has its debrief"


def test_a_look_around_has_no_desk(visitor: Visitor) -> None:
    place = visitor.post("/labs", {"site": "riverside"}).headers["Location"]
    assert "notebook-drawer" not in visitor.page(place)


def test_the_diagnosis_on_record_with_what_was_said_before(
    visitor: Visitor, lab_path: str, lab: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tuple(
        DiagnosisView(seq=n, at=NOW, node="CT1", layer="association", fault="typo", pins=(1,), confidence=sure)
        for n, sure in ((1, "guess"), (2, "sure"))
    )
    _with(monkeypatch, lab, diagnoses=said, diagnosis={"node": "CT1", "layer": "association", "fault": "typo"})
    page = visitor.page(lab_path + "/")
    assert "Your diagnosis is on record." in page
    assert "1 earlier diagnosis" in page
    assert "Change my diagnosis" in page
    assert "checked" in visitor.get(lab_path + "/drill/pins?pins=1", part=True).text


def test_a_check_says_what_changed_since_the_last(
    visitor: Visitor, lab_path: str, lab: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.findings = (
        Finding(id="ct", check="exam_arrives", verdict=Verdict.PASS, sentence="It came."),
        Finding(id="mr", check="exam_arrives", verdict=Verdict.FAIL, sentence="It did not."),
    )
    _with(monkeypatch, lab, found_before={"ct": "fail", "mr": "fail"})
    page = visitor.page(lab_path + "/")
    assert "1 of 2 hold." in page
    assert page.count("Changed: at the last check it was “Failed”.") == 1


@pytest.mark.parametrize(
    ("mode", "kept", "words"),
    [
        ("drill", 1, "and 1 more thing that is told when you check"),
        ("drill", 2, "and 2 more things that are told when you check"),
        ("exam", 2, "and 2 more things that are told at the end"),
    ],
)
def test_claims_that_would_tell_the_cause_are_only_counted(
    visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch, mode: str, kept: int, words: str
) -> None:
    path = str(visitor.post("/labs", {"scenario": "drill", "mode": mode}).headers["Location"]).rstrip("/")
    claims = (Choice(value="", text=""),) * kept
    _with(monkeypatch, host.labs[path.rpartition("/")[2]], checks=(Choice(value="ct", text="A CT comes."), *claims))
    page = visitor.page(path + "/")
    listed = page[page.index('class="findings todo"') :].partition("</ul>")[0]
    assert listed.count("<li") == 2
    assert "A CT comes." in listed
    assert words in listed


def test_the_solution_is_offered_step_by_step(
    visitor: Visitor, lab_path: str, lab: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (
        SolutionStep(number=1, text="Correct it.", ok=True, sentence="Saved."),
        SolutionStep(number=2, text="Restart CT1."),
        SolutionStep(number=3, text="Send it again."),
    )
    lab.state = AttemptState.GIVEN_UP
    _with(monkeypatch, lab, steps=steps)
    page = visitor.page(lab_path + "/")
    assert page.count("Do this step") == 1, "one at a time"
    assert 'name="number" value="2"' in page
    assert "See whether it works now" not in page


def _with(monkeypatch: pytest.MonkeyPatch, lab: StandIn, **values: Any) -> None:
    """The attempt as it is, with some values changed."""
    made = lab.attempt

    def changed() -> AttemptView:
        return made().model_copy(update=values)

    monkeypatch.setattr(lab, "attempt", changed)
