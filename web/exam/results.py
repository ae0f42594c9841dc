"""What an exam came to, by topic and in all, and what a person's exams and practice say together. Pure but for
``topic_results``, which reads what the console kept.

A question counts 1, an incident as much as ``INCIDENT_WORTH`` questions. The pass line is our own choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import Question, is_right, score
from sandbox.learning.topics import TOPICS
from web.accounts import Account
from web.context import console
from web.exam.paper import Paper, TopicRow
from web.exam.training import Record, Training
from web.sittings import Sittings

INCIDENT_WORTH = 5
"""An incident takes about as long as five to ten questions, and shows more than they do."""
PASS_LINE = 70
"""Of 100. Certifying bodies set theirs by methods of their own and do not use this one."""
WEAK = 0.7
"""Topics below this share are named as what to practise next."""


def total(paper: Paper, bank: Mapping[str, Question]) -> int:
    """The score of the whole paper, 0 to 100. What is not in the bank any more, or was skipped, does not count."""
    asked = [(bank[item.question], item.answer) for item in paper.questions if item.question in bank]
    incidents = [item for item in paper.incidents if item.counts]
    worth = len(asked) + INCIDENT_WORTH * len(incidents)
    points = sum(score(question, answer) for question, answer in asked)
    points += INCIDENT_WORTH * sum(item.points or 0.0 for item in incidents)
    return round(100 * points / worth) if worth else 0


def rows(paper: Paper, bank: Mapping[str, Question]) -> tuple[TopicRow, ...]:
    """The result by topic, in the order of the curriculum; topics that were not touched are left out."""
    found = {topic.id: TopicRow(topic=topic.id) for topic in TOPICS}
    for item in paper.questions:
        if item.question in bank:
            question = bank[item.question]
            found[question.topic] = _more(
                found[question.topic],
                asked=1,
                right=int(is_right(question, item.answer)),
                points=score(question, item.answer),
            )
    for incident in paper.incidents:
        if incident.counts:
            for topic in incident.topics:
                if topic in found:
                    found[topic] = _more(found[topic], incidents=1, solved=int(incident.solved))
    return tuple(row for row in found.values() if row.asked or row.incidents)


def _more(row: TopicRow, **counts: float) -> TopicRow:
    return row.model_copy(update={name: getattr(row, name) + count for name, count in counts.items()})


def weak_topics(found: Sequence[TopicRow]) -> tuple[str, ...]:
    """Topics to practise next, the weakest first."""
    weak = [row for row in found if row.asked and row.points / row.asked < WEAK]
    return tuple(row.topic for row in sorted(weak, key=lambda row: (row.points / row.asked, -row.asked)))


@dataclass(frozen=True)
class TopicResult:
    """What exams and practice say of one topic. ``asked``, ``right`` and ``points`` are questions of finished exams,
    ``incidents`` and ``solved`` their incidents that touch it; ``practised`` and ``practised_right`` are questions that
    were practised, each by its last answer."""

    topic: str
    asked: int = 0
    right: int = 0
    points: float = 0.0
    incidents: int = 0
    solved: int = 0
    practised: int = 0
    practised_right: int = 0


def add_up(papers: Sequence[Paper], record: Record, bank: Mapping[str, Question]) -> tuple[TopicResult, ...]:
    """One line for each topic of the curriculum, also for those that were never asked."""
    found = {topic.id: TopicResult(topic.id) for topic in TOPICS}
    for row in (row for paper in papers for row in paper.rows):
        if row.topic in found:
            old = found[row.topic]
            found[row.topic] = replace(
                old,
                asked=old.asked + row.asked,
                right=old.right + row.right,
                points=old.points + row.points,
                incidents=old.incidents + row.incidents,
                solved=old.solved + row.solved,
            )
    for id, known in record.known.items():
        if id in bank:
            old = found[bank[id].topic]
            found[old.topic] = replace(
                old, practised=old.practised + 1, practised_right=old.practised_right + known.last_right
            )
    return tuple(found.values())


def topic_results(account: Account) -> tuple[TopicResult, ...]:
    """By topic, what ``account`` did in finished exams and in practising questions (for the progress page)."""
    papers = []
    for sitting in Sittings(console().database, "exam").of(account):
        if sitting.finished is not None:
            try:
                papers.append(Paper.model_validate(sitting.document))
            except ValidationError:
                continue  # of a version that kept other things
    return add_up(papers, Training(console().database).record(account), question_bank())
