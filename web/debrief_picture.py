"""Where things stand in the debrief's two pictures: the timeline in lanes, and what led to what in layers.

Only numbers and words for the templates; each picture has a list beside it that says the same.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.model.debrief_view import DebriefView, GraphNode, Lane, TimelineEntry

# The lanes, in units of the drawing.
WIDTH = 1000
LANE = 64
LEFT = 112
BEFORE = 150
STEP = 30
"""Marks of one lane that are nearer to each other than this become one with a count."""

# The graph.
BOX_WIDTH, BOX_HEIGHT = 208, 84
GAP_X, GAP_Y = 18, 40
LETTERS, ROWS = 28, 4
"""Letters of a line and lines of a box."""


@dataclass(frozen=True)
class Spot:
    """One or more lines of the timeline of one kind, close together."""

    x: float
    y: float
    group: str
    count: int
    title: str


@dataclass(frozen=True)
class Tick:
    x: float
    seconds: float


@dataclass(frozen=True)
class Lanes:
    """``call_x`` is where the phone rang: what lies left of it is in order, and not to scale."""

    width: int
    height: int
    call_x: float
    spots: tuple[Spot, ...]
    ticks: tuple[Tick, ...]
    lanes: tuple[tuple[Lane, float], ...]


def lanes(told: DebriefView) -> Lanes:
    """The timeline from left to right, a lane for each of who acts."""
    before = [entry for entry in told.timeline if entry.elapsed_s < 0]
    call_x = float(LEFT + (BEFORE if before else 20))
    end = max([entry.elapsed_s for entry in told.timeline] + [told.elapsed_s, 1.0])
    rows = {lane: 20 + LANE * (number + 0.5) for number, lane in enumerate(Lane)}

    def place(entry: TimelineEntry) -> float:
        if entry.elapsed_s < 0:
            return LEFT + (before.index(entry) + 0.5) * (BEFORE - 24) / len(before)
        return call_x + 16 + (WIDTH - 40 - call_x) * entry.elapsed_s / end

    spots: list[Spot] = []
    for lane in Lane:
        of_lane: list[Spot] = []
        for entry in told.timeline:
            if entry.lane is not lane:
                continue
            x = place(entry)
            last = of_lane[-1] if of_lane else None
            if last is not None and x - last.x < STEP and (x < call_x) == (last.x < call_x):
                # Near ones of one kind are one mark; near ones of another stand beside it, as far as there is room.
                same = next((s for s in reversed(of_lane) if s.group == entry.group and abs(s.x - x) < STEP * 2), None)
                if same is not None:
                    at = of_lane.index(same)
                    of_lane[at] = Spot(same.x, same.y, same.group, same.count + 1, same.title)
                    continue
                x = last.x + STEP
            of_lane.append(Spot(min(x, WIDTH - 16), rows[lane], entry.group, 1, entry.sentence))
        spots += of_lane
    return Lanes(WIDTH, 20 + LANE * len(Lane) + 24, call_x, tuple(spots), _ticks(call_x, end), tuple(rows.items()))


def _ticks(call_x: float, end: float) -> tuple[Tick, ...]:
    steps = (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
    step = next((step for step in steps if end / step <= 6), steps[-1])
    count = min(8, int(end // step))
    return tuple(
        Tick(call_x + 16 + (WIDTH - 40 - call_x) * number * step / end, number * step) for number in range(count + 1)
    )


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    lines: tuple[str, ...]
    node: GraphNode


@dataclass(frozen=True)
class Arrow:
    path: str
    recorded: bool


@dataclass(frozen=True)
class Graph:
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def graph(told: DebriefView) -> Graph:
    """Boxes in rows, causes above what they led to, arrows between."""
    rows: dict[int, list[GraphNode]] = {}
    for node in told.graph.nodes:
        rows.setdefault(node.layer, []).append(node)
    if not rows:
        return Graph(0, 0, (), ())
    width = _row_width(max(len(row) for row in rows.values())) + 8
    boxes: dict[int, Box] = {}
    for layer, row in rows.items():
        left = (width - _row_width(len(row))) / 2
        for number, node in enumerate(row):
            x, y = left + number * (BOX_WIDTH + GAP_X), 4 + layer * (BOX_HEIGHT + GAP_Y)
            boxes[node.id] = Box(x, y, _wrapped(node.sentence), node)
    arrows = tuple(
        Arrow(_curve(boxes[edge.source], boxes[edge.target]), edge.recorded)
        for edge in told.graph.edges
        if edge.source in boxes and edge.target in boxes
    )
    height = 8 + len(rows) * BOX_HEIGHT + (len(rows) - 1) * GAP_Y
    return Graph(width, height, tuple(boxes.values()), arrows)


def _row_width(boxes: int) -> float:
    return boxes * BOX_WIDTH + (boxes - 1) * GAP_X


def _wrapped(text: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, LETTERS, max_lines=ROWS - 1, placeholder=" …")) or ("",)


def _curve(source: Box, target: Box) -> str:
    if source.y == target.y:
        y, x1, x2 = source.y + BOX_HEIGHT / 2, source.x, target.x
        x1, x2 = (x1 + BOX_WIDTH, x2 - 5) if x2 > x1 else (x1, x2 + BOX_WIDTH + 5)
        return f"M{x1:.0f} {y:.0f}H{x2:.0f}"
    x1, y1 = source.x + BOX_WIDTH / 2, source.y + BOX_HEIGHT
    x2, y2 = target.x + BOX_WIDTH / 2, target.y - 5
    middle = (y1 + y2) / 2
    return f"M{x1:.0f} {y1:.0f}C{x1:.0f} {middle:.0f} {x2:.0f} {middle:.0f} {x2:.0f} {y2:.0f}"


def led_to(told: DebriefView) -> Sequence[tuple[GraphNode, tuple[tuple[GraphNode, bool], ...]]]:
    """Every node with what it led to, and whether the log says so: the picture as a list."""
    nodes = {node.id: node for node in told.graph.nodes}
    return [
        (node, tuple((nodes[e.target], e.recorded) for e in told.graph.edges if e.source == node.id))
        for node in told.graph.nodes
    ]
