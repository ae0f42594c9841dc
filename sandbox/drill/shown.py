"""An attempt as its trainee sees it: the ticket with its thread, hints, choices, findings, the desk, the solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.checks.check import Check
from sandbox.drill.layers import LAYERS
from sandbox.drill.questions import QUESTIONS
from sandbox.drill.record import Mail
from sandbox.drill.steps import command_in_words, command_of
from sandbox.lab.site import Person
from sandbox.model.desk_view import Message, Said, SolutionStep
from sandbox.model.view import AttemptState, AttemptView, Choice, TicketView

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt


def attempt_view(attempt: Attempt, *, checking: bool) -> AttemptView:
    """The drill at this moment. The caller holds the attempt's lock and has read on in the log."""
    record, scenario, desk = attempt.record, attempt.scenario, attempt.desk
    commitment = record.commitment
    over = record.state is not AttemptState.RUNNING
    return AttemptView(
        scenario=scenario.slug,
        title=scenario.title,
        state=record.state,
        difficulty=scenario.difficulty,
        expected_minutes=scenario.expected_minutes,
        objectives=scenario.objectives,
        topics=scenario.topics,
        tickets=tuple(_ticket(mail, attempt) for mail in record.mail if mail.event),
        hints=tuple(attempt.surface.fill(hint.text) for hint in scenario.hint[: record.hints]),
        hints_left=len(scenario.hint) - record.hints,
        nodes=attempt.node_choices,
        layers=tuple(Choice(value=value, text=text) for value, text in LAYERS.items()),
        faults=attempt.fault_choices,
        diagnosis=None if commitment is None else {**commitment.parts, "evidence": commitment.evidence},
        diagnoses=tuple(desk.diagnoses),
        people=tuple(_choice(person) for person in attempt.thread.people),
        questions=tuple(Choice(value=about.value, text=text) for about, text in QUESTIONS.items()),
        notes=desk.notes,
        pins=desk.pins,
        steps=_steps(attempt) if record.state is AttemptState.GIVEN_UP else (),
        checks=tuple(_claim(check, tell=over) for check in (*attempt.checks, *attempt.invariants)),
        findings=record.findings,
        found_before=record.found_before,
        checking=checking,
        started_at=record.started_at,
        debrief=attempt.debrief() if over else None,
    )


def _claim(check: Check, *, tell: bool) -> Choice:
    """A claim as it stands in the list before it was judged: without name and words where they tell what is wrong."""
    told = tell or not check.kept_back
    return Choice(value=check.name, text=check.title) if told else Choice(value="", text="")


def _choice(person: Person) -> Choice:
    return Choice(value=person.id, text=f"{person.name}, {person.job}")


def _ticket(mail: Mail, attempt: Attempt) -> TicketView:
    roles = {person.name: person.job for person in attempt.lab.site.people}
    # When a drill is over nobody answers any more, so nobody is thinking either.
    pending = attempt.desk.open_questions.values() if attempt.state is AttemptState.RUNNING else ()
    return TicketView(
        number=mail.number,
        sender=mail.sender,
        sender_id=mail.sender_id,
        role=mail.role,
        subject=mail.subject,
        body=mail.body,
        at=mail.at,
        messages=tuple(_with_role(message, roles) for message in attempt.desk.messages.get(mail.number, ())),
        thinking=tuple(asked.to for asked in pending if asked.ticket == mail.number),
        closed=mail.number in attempt.desk.closed,
    )


def _with_role(message: Message, roles: dict[str, str]) -> Message:
    if message.said is not Said.ANSWERED:
        return message
    return message.model_copy(update={"role": roles.get(message.name, "")})


def _steps(attempt: Attempt) -> tuple[SolutionStep, ...]:
    done = attempt.desk.steps
    steps = []
    for number, step in enumerate(attempt.scenario.solution[0].step, start=1):
        came = done.get(number)
        steps.append(
            SolutionStep(
                number=number,
                text=command_in_words(command_of(step, attempt.surface)),
                ok=None if came is None else came.ok,
                sentence="" if came is None else came.sentence,
            )
        )
    return tuple(steps)
