"""The organs of the chest: lungs with their vessels and airways, heart, great vessels."""

from __future__ import annotations

import numpy as np

from sample_dicom.phantoms.canvas import NOWHERE, Canvas, Picture, Region
from sample_dicom.phantoms.torso import Section, Trunk

BASE, APEX = -62.0, 196.0
"""The lungs end behind the liver, and in the neck."""


def dome(w: float) -> float:
    """How much of the cavity the diaphragm fills at a level: 0 above it, 1 below the lungs."""
    return float(np.sqrt(np.clip(1 - np.clip((w + 75) / 77, 0, 1) ** 2, 0, 1)))


def draw(canvas: Canvas, here: Section, trunk: Trunk) -> None:
    """Everything above the diaphragm on this slice."""
    w = canvas.w
    if w < BASE:
        return
    cavity = canvas.ellipse((0, 0), here.cavity, power=2.25)
    canvas.paint(cavity.times(0.85), "fat")
    lungs = _lungs(canvas, here, trunk)
    if w < -8:
        return
    _mediastinum(canvas, trunk)
    _airways(canvas)
    _tree(canvas, trunk, lungs)


def _lungs(canvas: Canvas, here: Section, trunk: Trunk) -> list[Region]:
    w = canvas.w
    a, b = here.cavity
    close = float(np.sqrt(np.clip((APEX - w) / 45, 0, 1)))
    out = []
    for side in (-1, 1):
        # The left lung gives way to the heart.
        waist = float(np.interp(w, (0, 45, 90, 130), (30, 34, 22, 14))) if side > 0 else 17.0
        half = (a - waist) / 2 * close
        lung = canvas.ellipse(
            (side * (waist + (a - waist) / 2 + 1), 5), (half, (b - 2) * (0.35 + 0.65 * close)), power=2.8, soft=1.5
        )
        if w < 2:
            fill = dome(w)
            up = 14 if side > 0 else 0
            cover = canvas.ellipse(
                (side * (a * 0.47), -16 + up * 0.2), (a * 0.62 * fill, (b + 4) * 1.0 * fill), power=2.2, soft=2
            )
            lung = lung.without(cover)
        out.append(canvas.paint(lung, "lung"))
        depend = np.clip((canvas.v - 0.55 * b) / 40, 0, 0.55).astype(np.float32)
        texture = (16 * trunk.texture.at(canvas.grid, w)).astype(np.float32)
        canvas.add(lung.times(texture), 1.0)
        canvas.paint(lung.times(depend), "atelectasis")
        if 10 < w < 120:
            # The oblique fissure goes forward as it descends.
            at = 40 - (120 - w) * 0.62
            canvas.paint(
                canvas.band([(side * 34, at + 8), (side * 80, at), (side * (a - 6), at + 12)], 0.45)
                .within(lung)
                .times(0.16),
                "muscle",
            )
    if trunk.nodule is not None:
        u, v, at, size = trunk.nodule
        canvas.paint(canvas.blob((u, v, at), (size, size * 0.9, size), soft=1.2), "nodule")
    return out


