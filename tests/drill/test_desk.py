"""What a trainee asks, tells, notes, pins and closes in a real lab: each is an event, there after a restart too."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandbox.drill import thread, trying
from sandbox.drill.attempt import Attempt
from sandbox.drill.load import LoadedScenario, read_scenario
from sandbox.events.event import SYSTEM
from sandbox.events.kinds import TicketAnswered
from sandbox.events.log import because
from sandbox.lab.lab import Lab
from sandbox.model.desk_view import Said
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.view import AttemptState
from tests.drill.support import TRAINEE, do, running_lab, write_tiny

WAIT_S = 60.0
WRITTEN = """
[[answer]]
to = "sonographer"
about = "changed"
text = "They moved my machine. {patient} was the first after it."

[[check]]
id = "us-is-archived"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> LoadedScenario:
    return read_scenario(write_tiny(tmp_path / "scenarios", spoil={'\n[[check]]\nid = "us-is-archived"\n': WRITTEN}))


@pytest.fixture(autouse=True)
def _quick_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "MOMENT_S", (0.0, 0.05))


def ask(lab: Lab, to: str, about: str) -> TicketAnswered:
    before = len(lab.events)
    do(lab, "attempt.ask", to=to, about=about)
    answered = lab.events.wait_for(lambda event: event.kind == "ticket.answered", after=before, timeout=WAIT_S)
    assert answered is not None, f"{to} says nothing"
    assert isinstance(answered.body, TicketAnswered)
    assert answered.actor == "system"
    return answered.body


def mend(lab: Lab) -> None:
    do(lab, "node.config.save", node="US1", set={"remotes.ROUTER.ae_title": "ROUTER"})
    do(lab, "node.restart", node="US1")


def test_those_can_be_asked_who_make_sense(attempt: Attempt) -> None:
    people = [choice.value for choice in attempt.view().people]
    assert people[0] == "sonographer", "the caller first"
    assert {"pacs_lead", "network_engineer", "service_engineer"} <= set(people)
    assert "night_radiologist" not in people
    with pytest.raises(BadInputError) as refused:
        do(attempt.lab, "attempt.ask", to="sonografer", about="see")
    assert "sonographer" in refused.value.mend


def test_what_the_author_wrote_is_said_with_this_runs_names(attempt: Attempt) -> None:
    exam = attempt.surface.memory.exams[0]
    first = ask(attempt.lab, "sonographer", "changed")
    assert first.sender == "Lena Marchetti"
    assert first.text == f"They moved my machine. {exam.spoken_name} was the first after it."
    assert ask(attempt.lab, "sonographer", "changed").text.startswith("As I said: ")
    assert attempt.debrief().tests.made[0].answer == first.text, "and stands in the debrief beside the question"


def test_who_does_not_know_says_so(attempt: Attempt) -> None:
    assert ask(attempt.lab, "network_engineer", "see").worked is None
    assert ask(attempt.lab, "pacs_lead", "again").worked is None


def test_what_is_on_the_screen_is_what_is_so(attempt: Attempt) -> None:
    lab = attempt.lab
    assert "1 image for ROUTER that have not gone" in ask(lab, "sonographer", "see").text
    rooms = ask(lab, "sonographer", "rooms")
    assert rooms.worked is True
    assert "CT1, MR1 and DX1" in rooms.text
    assert "1 study" in ask(lab, "sonographer", "scope").text


def test_trying_once_more_is_a_real_send(attempt: Attempt) -> None:
    lab = attempt.lab
    before = len(lab.events)
    failed = ask(lab, "sonographer", "again")
    assert failed.worked is False
    assert "called AE title" not in failed.text, "a screen does not tell the cause"
    assert any(event.kind == "association.rejected" and event.node == "US1" for event in lab.events.since(before))
    mend(lab)
    assert lab.events.wait_for(
        lambda event: event.kind == "instance.stored" and event.node == "ARCHIVE", after=before, timeout=WAIT_S
    )
    idle = lab.events.wait_for(lambda _: lab.department.modality("US1").queue.is_empty(), timeout=WAIT_S)
    assert idle is not None
    green = ask(lab, "sonographer", "again")
    assert "it is green" in green.text
    assert green.worked is None


def test_one_question_at_a_time(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "MOMENT_S", (30.0, 30.0))
    do(attempt.lab, "attempt.ask", to="sonographer", about="urgent")
    assert attempt.view().tickets[0].thinking == ("Lena Marchetti",)
    with pytest.raises(ConflictError):
        do(attempt.lab, "attempt.ask", to="sonographer", about="since")
    do(attempt.lab, "attempt.ask", to="pacs_lead", about="since")


def timers() -> list[threading.Thread]:
    """Those who are about to say something."""
    return [each for each in threading.enumerate() if each.name.startswith("thread-")]


