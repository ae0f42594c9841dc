"""The invigilator: begins exams, keeps every answer, starts and ends incidents, closes what is overdue.

The deadline is the server's: whatever comes after it closes the exam on the first request, and is not kept. Changes of
one paper go one after the other.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _
from pydantic import ValidationError

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import Answer
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError
from web.accounts import Account
from web.attempts import Attempts
from web.catalogue import Catalogue
from web.db.database import Database
from web.db.tables import Sitting
from web.exam import results
from web.exam.drawing import FOCUSES, LENGTHS, draw
from web.exam.judging import Judging, is_behind
from web.exam.paper import IncidentItem, IncidentState, Paper, QuestionItem
from web.labs import LARGEST_SEED, Labs
from web.practice.modes import Mode
from web.sittings import Sittings

KIND = "exam"
GRACE = timedelta(seconds=3)
"""An answer that was on its way when the time ended is kept."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Exam:
    """A sitting and its paper. ``score`` is there once everything is judged."""

    number: int
    paper: Paper
    score: int | None

    @property
    def is_open(self) -> bool:
        return self.paper.submitted is None


class Exams:
    """The exams of a console. ``now`` is its clock."""

    def __init__(
        self,
        database: Database,
        labs: Labs,
        attempts: Attempts,
        catalogue: Catalogue,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._sittings = Sittings(database, KIND)
        self._labs = labs
        self._attempts = attempts
        self._catalogue = catalogue
        self._now = now
        self._guard = threading.Lock()
        self._beginning = threading.Lock()
        self._locks: dict[int, threading.RLock] = {}
        self.judging = Judging(labs, attempts)

    def now(self) -> datetime:
        return self._now()

    def _lock(self, number: int) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(number, threading.RLock())

    # --- finding ---------------------------------------------------------------------------------------------------

    def begin(self, account: Account, length: str, focus: str, *, timed: bool, seed: int | None = None) -> int:
        """A new exam; its number. ConflictError while another is open."""
        if length not in LENGTHS or focus not in FOCUSES:
            raise BadInputError(_("There is no such exam."), _("Choose length and topics from the form."))
        with self._beginning:
            if self.open(account) is not None:
                raise ConflictError(_("You are in an exam."), _("Go on with it, or hand it in first."))
            paper = draw(
                tuple(question_bank().values()),
                self._catalogue.drills(),
                LENGTHS[length],
                FOCUSES[focus],
                timed=timed,
                seed=secrets.randbelow(LARGEST_SEED) if seed is None else seed,
                now=self._now(),
            )
            return self._sittings.begin(account, paper.model_dump(mode="json"))

    def of(self, account: Account, limit: int = 15) -> tuple[Exam, ...]:
        """The newest exams of ``account``; those of a version that kept other things are left out."""
        found = (_exam(sitting) for sitting in self._sittings.of(account, limit))
        return tuple(exam for exam in found if exam is not None)

    def open(self, account: Account) -> Exam | None:
        """The exam that ``account`` is in, if any; one that is overdue is closed first."""
        return self._open(account, lambda paper: True)

    def forbids(self, account: Account, *, scenario: str = "", lab: str = "", answers: bool = False) -> Exam | None:
        """The open exam of ``account`` whose paper forbids it, if any. Without ``scenario`` it is that of ``lab``."""

        def forbids(paper: Paper) -> bool:
            begun = self._attempts.get(lab) if lab and not scenario else None
            return paper.forbids(scenario=begun.scenario if begun else scenario, lab=lab, answers=answers)

        return self._open(account, forbids)

    def _open(self, account: Account, wanted: Callable[[Paper], bool]) -> Exam | None:
        for sitting in self._sittings.of(account, unfinished=True):
            exam = _exam(sitting)
            if exam is not None and exam.is_open and wanted(exam.paper):
                settled = self.get(account, exam.number)
                if settled.is_open:
                    return settled
        return None

    def get(self, account: Account, number: int) -> Exam:
        """That exam of ``account``, settled: closed if its time is over, and judged as far as it can be."""
        with self._lock(number):
            exam = self._read(account, number)
            if exam.paper.is_overdue(self._now() - GRACE):
                exam = self._close(account, exam, by_time=True)
            if exam.paper.submitted is not None and exam.score is None:
                self._judge_on(account, exam)
                exam = self._read(account, number)
            return exam

    # --- answering -------------------------------------------------------------------------------------------------

    def answer(self, account: Account, number: int, place: int, answer: Answer) -> bool:
        """Keep an answer. False when it came too late."""
        with self._lock(number):
            exam = self._open_for_answers(account, number)
            if exam is None:
                return False
            item = exam.paper.item(place)
            if not isinstance(item, QuestionItem):
                raise NotFoundError(_("There is no such question in this exam."))
            self._keep(exam, exam.paper.with_item(place, item.model_copy(update={"answer": answer})))
            return True

    def flag(self, account: Account, number: int, place: int, flagged: bool) -> None:
        """Mark a place to come back to, or take the mark away."""
        with self._lock(number):
            exam = self._open_for_answers(account, number)
            item = exam.paper.item(place) if exam is not None else None
            if exam is not None and item is not None:
                self._keep(exam, exam.paper.with_item(place, item.model_copy(update={"flagged": flagged})))

    def _open_for_answers(self, account: Account, number: int) -> Exam | None:
        exam = self._read(account, number)
        deadline = exam.paper.deadline
        late = deadline is not None and self._now() >= deadline + GRACE
        return exam if exam.is_open and not late else None

    # --- incidents -------------------------------------------------------------------------------------------------

    def start_incident(self, account: Account, number: int, place: int) -> IncidentItem:
        """Start the lab of an incident. One at a time. If its lab cannot be started it is skipped, and says why."""
        with self._lock(number):
            exam = self.get(account, number)
            item = self._incident(exam, place)
            if not exam.is_open or item.state is not IncidentState.WAITING:
                return item
            running = [one for one in exam.paper.incidents if one.state is IncidentState.RUNNING]
            if running:
                raise ConflictError(
                    _("Another incident is open: %(title)s.", title=running[0].title),
                    _("End it first; an administrator has one telephone."),
                )
            try:
                lab = self._labs.start(account, item.scenario, mode=Mode.EXAM)
                item = item.model_copy(update={"state": IncidentState.RUNNING, "lab": lab, "trouble": ""})
            except (SandboxError, OSError) as wrong:
                trouble = str(wrong)
                item = item.model_copy(update={"state": IncidentState.SKIPPED, "trouble": trouble})
            self._keep(exam, exam.paper.with_item(place, item))
            return item

    def refresh_incident(self, account: Account, number: int, place: int) -> IncidentItem:
        """An incident as it is now. One whose lab went while it ran, as when the console was restarted, waits to be
        started; one that was over by then, or checked in vain, is judged by what was kept of it."""
        with self._lock(number):
            exam = self.get(account, number)
            item = self._incident(exam, place)
            if exam.is_open and item.state is IncidentState.RUNNING:
                try:
                    self._labs.client(item.lab)
                except NotFoundError:
                    item = self._without_lab(item)
                    self._keep(exam, exam.paper.with_item(place, item))
                except SandboxError as wrong:
                    item = item.model_copy(update={"trouble": str(wrong)})
            if exam.is_open and item.state is IncidentState.JUDGING:
                self._judge(account, exam.number, place, item)
                item = self._incident(self._read(account, number), place)
            return item

    def _without_lab(self, item: IncidentItem) -> IncidentItem:
        """A running incident whose lab is gone: whoever had its check, or saw its solution, does not get it again."""
        if is_behind(self._attempts.get(item.lab)):
            return item.model_copy(update={"state": IncidentState.JUDGING})
        trouble = _("Its department is gone: it was ended, or the console was restarted. Start a fresh one.")
        return item.model_copy(update={"state": IncidentState.WAITING, "lab": "", "trouble": trouble})

    def end_incident(self, account: Account, number: int, place: int) -> None:
        """The trainee is done with an incident: it is judged behind the page, and its lab ends."""
        with self._lock(number):
            exam = self.get(account, number)
            item = self._incident(exam, place)
            if exam.is_open and item.state is IncidentState.RUNNING:
                item = item.model_copy(update={"state": IncidentState.JUDGING})
                self._keep(exam, exam.paper.with_item(place, item))
                self._judge(account, number, place, item)

    # --- the end ---------------------------------------------------------------------------------------------------

    def submit(self, account: Account, number: int) -> Exam:
        """Hand it in. What runs is judged, what was not answered counts as nothing."""
        with self._lock(number):
            exam = self.get(account, number)
            if exam.is_open:
                self._close(account, exam, by_time=False)
            return self.get(account, number)

    def _close(self, account: Account, exam: Exam, *, by_time: bool) -> Exam:
        paper = exam.paper
        submitted = paper.deadline if by_time and paper.deadline is not None else self._now()
        for place, item in enumerate(paper.items, 1):
            if isinstance(item, IncidentItem) and item.state is IncidentState.RUNNING:
                paper = paper.with_item(place, item.model_copy(update={"state": IncidentState.JUDGING}))
        paper = paper.model_copy(update={"submitted": submitted, "by_time": by_time})
        self._keep(exam, paper)
        return self._read(account, exam.number)

    def _judge_on(self, account: Account, exam: Exam) -> None:
        """Begin, or go on after a restart, to judge what is to be judged; without anything left, mark the paper."""
        for place, item in enumerate(exam.paper.items, 1):
            if isinstance(item, IncidentItem) and item.state is IncidentState.JUDGING:
                self._judge(account, exam.number, place, item)
        self._mark(account, exam.number)

    def _judge(self, account: Account, number: int, place: int, item: IncidentItem) -> None:
        def done(judged: IncidentItem) -> None:
            with self._lock(number):
                exam = self._read(account, number)
                self._keep(exam, exam.paper.with_item(place, judged))
                self._mark(account, number)

        self.judging.begin(number, place, item, account, done)

    def _mark(self, account: Account, number: int) -> None:
        """Write score and rows down, once everything is judged."""
        exam = self._read(account, number)
        if exam.score is None and exam.paper.submitted is not None and exam.paper.is_judged:
            paper = exam.paper.model_copy(update={"rows": results.rows(exam.paper, question_bank())})
            self._keep(exam, paper, score=results.total(paper, question_bank()))

    # --- keeping ---------------------------------------------------------------------------------------------------

    def _read(self, account: Account, number: int) -> Exam:
        exam = _exam(self._sittings.get(account, number))
        if exam is None:
            raise NotFoundError(_("This exam was kept by another version."), _("Begin a new one."))
        return exam

    def _keep(self, exam: Exam, paper: Paper, *, score: int | None = None) -> None:
        self._sittings.keep(exam.number, paper.model_dump(mode="json"), score=score)

    def _incident(self, exam: Exam, place: int) -> IncidentItem:
        item = exam.paper.item(place)
        if not isinstance(item, IncidentItem):
            raise NotFoundError(_("There is no such incident in this exam."))
        return item


def _exam(sitting: Sitting) -> Exam | None:
    try:
        return Exam(sitting.id, Paper.model_validate(sitting.document), sitting.score)
    except ValidationError:
        return None
