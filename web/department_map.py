"""The department drawn from the site's coordinates: boxes for nodes, curves for what is configured to flow between
them, shaded areas for VLANs. Geometry only; words and colours are the template's.

No label lies on a box or on another label: each is moved along its own curve to where there is room.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

from sandbox.model.view import Flow, LabView, NodeState, NodeView

WIDTH, HEIGHT = 1000.0, 600.0
BOX_W, BOX_H = 164.0, 78.0
MARGIN = 18.0
LETTER_W = 6.7
"""About how wide a letter of a label is, in units of the drawing."""

LINE_H = 16.0
LONGEST = 24
"""Letters of a rule's name on a line; the list and the line's description have all of them."""

LIVELY = timedelta(seconds=45)
"""A line moves for so long after something passed."""

_PLACES = (0.5, *(0.5 + sign * step / 30 for step in range(1, 11) for sign in (-1, 1)))
"""Where on a curve a label may stand, the best first."""

_SHIFTS = (0.0, -18.0, 18.0, -36.0, 36.0, -54.0, 54.0)
"""How far above or below its curve it may stand where there is no room on it."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node's box; ``x`` and ``y`` are its upper left corner."""

    node: NodeView
    x: float
    y: float

    @property
    def middle_y(self) -> float:
        return self.y + BOX_H / 2

    @property
    def right(self) -> float:
        return self.x + BOX_W

    @property
    def bottom(self) -> float:
        return self.y + BOX_H


@dataclass(frozen=True)
class Area:
    """A rectangle: a VLAN's around its nodes, or a label's."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Wire:
    """A flow's curve. ``state`` is idle, flowing, failing or held, ``is_live`` that something passed just now,
    ``label`` where its words stand: ``name`` (shortened), then ``rows`` of counts by what they count."""

    flow: Flow
    path: str
    points: tuple[Point, Point, Point, Point]
    state: str
    is_live: bool
    name: str
    rows: tuple[tuple[str, ...], ...]
    label: Area = Area("", 0, 0, 0, 0)

    @property
    def middle(self) -> float:
        return self.label.x + self.label.width / 2

    def at(self, t: float) -> Point:
        """The point of the curve at ``t`` (0 to 1)."""
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = self.points
        a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
        return a * x1 + b * x2 + c * x3 + d * x4, a * y1 + b * y2 + c * y3 + d * y4


@dataclass(frozen=True)
class DepartmentMap:
    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    areas: tuple[Area, ...]


def draw(lab: LabView) -> DepartmentMap:
    """The map of a lab, as it stands now."""
    boxes = {node.name: _box(node) for node in lab.nodes}
    leaving: dict[str, list[Flow]] = {}
    arriving: dict[str, list[Flow]] = {}
    drawn = [flow for flow in _joined(lab.flows) if flow.source in boxes and flow.target in boxes]
    for flow in drawn:
        leaving.setdefault(flow.source, []).append(flow)
        arriving.setdefault(flow.target, []).append(flow)
    for flows in leaving.values():
        flows.sort(key=lambda flow: boxes[flow.target].y)
    for flows in arriving.values():
        flows.sort(key=lambda flow: boxes[flow.source].y)
    wires = [
        _wire(
            lab,
            flow,
            boxes[flow.source],
            boxes[flow.target],
            _spread(leaving[flow.source].index(flow), len(leaving[flow.source])),
            _spread(arriving[flow.target].index(flow), len(arriving[flow.target])),
        )
        for flow in drawn
    ]
    placed = _labelled(wires, tuple(boxes.values()))
    return DepartmentMap(WIDTH, HEIGHT, tuple(boxes.values()), placed, _areas(tuple(boxes.values())))


def wire_state(flow: Flow, source: NodeView) -> str:
    if flow.held or flow.target in source.held:
        return "held"
    if flow.last_ok is False or (flow.waiting and flow.error):
        return "failing"
    if source.state is not NodeState.RUNNING or flow.last_at is None:
        return "idle"
    return "flowing"


def _joined(flows: Sequence[Flow]) -> list[Flow]:
    """One flow a pair of nodes: several rules to one destination are one line with their labels together."""
    pairs: dict[tuple[str, str], Flow] = {}
    for flow in flows:
        key = (flow.source, flow.target)
        if key in pairs:
            label = ", ".join(dict.fromkeys(filter(None, (pairs[key].label, flow.label))))
            pairs[key] = pairs[key].model_copy(update={"label": label})
        else:
            pairs[key] = flow
    return list(pairs.values())


def _box(node: NodeView) -> Box:
    x = min(max(node.x / 100 * WIDTH - BOX_W / 2, MARGIN), WIDTH - BOX_W - MARGIN)
    y = min(max(node.y / 100 * HEIGHT - BOX_H / 2, MARGIN + 14), HEIGHT - BOX_H - MARGIN)
    return Box(node, round(x, 1), round(y, 1))


def _spread(position: int, count: int) -> float:
    """Where on the box's side a line ends, so that several do not lie on each other: -0.6 to 0.6 of half its height."""
    return 0.0 if count < 2 else (position / (count - 1) - 0.5) * min(1.2, 0.4 * count)


