"""The progress map as a picture: a bar for each topic, as thick as the topic weighs, filled as far as it is mastered,
with a mark for the share of questions that were right. Geometry only; the words are in its twin, the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from web.exam.results import TopicResult
from web.practice.mastery import TopicStanding

WIDTH = 860
LEFT, RIGHT = 262, 640
"""Where the bars begin and end; words are before and behind."""
THINNEST, A_ITEM, GAP, TOP = 18, 0.8, 12, 8


@dataclass(frozen=True)
class Bar:
    """One topic. ``fill`` is the filled length; ``mark`` where the questions' share stands, None without any."""

    standing: TopicStanding
    questions: TopicResult | None
    y: float
    height: float
    fill: float
    mark: float | None

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Picture:
    bars: tuple[Bar, ...]
    height: float
    width: int = WIDTH
    left: int = LEFT
    right: int = RIGHT


def share(result: TopicResult | None) -> int | None:
    """The questions of a topic that were right, of those that were asked or practised: 0 to 100."""
    asked = 0 if result is None else result.asked + result.practised
    return None if result is None or not asked else round(100 * (result.right + result.practised_right) / asked)


def draw(topics: Sequence[TopicStanding], questions: Mapping[str, TopicResult]) -> Picture:
    bars: list[Bar] = []
    y = float(TOP)
    span = RIGHT - LEFT
    for one in topics:
        height = THINNEST + A_ITEM * one.topic.weight
        right = share(questions.get(one.topic.id))
        bars.append(
            Bar(
                one,
                questions.get(one.topic.id),
                round(y, 1),
                round(height, 1),
                round(span * one.strength / 100, 1),
                None if right is None else round(LEFT + span * right / 100, 1),
            )
        )
        y += height + GAP
    return Picture(tuple(bars), round(y, 1))
