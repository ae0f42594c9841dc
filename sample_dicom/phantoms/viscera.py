"""The organs of the belly and pelvis: liver, spleen, kidneys, bowel, great vessels, pelvic bones."""

from __future__ import annotations

import numpy as np

from sample_dicom.phantoms.canvas import Canvas, Region
from sample_dicom.phantoms.thorax import BASE, dome
from sample_dicom.phantoms.torso import Section, Trunk


def draw(canvas: Canvas, here: Section, trunk: Trunk) -> None:
    """Everything below the diaphragm on this slice."""
    w = canvas.w
    if w > 2:
        return
    cavity = canvas.ellipse((0, -2), here.cavity, power=2.25)
    if w < BASE:
        canvas.paint(cavity, "fat")
    _retroperitoneum(canvas, here, trunk)
    if w < -150:
        _bowel(canvas, here, trunk, cavity)
    _upper(canvas, here, trunk, cavity)
    _vessels(canvas, here, trunk)
    if w < -235:
        _pelvis(canvas, here)


def _upper(canvas: Canvas, here: Section, trunk: Trunk, cavity: Region) -> None:
    w = canvas.w
    if w < -225:
        return
    a, b = here.cavity
    inside = cavity
    if w > BASE:
        fill = dome(w)
        inside = canvas.ellipse((-a * 0.47, -16), (a * 0.6 * fill, b * 0.97 * fill), power=2.2, soft=2).within(cavity)
    big = trunk.liver
    liver = canvas.blob((-66, -12, -72), (82 * big, 92, 98 * big), soft=1.5, power=2.3)
    lobe = canvas.blob((-4, -56, -62), (66, 33, 58), turn=8, soft=1.5)
    canvas.paint(lobe.within(cavity), "liver")
    body = canvas.paint(liver.within(inside), "liver")
    canvas.add(body.times(trunk.texture.at(canvas.grid, w)), 2.0)
    if trunk.lesion is not None:
        u, v, at, size = trunk.lesion
        canvas.paint(canvas.blob((u, v, at), (size, size, size), soft=2).within(body), "liver_lesion")
    # Portal vein, hepatic veins and their branches.
    for points, width, at, reach in (
        (((-8, 6), (-38, -4), (-72, -12), (-100, -6)), (6.5, 6.5, 4.5, 2), -92, 9),
        (((-38, -4), (-52, -34), (-58, -56)), (5, 3.4, 1.6), -84, 8),
        (((-24, 26), (-52, 6), (-84, -20)), (5.5, 4.2, 2), -36, 9),
        (((-24, 26), (-34, -10), (-38, -50)), (5, 3.6, 1.6), -34, 8),
        (((-24, 26), (-70, 34), (-108, 30)), (4.5, 3.5, 1.5), -46, 7),
    ):
        if abs(w - at) < reach:
            canvas.paint(canvas.band(points, width, soft=1.5).within(liver), "vein")
    canvas.paint(canvas.blob((-52, -38, -122), (15, 19, 30), soft=1), "bile")
    spleen = canvas.blob((88, 40, -62), (25, 48, 54), turn=24, soft=1.5)
    canvas.paint(spleen.without(canvas.blob((64, 26, -62), (16, 26, 40), soft=1.5)).within(cavity), "spleen")
    stomach = canvas.blob((48, -34, -66), (44, 34, 56), turn=-24, soft=1.5).within(cavity)
    canvas.paint(stomach, "bowel_wall")
    lumen = canvas.blob((48, -34, -66), (40, 30, 52), turn=-24, soft=1.5).within(cavity)
    canvas.paint(lumen, "stomach")
    level = np.clip((-44 - canvas.v) / 1.5 + 0.5, 0, 1).astype(np.float32)
    canvas.paint(lumen.times(level), "gas")
    if -128 < w < -92:
        tail = np.clip((w + 128) / 36, 0, 1)
        line = [(-26, -2 - 8 * tail), (2, -18), (34, -8 + 10 * tail), (66, 14 + 12 * tail)]
        canvas.paint(canvas.band(line, [10, 8, 7.5, 6], soft=2.5), "pancreas")
        canvas.paint(canvas.band([(-8, -2), (24, 0), (60, 20)], 3.6, soft=1), "vein")