def _mediastinum(canvas: Canvas, trunk: Trunk) -> None:
    w = canvas.w
    big = trunk.heart
    heart = canvas.blob((20, -30, 42), (59 * big, 47 * big, 52), turn=32, soft=2)
    canvas.paint(heart, "fat")
    canvas.paint(canvas.blob((20, -30, 42), (55 * big, 43.5 * big, 49), turn=32, soft=1.5), "myocardium")
    canvas.paint(canvas.blob((42, -26, 36), (29, 20, 37), turn=38, soft=2), "left_heart")
    canvas.paint(canvas.blob((8, -52, 38), (31, 17, 38), turn=24, soft=2), "right_heart")
    canvas.paint(canvas.blob((-22, -28, 48), (19, 22, 34), soft=2), "right_heart")
    canvas.paint(canvas.blob((8, 6, 62), (30, 15, 25), soft=2), "left_heart")
    if w > 60:
        # Ascending aorta, arch, superior vena cava, pulmonary trunk and its two branches.
        if w < 128:
            canvas.paint(canvas.ellipse((-8, -34), (16, 15.5)), "aorta")
        if 112 < w < 136:
            canvas.paint(canvas.band([(-8, -32), (8, -8), (22, 20), (25, 34)], [14, 13, 12.5, 12]), "aorta")
        if w >= 132:
            for u, v, radius in ((-12, -14, 6.5), (4, -8, 4.5), (15, 4, 5)):
                canvas.paint(canvas.ellipse((u, v), (radius, radius)), "aorta")
            for side in (-1, 1):
                canvas.paint(canvas.ellipse((side * 24, -30), (8, 6)), "vein")
        if w < 165:
            canvas.paint(canvas.ellipse((-32, -22), (9.5, 10.5)), "vein")
        if w < 104:
            canvas.paint(canvas.blob((19, -42, 82), (14, 15, 26)), "pulmonary")
        if 72 < w < 104:
            right = canvas.band([(16, -30), (-4, -8), (-32, -3), (-50, 2)], [13, 10.5, 9.5, 6])
            left = canvas.band([(20, -30), (34, -6), (48, 10)], [13, 11, 7])
            canvas.paint(right if w < 92 else NOWHERE, "pulmonary")
            canvas.paint(left if w > 82 else NOWHERE, "pulmonary")
            if trunk.clot:
                canvas.paint(canvas.band([(-14, -6), (-46, 1)], [2.6, 3.6], soft=1).within(right), "clot")
    back = (float(np.interp(w, (0, 40), (22, 27))), float(np.interp(w, (0, 40), (22, 34))))
    if w < 132:
        canvas.paint(canvas.ellipse(back, (12.5, 12.5)), "aorta")
        if trunk.calcified:
            rim = canvas.ellipse(back, (12.5, 12.5)).without(canvas.ellipse(back, (11, 11)))
            here = (np.sin(3 * np.arctan2(canvas.v - back[1], canvas.u - back[0]) + w / 9) > 0.75).astype(np.float32)
            canvas.paint(rim.times(here), "calcium")
    canvas.paint(canvas.ellipse((8, 27), (8, 5), soft=1.5), "esophagus")
    if w > 20:
        canvas.paint(canvas.ellipse((9, 26), (2.4, 1.3), soft=1), "gas")
    for u, v, at in ((-18, -4, 128), (-24, 6, 112), (14, -2, 106)):
        canvas.paint(canvas.blob((u, v, at), (5, 3.6, 6), soft=1), "node")
    if w > 40:
        canvas.paint(canvas.ellipse((-9, 40), (3, 3)), "vein")


def _airways(canvas: Canvas) -> None:
    w = canvas.w
    if w > 100:
        tube = [((2.0, 4.0), (9.5, 8.8))]
    elif w > 52:
        spread = 100 - w
        tube = [((side * (6 + 0.72 * spread), 5 + 0.12 * spread), (8.0 + 0.03 * spread, 6.4)) for side in (-1, 1)]
    else:
        tube = []
    for at, radii in tube:
        canvas.paint(canvas.ellipse(at, (radii[0] + 1.6, radii[1] + 1.6)), "muscle")
        canvas.paint(canvas.ellipse(at, radii), "gas")


def _tree(canvas: Canvas, trunk: Trunk, lungs: list[Region]) -> None:
    """Vessels that pass this slice, only where there is lung."""
    room = np.zeros_like(canvas.data[0])
    for lung in lungs:
        if not lung.empty:
            room[lung.rows, lung.columns] = np.maximum(room[lung.rows, lung.columns], lung.alpha)
    for region in _crossings(canvas, trunk.vessels):
        canvas.paint(region.times(room), "vessel")


def _crossings(canvas: Canvas, vessels: Picture) -> list[Region]:
    """The parts of all vessels within their own thickness of the slice."""
    w = canvas.w
    start, end, radii = vessels[:, :3], vessels[:, 3:6], vessels[:, 6:]
    reach = radii.max(axis=1) + 0.6
    low, high = np.minimum(start[:, 2], end[:, 2]) - reach, np.maximum(start[:, 2], end[:, 2]) + reach
    out = []
    for row in np.flatnonzero((w > low) & (w < high)):
        u0, v0, w0, u1, v1, w1, r0, r1 = (float(value) for value in vessels[row])
        slope = w1 - w0
        t0, t1 = 0.0, 1.0
        if abs(slope) >= 0.5:
            first, last = sorted(((w - reach[row] - w0) / slope, (w + reach[row] - w0) / slope))
            t0, t1 = max(0.0, first), min(1.0, last)
        out.append(
            canvas.band(
                [(u0 + t * (u1 - u0), v0 + t * (v1 - v0)) for t in (t0, t1)], [r0 + t * (r1 - r0) for t in (t0, t1)]
            )
        )
    return out
