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
        root = np.array([side * 26.0, -6.0 if side < 0 else -14.0])
        for _ in range(20):
            angle = rng.uniform(-1.35, 1.45)
            reach = rng.uniform(45, 100)
            end = root + reach * np.array([side * np.cos(angle), 1.15 * np.sin(angle)])
            t = np.linspace(0, 1, 6)[:, None]
            points = root + t * (end - root) + 4 * t * (1 - t) * rng.standard_normal(2) * 9
            thick = rng.uniform(1.6, 3.8)
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
    shade = shade + np.float32(chest.exposure[0]) * grid.u / 200 + np.float32(chest.exposure[1]) * grid.v / 215
    shade = 1 - np.exp(-1.55 * np.clip(shade, 0, None))
    return np.asarray(np.clip(1.02 * shade, 0, 1), dtype=np.float32)


def _bone(
    canvas: Canvas, points: list[Point], widths: float | list[float], amount: float, hollow: float = 0.74
) -> None:
    canvas.add(canvas.tube(points, widths, hollow=hollow), amount)


def _frontal(canvas: Canvas, chest: Chest) -> None:
    thick = chest.thickness
    body = 0.46 * thick
    # Trunk, neck and shoulders; the arms are turned out of the way.
    canvas.add(canvas.ellipse((0, 60), (166, 268), power=3.6, soft=14), body)
    canvas.add(
        canvas.ellipse((0, -205), (44, 62), power=2.4, soft=16).without(
            canvas.ellipse((0, 60), (166, 268), power=3.6, soft=14)
        ),
        0.5 * thick,
    )
    for side in (-1, 1):
        canvas.add(
            canvas.band([(side * 150, -134), (side * 196, -60), (side * 214, 80)], [38, 34, 30], soft=10).without(
                canvas.ellipse((0, 60), (166, 268), power=3.6, soft=14)
            ),
            0.5 * thick,
        )
        if chest.female:
            breast = canvas.chord((side * 82, 84), (66, 58), turn=side * 14)
            canvas.add(breast, 0.12 * thick)
    _lungs(canvas, chest)
    _middle(canvas, chest)
    _skeleton(canvas)


def _lungs(canvas: Canvas, chest: Chest) -> None:
    for side, floor in ((-1, 84.0), (1, 95.0)):
        outline = canvas.ellipse((side * 72, 20), (62, 178), power=2.6, soft=7)
        # The dome of the diaphragm, with the costophrenic angle at its outer end.
        dome = (
            floor
            + 0.0062 * (canvas.u - side * 62) ** 2
            + np.where(side * canvas.u > 62, 0.007, 0) * (canvas.u - side * 62) ** 2
        )
        dome = dome - chest.effusion * (side > 0) * np.clip((side * canvas.u - 40) / 80, 0, 1) * 1.6
        above = np.clip((dome - canvas.v) / 3 + 0.5, 0, 1)
        lung = outline.times(above.astype(np.float32))
        relief = 1 + 0.05 * chest.texture.at(canvas.grid, 0)
        canvas.add(lung.times(relief.astype(np.float32)), -0.37 * chest.thickness)
        # Below the dome: liver on the right, spleen and the stomach's bubble on the left.
        belly = canvas.where(
            np.clip((canvas.v - dome) / 3 + 0.5, 0, 1)
            * (np.abs(canvas.u) < 150)
            * np.clip((150 - np.abs(canvas.u)) / 10, 0, 1)
            * (side * canvas.u > 0)
        )
        canvas.add(belly, 0.3 * chest.thickness)
        if side > 0:
            bubble = canvas.ellipse((64, 122), (32, 17), turn=-6, soft=5)
            canvas.add(bubble, -0.22)
        for points, widths in chest.vessels:
            if points[0][0] * side > 0:
                canvas.add(canvas.tube(points, widths).within(lung), 0.085)
        canvas.add(canvas.ellipse((side * 36, -4 if side < 0 else -12), (15, 25), turn=side * 16, soft=14), 0.1)
    if chest.nodule is not None:
        u, v, size = chest.nodule
        canvas.add(canvas.chord((u, v), (size, size * 0.9)), 0.16)


def _middle(canvas: Canvas, chest: Chest) -> None:
    big = chest.heart
    canvas.add(canvas.band([(0, -190), (2, -100), (2, 0), (0, 90)], [26, 25, 22, 26], soft=9), 0.34)
    canvas.add(canvas.ellipse((22, 42), (62 * big, 48 * big), turn=30, soft=4), 0.3)
    canvas.add(canvas.ellipse((-16, 34), (31 * big, 42), soft=4), 0.16)
    canvas.add(canvas.ellipse((25, -66), (16, 16), soft=3), 0.16)
    canvas.add(canvas.band([(30, -62), (27, 0), (20, 95)], [12, 11, 10], soft=2.5), 0.08)
    canvas.add(canvas.ellipse((30, -34), (15, 13), soft=6), 0.1)
    canvas.add(canvas.band([(-26, -110), (-28, -20)], [11, 13], soft=5), 0.08)
    # The windpipe and its fork are air within the shadow.
    canvas.add(canvas.band([(0, -215), (-2, -110), (-3, -58)], [9, 8.5, 8.5], soft=3), -0.13)
    canvas.add(canvas.band([(-3, -58), (-26, -30)], [6.5, 5.5], soft=3), -0.09)
    canvas.add(canvas.band([(-3, -58), (30, -26)], [6.5, 5], soft=3), -0.08)


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
            _bone(canvas, behind, [3.9] + [5.0] * 8 + [4.6, 4.2], 0.105)
            if number < 9:
                reach = wide * float(np.interp(number, (1, 8), (0.45, 0.62)))
                front = [
                    (
                        float(side * (wide - (wide - reach) * np.sin(a))),
                        float(start + drop + (26 + 3.4 * number) * np.sin(a) + 4 * (1 - np.cos(a))),
                    )
                    for a in t
                ]
                _bone(canvas, front, [4.2] + [5.4] * 10, 0.06)
    for side in (-1, 1):
        collar = [(side * 13.0, -136.0), (side * 52.0, -150.0), (side * 98.0, -151.0), (side * 138.0, -166.0)]
        _bone(canvas, collar, [8, 5.6, 5.2, 6.4], 0.16)
        _bone(canvas, [(side * 112, -140), (side * 128, -60), (side * 104, 4)], [3.2, 2.6, 2.2], 0.13, 0.5)
        _bone(canvas, [(side * 138, -160), (side * 96, -146), (side * 84, -130)], [6, 4, 2.5], 0.09)
        canvas.add(canvas.ellipse((side * 122, -80), (26, 62), turn=side * 12, soft=14), 0.05)
        canvas.add(canvas.chord((side * 160, -138), (24, 25)), 0.2)
        _bone(canvas, [(side * 164, -132), (side * 184, -60), (side * 196, 60)], [16, 12.5, 12], 0.22)


def _lateral(canvas: Canvas, chest: Chest) -> None:
    """From the left, the patient facing the picture's left."""
    thick = chest.thickness
    curve = chest.kyphosis
    canvas.add(canvas.ellipse((0, 70), (128, 285), power=3.0, soft=12), 0.5 * thick)
    canvas.add(canvas.ellipse((20, -190), (70, 70), soft=18), 0.22 * thick)
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
    canvas.add(canvas.ellipse((-34, 46), (56 * chest.heart, 46 * chest.heart), turn=-52, soft=5), 0.27)
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
        canvas.add(canvas.tube(line, widths), 0.035)
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