def _retroperitoneum(canvas: Canvas, here: Section, trunk: Trunk) -> None:
    w = canvas.w
    _, spine = here.spine
    for side in (-1, 1):
        if w < -135:
            size = float(np.interp(w, (-330, -270, -150), (24, 23, 11)))
            canvas.paint(
                canvas.ellipse((side * (30 + 0.55 * size), spine + 2), (size * 0.8, size), turn=side * 12, soft=1.5),
                "muscle",
            )
        if w < -120:
            canvas.paint(canvas.ellipse((side * 66, spine + 34), (22, 14), turn=-side * 10, soft=2), "muscle")
        at = -138 - (8 if side < 0 else 0)
        lean = (side * -0.18, -0.12)
        v = spine - 8
        centre = (side * 66.0, v, float(at))
        canvas.paint(canvas.blob(centre, (38, 40, 72), soft=3, lean=lean), "fat")
        kidney = canvas.blob(centre, (26, 31, 57), turn=side * 24, soft=1, lean=lean)
        canvas.paint(kidney, "cortex")
        pyramids = (0.5 + 0.5 * np.cos(7 * np.arctan2(canvas.v - v, canvas.u - side * 66) + w / 14)).astype(np.float32)
        canvas.paint(canvas.blob(centre, (19, 23, 48), turn=side * 24, soft=3, lean=lean).times(pyramids), "medulla")
        canvas.paint(
            canvas.blob((side * 54.0, v - 4, float(at)), (18, 9, 28), turn=side * 20, soft=2, lean=lean), "fat"
        )
        canvas.paint(canvas.blob((side * 56.0, v - 4, float(at)), (9, 4.5, 14), turn=side * 20, soft=1.5), "urine")
        if abs(w - at) < 7:
            canvas.paint(canvas.band([(side * 14, spine - 24), (side * 52, v - 4)], 3, soft=1), "vein")
        if -108 < w < -72:
            canvas.paint(
                canvas.band([(side * 36, spine - 10), (side * 46, spine - 2), (side * 44, spine + 10)], 2.2), "muscle"
            )
    for u, _, level, size in trunk.cysts:
        canvas.paint(canvas.blob((u * 1.2, spine - 8, level), (size, size, size), soft=1), "cyst")


def _vessels(canvas: Canvas, here: Section, trunk: Trunk) -> None:
    w = canvas.w
    _, spine = here.spine
    front = spine - 29
    beside = float(np.interp(w, (-100, 0), (9, 22)))
    if w > -245:
        canvas.paint(canvas.ellipse((beside, front), (10.5, 10.5)), "aorta")
        if trunk.calcified:
            rim = canvas.ellipse((beside, front), (10.5, 10.5)).without(canvas.ellipse((beside, front), (9, 9)))
            part = (np.sin(3 * np.arctan2(canvas.v - front, canvas.u - beside) + w / 8) > 0.6).astype(np.float32)
            canvas.paint(rim.times(part), "calcium")
        canvas.paint(canvas.ellipse((-20, front + 2), (12, 8.5)), "vein")
        if -200 < w < -100:
            canvas.paint(canvas.ellipse((6, front - 22), (4, 4)), "aorta")
            canvas.paint(canvas.ellipse((-6, front - 23), (5.5, 5.5)), "vein")
        if w < -70:
            for side in (-1, 1):
                canvas.paint(
                    canvas.ellipse((side * 18, spine - 2), (6, 13), turn=side * 8, soft=2), "muscle"
                ) if w > -135 else None
    else:
        away = 0.42 * (-245 - w)
        for side in (-1, 1):
            canvas.paint(canvas.ellipse((side * (12 + away), front + 6), (7, 7)), "aorta")
            canvas.paint(canvas.ellipse((side * (16 + away), front + 19), (8, 7)), "vein")


