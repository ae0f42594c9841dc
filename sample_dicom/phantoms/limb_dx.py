"""Radiographs of hand and knee, two views each, as the shadow of bones in soft tissue; dense is white.

Drawn for a right limb; a left one is mirrored. v is negative towards the fingers, or the thigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture, Point
from sample_dicom.phantoms.subject import Build, Generator, Radiograph

HAND_HEIGHT, HAND_WIDTH = 240.0, 180.0
KNEE_HEIGHT, KNEE_WIDTH = 300.0, 200.0
SHADOW = {"air": (0.0,)}

# For each ray from the thumb: base of the metacarpal, then its head and the joints on to the tip (mm).
RAYS: tuple[tuple[Point, ...], ...] = (
    ((-24, 42), (-47, 6), (-62, -24), (-71, -46)),
    ((-14, 26), (-24, -34), (-32, -74), (-36, -97), (-38, -114)),
    ((-3, 24), (-4, -38), (-5, -83), (-6, -110), (-6, -128)),
    ((8, 27), (15, -32), (21, -73), (25, -98), (27, -116)),
    ((18, 32), (32, -20), (43, -52), (49, -70), (53, -86)),
)
THICK: tuple[float, ...] = (6.6, 5.8, 5.8, 5.2, 4.8)
CARPALS: tuple[tuple[Point, Point, float], ...] = (
    ((-18, 38), (8.5, 8), 20),
    ((-8, 38), (6.5, 8), 0),
    ((2, 40), (8.5, 12), -8),
    ((14, 42), (8, 9.5), -12),
    ((-13, 55), (9, 11.5), 32),
    ((3, 59), (9.5, 8), 0),
    ((17, 57), (8, 8), 0),
    ((20, 52), (5, 5), 0),
)


@dataclass(frozen=True)
class Limb:
    """What differs from one limb to the next."""

    wobble: tuple[Field, Field]
    texture: Field
    scale: float
    spread: float
    shift: Point
    flesh: float
    mirrored: bool
    bone: float
    worn: float
    break_at: int


def _make(rng: Generator, build: Build) -> Limb:
    return Limb(
        wobble=(Field(rng, 30), Field(rng, 30)),
        texture=Field(rng, 3.2),
        scale=float(rng.uniform(0.92, 1.04))
        * (0.92 if build.sex == "F" else 1.0)
        * float(np.interp(build.age, (0, 3, 15), (0.5, 0.62, 1))),
        spread=float(rng.normal(0, 0.05)),
        shift=(float(rng.normal(0, 4)), float(rng.normal(0, 4))),
        flesh=float(rng.uniform(0.9, 1.25)),
        mirrored=build.laterality == "L",
        bone=float(np.interp(build.age, (0, 18, 50, 90), (0.75, 1.0, 1.0, 0.72))),
        worn=float(np.interp(build.age, (35, 90), (0.0, 1.0))),
        break_at=int(rng.integers(1, 5)) if rng.random() < 0.3 else -1,
    )


def hand(rng: Generator, build: Build) -> Radiograph:
    """A hand; a broken metacarpal in some."""
    return partial(_hand, _make(rng, build))


def knee(rng: Generator, build: Build) -> Radiograph:
    """A knee; the inner joint space narrows with age."""
    return partial(_knee, _make(rng, build))


def _canvas(limb: Limb, grid: Grid, view: str) -> Canvas:
    return Canvas(
        grid,
        SHADOW,
        w=0.0 if view in ("PA", "AP") else 90.0,
        wobble=limb.wobble,
        amplitude=0.8,
        origin=limb.shift,
        scale=limb.scale,
    )


def _finish(limb: Limb, canvas: Canvas) -> Picture:
    shade = canvas.data[0] * (1 + 0.02 * canvas.grid.v / 100)
    shade = 1 - np.exp(-1.5 * np.clip(shade, 0, None))
    return np.ascontiguousarray(shade[:, ::-1] if limb.mirrored else shade)


def _rod(
    canvas: Canvas, limb: Limb, points: list[Point], widths: list[float], amount: float, hollow: float = 0.72
) -> None:
    """A long bone: dense rim, spongy inside."""
    region = canvas.tube(points, widths, hollow=hollow)
    grain = (1 + 0.09 * limb.texture.at(canvas.grid, canvas.w)).astype(np.float32)
    canvas.add(region.times(grain), amount * limb.bone)


def _hand(limb: Limb, grid: Grid, view: str) -> Picture:
    canvas = _canvas(limb, grid, view)
    # Turned half way to the side the fingers lie closer together and overlap at their roots.
    squeeze = 1.0 if view == "PA" else 0.66
    lean = 0.0 if view == "PA" else 0.1

    def place(point: Point) -> Point:
        fan = 1 + limb.spread
        return point[0] * squeeze * fan + lean * point[1], point[1] + 18

    flesh = np.zeros_like(canvas.data[0])
    for ray in RAYS:
        line = [place(point) for point in ray]
        tip = (line[-1][0] * 1.0, line[-1][1] - 5)
        for soft in (
            canvas.band([*line[1:], tip], [11.5 * limb.flesh] * (len(line) - 1) + [7.5 * limb.flesh], soft=5),
        ):
            flesh[soft.rows, soft.columns] = np.maximum(flesh[soft.rows, soft.columns], 0.72 * soft.alpha)
    for soft in (
        canvas.band([place(p) for p in ((-22, -24), (-20, 30), (-14, 66))], [18 * squeeze, 24 * squeeze, 24], soft=8),
        canvas.band([place(p) for p in ((6, -28), (6, 20), (2, 64))], [28 * squeeze, 34 * squeeze, 30], soft=8),
        canvas.band([place(p) for p in ((24, -14), (20, 24), (10, 66))], [16 * squeeze, 20 * squeeze, 22], soft=8),
        canvas.band([place(p) for p in ((-44, 8), (-26, 40))], [15, 22], soft=8),
        canvas.band([place(p) for p in ((1, 60), (2, 170))], [31, 34], soft=8),
    ):
        flesh[soft.rows, soft.columns] = np.maximum(flesh[soft.rows, soft.columns], soft.alpha)
    canvas.add(canvas.where(flesh), 0.2 * limb.flesh)
    for number, (ray, thick) in enumerate(zip(RAYS, THICK, strict=True)):
        line = [place(point) for point in ray]
        for bone, (start, end) in enumerate(pairwise(line)):
            _long_bone(canvas, limb, start, end, thick * (1.12, 0.98, 0.84, 0.7)[bone], last=bone == len(line) - 2)
            if number == limb.break_at and bone == 0:
                u, v = start[0] + 0.62 * (end[0] - start[0]), start[1] + 0.62 * (end[1] - start[1])
                canvas.add(canvas.band([(u - 6, v + 3), (u + 1, v - 1), (u + 6, v - 4)], 0.8), -0.17)
    for at, radii, turn in CARPALS:
        spot = place(at)
        size = (radii[0] * max(squeeze, 0.8), radii[1])
        canvas.add(canvas.chord(spot, size, turn=turn), 0.24 * limb.bone)
        canvas.add(
            canvas.ellipse(spot, size, turn=turn).without(
                canvas.ellipse(spot, (size[0] - 1.2, size[1] - 1.2), turn=turn, soft=1.2)
            ),
            0.13 * limb.bone,
        )
    radius_at, ulna_at = place((-7, 71)), place((19, 72))
    _rod(canvas, limb, [radius_at, (radius_at[0] + 1, 106), (radius_at[0] + 3, 190)], [14.5, 11, 8.6], 0.42)
    _rod(canvas, limb, [ulna_at, (ulna_at[0] - 1, 102), (ulna_at[0] - 2, 190)], [8.2, 7.0, 7.0], 0.36)
    return _finish(limb, canvas)


def _long_bone(canvas: Canvas, limb: Limb, start: Point, end: Point, thick: float, *, last: bool) -> None:
    """A small tubular bone from joint to joint: wide ends, narrow waist, a gap where the cartilage is."""
    away = np.array(end) - np.array(start)
    length = float(np.hypot(*away))
    step = away / length
    gap = 1.6 - 0.7 * limb.worn
    along = (gap + 2.5, 0.28 * length, 0.62 * length, length - gap - (0.5 if last else 3.5))
    points = [(float(start[0] + step[0] * t), float(start[1] + step[1] * t)) for t in along]
    widths = [thick * 1.12, thick * 0.76, thick * 0.7, thick * (0.74 if last else 1.08)]
    _rod(canvas, limb, points, widths, 0.36)
    for at, size in ((points[0], thick), (points[3], thick * (0.6 if last else 1.0))):
        canvas.add(canvas.chord(at, (size, size)), 0.07 * limb.bone)


def _knee(limb: Limb, grid: Grid, view: str) -> Picture:
    canvas = _canvas(limb, grid, view)
    (_knee_front if view == "AP" else _knee_side)(canvas, limb)
    return _finish(limb, canvas)


def _knee_front(canvas: Canvas, limb: Limb) -> None:
    flesh = limb.flesh
    canvas.add(
        canvas.tube(
            [(0, -170), (0, -60), (0, 0), (2, 60), (4, 170)],
            [78 * flesh, 68 * flesh, 60 * flesh, 58 * flesh, 56 * flesh],
        ),
        0.46,
    )
    gap = 3.0
    narrow = 1.6 * limb.worn
    _rod(canvas, limb, [(-4, -180), (-2, -80), (0, -48), (0, -26)], [15.5, 17, 28, 38], 0.5, 0.8)
    for side, size in ((-1, 20.0), (1, 21.5)):
        centre = (side * 21.5, -22.0 + (narrow if side > 0 else 0))
        canvas.add(canvas.ellipse(centre, (size, 19.5), power=2.6, soft=2), 0.22 * limb.bone)
        rim = canvas.ellipse(centre, (size, 19.5), power=2.6).without(
            canvas.ellipse(centre, (size - 1.6, 17.9), power=2.6, soft=1.5)
        )
        canvas.add(rim.times((canvas.v > -20).astype(np.float32)), 0.2 * limb.bone)
    canvas.add(canvas.ellipse((0, -7), (7.5, 12), soft=4), -0.14)
    canvas.add(canvas.ellipse((2, 16 + gap), (42, 14.5), power=4, soft=2.5), 0.3 * limb.bone)
    canvas.add(
        canvas.band(
            [(-39, 3.4 + gap), (-8, 4.6 + gap), (-2, 0.5 + gap), (4, 4.6 + gap), (41, 3.4 + gap)],
            [1.3, 1.3, 2.6, 1.3, 1.3],
        ),
        0.2 * limb.bone,
    )
    _rod(canvas, limb, [(2, 22), (2, 52), (4, 90), (6, 180)], [39, 25, 16, 14], 0.5, 0.8)
    _rod(canvas, limb, [(-38, 24), (-38, 40), (-35, 180)], [9, 6.5, 6], 0.3)
    canvas.add(canvas.chord((1, -42), (22, 22)), 0.09 * limb.bone)
    if limb.worn > 0.5:
        for at in ((43, -8), (45, 6), (-42, 6)):
            canvas.add(canvas.chord(at, (4, 3)), 0.16 * limb.worn)


def _knee_side(canvas: Canvas, limb: Limb) -> None:
    flesh = limb.flesh
    canvas.add(
        canvas.tube(
            [(14, -170), (10, -60), (2, 0), (14, 60), (20, 170)],
            [74 * flesh, 64 * flesh, 56 * flesh, 54 * flesh, 52 * flesh],
        ),
        0.46,
    )
    _rod(canvas, limb, [(10, -180), (4, -90), (2, -52), (6, -30)], [15, 15.5, 20, 26], 0.5, 0.8)
    for shift in (0.0, 4.5):
        centre = (10 + shift, -21 - 0.5 * shift)
        canvas.add(canvas.ellipse(centre, (29, 22), turn=-14, soft=2), 0.17 * limb.bone)
        rim = canvas.ellipse(centre, (29, 22), turn=-14).without(
            canvas.ellipse(centre, (27.4, 20.4), turn=-14, soft=1.5)
        )
        canvas.add(rim.times((canvas.v > -28).astype(np.float32)), 0.15 * limb.bone)
    canvas.add(canvas.ellipse((11, 18), (29, 13), power=4, soft=2.5, turn=4), 0.27 * limb.bone)
    canvas.add(canvas.band([(-15, 6), (38, 8)], 1.3), 0.18 * limb.bone)
    _rod(canvas, limb, [(9, 22), (6, 52), (8, 90), (14, 180)], [27, 20, 15, 13.5], 0.5, 0.8)
    _rod(canvas, limb, [(34, 28), (34, 44), (36, 180)], [8, 6, 5.6], 0.26)
    canvas.add(canvas.ellipse((-34, -34), (9.5, 20), turn=10, power=2.5, soft=1.5), 0.3 * limb.bone)
    rim = canvas.ellipse((-34, -34), (9.5, 20), turn=10, power=2.5).without(
        canvas.ellipse((-34, -34), (8, 18.4), turn=10, power=2.5, soft=1.2)
    )
    canvas.add(rim, 0.16 * limb.bone)
    canvas.add(canvas.band([(-38, -14), (-30, 10), (-20, 34)], 2.6, soft=2), 0.06)
    canvas.add(canvas.band([(-34, -110), (-38, -58)], 4, soft=3), 0.05)
    canvas.add(canvas.ellipse((-22, 0), (9, 18), turn=-14, soft=6), -0.06)
