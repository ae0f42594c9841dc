"""What the debrief is told by: an attempt's own knowledge as a ``Story``, and its events in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.drill.layers import LAYERS
from sandbox.drill.steps import command_in_words, commands_of, way_in_words
from sandbox.events.event import Event
from sandbox.events.kinds import CommandIssued
from sandbox.lab.sentences import event_view
from sandbox.learning.debrief import Clue, Story, WayStep
from sandbox.model.errors import BadInputError
from sandbox.model.scenario import Way
from sandbox.model.view import AttemptState

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt


def story_of(attempt: Attempt) -> Story:
    """What the author of the lesson knows, with this run's names, and how the attempt stands."""
    record, scenario, surface = attempt.record, attempt.scenario, attempt.surface
    diagnosis = scenario.diagnosis
    choices = {choice.value: choice.text for choice in diagnosis.choices}
    commitment = record.commitment
    return Story(
        text=surface.fill(scenario.debrief_text),
        started_at=record.started_at,
        scenario=scenario.slug,
        title=scenario.title,
        site=attempt.lab.site.title,
        seed=attempt.lab.seed,
        broken=bool(scenario.fault),
        right={"node": diagnosis.node, "layer": diagnosis.layer, "fault": diagnosis.fault},
        right_words={
            "node": diagnosis.node,
            "layer": LAYERS[diagnosis.layer],
            "fault": choices[diagnosis.fault],
        },
        committed=None if commitment is None else {**commitment.parts, "evidence": commitment.evidence},
        choices=choices,
        layers=LAYERS,
        solution=way_in_words(scenario.solution[0], surface),
        ways=tuple(_steps(attempt, way) for way in scenario.solution),
        hints=tuple(surface.fill(hint.text) for hint in scenario.hint),
        clues=tuple(
            Clue(kind=entry.event, node=entry.node, text=surface.fill(entry.text), about=surface.fill(entry.about))
            for entry in scenario.evidence
        ),
        findings=record.findings,
        topics=scenario.topics,
        objectives=scenario.objectives,
        solved=record.state is AttemptState.SOLVED,
        gave_up=record.state is AttemptState.GIVEN_UP,
    )


def told(attempt: Attempt, event: Event) -> str:
    """An event in the words of somebody who tells it; a command as the console calls it."""
    if isinstance(event.body, CommandIssued):
        try:
            return command_in_words(attempt.lab.parse(event.body.command, event.body.params))
        except BadInputError:
            # An older program took it, and this one does not.
            pass
    return event_view(event).sentence


def _steps(attempt: Attempt, way: Way) -> tuple[WayStep, ...]:
    return tuple(
        WayStep(command=command.name, node=command.about_node, words=command_in_words(command), params=command.params)
        for command in commands_of(way, attempt.surface)
    )
