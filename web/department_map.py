"""The department drawn from the site's coordinates: boxes for nodes, curves for what is configured to flow between
them, shaded areas for VLANs. Geometry only; words and colours are the template's.

No label lies on a box or on another label: each is moved along its own curve to where there is room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

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

_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)
"""Where on a curve a label may stand, the best first."""

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
    ``label`` where its words stand, ``name`` the first line of them (shortened), ``has_count`` whether there is
    another."""

    flow: Flow
    path: str
    points: tuple[Point, Point, Point, Point]
    state: str
    is_live: bool
    name: str
    has_count: bool
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
    has_count = bool(flow.sent or flow.failed or flow.waiting or flow.dead or state == "held")
    return Wire(flow, path, points, state, is_live and state == "flowing", _short(flow.label), has_count)


def _short(label: str) -> str:
    """As many of a line's rules as fit on it, and how many more there are."""
    names = label.split(", ")
    shown = names[0]
    for count, name in enumerate(names[1:], start=1):
        if len(shown) + len(name) + 2 > LONGEST:
            return f"{_clipped(shown)} +{len(names) - count}"
        shown += f", {name}"
    return _clipped(shown)


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _labelled(wires: Sequence[Wire], boxes: Sequence[Box]) -> tuple[Wire, ...]:
    """Every wire with the place of its words: where they hide least."""
    taken = [Area("", box.x - 4, box.y - 4, BOX_W + 8, BOX_H + 8) for box in boxes]
    points = [[wire.at(step / 20) for step in range(21)] for wire in wires]
    found: list[Wire] = []
    for number, wire in enumerate(wires):
        lines = bool(wire.name) + wire.has_count
        if not lines:
            found.append(wire)
            continue
        width = max(len(wire.name) * LETTER_W, _count_width(wire)) + 12
        height = lines * LINE_H + 4
        others = [point for other, curve in enumerate(points) if other != number for point in curve]
        tried = [_around(wire.at(t), width, height) for t in _PLACES]
        best = min(
            enumerate(tried),
            key=lambda each: (
                sum(_shared(each[1], other) for other in taken) + 40 * sum(_inside(each[1], one) for one in others),
                each[0],
            ),
        )[1]
        taken.append(best)
        found.append(replace(wire, label=best))
    return tuple(found)


def _count_width(wire: Wire) -> float:
    """About how wide its counts are in words."""
    flow = wire.flow
    parts = (wire.state == "held", flow.sent, flow.failed, flow.waiting, flow.dead)
    return sum(58.0 for part in parts if part)


def _around(point: Point, width: float, height: float) -> Area:
    x = min(max(point[0] - width / 2, 2), WIDTH - width - 2)
    y = min(max(point[1] - height / 2, 2), HEIGHT - height - 2)
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