def _bowel(canvas: Canvas, here: Section, trunk: Trunk, cavity: Region) -> None:
    """Small bowel as a crowd of loops between two folds of one relief, colon as a frame around it."""
    w = canvas.w
    a, b = here.cavity
    folds = trunk.loops.at(canvas.grid, w)
    room = canvas.ellipse((0, -b * 0.30), (a * 0.72, b * 0.55), power=2.6, soft=7).within(cavity)
    share = float(np.clip((-150 - w) / 40, 0, 1))
    wall = np.clip((0.95 - np.abs(folds)) / 0.22, 0, 1) * np.clip((np.abs(folds) - 0.12) / 0.1, 0, 1)
    lumen = np.clip((np.abs(folds) - 0.72) / 0.3, 0, 1)
    canvas.paint(room.times((share * np.maximum(wall, lumen)).astype(np.float32)), "bowel_wall")
    canvas.paint(room.times((share * lumen).astype(np.float32)), "bowel")
    canvas.paint(room.times((share * np.clip((folds - 1.9) / 0.3, 0, 1)).astype(np.float32)), "gas")
    speckle = trunk.texture.at(canvas.grid, 3 * w)
    for u, v, top, low, size in (
        (-a + 27, 6.0, -150, -330, 23.0),
        (a - 22, 20.0, -120, -340, 17.0),
        (10.0, -5.0, -335, -420, 18.0),
    ):
        if low < w < top:
            girth = size * (1 + 0.16 * np.sin(w / 9 + u))
            canvas.paint(canvas.ellipse((u, v), (girth, girth), soft=1.5), "bowel_wall")
            inside = canvas.paint(canvas.ellipse((u, v), (girth - 2.5, girth - 2.5), soft=1.5), "stool")
            canvas.paint(inside.times(np.clip(speckle * 0.9 - 0.3, 0, 0.8).astype(np.float32)), "gas")
            canvas.paint(inside.times(np.clip((v - 0.35 * girth - canvas.v) / 2, 0, 1).astype(np.float32)), "gas")
    if -185 < w < -158:
        line = [(-a + 30, -10), (-40, -b + 24), (30, -b + 26), (a - 26, -4)]
        canvas.paint(canvas.band(line, [17, 14, 14, 14], soft=1.5), "bowel_wall")
        inside = canvas.paint(canvas.band(line, [14.5, 11.5, 11.5, 11.5], soft=1.5), "stool")
        canvas.paint(inside.times(np.clip((-b + 26 - canvas.v) / 2, 0, 1).astype(np.float32)), "gas")


def _pelvis(canvas: Canvas, here: Section) -> None:
    w = canvas.w
    _, spine = here.spine
    a = here.a
    deep = float(np.clip((-235 - w) / 60, 0, 1))
    for side in (-1, 1):
        wing = [
            (side * 44, spine + 22),
            (side * 74, spine + 4),
            (side * (78 + 30 * (1 - deep)), -20 + 26 * deep),
            (side * (106 - 12 * deep), -34),
        ]
        thick = [5 + 3 * deep, 4 + 2 * deep, 3.5, 5 + 3 * deep]
        canvas.paint(canvas.band(wing, [13 * deep + 6, 13, 13, 12], soft=3), "muscle")
        canvas.paint(canvas.band(wing, thick), "bone")
        canvas.paint(canvas.band(wing, [t - 2.2 for t in thick], soft=1), "marrow")
        if w < -270:
            canvas.paint(
                canvas.ellipse((side * 82, here.b - 26), (44 * deep, 26 * deep), turn=-side * 22, soft=2), "muscle"
            )
    if w < -285:
        canvas.paint(canvas.ellipse((0, spine + 20), (46, 15), power=2.2), "bone")
        canvas.paint(canvas.ellipse((0, spine + 20), (43, 12), power=2.2, soft=1.5), "marrow")
    if w < -345:
        canvas.paint(canvas.blob((0, -30, -400), (44, 34, 52), soft=1.5), "bowel_wall")
        canvas.paint(canvas.blob((0, -30, -400), (41, 31, 49), soft=1.5), "urine")
    del a
