"""The invigilator: the deadline is the server's, answers are kept, incidents start one at a time and come to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import right_answer
from sandbox.model.errors import ConflictError, NotFoundError, UnavailableError
from sandbox.model.scenario import Scenario
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState
from tests.web.conftest import SCENARIO
from tests.web.stand_in import StandInHost, StandInLab
from tests.web.told import told
from web.accounts import LOCAL, Account, Role
from web.attempts import Attempts
from web.catalogue import Catalogue
from web.db.database import Database
from web.exam.invigilator import Exams
from web.exam.paper import IncidentItem, IncidentState, QuestionItem
from web.labs import Labs

OTHER = SCENARIO.model_copy(update={"slug": "second", "family": "where-is-my-study", "difficulty": 2})
NOBODY = Account(12, "nobody", Role.TRAINEE)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **time: float) -> None:
        self.now += timedelta(**time)


class Room:
    """An exam room over stand-in labs. ``again`` is the same room after the console was restarted."""

    def __init__(self, directory: Path, host: StandInHost, clock: Clock) -> None:
        self.host, self.clock, self._directory = host, clock, directory
        self.database = Database(f"sqlite:///{directory}/console.sqlite")
        self.attempts = Attempts(self.database)
        scenarios: tuple[Scenario, ...] = (SCENARIO, OTHER)
        catalogue = Catalogue(lambda: scenarios)
        self.labs = Labs(host, self.attempts, catalogue, host.connect)
        self.exams = Exams(self.database, self.labs, self.attempts, catalogue, clock)

    def again(self) -> Room:
        self.database.close()
        return Room(self._directory, StandInHost(), self.clock)

    def incident(self, number: int) -> int:
        """The place of the first incident."""
        items = self.exams.get(LOCAL, number).paper.items
        return next(place for place, item in enumerate(items, 1) if isinstance(item, IncidentItem))

    def question(self, number: int) -> tuple[int, QuestionItem]:
        items = self.exams.get(LOCAL, number).paper.items
        return next((place, item) for place, item in enumerate(items, 1) if isinstance(item, QuestionItem))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path, StandInHost(), Clock())
    yield room
    room.exams.judging.wait(30)
    room.labs.close()
    room.database.close()


def test_answers_and_marks_survive_a_restart_of_the_console(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place, item = room.question(number)
    answer = right_answer(question_bank()[item.question])
    assert room.exams.answer(LOCAL, number, place, answer)
    room.exams.flag(LOCAL, number, place, True)
    room.clock.goes_on(minutes=5)
    later = room.again()
    kept = later.exams.open(LOCAL)
    assert kept is not None
    assert kept.paper.item(place) == item.model_copy(update={"answer": answer, "flagged": True})
    assert kept.paper.seconds_left(later.clock()) == 15 * 60


def test_one_exam_at_a_time_and_nobody_elses(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    with pytest.raises(ConflictError):
        room.exams.begin(LOCAL, "full", "cdip", timed=False)
    with pytest.raises(NotFoundError):
        room.exams.get(NOBODY, number)


def test_overtime_hands_in_on_the_next_request_and_takes_no_more_answers(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place, item = room.question(number)
    right = right_answer(question_bank()[item.question])
    room.clock.goes_on(minutes=20, seconds=1)
    assert room.exams.answer(LOCAL, number, place, right), "what was on its way is kept"
    room.clock.goes_on(seconds=10)
    assert not room.exams.answer(LOCAL, number, place, ())
    exam = room.exams.get(LOCAL, number)
    assert exam.paper.by_time
    assert exam.paper.submitted == exam.paper.deadline
    assert exam.score == round(100 * 1 / 15)
    assert room.exams.open(LOCAL) is None


def test_untimed_practice_has_no_end(room: Room) -> None:
    number = room.exams.begin(LOCAL, "full", "ciip", timed=False)
    room.clock.goes_on(days=30)
    assert room.exams.get(LOCAL, number).is_open


def test_an_incident_is_started_in_exam_mode_judged_and_its_lab_ended(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place = room.incident(number)
    item = room.exams.start_incident(LOCAL, number, place)
    record = room.attempts.get(item.lab)
    assert item.state is IncidentState.RUNNING
    assert record is not None
    assert record.mode == "exam"
    assert room.exams.start_incident(LOCAL, number, place).lab == item.lab, "a second press starts nothing"
    room.exams.end_incident(LOCAL, number, place)
    room.exams.judging.wait(30)
    item = room.exams.refresh_incident(LOCAL, number, place)
    assert item.state is IncidentState.ENDED
    assert item.solved
    assert item.attempt == record.id
    assert [finding.id for finding in item.findings] == ["ct"]
    assert room.host.labs == {}


def test_who_asks_twice_at_once_gets_one_exam(room: Room) -> None:
    together = threading.Barrier(4)

    def begin(_: int) -> int:
        together.wait(10)
        try:
            return room.exams.begin(LOCAL, "short", "both", timed=True)
        except ConflictError:
            return 0

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for number in pool.map(begin, range(4)) if number]
    assert len(numbers) == 1
    assert len(room.exams.of(LOCAL)) == 1


def test_incidents_run_one_at_a_time(room: Room) -> None:
    number = room.exams.begin(LOCAL, "half", "both", timed=True)
    items = room.exams.get(LOCAL, number).paper.items
    first, second = (place for place, item in enumerate(items, 1) if isinstance(item, IncidentItem))
    room.exams.start_incident(LOCAL, number, first)
    with pytest.raises(ConflictError, match="Another incident is open"):
        room.exams.start_incident(LOCAL, number, second)
    room.exams.end_incident(LOCAL, number, first)
    assert room.exams.start_incident(LOCAL, number, second).state is IncidentState.RUNNING


def test_a_lab_that_does_not_start_is_skipped_and_the_exam_goes_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_named: object) -> StandInLab:
        raise UnavailableError("There is no memory for another department.", "End one.")

    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place = room.incident(number)
    monkeypatch.setattr(room.host, "start", refuse)
    item = room.exams.start_incident(LOCAL, number, place)
    assert item.state is IncidentState.SKIPPED
    assert "no memory" in item.trouble
    exam = room.exams.submit(LOCAL, number)
    assert exam.score == 0
    assert not any(row.incidents for row in exam.paper.rows)


def test_a_lab_that_a_restart_took_away_can_be_started_anew(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place = room.incident(number)
    lost = room.exams.start_incident(LOCAL, number, place).lab
    later = room.again()
    item = later.exams.refresh_incident(LOCAL, number, place)
    assert item.state is IncidentState.WAITING
    assert "is gone" in item.trouble
    assert later.exams.start_incident(LOCAL, number, place).lab != lost


@pytest.mark.parametrize("state", [AttemptState.SOLVED, AttemptState.GIVEN_UP])
def test_an_incident_that_was_over_when_its_lab_ended_counts_as_it_was(room: Room, state: AttemptState) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place = room.incident(number)
    lab = room.exams.start_incident(LOCAL, number, place).lab
    room.host.labs[lab].state = state
    room.labs.end(lab)
    room.exams.refresh_incident(LOCAL, number, place)
    room.exams.judging.wait(30)
    item = room.exams.refresh_incident(LOCAL, number, place)
    assert (item.state, item.solved) == (IncidentState.ENDED, state is AttemptState.SOLVED)
    assert item.findings == told().findings
    assert not item.trouble, "nothing went wrong with its lab"
    room.exams.start_incident(LOCAL, number, place)
    assert room.host.labs == {}, "who has seen the solution does not get it again"


def test_an_incident_whose_one_check_was_in_vain_is_not_begun_again(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    place = room.incident(number)
    lab = room.exams.start_incident(LOCAL, number, place).lab
    wrong = Finding(id="ct", check="exam_arrives", verdict=Verdict.FAIL, sentence="It did not come.")
    room.host.labs[lab].findings = (wrong,)
    room.labs.end(lab)
    room.exams.refresh_incident(LOCAL, number, place)
    room.exams.judging.wait(30)
    item = room.exams.refresh_incident(LOCAL, number, place)
    assert (item.state, item.solved, item.points) == (IncidentState.ENDED, False, 0.0)


def test_an_open_incident_is_judged_when_the_exam_is_handed_in(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    room.exams.start_incident(LOCAL, number, room.incident(number))
    room.exams.submit(LOCAL, number)
    room.exams.judging.wait(30)
    exam = room.exams.get(LOCAL, number)
    assert exam.paper.incidents[0].solved
    assert exam.score is not None
    assert room.host.labs == {}


def test_a_lab_that_is_gone_at_the_end_is_told_and_nothing_hangs(room: Room) -> None:
    number = room.exams.begin(LOCAL, "short", "both", timed=True)
    room.exams.start_incident(LOCAL, number, room.incident(number))
    later = room.again()
    later.exams.submit(LOCAL, number)
    later.exams.judging.wait(30)
    exam = later.exams.get(LOCAL, number)
    assert exam.score == 0
    assert "ended" in exam.paper.incidents[0].trouble