def test_nobody_goes_on_thinking_when_all_is_over(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "MOMENT_S", (60.0, 60.0))
    lab = attempt.lab
    do(lab, "attempt.ask", to="sonographer", about="urgent")
    do(lab, "attempt.update", impact="US1 waits.", known="Refused.", unknown="Why.", next_update_min=2)
    do(lab, "attempt.give_up")
    assert attempt.view().tickets[0].thinking == ()
    for command, params in (("ask", {"to": "pacs_lead", "about": "since"}), ("update", {"known": "It was a title."})):
        with pytest.raises(ConflictError, match="over"):
            do(lab, f"attempt.{command}", **params)
    for gone in timers():
        gone.join(WAIT_S)
    again = Attempt(lab, attempt.scenario)  # as a new process does that goes on with it
    try:
        assert timers() == [], "somebody would still answer"
        assert again.view().tickets[0].thinking == ()
    finally:
        again.close()


def test_an_update_is_acknowledged_for_what_it_says(attempt: Attempt) -> None:
    lab = attempt.lab
    with pytest.raises(BadInputError):
        do(lab, "attempt.update", next_update_min=10)
    do(lab, "attempt.update", impact="US1 cannot send.", unknown="Why.", next_update_min=10)
    asked_back = attempt.view().tickets[0].messages[-1]
    assert asked_back.said is Said.ANSWERED
    assert "Do you know anything yet?" in asked_back.text
    do(lab, "attempt.update", impact="US1 waits.", known="Refused.", unknown="Why.", next_update_min=120)
    assert "120 minutes are a long time" in attempt.view().tickets[0].messages[-1].text
    told = next(event for event in lab.events.since() if event.kind == "ticket.updated")
    assert told.actor == TRAINEE


def test_who_was_promised_news_asks_for_it_once(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "MINUTE_S", 0.05)
    lab = attempt.lab
    do(lab, "attempt.update", impact="US1 waits.", known="Refused.", unknown="Why.", next_update_min=2)
    monkeypatch.setattr(thread, "MINUTE_S", 60.0)
    asked = lab.events.wait_for(lambda event: getattr(event.body, "about", "") == "news", timeout=WAIT_S)
    assert asked is not None
    message = attempt.view().tickets[0].messages[-1]
    assert message.name == "Lena Marchetti"
    assert "in 2 min" in message.text
    assert attempt.desk.promises == {}
    do(lab, "attempt.update", impact="US1 sends.", known="It was the title.", unknown="Nothing.", next_update_min=5)
    assert attempt.desk.promises[1].minutes == 5


def test_notes_can_be_changed_and_taken_back(attempt: Attempt) -> None:
    lab = attempt.lab
    do(lab, "attempt.note", text="Red at once.")
    do(lab, "attempt.note", text="CT1 sends.")
    do(lab, "attempt.note", note=1, text="Red **at once**.")
    assert [(note.number, note.text) for note in attempt.view().notes] == [(1, "Red **at once**."), (2, "CT1 sends.")]
    do(lab, "attempt.note.remove", note=1)
    assert [note.number for note in attempt.view().notes] == [2]
    do(lab, "attempt.note.restore", note=1)
    assert attempt.view().notes[0].text == "Red **at once**."
    with pytest.raises(NotFoundError):
        do(lab, "attempt.note.remove", note=3)
    with pytest.raises(BadInputError):
        do(lab, "attempt.note", text="  ")


def test_the_same_thing_is_pinned_once(attempt: Attempt) -> None:
    lab = attempt.lab
    for _ in range(2):
        do(lab, "attempt.pin", what="log", node="US1", text="Rejected.", seq=4)
    do(lab, "attempt.pin", what="log", node="US1", text="Rejected.", seq=4, points_to="the title")
    do(lab, "attempt.pin", what="result", node="US1", text="Rejected.")
    pins = attempt.view().pins
    assert [(pin.number, pin.points_to) for pin in pins] == [(1, "the title"), (2, "")]
    assert (pins[0].node, pins[0].seq) == ("US1", 4)
    do(lab, "attempt.unpin", pin=1)
    assert [pin.number for pin in attempt.view().pins] == [2]
    do(lab, "attempt.pin", what="log", node="US1", text="Rejected.", seq=4)
    assert [(pin.number, pin.points_to) for pin in attempt.view().pins] == [(1, "the title"), (2, "")]


def test_a_diagnosis_rests_on_pins_and_keeps_its_history(attempt: Attempt) -> None:
    lab = attempt.lab
    do(lab, "attempt.diagnose", node="US1", layer="network", fault="wrong-port", confidence="guess")
    with pytest.raises(BadInputError):
        do(lab, "attempt.diagnose", node="US1", layer="association", fault="wrong-port", pins=[1])
    do(lab, "attempt.pin", what="log", node="US1", text="Rejected.")
    right = {"node": "US1", "layer": "association", "fault": "called-title-mistyped"}
    do(lab, "attempt.diagnose", **right, pins=[1], confidence="sure")
    said = attempt.view().diagnoses
    assert [(one.fault, one.confidence, one.pins) for one in said] == [
        ("wrong-port", "guess", ()),
        ("called-title-mistyped", "sure", (1,)),
    ]
    assert said[0].at <= said[1].at


