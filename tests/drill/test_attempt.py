"""An attempt from the phone call to the debrief, through a reset and the death of its process."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.drill.attempt import Attempt, clock_for, open_attempt
from sandbox.drill.load import LoadedScenario, load_scenario, read_scenario, scenario_slugs
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.verdict import Verdict
from sandbox.model.view import AttemptState
from tests.drill.support import CAPPED_HOUSE, TRAINEE, do, running_lab, write_tiny


def mend(lab: Lab) -> None:
    do(lab, "node.config.save", node="US1", set={"remotes.ROUTER.ae_title": "ROUTER"})
    do(lab, "node.restart", node="US1")


def test_the_phone_rings(attempt: Attempt) -> None:
    view = attempt.view()
    assert view.state is AttemptState.RUNNING
    assert [ticket.number for ticket in view.tickets] == [1], "the second call comes an hour later"
    ticket = view.tickets[0]
    exam = attempt.surface.memory.exams[0]
    assert ticket.sender == "Lena Marchetti"
    assert ticket.role == "Sonographer"
    assert exam.spoken_name in ticket.subject
    assert f"**{exam.spoken_name}** ({exam.accession_number})" in ticket.body
    assert "{" not in ticket.body
    assert view.hints == ()
    assert view.hints_left == 4
    assert view.debrief is None
    assert {choice.value for choice in view.nodes} == {node.name for node in attempt.lab.site.nodes}
    assert len(view.checks) == 4


def test_a_claim_that_is_kept_back_is_told_when_it_was_judged(attempt: Attempt) -> None:
    words = ("names-are-checked", "insists on being called by name")
    before = attempt.view()
    assert [bool(claim.text) for claim in before.checks] == [True, True, False, True]
    assert not [word for word in words if word in before.model_dump_json()]
    do(attempt.lab, "attempt.check")
    after = attempt.view()
    assert [finding.id for finding in after.findings][2] == "names-are-checked"
    assert words[1] in after.findings[2].check
    assert not after.checks[2].text, "an exam tells it at its end, and shows this list until then"
    do(attempt.lab, "attempt.give_up")
    assert [claim.value for claim in attempt.view().checks][2] == "names-are-checked"


def test_the_past_is_dated_as_it_was(attempt: Attempt) -> None:
    exam = attempt.surface.memory.exams[0]
    assert f"{attempt.view().started_at:%A %H:%M}" == "Tuesday 09:00"
    assert f"{exam.at:%H:%M}" == "08:40"
    acquired = next(event for event in attempt.lab.events.since() if event.kind == "exam.acquired")
    assert f"{acquired.at:%H:%M}" == "08:40"
    assert attempt.lab.clock.now() - attempt.view().started_at < timedelta(minutes=1)


def test_what_broke_is_not_shown_and_what_it_led_to_is(attempt: Attempt) -> None:
    shown = [event for event in attempt.lab.events.since() if attempt.lab.may_show(event)]
    kinds = {event.kind for event in shown}
    assert "association.rejected" in kinds
    assert "queue.failed" in kinds
    assert "fault.applied" not in kinds
    assert "node.config.saved" not in kinds


def test_the_ladder(attempt: Attempt) -> None:
    lab = attempt.lab
    first = do(lab, "attempt.hint").sentence
    assert attempt.surface.memory.exams[0].accession_number in first
    for _ in range(3):
        do(lab, "attempt.hint")
    assert attempt.view().hints[0] == first
    assert attempt.view().hints_left == 0
    with pytest.raises(ConflictError):
        do(lab, "attempt.hint")
    hints = [event for event in lab.events.since() if event.kind == "attempt.hint.revealed"]
    assert [event.actor for event in hints] == [TRAINEE] * 4


def test_a_diagnosis_is_one_of_the_choices(attempt: Attempt) -> None:
    with pytest.raises(BadInputError) as refused:
        do(attempt.lab, "attempt.diagnose", node="US1", layer="assoc", fault="wrong-port")
    assert "association" in refused.value.mend
    do(attempt.lab, "attempt.diagnose", node="US1", layer="association", fault="wrong-port", evidence="a hunch")
    assert attempt.view().diagnosis == {
        "node": "US1",
        "layer": "association",
        "fault": "wrong-port",
        "evidence": "a hunch",
    }


def test_from_the_call_to_the_debrief(attempt: Attempt) -> None:
    lab = attempt.lab
    first = do(lab, "attempt.check")
    assert not first.ok
    assert "2 of 4" in first.sentence
    assert attempt.view().state is AttemptState.RUNNING

    do(lab, "terminal.run", node="US1", line="tail log/node.log")
    do(lab, "tool.ping", node="US1", host="198.18.20.20")
    do(lab, "attempt.hint")
    do(lab, "attempt.diagnose", node="US1", layer="association", fault="calling-title-unknown")
    mend(lab)
    solved = do(lab, "attempt.check")
    assert solved.ok, solved.facts

    view = attempt.view()
    assert view.state is AttemptState.SOLVED
    told = view.debrief
    assert told is not None
    assert told.solved
    assert told.hints_used == 1
    assert told.checks_used == 2
    assert told.diagnosis_right == {"node": True, "layer": True, "fault": False}
    assert told.right_diagnosis["fault"] == "It calls by a wrong name"
    assert "called AE title" in told.faults[0]
    assert told.solution[0] == "Correct the title."
    assert "remotes.ROUTER.ae_title to ROUTER" in told.solution[1]
    assert "{" not in told.text
    assert all(finding.verdict is Verdict.PASS for finding in told.findings)
    groups = [entry.group for entry in told.timeline]
    assert groups[0] == "fault"
    assert {"symptom", "ticket", "investigation", "hint", "diagnosis", "change", "check"} <= set(groups)
    assert groups.count("symptom") == 2, "the rejection and the queue, once each"
    assert [entry.seq for entry in told.timeline] == sorted(entry.seq for entry in told.timeline)
    assert told.timeline[0].elapsed_s < 0 < told.timeline[-1].elapsed_s
    assert told.evidence[0].available_s == 0.0
    assert told.evidence[0].opened_s is not None

    assert lab.may_show(next(event for event in lab.events.since() if event.kind == "fault.applied"))
    with pytest.raises(ConflictError):
        do(lab, "attempt.check")
    with pytest.raises(ConflictError):
        do(lab, "attempt.hint")


def test_a_cure_that_harms_is_told_apart(attempt: Attempt) -> None:
    lab = attempt.lab
    do(lab, "node.config.save", node="ROUTER", set={"check_called_ae": False})
    do(lab, "node.restart", node="ROUTER")
    result = do(lab, "attempt.check")
    assert not result.ok
    assert "price" in result.sentence
    broken = [finding for finding in attempt.view().findings if finding.verdict is Verdict.FAIL]
    assert [finding.id for finding in broken] == ["names-are-checked"]
    assert broken[0].invariant


def test_giving_up_tells_the_rest(attempt: Attempt) -> None:
    do(attempt.lab, "attempt.give_up")
    view = attempt.view()
    assert view.state is AttemptState.GIVEN_UP
    assert view.debrief is not None
    assert view.debrief.gave_up
    assert view.debrief.sentence.startswith("Given up")
    assert view.debrief.evidence[0].opened_s is None
    assert attempt.view() is view, "a debrief does not change any more"


def test_a_reset_goes_back_to_the_call_and_keeps_the_attempt(attempt: Attempt) -> None:
    lab = attempt.lab
    do(lab, "attempt.hint")
    mend(lab)
    do(lab, "queue.discard", node="CT1", destination="ROUTER")
    result = do(lab, "attempt.check")
    assert result.ok
    # Solved; the next attempt is another lab. The department can be reset all the same.
    do(lab, "lab.reset")
    assert attempt.view().state is AttemptState.SOLVED
    title = lab.department.node("US1").running.remote("ROUTER")
    assert title is not None
    assert title.ae_title != "ROUTER"


def test_findings_of_before_a_reset_are_not_shown_after_it(attempt: Attempt) -> None:
    lab = attempt.lab
    do(lab, "attempt.hint")
    do(lab, "attempt.check")
    assert attempt.view().findings
    do(lab, "lab.reset")
    view = attempt.view()
    assert view.findings == ()
    assert len(view.hints) == 1
    assert view.tickets
    mend(lab)
    assert do(lab, "attempt.check").ok


SOON = timedelta(seconds=1)

LONG_AGO = (
    CAPPED_HOUSE
    + """
