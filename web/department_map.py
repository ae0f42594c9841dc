"""The department drawn from the site's coordinates: boxes for nodes, curves for what is configured to flow between
them, shaded areas for VLANs. Geometry only; words and colours are the template's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.model.view import Flow, LabView, NodeState, NodeView

WIDTH, HEIGHT = 1000.0, 600.0
BOX_W, BOX_H = 164.0, 78.0
MARGIN = 18.0


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
class Wire:
    """A flow's curve. ``state`` is idle, flowing, failing or held; its label stands at ``label_x``, ``label_y``."""

    flow: Flow
    path: str
    label_x: float
    label_y: float
    state: str

    @property
    def text(self) -> str:
        parts = [f"{self.flow.sent} sent"] if self.flow.sent or not self.flow.failed else []
        return ", ".join([*parts, *([f"{self.flow.failed} failed"] if self.flow.failed else [])])


@dataclass(frozen=True)
class Area:
    """A VLAN's shaded rectangle around its nodes."""

    name: str
    x: float
    y: float
    width: float
    height: float


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
    wires = tuple(
        _wire(
            flow,
            boxes[flow.source],
            boxes[flow.target],
            _spread(leaving[flow.source].index(flow), len(leaving[flow.source])),
            _spread(arriving[flow.target].index(flow), len(arriving[flow.target])),
        )
        for flow in drawn
    )
    return DepartmentMap(WIDTH, HEIGHT, tuple(boxes.values()), wires, _areas(tuple(boxes.values())))


def wire_state(flow: Flow, source: NodeView) -> str:
    if flow.target in source.held:
        return "held"
    if flow.last_ok is False:
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


def _wire(flow: Flow, source: Box, target: Box, leave: float, arrive: float) -> Wire:
    backwards = target.x < source.x
    x1, y1 = (source.x if backwards else source.right), source.middle_y + leave * BOX_H / 2
    x2, y2 = (target.right if backwards else target.x), target.middle_y + arrive * BOX_H / 2
    if abs(target.x - source.x) < BOX_W:  # above one another: leave from below or above
        down = target.y > source.y
        x1, y1 = source.x + BOX_W / 2, source.bottom if down else source.y
        x2, y2 = target.x + BOX_W / 2, target.y if down else target.bottom
        path = f"M{x1:.0f} {y1:.0f} L{x2:.0f} {y2:.0f}"
    else:
        bend = (x2 - x1) * 0.45
        path = f"M{x1:.0f} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return Wire(flow, path, round((x1 + x2) / 2, 1), round((y1 + y2) / 2, 1), wire_state(flow, source.node))


def _areas(boxes: Sequence[Box]) -> tuple[Area, ...]:
    """VLANs as rectangles; none at all where they would overlap, since they would then say something false."""
    found = []
    for vlan in dict.fromkeys(box.node.vlan for box in boxes if box.node.vlan):
        inside = [box for box in boxes if box.node.vlan == vlan]
        x, y = min(box.x for box in inside) - 16, min(box.y for box in inside) - 30
        right, bottom = max(box.right for box in inside) + 16, max(box.bottom for box in inside) + 14
        found.append(Area(vlan, round(x, 1), round(y, 1), round(right - x, 1), round(bottom - y, 1)))
    clash = any(_overlap(one, other) for i, one in enumerate(found) for other in found[i + 1 :])
    return () if clash else tuple(found)


def _overlap(one: Area, other: Area) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