def test_a_ticket_is_closed_by_trying(attempt: Attempt) -> None:
    lab = attempt.lab
    message = {"cause": "The title was mistyped.", "done": "Corrected it.", "verified": "It arrives."}
    early = do(lab, "attempt.close", **message)
    assert not early.ok
    view = attempt.view()
    assert view.state is AttemptState.RUNNING
    assert not view.tickets[0].closed
    assert view.tickets[0].messages[-1].worked is False
    mend(lab)
    assert do(lab, "attempt.close", **message).ok
    view = attempt.view()
    assert view.state is AttemptState.SOLVED
    assert view.tickets[0].closed
    last = view.tickets[0].messages[-2:]
    assert [one.said for one in last] == [Said.CLOSED, Said.ANSWERED]
    assert last[1].worked is True
    score = attempt.debrief().score
    assert score is not None
    assert {line.part: line.points for line in score.lines}["closed"] == 5, "the message that ended it counts"
    with pytest.raises(ConflictError):
        do(lab, "attempt.close", **message)


def test_what_was_harmed_is_said_by_the_senior(attempt: Attempt) -> None:
    lab = attempt.lab
    do(lab, "node.config.save", node="ROUTER", set={"check_called_ae": False})
    do(lab, "node.restart", node="ROUTER")
    assert not do(lab, "attempt.close", cause="A name.", done="Any name goes.").ok
    said = attempt.view().tickets[0].messages[-1]
    assert said.name == "Marion Feld"
    assert "I will not have it closed like this" in said.text


def test_the_solution_is_walked_through_after_giving_up(attempt: Attempt) -> None:
    lab = attempt.lab
    with pytest.raises(ConflictError):
        do(lab, "attempt.step", number=1)
    assert attempt.view().steps == ()
    do(lab, "attempt.give_up")
    assert [step.ok for step in attempt.view().steps] == [None, None]
    do(lab, "attempt.step", number=1)
    do(lab, "attempt.step", number=2)
    assert [step.ok for step in attempt.view().steps] == [True, True]
    rehearsed = do(lab, "attempt.rehearse")
    assert rehearsed.ok, rehearsed.facts
    assert attempt.view().state is AttemptState.GIVEN_UP, "it does not count any more"
    do(lab, "lab.reset")
    assert [step.ok for step in attempt.view().steps] == [None, None]


def test_the_desk_outlives_a_reset_and_the_process(tmp_path: Path, scenario: LoadedScenario) -> None:
    place = tmp_path / "lab"
    with running_lab(place, scenario=scenario.slug) as lab:
        before = Attempt(lab, scenario)
        before.begin()
        ask(lab, "sonographer", "changed")
        do(lab, "attempt.note", text="Red at once.")
        do(lab, "attempt.pin", what="log", node="US1", text="Rejected.")
        do(lab, "attempt.diagnose", node="US1", layer="association", fault="wrong-port", pins=[1])
        do(lab, "lab.reset")
        view = before.view()
        assert (len(view.notes), len(view.pins), len(view.diagnoses)) == (1, 1, 1)
        before.close()
    again = Lab.open(place)
    try:
        again.start()
        after = Attempt(again, scenario)
        resumed = after.view()
        assert resumed == view
        after.close()
    finally:
        again.stop()


def test_what_was_asked_of_a_process_that_died_is_answered(
    tmp_path: Path, scenario: LoadedScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "lab"
    with monkeypatch.context() as slow, running_lab(place, scenario=scenario.slug) as lab:
        slow.setattr(thread, "MOMENT_S", (60.0, 60.0))
        before = Attempt(lab, scenario)
        before.begin()
        do(lab, "attempt.ask", to="sonographer", about="changed")
        before.close()
    again = Lab.open(place)
    try:
        again.start()
        after = Attempt(again, scenario)
        answered = again.events.wait_for(lambda event: event.kind == "ticket.answered", timeout=WAIT_S)
        assert answered is not None
        assert after.view().tickets[0].thinking == ()
        after.close()
    finally:
        again.stop()


def test_who_opens_a_study_to_try_leaves_the_workstation_as_it_was(attempt: Attempt) -> None:
    lab, exam = attempt.lab, attempt.surface.memory.exams[0]
    department, ws2 = lab.department, lab.department.node("WS2")
    assert ws2.store is not None
    empty = trying.try_again(department, "WS2", exam)
    assert empty is not None
    assert empty.worked is False
    assert "stays empty" in empty.text
    mend(lab)
    assert lab.events.wait_for(
        lambda event: event.kind == "instance.stored" and event.node == "ARCHIVE", timeout=WAIT_S
    )
    cause = do(lab, "tool.ping", node="WS2", host="198.18.20.20").event
    with because(cause, SYSTEM):
        came = trying.try_again(department, "WS2", exam)
    assert came is not None
    assert came.worked is True, came.text
    assert ws2.store.study(exam.study_uid) is None, "the viewer is closed again"
    do(lab, "study.retrieve", node="WS2", study=exam.study_uid)
    there = trying.try_again(department, "WS2", exam)
    assert there is not None
    assert there.worked is True
    assert ws2.store.study(exam.study_uid) is not None, "what somebody else fetched stays"