[[exam]]
id = "spring"
node = "CT1"
images = 1
before_fault = true
at = "-210 d"

[[ticket]]
from = "sonographer\""""
)


def test_no_log_runs_backwards_however_long_ago_its_story_begins(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[ticket]]\nfrom = "sonographer"': LONG_AGO})
    scenario, place = read_scenario(folder), tmp_path / "lab"
    clock = clock_for(place, scenario, 7)
    with running_lab(place, scenario=scenario.slug, clock=clock) as lab:
        open_attempt(lab, tmp_path / "scenarios")
        events = lab.events.since()
        back = [(one, other) for one, other in itertools.pairwise(events) if one.at - other.at > SOON]
        assert [f"{one.to_json()[:200]} then {other.to_json()[:200]}" for one, other in back] == []
        up, spring = (
            next(event for event in events if event.kind == kind) for kind in ("node.started", "exam.acquired")
        )
        assert spring.at - up.at > timedelta(days=6), "what comes up first has been up for a while"
        assert f"{lab.clock.now():%A %H:%M}" == "Tuesday 09:00"


def test_an_attempt_survives_its_process(tmp_path: Path, scenario: LoadedScenario) -> None:
    place = tmp_path / "lab"
    with running_lab(place, scenario=scenario.slug) as lab:
        before = Attempt(lab, scenario)
        before.begin()
        do(lab, "attempt.hint")
        do(lab, "attempt.diagnose", node="US1", layer="queue", fault="never-sent")
        do(lab, "attempt.check")
        view = before.view()
        before.close()

    again = Lab.open(place)
    try:
        again.start()
        after = Attempt(again, scenario)
        assert after.has_begun
        after.begin()  # does nothing: the phone rings once
        resumed = after.view()
        assert resumed == view
        assert sum(event.kind == "ticket.received" for event in again.events.since()) == 1
        assert abs((again.clock.now() - resumed.started_at).total_seconds()) < 120, "still Tuesday morning"
        mend(again)
        assert do(again, "attempt.check").ok
        after.close()
    finally:
        again.stop()


