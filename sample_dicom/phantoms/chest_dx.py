"""Chest radiographs: frontal (PA) and lateral, as the shadow of lungs, heart, ribs and spine; dense is white.

In the frontal view the patient's right is on the picture's left. v is negative above.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture, Point
from sample_dicom.phantoms.subject import Build, Generator, Radiograph

HEIGHT, WIDTH = 430.0, 400.0
SHADOW = {"air": (0.0,)}


@dataclass(frozen=True)
class Chest:
    """What differs from one chest to the next."""

    wobble: tuple[Field, Field]
    texture: Field
    scale: float
    heart: float
    thickness: float
    tilt: float
    exposure: Point
    female: bool
    kyphosis: float
    vessels: tuple[tuple[tuple[Point, ...], tuple[float, ...]], ...]
    nodule: tuple[float, float, float] | None
    effusion: float


def chest(rng: Generator, build: Build) -> Radiograph:
    """A chest; a large heart comes with age, a nodule or an effusion in some."""
    side = float(rng.choice((-1, 1)))
    return partial(
        _draw,
        Chest(
            wobble=(Field(rng, 70), Field(rng, 70)),
            texture=Field(rng, 26),
            scale=float(rng.uniform(0.93, 1.04))
            * (0.95 if build.sex == "F" else 1.0)
            * float(np.interp(build.age, (0, 4, 15), (0.55, 0.68, 1))),
            heart=float(rng.uniform(0.9, 1.08)) + 0.002 * max(build.age - 40, 0),
            thickness=float(rng.uniform(0.85, 1.12)),
            tilt=float(rng.normal(0, 0.018)),
            exposure=(float(rng.normal(0, 0.045)), float(rng.normal(0.03, 0.03))),
            female=build.sex == "F" and build.age > 14,
            kyphosis=float(np.interp(build.age, (20, 90), (0.7, 1.7))),
            vessels=_vessels(rng),
            nodule=(side * float(rng.uniform(40, 95)), float(rng.uniform(-80, 40)), float(rng.uniform(5, 12)))
            if rng.random() < 0.25
            else None,
            effusion=float(rng.uniform(10, 40)) if rng.random() < 0.15 else 0.0,
        ),
    )


def _vessels(rng: Generator) -> tuple[tuple[tuple[Point, ...], tuple[float, ...]], ...]:
    """Branches fanning out of both hila, thinner as they go."""
    out = []
    for side in (-1, 1):
        hilum = np.array([side * 30.0, -4.0 if side < 0 else -14.0])
        for _ in range(24):
            angle = rng.uniform(-1.3, 1.4)
            reach = rng.uniform(40, 96)
            root = hilum + np.array([side * rng.uniform(-4, 7), 24 * np.sin(angle)])
            end = root + reach * np.array([side * np.cos(angle), 1.1 * np.sin(angle)])
            t = np.linspace(0, 1, 6)[:, None]
            points = root + t * (end - root) + 4 * t * (1 - t) * rng.standard_normal(2) * 12
            thick = rng.uniform(2.2, 5.0)
            out.append(
                (
                    tuple((float(p[0]), float(p[1])) for p in points),
                    tuple(float(thick * (1 - 0.85 * s)) for s in t[:, 0]),
                )
            )
            for start in (2, 3):
                twig = points[-1] + rng.standard_normal(2) * 20
                line = points[start] + t[::2] * (twig - points[start])
                out.append(
                    (
                        tuple((float(p[0]), float(p[1])) for p in line),
                        tuple(float(0.55 * thick * (1 - 0.8 * s)) for s in t[::2, 0]),
                    )
                )
    return tuple(out)


def _draw(chest: Chest, grid: Grid, view: str) -> Picture:
    canvas = Canvas(
        grid,
        SHADOW,
        w=0.0 if view == "PA" else 200.0,
        wobble=chest.wobble,
        amplitude=1.8,
        scale=chest.scale,
        shear=chest.tilt,
    )
    (_frontal if view == "PA" else _lateral)(canvas, chest)
    shade = canvas.data[0]
    # The beam is stronger at one side, and the automatic exposure is never quite the same.
    shade = shade * (1 + np.float32(chest.exposure[0]) * grid.u / 200 + np.float32(chest.exposure[1]) * grid.v / 215)
    shade = 1 - np.exp(-1.55 * np.clip(shade, 0, None))
    return np.asarray(np.clip(1.02 * shade, 0, 1), dtype=np.float32)


def _bone(
    canvas: Canvas, points: list[Point], widths: float | list[float], amount: float, hollow: float = 0.74
) -> None:
    canvas.add(canvas.tube(points, widths, hollow=hollow), amount)


def _frontal(canvas: Canvas, chest: Chest) -> None:
    thick = chest.thickness
    # Trunk, neck and shoulders are one outline; the arms are turned out of the way.
    flesh = np.zeros_like(canvas.data[0])
    for part in (
        canvas.ellipse((0, 60), (164, 262), power=3.6, soft=16),
        canvas.band([(0, -230), (0, -150)], [50, 66], soft=20),
        canvas.band([(0, -118), (110, -126), (196, -96), (240, -20)], [50, 44, 44, 40], soft=14),
        canvas.band([(0, -118), (-110, -126), (-196, -96), (-240, -20)], [50, 44, 44, 40], soft=14),
    ):
        flesh[part.rows, part.columns] = np.maximum(flesh[part.rows, part.columns], part.alpha)
    canvas.add(canvas.where(flesh), 0.47 * thick)
    if chest.female:
        for side in (-1, 1):
            canvas.add(canvas.chord((side * 84, 84), (64, 56), turn=side * 14), 0.11 * thick)
    _lungs(canvas, chest, _middle(canvas, chest))
    _skeleton(canvas)


def _lungs(canvas: Canvas, chest: Chest, hidden: Picture) -> None:
    """Lungs and what lies below them; ``hidden`` is the shadow of the heart, behind which vessels hardly show."""
    relief = (1 + 0.05 * chest.texture.at(canvas.grid, 0)).astype(np.float32)
    for side, floor in ((-1, 88.0), (1, 99.0)):
        outline = canvas.ellipse((side * 70, 0), (64, 160), power=2.35, turn=-side * 2.5, soft=7)
        # The dome of the diaphragm, falling to the costophrenic angle at its outer end.
        away = side * canvas.u - 48
        dome = floor + np.where(away > 0, 0.0082, 0.0035) * away**2
        dome = dome - chest.effusion * (side > 0) * np.clip((side * canvas.u - 40) / 80, 0, 1) * 1.6
        lung = outline.times(np.clip((dome - canvas.v) / 3 + 0.5, 0, 1).astype(np.float32))
        canvas.add(lung.times(relief), -0.38 * chest.thickness)
        # Liver on the right; spleen and the stomach's bubble on the left.
        middle = np.clip((152 - np.abs(canvas.u)) / 60, 0, 1) * np.clip(side * canvas.u / 6 + 0.5, 0, 1)
        canvas.add(canvas.where(np.clip((canvas.v - dome) / 70, 0, 1) * middle), 0.26 * chest.thickness)
        canvas.add(canvas.where(np.clip((canvas.v - dome) / 4, 0, 1) * middle), 0.07 * chest.thickness)
        if side > 0:
            canvas.add(canvas.ellipse((62, 128), (30, 14), turn=-6, soft=6), -0.2)
        for points, widths in chest.vessels:
            if points[0][0] * side > 0:
                canvas.add(canvas.tube(points, widths).within(lung).times(1 - 0.85 * hidden), 0.05)
        canvas.add(canvas.ellipse((side * 37, -4 if side < 0 else -14), (14, 27), turn=side * 16, soft=18), 0.11)
    if chest.nodule is not None:
        u, v, size = chest.nodule
        canvas.add(canvas.chord((u, v), (size, size * 0.9)), 0.15)


def _middle(canvas: Canvas, chest: Chest) -> Picture:
    """Mediastinum and heart: one shadow with one outline, thickest in the middle of the heart."""
    big = chest.heart
    shadow = np.zeros_like(canvas.data[0])
    for part in (
        canvas.band([(0, -230), (2, -110), (2, 0), (4, 160)], [21, 23, 19, 26], soft=10),
        canvas.ellipse((24, 48), (60 * big, 47 * big), turn=26, soft=5),
        canvas.ellipse((-14, 42), (32 * big, 44), soft=5),
        canvas.ellipse((21, -64), (18, 17), soft=4),
        canvas.ellipse((24, -32), (17, 16), soft=6),
        canvas.band([(-22, -120), (-24, -10)], [9, 13], soft=6),
    ):
        shadow[part.rows, part.columns] = np.maximum(shadow[part.rows, part.columns], part.alpha)
    # Below the diaphragm the belly is as dense as what lies before the spine.
    shadow *= np.clip((150 - canvas.v) / 90, 0, 1)
    canvas.add(canvas.where(shadow), 0.37)
    canvas.add(canvas.chord((20, 46), (62 * big, 50 * big), turn=26), 0.1)
    canvas.add(canvas.band([(28, -62), (24, 0), (16, 110)], [12, 11, 10], soft=3), 0.06)
    # The windpipe and its fork are air within the shadow.
    canvas.add(canvas.band([(0, -215), (-2, -110), (-3, -58)], [8.5, 8.2, 8.2], soft=5), -0.12)
    canvas.add(canvas.band([(-4, -60), (-28, -30)], [6.5, 5.5], soft=4), -0.08)
    canvas.add(canvas.band([(-2, -60), (32, -28)], [6.5, 5], soft=4), -0.07)
    return np.asarray(shadow, dtype=np.float32)


def _skeleton(canvas: Canvas) -> None:
    for number in range(15):
        v = -200 + 23.0 * number + 0.35 * number**1.5
        wide = 15 + 0.45 * number
        canvas.add(canvas.ellipse((0, v), (wide, 8.6), power=4, soft=2), 0.085)
        for edge in (-8.2, 8.2):
            canvas.add(canvas.band([(-wide, v + edge), (wide, v + edge)], 0.9), 0.06)
        for side in (-1, 1):
            canvas.add(
                canvas.ellipse((side * (wide - 5), v - 2), (3, 4.4)).without(
                    canvas.ellipse((side * (wide - 5), v - 2), (1.6, 2.8))
                ),
                0.07,
            )
            _bone(canvas, [(side * wide, v - 1), (side * (wide + 18), v - 3)], [4, 3], 0.05)
        _bone(canvas, [(0, v + 3), (0, v + 11)], 2.4, 0.07)
    for number in range(1, 11):
        start = -186 + 23.4 * number
        wide = float(np.interp(number, (1, 2, 4, 7, 10), (52, 84, 116, 128, 132)))
        for side in (-1, 1):
            # Behind, ribs run out and down from the spine, turn at the side wall, and come forward lower down.
            t = np.linspace(0, np.pi / 2, 11)
            drop = 30 + 3.2 * number
            behind = [
                (
                    float(side * (18 + (wide - 18) * np.sin(a) ** 0.9)),
                    float(start - 9 * np.sin(2 * a) + drop * (1 - np.cos(a))),
                )
                for a in t
            ]
            _bone(canvas, behind, [3.9] + [5.0] * 8 + [4.6, 4.2], 0.17)
            if number < 9:
                reach = wide * float(np.interp(number, (1, 8), (0.45, 0.62)))
                front = [
                    (
                        float(side * (wide - (wide - reach) * np.sin(a))),
                        float(start + drop + (26 + 3.4 * number) * np.sin(a) + 4 * (1 - np.cos(a))),
                    )
                    for a in t
                ]
                _bone(canvas, front, [4.2] + [5.4] * 10, 0.1)
    for side in (-1, 1):
        collar = [(side * 13.0, -136.0), (side * 52.0, -150.0), (side * 98.0, -151.0), (side * 138.0, -166.0)]
        _bone(canvas, collar, [8, 5.6, 5.2, 6.4], 0.16)
        _bone(canvas, [(side * 112, -140), (side * 128, -60), (side * 104, 4)], [3.2, 2.6, 2.2], 0.13, 0.5)
        _bone(canvas, [(side * 138, -160), (side * 96, -146), (side * 84, -130)], [6, 4, 2.5], 0.09)
        canvas.add(canvas.ellipse((side * 122, -80), (26, 62), turn=side * 12, soft=14), 0.05)
        canvas.add(canvas.chord((side * 160, -138), (24, 25)), 0.2)
        _bone(canvas, [(side * 168, -128), (side * 206, -66), (side * 240, -10)], [16, 12.5, 12], 0.16)


def _lateral(canvas: Canvas, chest: Chest) -> None:
    """From the left, the patient facing the picture's left."""
    thick = chest.thickness
    curve = chest.kyphosis
    canvas.add(canvas.ellipse((0, 70), (128, 285), power=3.0, soft=12), 0.5 * thick)
    canvas.add(canvas.ellipse((14, -190), (80, 84), soft=50), 0.16 * thick)
    floor = 92 + 0.0055 * (canvas.u + 30) ** 2 + np.clip(canvas.u - 10, 0, None) * 0.42
    for shift in (0.0, 10.0):
        above = np.clip((floor - shift - canvas.v) / 3 + 0.5, 0, 1)
        lung = canvas.ellipse((2, 0), (98, 166), power=2.5, soft=7, turn=-3).times(above.astype(np.float32))
        canvas.add(lung, -0.205 * thick)
    for shift in (0.0, 10.0):
        below = (
            np.clip((canvas.v - floor + shift) / 3 + 0.5, 0, 1)
            * (np.abs(canvas.u) < 120)
            * np.clip((120 - np.abs(canvas.u)) / 12, 0, 1)
        )
        canvas.add(canvas.where(below), 0.15 * thick)
    canvas.add(canvas.ellipse((-36, 50), (58 * chest.heart, 45 * chest.heart), turn=-52, soft=16), 0.2)
    canvas.add(
        canvas.band(
            [(-30, -10), (-26, -48), (0, -72), (30, -50), (38, 30), (38, 100)], [15, 14, 13, 12, 11, 11], soft=5
        ),
        0.09,
    )
    canvas.add(canvas.ellipse((2, -14), (19, 16), soft=9), 0.13)
    canvas.add(canvas.band([(14, -200), (6, -90), (4, -26)], [8, 8, 7.5], soft=3), -0.1)
    for points, widths in chest.vessels:
        line = [(0.9 * u * (1 if u > 0 else 0.8), v) for u, v in points]
        canvas.add(canvas.tube(line, widths), 0.03)
    for number in range(15):
        v = -196 + 23.5 * number + 0.3 * number**1.4
        u = 74 + 13 * curve * np.cos((v + 20) / 105)
        turn = float(np.degrees(np.arctan(13 * curve / 105 * np.sin((v + 20) / 105))))
        canvas.add(canvas.ellipse((float(u), v), (16 + 0.3 * number, 8.8), power=4, soft=2, turn=turn), 0.125)
        for edge in (-8.4, 8.4):
            canvas.add(canvas.band([(float(u) - 15, v + edge), (float(u) + 15, v + edge)], 0.9), 0.06)
        _bone(canvas, [(float(u) + 18, v + 2), (float(u) + 36, v + 16)], [4.5, 3.5], 0.09)
    for number in range(1, 11):
        for shift, amount in ((0.0, 0.075), (7.0, 0.055)):
            v = -178 + 23.4 * number + shift
            t = np.linspace(0, 1, 9)
            line = [
                (
                    float(92 - (150 if number < 8 else 110) * s + shift),
                    float(v - 10 * np.sin(np.pi * s * 0.5) + (52 + 4 * number) * s**1.35),
                )
                for s in t
            ]
            _bone(canvas, line, 4.4, amount)
    _bone(canvas, [(-84, -122), (-100, -50), (-106, 20)], [6.5, 5.2, 4.2], 0.16)
    _bone(canvas, [(66, -120), (92, -50), (88, 6)], [3, 2.4, 2], 0.11, 0.4)
    for shift in (0.0, 14.0):
        _bone(canvas, [(-10 + shift, -170), (-40 + shift, -215), (-60 + shift, -240)], [17, 14, 13], 0.12)
