"""Drawing an exam: how many questions of each topic by its weight, which ones, which incidents, and in which order.

Deterministic by the seed: the same seed, bank and catalogue give the same paper.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from sandbox.learning.questions import Question
from sandbox.learning.topics import TOPICS
from web.catalogue import Drill
from web.exam.paper import IncidentItem, Item, Paper, QuestionItem


@dataclass(frozen=True)
class Length:
    """How long an exam is. ``hardest`` is the greatest difficulty (of 5) of its incidents."""

    id: str
    title: LazyString
    minutes: int
    questions: int
    incidents: int
    hardest: int


LENGTHS: Mapping[str, Length] = {
    one.id: one
    for one in (
        Length("short", _("Short"), 20, 10, 1, 1),
        Length("half", _("Half"), 60, 30, 2, 3),
        Length("full", _("Full"), 120, 60, 3, 4),
    )
}


@dataclass(frozen=True)
class Focus:
    """Which topics are asked. ``bodies`` share the questions equally."""

    id: str
    title: LazyString
    bodies: tuple[str, ...]


FOCUSES: Mapping[str, Focus] = {
    one.id: one
    for one in (
        Focus("both", _("Both"), ("cdip", "ciip")),
        Focus("cdip", _("CDIP-style topics"), ("cdip",)),
        Focus("ciip", _("CIIP domains"), ("ciip",)),
    )
}


def weights(focus: Focus) -> dict[str, float]:
    """The share of each topic of an exam, adding up to 1: the published weights where there are any, else equal."""
    found: dict[str, float] = {}
    for body in focus.bodies:
        topics = [topic for topic in TOPICS if topic.id.startswith(f"{body}:")]
        total = sum(topic.weight for topic in topics)
        for topic in topics:
            found[topic.id] = (topic.weight / total if total else 1 / len(topics)) / len(focus.bodies)
    return found


def apportion(shares: Mapping[str, float], available: Mapping[str, int], count: int) -> dict[str, int]:
    """How many of ``count`` each topic gets: largest remainders, and no more than there are of it.

    What a topic cannot fill goes to the others by the same rule.
    """
    given = dict.fromkeys(shares, 0)
    open_topics = {topic: share for topic, share in shares.items() if share > 0 and available.get(topic, 0)}
    while open_topics and sum(given.values()) < count:
        left = count - sum(given.values())
        total = sum(open_topics.values())
        exact = {topic: left * share / total for topic, share in open_topics.items()}
        whole = {topic: int(value) for topic, value in exact.items()}
        by_remainder = sorted(exact, key=lambda topic: (whole[topic] - exact[topic], -open_topics[topic], topic))
        for topic in by_remainder[: left - sum(whole.values())]:
            whole[topic] += 1
        for topic, more in whole.items():
            given[topic] = min(available[topic], given[topic] + more)
        open_topics = {topic: share for topic, share in open_topics.items() if given[topic] < available[topic]}
    return given


def draw_questions(bank: Sequence[Question], focus: Focus, count: int, seed: int) -> tuple[Question, ...]:
    """``count`` questions by weight, in an order that mixes the topics."""
    chance = random.Random(f"{seed}:questions")  # noqa: S311 - for variety, not for secrecy
    of = {topic: [question for question in bank if question.topic == topic] for topic in weights(focus)}
    shares = apportion(weights(focus), {topic: len(found) for topic, found in of.items()}, count)
    drawn = [question for topic, number in shares.items() for question in chance.sample(of[topic], number)]
    chance.shuffle(drawn)
    return tuple(drawn)


def draw_incidents(drills: Sequence[Drill], length: Length, seed: int) -> tuple[Drill, ...]:
    """Incidents of different families, none harder than the length allows, the easiest first.

    Where there are not enough families or easy ones, an exam has fewer.
    """
    chance = random.Random(f"{seed}:incidents")  # noqa: S311 - for variety, not for secrecy
    found: dict[str, Drill] = {}
    pool = sorted((drill for drill in drills if drill.difficulty <= length.hardest), key=lambda drill: drill.slug)
    chance.shuffle(pool)
    for drill in pool:
        found.setdefault(drill.family, drill)
    return tuple(sorted(list(found.values())[: length.incidents], key=lambda drill: (drill.difficulty, drill.slug)))


def draw(
    bank: Sequence[Question],
    drills: Sequence[Drill],
    length: Length,
    focus: Focus,
    *,
    timed: bool,
    seed: int,
    now: datetime,
) -> Paper:
    """A fresh paper. Incidents stand between stretches of questions of equal length."""
    questions = draw_questions(bank, focus, length.questions, seed)
    incidents = draw_incidents(drills, length, seed)
    items: list[Item] = [QuestionItem(question=question.id, topic=question.topic) for question in questions]
    for number, drill in reversed(list(enumerate(incidents, 1))):
        items.insert(round(len(questions) * number / (len(incidents) + 1)), _incident(drill))
    return Paper(
        seed=seed,
        length=length.id,
        focus=focus.id,
        begun=now,
        deadline=now + timedelta(minutes=length.minutes) if timed else None,
        items=tuple(items),
    )


def _incident(drill: Drill) -> IncidentItem:
    return IncidentItem(
        scenario=drill.slug,
        title=drill.title,
        family=drill.family,
        topics=tuple(topic.id for topic in drill.topics),
        minutes=drill.minutes,
    )
