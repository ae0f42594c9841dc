"""Ultrasound of the upper abdomen and the kidneys with a curved probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture
from sample_dicom.phantoms.sector import ECHO, MAP_SPACING, PROBE_RADIUS, scan
from sample_dicom.phantoms.subject import Build, Generator, Sonogram

DEPTH = 150.0

ABDOMEN_VIEWS = ("LIVER SAG", "LIVER RIGHT KIDNEY", "GALLBLADDER", "AORTA TRANS", "SPLEEN")
RENAL_VIEWS = ("RIGHT KIDNEY SAG", "RIGHT KIDNEY TRANS", "LEFT KIDNEY SAG", "BLADDER TRANS")


@dataclass(frozen=True)
class Belly:
    """What differs from one belly to the next; ``maps`` keeps each view's drawing for its cine."""

    wobble: tuple[Field, Field]
    texture: Field
    wall: float
    size: float
    fatty: float
    stones: int
    cyst: bool
    maps: dict[str, Picture] = field(default_factory=dict)


def make_belly(rng: Generator, build: Build) -> Belly:
    """A belly: wall thickness, fatty liver and gallstones come with age."""
    return Belly(
        wobble=(Field(rng, 32), Field(rng, 32)),
        texture=Field(rng, 13),
        wall=float(rng.uniform(12, 26)) * (0.6 if build.age < 14 else 1),
        size=float(rng.uniform(0.9, 1.1)) * float(np.interp(build.age, (0, 15), (0.6, 1))),
        fatty=float(np.clip(rng.normal(0, 2.5), -3, 6)),
        stones=int(rng.integers(1, 4)) if build.age > 30 and rng.random() < 0.4 else 0,
        cyst=bool(rng.random() < 0.3),
    )


def abdomen(rng: Generator, build: Build) -> Sonogram:
    """Liver, gallbladder, aorta, spleen."""
    return partial(_frame, make_belly(rng, build))


def _frame(belly: Belly, columns: int, view: str, phase: float) -> NDArray[np.uint8]:
    if view not in belly.maps:
        belly.maps[view] = _map(belly, view)
    # The organs go down and up with the breath, never quite the same way back.
    breath, back = float(np.sin(2 * np.pi * phase)), float(np.cos(2 * np.pi * phase))
    return scan(
        belly.maps[view], "convex", columns, DEPTH, move=(5.0 * breath, 1.6 * breath + 0.9 * back), offset=len(view)
    )


def _map(belly: Belly, view: str) -> Picture:
    reach = (PROBE_RADIUS + DEPTH) * 1.12
    grid = Grid(int(DEPTH * 1.08 / MAP_SPACING), int(reach / MAP_SPACING), MAP_SPACING)
    height = grid.rows * MAP_SPACING
    canvas = Canvas(
        grid, ECHO, w=10.0 * len(view), background="liver", wobble=belly.wobble, amplitude=2.2, origin=(0, -height / 2)
    )
    VIEWS[view](canvas, belly)
    canvas.data[0] += 1.3 * belly.texture.at(grid, 5.0)
    _wall(canvas, belly)
    return canvas.data


def _wall(canvas: Canvas, belly: Belly) -> None:
    """Skin, fat and muscle between the probe and the organs; the curved probe presses them into its own shape."""
    below = np.hypot(canvas.u, canvas.v + PROBE_RADIUS) - PROBE_RADIUS
    for top, bottom, tissue in (
        (-40.0, 2.0, "skin"),
        (2.0, 0.55 * belly.wall, "fat"),
        (0.55 * belly.wall, 0.95 * belly.wall, "muscle"),
    ):
        canvas.paint(canvas.where(((below > top) & (below <= bottom)).astype(np.float32)), tissue)
    for line in (0.3, 0.55, 0.95):
        thick = np.clip(1.2 - np.abs(below - line * belly.wall), 0, 1)
        canvas.paint(canvas.where(0.8 * thick), "fascia")


