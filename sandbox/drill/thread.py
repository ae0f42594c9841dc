"""The conversation on a ticket: asking people of the hospital, telling those who wait, closing with the caller.

A question is answered a moment later, from a thread of its own, since people think and some answers take a real
operation. What is not answered when the process dies is answered when the drill goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.drill.answers import Answers
from sandbox.drill.judge import all_pass
from sandbox.drill.questions import BUSY, LONG, LONG_MIN, MISSING, NEWS, QUESTIONS, THANKS
from sandbox.drill.record import Mail
from sandbox.drill.trying import Tried
from sandbox.events.event import SYSTEM
from sandbox.events.kinds import TicketAnswered, TicketAsked, TicketClosed, TicketUpdated
from sandbox.events.log import because
from sandbox.lab.site import Person
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.scenario import About
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt

log = logging.getLogger(__name__)

MOMENT_S = (0.8, 2.2)
"""How long somebody takes before they answer, at least and at most, in seconds. What they try comes on top."""


MINUTE_S = 60.0
"""A promised minute, in seconds."""


class Thread:
    """The threads of all tickets of one attempt. Every public method may be called from any thread."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._answers = Answers(attempt.surface, attempt.scenario.answer, attempt.scenario.exam)
        self._lock = threading.Lock()
        self._timers: dict[int, threading.Timer] = {}
        self._ended = False

    @property
    def people(self) -> tuple[Person, ...]:
        """Who can be asked by now: with every call that comes in there may be more."""
        return self._answers.people(self._attempt.record.mail)

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(self, ticket: int, to: str, about: About) -> Person:
        """Ask somebody something. The answer comes as an event. ConflictError when the drill is over."""
        self._must_run()
        mail = self._mail(ticket)
        person = next((each for each in self.people if each.id == to), None)
        if person is None:
            known = [each.id for each in self.people]
            raise BadInputError(f"There is nobody called {to!r} to ask here.", suggestion(to, known))
        pending = self._attempt.desk.open_questions.values()
        if any(asked.to == person.name for asked in pending):
            raise ConflictError(f"{person.name} is still answering.", "Wait for the answer; it takes a moment.")
        body = TicketAsked(ticket=mail.number, to=person.name, about=about.value, text=QUESTIONS[about])
        event = self._attempt.lab.events.append(body)
        self._answer_soon(event.seq, body)
        return person

    def resume(self) -> None:
        """Answer what was asked of an earlier process, and keep in mind what it promised, while the drill runs."""
        if self._attempt.state is not AttemptState.RUNNING:
            return
        desk = self._attempt.desk
        for seq, asked in tuple(desk.open_questions.items()):
            self._answer_soon(seq, asked)
        for ticket, promise in tuple(desk.promises.items()):
            gone_s = (self._attempt.lab.clock.now() - promise.at).total_seconds()
            self._ask_later(ticket, promise.seq, max(0.0, promise.minutes * MINUTE_S - gone_s))

    def close(self) -> None:
        """Nobody answers any more."""
        with self._lock:
            self._ended = True
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    def _answer_soon(self, seq: int, asked: TicketAsked) -> None:
        wait_s = self._attempt.surface.random(f"moment:{seq}").uniform(*MOMENT_S)
        self._later(seq, threading.Timer(wait_s, self._answer, (seq, asked)))

    def _later(self, seq: int, timer: threading.Timer) -> None:
        timer.name, timer.daemon = f"thread-{seq}", True
        with self._lock:
            if not self._ended:
                self._timers[seq] = timer
                timer.start()

    def _answer(self, seq: int, asked: TicketAsked) -> None:
        attempt = self._attempt
        person = next((each for each in self.people if each.name == asked.to), None)
        with because(seq, SYSTEM):
            try:
                if person is None:
                    raise NotFoundError(f"{asked.to} is not here.", "")
                before = attempt.desk.times_asked(asked.to, asked.about) - 1
                department = attempt.lab.department
                said = self._answers.answer(department, person, About(asked.about), self._mail(asked.ticket), before)
            except Exception:
                # The department was put back, stopped or broken further meanwhile; the thread must not stay open.
                log.info("No answer to question %s", seq, exc_info=True)
                said = Tried(attempt.surface.random(f"busy:{seq}").choice(BUSY))
            with self._lock:
                self._timers.pop(seq, None)
                if self._ended or attempt.lab.events.is_closed:
                    return
            self._say(asked.ticket, asked.to, asked.about, said)

    # --- telling -----------------------------------------------------------------------------------------------------

    def update(self, ticket: int, *, impact: str, known: str, unknown: str, next_update_min: int) -> None:
        """Tell those who wait how things are; the caller acknowledges it. ConflictError when the drill is over."""
        self._must_run()
        mail = self._mail(ticket)
        parts = {"impact": impact.strip(), "known": known.strip(), "unknown": unknown.strip()}
        if not any(parts.values()):
            raise BadInputError("There is nothing in this update.", "Say what it means for them, or what you know.")
        text = " ".join(f"{part.rstrip('.')}." for part in parts.values() if part)
        event = self._attempt.lab.events.append(
            TicketUpdated(
                ticket=mail.number,
                text=f"{text} Next update in {next_update_min} min.",
                next_update_min=next_update_min,
                **parts,
            )
        )
        with because(event.seq, SYSTEM):
            self._say(mail.number, mail.sender, "update", Tried(self._thanks(parts, next_update_min, event.seq)))
        self._ask_later(mail.number, event.seq, next_update_min * MINUTE_S)

    def _ask_later(self, ticket: int, seq: int, in_s: float) -> None:
        self._later(seq, threading.Timer(in_s, self._ask_for_news, (ticket, seq)))

    def _ask_for_news(self, ticket: int, seq: int) -> None:
        """When the time of a promised update is over and none has come, the caller asks for it, once."""
        attempt = self._attempt
        promise = attempt.desk.promises.get(ticket)
        with self._lock:
            self._timers.pop(seq, None)
            over = self._ended or attempt.lab.events.is_closed or attempt.state is not AttemptState.RUNNING
        if over or promise is None or promise.seq != seq:
            return
        with because(seq, SYSTEM):
            self._say(ticket, self._mail(ticket).sender, "news", Tried(NEWS.format(minutes=promise.minutes)))

    def _thanks(self, parts: dict[str, str], minutes: int, seq: int) -> str:
        for part, question in MISSING.items():
            if not parts[part]:
                return question
        if minutes > LONG_MIN:
            return LONG.format(minutes=minutes)
        return self._attempt.surface.random(f"thanks:{seq}").choice(THANKS)

    # --- closing -----------------------------------------------------------------------------------------------------

    def close_ticket(self, ticket: int, *, cause: str, done: str, verified: str, follow_up: str) -> bool:
        """Tell the caller that it is mended. They try, and only if it works is the ticket closed."""
        attempt = self._attempt
        mail = self._mail(ticket)
        if mail.number in attempt.desk.closed:
            raise ConflictError(f"Ticket {mail.number} is closed already.", "Read the debrief.")
        if attempt.state is AttemptState.GIVEN_UP:
            raise ConflictError("This drill was given up, so there is nothing to close.", "Read the debrief.")
        findings = attempt.check() if attempt.state is AttemptState.RUNNING else attempt.record.findings
        worked = all_pass(findings)
        events = attempt.lab.events
        if worked:
            body = TicketClosed(ticket=mail.number, cause=cause, done=done, verified=verified, follow_up=follow_up)
            events.append(body)
        sender, text = self._verdict(mail, findings, worked)
        events.append(
            TicketAnswered(ticket=mail.number, sender=sender, about="close", text=text, worked=worked), actor=SYSTEM
        )
        return worked

    def _verdict(self, mail: Mail, findings: Sequence[Finding], worked: bool) -> tuple[str, str]:
        """Who says what after it was tried out: the caller of what was asked for, the senior of what was harmed."""
        asked_for = [finding for finding in findings if not finding.invariant]
        if worked:
            tried = asked_for[0].sentence if asked_for else ""
            return mail.sender, f"I have tried it. {tried} Thank you; you can close it."
        wrong = [finding for finding in asked_for if finding.verdict is Verdict.FAIL]
        if wrong:
            return mail.sender, f"I have tried it, and it is not right yet. {wrong[0].sentence}"
        harmed = [finding for finding in findings if finding.verdict is Verdict.FAIL]
        if harmed:
            lead = next((each.name for each in self.people if each.id == "pacs_lead"), mail.sender)
            return lead, f"What was reported works now. But I will not have it closed like this: {harmed[0].sentence}"
        return mail.sender, "I have tried, and I could not make out whether it works. Please look again."

    # --- inside ------------------------------------------------------------------------------------------------------

    def _must_run(self) -> None:
        if self._attempt.state is not AttemptState.RUNNING:
            raise ConflictError("This drill is over, and nobody waits for news any more.", "Read the debrief.")

    def _mail(self, ticket: int) -> Mail:
        for mail in self._attempt.record.mail:
            if mail.number == ticket and mail.event:
                return mail
        raise NotFoundError(f"There is no ticket {ticket}.", "Choose one that has come in.")

    def _say(self, ticket: int, sender: str, about: str, said: Tried) -> None:
        body = TicketAnswered(ticket=ticket, sender=sender, about=about, text=said.text, worked=said.worked)
        self._attempt.lab.events.append(body, actor=SYSTEM)