def test_a_scene_that_was_cut_short_is_set_up_anew(tmp_path: Path, scenario: LoadedScenario) -> None:
    place = tmp_path / "lab"
    with running_lab(place, scenario=scenario.slug) as lab:
        do(lab, "node.config.save", node="US1", set={"remotes.ROUTER.ae_title": "HALFWAY"})
    again = Lab.open(place)
    try:
        again.start()
        attempt = Attempt(again, scenario)
        attempt.begin()
        row = again.department.node("US1").saved.remote("ROUTER")
        assert row is not None
        assert row.ae_title != "HALFWAY"
        attempt.close()
    finally:
        again.stop()


def test_a_later_ticket_comes_when_it_is_due(tmp_path: Path) -> None:
    spoil = {"after_s = 3600": "after_s = 0.3", 'from = "pacs_lead"': 'from = "night_radiologist"'}
    scenario = read_scenario(write_tiny(tmp_path / "scenarios", spoil=spoil))
    with running_lab(tmp_path / "lab", scenario=scenario.slug) as lab:
        attempt = Attempt(lab, scenario)
        attempt.begin()
        second = lab.events.wait_for(
            lambda event: event.kind == "ticket.received" and "news" in json.dumps(event.body.model_dump()), timeout=10
        )
        assert second is not None
        assert [ticket.subject for ticket in attempt.view().tickets][1] == "Any news?"
        assert "night_radiologist" in [person.value for person in attempt.view().people], "who has called can be asked"
        attempt.close()


def test_scenarios_are_found_by_their_folders(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    assert scenario_slugs(tmp_path) == ("ultrasound-not-showing-up",)
    assert load_scenario("ultrasound-not-showing-up", tmp_path).texts.keys() == {"ticket.md", "later.md", "debrief.md"}
    with pytest.raises(NotFoundError) as missing:
        load_scenario("ultrasound-not-showing", tmp_path)
    assert "ultrasound-not-showing-up" in missing.value.mend
