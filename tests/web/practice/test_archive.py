"""Progress goes into a file and comes back the same; a broken or hostile file changes nothing and says why."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from sandbox.model.errors import BadInputError
from sandbox.model.view import AttemptState
from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn
from web.accounts import LOCAL, Account, Role, add_user
from web.app import Console
from web.db.tables import Attempt, PracticeCard, Sitting
from web.exam.training import Training
from web.practice import archive
from web.sittings import Sittings
from web.trainers import twins
from web.trainers.twins import Round

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def console(app: Flask) -> Console:
    found: Console = app.extensions["console"]
    return found


def practise(console: Console, account: Account = LOCAL, lab: str = "drill-1", seed: int = 3) -> None:
    with console.database.unit() as session:
        session.add(
            Attempt(
                lab=lab, user_id=account.id, site="riverside", scenario="drill", title="A drill “ü”", seed=seed,
                started=NOW - timedelta(days=2), state="solved", findings={"ct": "pass"}, mode="drill", score=88,
                finished=NOW - timedelta(days=2, minutes=-14), closed=NOW,
            )
        )  # fmt: skip
        session.add(
            Sitting(
                user_id=account.id,
                kind="exam",
                started=NOW - timedelta(days=1),
                finished=NOW,
                score=71,
                document={"a": 1},
            )
        )
    Training(console.database).keep(account, "some-question", right=True, at=NOW)


def counts(console: Console) -> tuple[int, int]:
    with console.database.unit() as session:
        return (
            session.scalar(select(func.count(Attempt.id))) or 0,
            session.scalar(select(func.count(Sitting.id))) or 0,
        )


def file_of(console: Console, **changes: Any) -> bytes:
    kept = json.loads(archive.written(console.database, LOCAL, NOW))
    return json.dumps(kept | changes).encode()


def test_it_comes_back_the_same_and_is_not_doubled(console: Console) -> None:
    practise(console)
    data = archive.written(console.database, LOCAL, NOW)
    console.practice.forget(LOCAL)
    assert counts(console) == (0, 0)
    brought = archive.bring_in(console.database, LOCAL, archive.read(data), NOW)
    assert (brought.attempts, brought.sittings, brought.known) == (1, 2, 0)
    assert archive.written(console.database, LOCAL, NOW) == data
    again = archive.bring_in(console.database, LOCAL, archive.read(data), NOW)
    assert (again.attempts, again.sittings, again.known) == (0, 0, 1)
    assert archive.written(console.database, LOCAL, NOW) == data


def test_the_file_can_be_read_by_a_person(console: Console) -> None:
    practise(console)
    text = archive.written(console.database, LOCAL, NOW).decode()
    assert '"title": "A drill “ü”"' in text
    assert len(text.splitlines()) > 20


def test_the_file_tells_nothing_of_what_is_not_finished(console: Console, visitor: Visitor) -> None:
    practise(console)
    finished = archive.written(console.database, LOCAL, NOW)
    visitor.post("/exam/", {"length": "short", "focus": "both"}, token_from="/exam/")
    rounds = Sittings(console.database, "twins")
    rounds.begin(LOCAL, Round(pair=twins.make(3), labs=("a", "b")).model_dump(mode="json"))
    assert counts(console) == (1, 4)
    assert archive.written(console.database, LOCAL, NOW) == finished, "a finished exam and the practised questions"


def test_another_person_s_file_is_merged_beside_and_recognised_again(console: Console) -> None:
    practise(console)
    data = archive.written(console.database, LOCAL, NOW)
    anna = add_user(console.database, "anna", "correct horse battery", Role.TRAINEE)
    for new in (1, 0):
        assert archive.bring_in(console.database, anna, archive.read(data), NOW).attempts == new
    assert len(console.attempts.practised(LOCAL)) == len(console.attempts.practised(anna)) == 1


def test_the_fuller_record_stays(console: Console) -> None:
    practise(console)
    data = archive.written(console.database, LOCAL, NOW)
    with console.database.unit() as session:
        row = session.scalars(select(Attempt)).one()
        row.finished, row.state, row.score = None, "running", None
    archive.bring_in(console.database, LOCAL, archive.read(data), NOW)
    (one,) = console.attempts.practised(LOCAL)
    assert (one.state, one.score) == ("solved", 88)


def test_of_each_question_the_later_word_counts(console: Console) -> None:
    training = Training(console.database)
    training.keep(LOCAL, "old", right=False, at=NOW - timedelta(days=1))
    training.keep(LOCAL, "both", right=False, at=NOW - timedelta(days=1))
    data = archive.written(console.database, LOCAL, NOW)
    console.practice.forget(LOCAL)
    training.keep(LOCAL, "both", right=True, at=NOW)
    archive.bring_in(console.database, LOCAL, archive.read(data), NOW)
    known = training.record(LOCAL).known
    assert (known["both"].last_right, known["old"].last_right) == (True, False)


ATTEMPT = {
    "lab": "drill-9", "scenario": "drill", "title": "t", "site": "riverside", "seed": 1, "mode": "drill",
    "state": "solved", "started": "2026-11-20T10:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"not json", "cannot be read as JSON"),
        (b"\x00\xff\xfe", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b"[]", "no progress file of PACS Sandbox"),
        (b'{"format": "other"}', "no progress file of PACS Sandbox"),
        (b'{"format": "pacs-sandbox-progress", "version": 2}', "newer PACS Sandbox"),
        (b'{"format": "pacs-sandbox-progress", "version": "one"}', "damaged at version"),
        (b'{"format": "pacs-sandbox-progress", "version": 1}', "damaged at exported"),
        (b"x" * (archive.LARGEST + 1), "larger than 24 MB"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_what_is_no_progress_file_says_why(app: Flask, data: bytes, words: str) -> None:
    with app.test_request_context(), pytest.raises(BadInputError, match=words):
        archive.read(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lab": "../../etc/passwd"},
        {"lab": "x" * 65},
        {"scenario": "<script>"},
        {"seed": 2**31},
        {"seed": -1},
        {"score": 101},
        {"mode": "cheating"},
        {"state": "won"},
        {"started": "yesterday"},
        {"started": "2026-11-20T10:00:00"},
        {"title": "t" * 121},
        {"findings": {"a": "b" * 41}},
        {"user_id": 1},
    ],
)
def test_a_hostile_attempt_changes_nothing(console: Console, app: Flask, wrong: dict[str, Any]) -> None:
    practise(console)
    good = {**ATTEMPT, "lab": "good-1"}
    data = file_of(console, attempts=[good, {**ATTEMPT, **wrong}])
    with app.test_request_context(), pytest.raises(BadInputError, match=r"damaged at attempts\.2\."):
        archive.read(data)
    assert counts(console) == (1, 2)


def test_a_debrief_that_cannot_be_read_is_left_out_and_counted(console: Console) -> None:
    data = file_of(console, attempts=[{**ATTEMPT, "debrief": {"of": "another version"}}])
    brought = archive.bring_in(console.database, LOCAL, archive.read(data), NOW)
    assert (brought.attempts, brought.without_debrief) == (1, 1)


def test_an_attempt_that_ran_elsewhere_does_not_run_here(console: Console, visitor: Visitor) -> None:
    data = file_of(console, attempts=[{**ATTEMPT, "state": "running"}])
    archive.bring_in(console.database, LOCAL, archive.read(data), NOW)
    page = visitor.page("/")
    assert "Running now" not in page
    assert "Continue" not in page


def test_export_and_import_by_the_page(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.state = AttemptState.SOLVED
    visitor.page(lab_path + "/")
    visitor.post(lab_path + "/end")
    answer = visitor.get("/progress/progress.json")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="pacs-sandbox-progress-')
    assert visitor.post("/progress/forget", token_from="/progress/").status_code == 400, "not without the tick"
    assert visitor.post("/progress/forget", {"sure": "yes"}, token_from="/progress/").status_code == 302
    assert "Nothing yet." in visitor.page("/progress/")
    send(visitor, answer.data)
    page = visitor.page("/progress/")
    assert "1 attempt was brought in." in page
    assert "CT images do not come up" in page
    send(visitor, b"{}")
    assert "no progress file of PACS Sandbox" in visitor.page("/progress/")


def test_a_file_larger_than_other_forms_is_taken(visitor: Visitor, console: Console) -> None:
    send(visitor, file_of(console, attempts=[ATTEMPT]) + b" " * 3_000_000)
    assert "1 attempt was brought in." in visitor.page("/progress/")
    too_large = send(visitor, b" " * (archive.LARGEST + 200_000))
    assert too_large == 413
    assert visitor.post("/labs", {"scenario": "x" * 1_100_000}).status_code == 413, "other forms stay small"


def test_a_lab_that_runs_survives_forgetting(visitor: Visitor, lab_path: str, console: Console) -> None:
    practise(console)
    visitor.post("/progress/forget", {"sure": "yes"}, token_from="/progress/")
    assert counts(console) == (1, 0)
    assert visitor.get(lab_path + "/").status_code == 200


def test_cards_are_written_down_and_mended(visitor: Visitor, console: Console) -> None:
    practise(console)
    visitor.page("/")
    with console.database.unit() as session:
        (card,) = session.scalars(select(PracticeCard)).all()
        due = card.due
        card.due, card.state = NOW, {}
    visitor.page("/")
    with console.database.unit() as session:
        (card,) = session.scalars(select(PracticeCard)).all()
        assert (card.subject, card.due) == ("drill", due)
    console.practice.forget(LOCAL)
    visitor.page("/")
    with console.database.unit() as session:
        assert session.scalars(select(PracticeCard)).all() == []


def send(visitor: Visitor, data: bytes) -> int:
    form = {"csrf_token": visitor.token("/progress/"), "file": (io.BytesIO(data), "progress.json")}
    return visitor.client.post("/progress/import", data=form, content_type="multipart/form-data").status_code