def _wire(lab: LabView, flow: Flow, source: Box, target: Box, leave: float, arrive: float) -> Wire:
    backwards = target.x < source.x
    x1, y1 = (source.x if backwards else source.right), source.middle_y + leave * BOX_H / 2
    x2, y2 = (target.right if backwards else target.x), target.middle_y + arrive * BOX_H / 2
    if abs(target.x - source.x) < BOX_W:  # above one another: leave from below or above
        down = target.y > source.y
        x1, y1 = source.x + BOX_W / 2, source.bottom if down else source.y
        x2, y2 = target.x + BOX_W / 2, target.y if down else target.bottom
        points: tuple[Point, Point, Point, Point] = ((x1, y1), (x1, y1), (x2, y2), (x2, y2))
        path = f"M{x1:.0f} {y1:.0f} L{x2:.0f} {y2:.0f}"
    else:
        bend = (x2 - x1) * 0.45
        points = ((x1, y1), (x1 + bend, y1), (x2 - bend, y2), (x2, y2))
        path = f"M{x1:.0f} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    state = wire_state(flow, source.node)
    is_live = flow.last_ok is True and flow.last_at is not None and lab.now - flow.last_at < LIVELY
    letters = max(10, min(LONGEST, int((abs(x2 - x1) - 26) / LETTER_W)))
    rows = _rows(flow, state, letters)
    return Wire(flow, path, points, state, is_live and state == "flowing", _short(flow.label, letters), rows)


def _rows(flow: Flow, state: str, letters: int) -> tuple[tuple[str, ...], ...]:
    """What there is to count, in rows of at most so many letters."""
    rows: list[tuple[str, ...]] = []
    left = 0
    for what in _counted(flow, state):
        long = _letters(flow, what) + 3
        if long > left or not rows:
            rows.append(())
            left = letters + 3
        rows[-1] += (what,)
        left -= long
    return tuple(rows)


def _counted(flow: Flow, state: str) -> list[str]:
    counts = {"held": state == "held", "waiting": flow.waiting, "sent": flow.sent, "failed": flow.failed}
    return [what for what, count in (*counts.items(), ("dead", flow.dead)) if count]


def _letters(flow: Flow, what: str) -> int:
    """About how many letters a count takes. Other languages take some more than English."""
    return 10 if what == "held" else len(str(getattr(flow, what))) + 9


def _short(label: str, letters: int) -> str:
    """As many of a line's rules as fit on it, and how many more there are."""
    names = label.split(", ")
    shown = names[0]
    for count, name in enumerate(names[1:], start=1):
        if len(shown) + len(name) + 2 > letters:
            return f"{_clipped(shown, letters - 3)} +{len(names) - count}"
        shown += f", {name}"
    return _clipped(shown, letters)


def _clipped(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _labelled(wires: Sequence[Wire], boxes: Sequence[Box]) -> tuple[Wire, ...]:
    """Every wire with the place of its words: where they hide least."""
    taken = [Area("", box.x - 4, box.y - 4, BOX_W + 8, BOX_H + 8) for box in boxes]
    points = [[wire.at(step / 12) for step in range(13)] for wire in wires]
    spots = [[wire.at(t) for t in _PLACES] for wire in wires]
    found: list[Wire] = []
    for number, wire in enumerate(wires):
        lines = bool(wire.name) + len(wire.rows)
        if not lines:
            found.append(wire)
            continue
        letters = max(len(wire.name), *(_width(wire.flow, row) for row in wire.rows), 0)
        width, height = letters * LETTER_W + 10, lines * LINE_H + 4
        others = [point for other, curve in enumerate(points) if other != number for point in curve]
        best, least = None, math.inf
        for shift, (x, y) in product(_SHIFTS, spots[number]):
            tried = _around(x, y + shift, width, height)
            hidden = 0.0
            for other in taken:
                hidden += _shared(tried, other)
                if hidden >= least:
                    break
            else:
                hidden += 40 * sum(_inside(tried, one) for one in others)
            if hidden < least:
                best, least = tried, hidden
            if not least:
                break
        assert best is not None
        taken.append(best)
        found.append(replace(wire, label=best))
    return tuple(found)


def _width(flow: Flow, row: tuple[str, ...]) -> int:
    return sum(_letters(flow, what) for what in row) + 3 * (len(row) - 1)


def _around(x: float, y: float, width: float, height: float) -> Area:
    x = min(max(x - width / 2, 2), WIDTH - width - 2)
    y = min(max(y - height / 2, 2), HEIGHT - height - 2)
    return Area("", round(x, 1), round(y, 1), round(width, 1), height)


def _shared(one: Area, other: Area) -> float:
    """How much of two rectangles lies on each other."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across * down if across > 0 and down > 0 else 0.0


def _inside(area: Area, point: Point) -> bool:
    return area.x <= point[0] <= area.x + area.width and area.y <= point[1] <= area.y + area.height


def _areas(boxes: Sequence[Box]) -> tuple[Area, ...]:
    """VLANs as rectangles; none at all where they would overlap, since they would then say something false."""
    found = []
    for vlan in dict.fromkeys(box.node.vlan for box in boxes if box.node.vlan):
        inside = [box for box in boxes if box.node.vlan == vlan]
        x, y = min(box.x for box in inside) - 16, min(box.y for box in inside) - 30
        right, bottom = max(box.right for box in inside) + 16, max(box.bottom for box in inside) + 14
        found.append(Area(vlan, round(x, 1), round(y, 1), round(right - x, 1), round(bottom - y, 1)))
    clash = any(_shared(one, other) for i, one in enumerate(found) for other in found[i + 1 :])
    return () if clash else tuple(found)