def _liver(canvas: Canvas, belly: Belly, *, vessels: bool = True) -> None:
    canvas.add(canvas.everywhere(), (belly.fatty, 0.006 * max(belly.fatty, 0)))
    if not vessels:
        return
    for points, widths, walled in (
        (((-52, 46), (-22, 64), (6, 86), (16, 104)), (1.6, 3.2, 4.4, 5.4), False),
        (((30, 42), (22, 66), (14, 96)), (1.4, 2.8, 4.6), False),
        (((-60, 84), (-36, 78), (-14, 80), (10, 70)), (2.2, 3.6, 4.6, 3.0), True),
        (((-36, 78), (-44, 60), (-40, 44)), (2.6, 1.8, 1.0), True),
    ):
        if walled:
            canvas.paint(canvas.band(points, [width + 1.5 for width in widths], soft=1), "wall")
        canvas.paint(canvas.band(points, widths, soft=0.8), "blood")


def _diaphragm(canvas: Canvas, at: float, lung: bool = True) -> None:
    """A bright arc, behind which mirrored liver shows."""
    arc = [(float(u), float(at - (u / 100) ** 2 * 42)) for u in np.linspace(-110, 110, 15)]
    canvas.paint(canvas.band(arc, 1.6), "diaphragm")
    if lung:
        beyond = canvas.v > at - (canvas.u / 100) ** 2 * 42 + 3
        canvas.add(canvas.where(beyond.astype(np.float32)), (-9.0, 0.12))


def _kidney(canvas: Canvas, belly: Belly, u: float, v: float, *, turn: float, long: bool = True) -> None:
    size = belly.size
    a, b = (53 * size, 24 * size) if long else (26 * size, 23 * size)
    canvas.paint(canvas.ellipse((u, v), (a + 6, b + 6), turn=turn, soft=4), "fat")
    canvas.paint(canvas.ellipse((u, v), (a + 0.8, b + 0.8), turn=turn), "wall")
    canvas.paint(canvas.ellipse((u, v), (a, b), turn=turn), "cortex")
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    for angle in np.arange(0, 2 * np.pi, np.pi / (5 if long else 3)):
        x, y = 0.64 * a * np.cos(angle), 0.66 * b * np.sin(angle)
        at = (u + float(x * cos - y * sin), v + float(x * sin + y * cos))
        canvas.paint(canvas.ellipse(at, (5.5 * size, 5.5 * size), soft=3), "pyramid")
    canvas.paint(canvas.ellipse((u, v), (0.56 * a, 0.42 * b), turn=turn, soft=5), "sinus")
    grain = np.clip(0.5 * belly.texture.at(canvas.grid, 44.0), 0, 0.7)
    canvas.paint(canvas.ellipse((u, v), (0.5 * a, 0.3 * b), turn=turn, soft=4).times(grain), "pyramid")
    if belly.cyst:
        at = (u + float(0.9 * a * cos), v + float(0.9 * a * sin) - 6)
        canvas.paint(canvas.ellipse(at, (9.5, 9)), "wall")
        canvas.paint(canvas.ellipse(at, (8.8, 8.3)), "fluid")


def _liver_sag(canvas: Canvas, belly: Belly) -> None:
    _liver(canvas, belly)
    _diaphragm(canvas, 128)


def _liver_kidney(canvas: Canvas, belly: Belly) -> None:
    _liver(canvas, belly, vessels=False)
    canvas.paint(canvas.band([(-50, 60), (-20, 52), (8, 46)], [3.4, 2.8, 1.4], soft=1), "blood")
    _kidney(canvas, belly, 22, 92, turn=14)
    _diaphragm(canvas, 138)


def _gallbladder(canvas: Canvas, belly: Belly) -> None:
    _liver(canvas, belly)
    canvas.paint(canvas.ellipse((8, 72), (36, 15.5), turn=24), "wall")
    canvas.paint(canvas.ellipse((8, 72), (34, 13.6), turn=24), "fluid")
    for number in range(belly.stones):
        canvas.paint(canvas.ellipse((-2 + 11 * number, 79.5 + 4.8 * number), (4.2, 3.4)), "stone")
    canvas.paint(canvas.ellipse((64, 108), (28, 22), soft=5), "gas")
    _diaphragm(canvas, 142)


