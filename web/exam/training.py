"""Practising question by question: what somebody answered, and what comes next. "Again what I got wrong" goes first."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime, Field, ValidationError

from sandbox.learning.questions import Question
from sandbox.model.base import Model
from web.accounts import Account
from web.db.database import Database
from web.sittings import Sittings

KIND = "questions"


class Known(Model):
    """What is known of one question: how often it was asked and answered rightly, and how the last time went."""

    asked: int
    right: int
    last_right: bool
    at: AwareDatetime


class Record(Model):
    """Everything that somebody practised, by the id of the question, the least recent first."""

    known: dict[str, Known] = Field(default_factory=dict)

    def with_answer(self, question: str, right: bool, at: datetime) -> Record:
        known = dict(self.known)
        before = known.pop(question, None)
        known[question] = Known(
            asked=(before.asked if before else 0) + 1,
            right=(before.right if before else 0) + right,
            last_right=right,
            at=at,
        )
        return Record(known=known)

    def times(self, question: str) -> int:
        return self.known[question].asked if question in self.known else 0

    def wrong(self, questions: Sequence[Question]) -> tuple[str, ...]:
        """Those of ``questions`` whose last answer was wrong, the least recent first."""
        wanted = {question.id for question in questions}
        return tuple(id for id, known in self.known.items() if id in wanted and not known.last_right)


def next_question(record: Record, questions: Sequence[Question], *, only_wrong: bool = False) -> Question | None:
    """What to ask now: what was wrong before, then what is new, then what was asked longest ago.

    The question that was asked last of all does not come twice in a row while there is another.
    """
    last = next(reversed(record.known), None)
    by_id = {question.id: question for question in questions}
    wrong = [by_id[id] for id in record.wrong(questions)]
    new = [question for question in questions if question.id not in record.known]
    old = [by_id[id] for id, known in record.known.items() if id in by_id and known.last_right]
    order = wrong if only_wrong else [*wrong, *new, *old]
    return next((question for question in order if question.id != last), order[0] if order else None)


class Training:
    """The records of practice in the console's database: one sitting a person, which is never finished."""

    _lock = threading.Lock()

    def __init__(self, database: Database) -> None:
        self._sittings = Sittings(database, KIND)

    def record(self, account: Account) -> Record:
        found = self._sittings.of(account, limit=1)
        return _read(found[0].document) if found else Record()

    def keep(self, account: Account, question: str, right: bool, at: datetime) -> Record:
        """Write down an answer; the record with it."""
        with self._lock:
            found = self._sittings.of(account, limit=1)
            record = (_read(found[0].document) if found else Record()).with_answer(question, right, at)
            document = record.model_dump(mode="json")
            if found:
                self._sittings.keep(found[0].id, document)
            else:
                self._sittings.begin(account, document)
        return record


def _read(document: Mapping[str, object]) -> Record:
    try:
        return Record.model_validate(document)
    except ValidationError:
        return Record()  # of a version that kept other things: practice begins anew