def _aorta(canvas: Canvas, belly: Belly) -> None:
    _liver(canvas, belly, vessels=False)
    canvas.paint(canvas.ellipse((0, 62), (80, 24), soft=6), "fat")
    canvas.paint(canvas.band([(-46, 60), (-12, 56), (22, 52), (58, 62)], [12, 9, 8.5, 7], soft=3), "pancreas")
    canvas.paint(canvas.band([(-20, 66), (16, 62), (54, 70)], [4.5, 3.8, 3.2], soft=0.8), "blood")
    canvas.paint(canvas.ellipse((14, 78), (5.6, 5.4)), "wall")
    canvas.paint(canvas.ellipse((14, 78), (3.8, 3.8)), "blood")
    canvas.paint(canvas.ellipse((16, 98), (11.6, 11.4)), "wall")
    canvas.paint(canvas.ellipse((16, 98), (10.2, 10)), "blood")
    canvas.paint(canvas.ellipse((-20, 98), (13.5, 8), turn=-8), "blood")
    canvas.paint(canvas.ellipse((0, 134), (28, 22)), "bone")
    canvas.paint(canvas.ellipse((72, 64), (20, 14), soft=4), "gas")


def _spleen(canvas: Canvas, belly: Belly) -> None:
    canvas.paint(canvas.everywhere(), "fat")
    canvas.paint(canvas.ellipse((-6, 62), (58 * belly.size, 30 * belly.size), turn=-12), "wall")
    canvas.paint(canvas.ellipse((-6, 62), (57 * belly.size, 29 * belly.size), turn=-12), "spleen")
    canvas.paint(canvas.band([(0, 88), (2, 76), (10, 66)], [3.4, 2.6, 1.2], soft=1), "blood")
    _kidney(canvas, belly, 46, 98, turn=34)
    _diaphragm(canvas, 134)


def _kidney_sag(canvas: Canvas, belly: Belly, *, turn: float) -> None:
    _liver(canvas, belly, vessels=False)
    _kidney(canvas, belly, 0, 70, turn=turn)
    canvas.paint(canvas.ellipse((0, 136), (120, 26), soft=8), "muscle")


def _kidney_trans(canvas: Canvas, belly: Belly) -> None:
    _liver(canvas, belly, vessels=False)
    _kidney(canvas, belly, 6, 68, turn=10, long=False)
    canvas.paint(canvas.ellipse((40, 106), (26, 20), soft=4), "muscle")
    canvas.paint(canvas.ellipse((74, 124), (20, 18)), "bone")


def _bladder(canvas: Canvas, _belly: Belly) -> None:
    canvas.paint(canvas.everywhere(), "fat")
    canvas.paint(canvas.ellipse((0, 118), (44, 20), soft=4), "spleen")
    canvas.paint(canvas.ellipse((0, 64), (50, 32), power=2.5), "wall")
    canvas.paint(canvas.ellipse((0, 64), (47, 29), power=2.5), "fluid")
    for side in (-1, 1):
        canvas.paint(canvas.ellipse((side * 86, 80), (26, 60), turn=side * 10, soft=5), "muscle")


VIEWS: dict[str, Callable[[Canvas, Belly], None]] = {
    "LIVER SAG": _liver_sag,
    "LIVER RIGHT KIDNEY": _liver_kidney,
    "GALLBLADDER": _gallbladder,
    "AORTA TRANS": _aorta,
    "SPLEEN": _spleen,
    "RIGHT KIDNEY SAG": partial(_kidney_sag, turn=8.0),
    "RIGHT KIDNEY TRANS": _kidney_trans,
    "LEFT KIDNEY SAG": partial(_kidney_sag, turn=-14.0),
    "BLADDER TRANS": _bladder,
}
