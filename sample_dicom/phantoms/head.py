"""The head in axial slices, for CT (Hounsfield units) and MR (T1, T2, FLAIR, DWI, arbitrary units).

w = 0 is the level of the third ventricle, negative towards the neck. v is negative at the nose. One drawing serves
both modalities: only the tissue table differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture, Tissues
from sample_dicom.phantoms.subject import Build, Generator, Slicer

CT: Tissues = {
    "air": (-1000.0,),
    "foam": (-930.0,),
    "shell": (-180.0,),
    "skin": (20.0,),
    "fat": (-85.0,),
    "muscle": (55.0,),
    "bone": (1150.0,),
    "diploe": (650.0,),
    "petrous": (1400.0,),
    "csf": (7.0,),
    "gray": (39.0,),
    "white": (29.0,),
    "dura": (58.0,),
    "vessel": (48.0,),
    "vitreous": (10.0,),
    "lens": (85.0,),
    "mucosa": (25.0,),
    "calcium": (190.0,),
    "bleed": (68.0,),
    "edema": (17.0,),
    "tumour": (46.0,),
}
CT_CONTRAST: Tissues = dict(CT) | {
    "vessel": (190.0,),
    "dura": (110.0,),
    "tumour": (95.0,),
    "gray": (43.0,),
    "mucosa": (60.0,),
}
MR: Tissues = {
    "air": (4.0, 4.0, 4.0, 4.0),
    "foam": (4.0, 4.0, 4.0, 4.0),
    "shell": (4.0, 4.0, 4.0, 4.0),
    "skin": (420.0, 260.0, 220.0, 30.0),
    "fat": (900.0, 640.0, 480.0, 40.0),
    "muscle": (330.0, 150.0, 190.0, 60.0),
    "bone": (40.0, 30.0, 30.0, 10.0),
    "diploe": (430.0, 240.0, 190.0, 20.0),
    "petrous": (60.0, 50.0, 45.0, 10.0),
    "csf": (120.0, 960.0, 55.0, 40.0),
    "gray": (390.0, 540.0, 430.0, 330.0),
    "white": (570.0, 390.0, 320.0, 260.0),
    "dura": (200.0, 120.0, 150.0, 40.0),
    "vessel": (60.0, 40.0, 50.0, 20.0),
    "vitreous": (110.0, 1000.0, 70.0, 60.0),
    "lens": (360.0, 200.0, 230.0, 80.0),
    "mucosa": (310.0, 800.0, 520.0, 120.0),
    "calcium": (260.0, 170.0, 180.0, 40.0),
    "bleed": (420.0, 250.0, 330.0, 200.0),
    "edema": (340.0, 740.0, 760.0, 700.0),
    "tumour": (420.0, 640.0, 640.0, 380.0),
}

# Half width and half length of the head, and its middle, by level (mm).
LEVELS = (-75.0, -60.0, -45.0, -30.0, -10.0, 10.0, 30.0, 48.0, 62.0, 72.0, 80.0)
WIDTHS = (62.0, 67.0, 71.0, 74.0, 77.0, 77.0, 73.0, 62.0, 46.0, 29.0, 0.0)
LENGTHS = (84.0, 90.0, 93.0, 95.0, 96.0, 96.0, 91.0, 78.0, 58.0, 37.0, 0.0)
RANGE = (-62.0, 74.0)
"""From the skull base to the vertex, mm."""


@dataclass(frozen=True)
class Lesion:
    """Something to find: a tissue, its centre and radii in mm."""

    tissue: str
    at: tuple[float, float, float]
    radii: tuple[float, float, float]


@dataclass(frozen=True)
class Head:
    """What differs from one head to the next."""

    wobble: tuple[Field, Field]
    folds: Field
    texture: Field
    scale: float
    ventricles: float
    skull: float
    shift: float
    tilt: float
    calcified: bool
    lesions: tuple[Lesion, ...] = field(default=())


def make_head(rng: np.random.Generator, *, age: int = 50) -> Head:
    """A head: ventricles and sulci widen with age (years); one in three carries a lesion."""
    side = float(rng.choice((-1, 1)))
    choices = (
        Lesion("bleed", (side * 25, 2, 5), (9, 13, 10)),
        Lesion("edema", (side * 50, 5, 12), (17, 25, 18)),
        Lesion("edema", (side * 22, -30, 26), (6, 8, 7)),
        Lesion("tumour", (side * 36, -38, 36), (13, 12, 12)),
    )
    lesion = choices[rng.integers(len(choices))] if rng.random() < 0.35 else None
    return Head(
        wobble=(Field(rng, 45), Field(rng, 45)),
        folds=Field(rng, 10.5, depth_cell=16),
        texture=Field(rng, 5),
        scale=float(rng.uniform(0.94, 1.05)) * float(np.interp(age, (0, 2, 8), (0.7, 0.9, 1.0))),
        ventricles=float(np.clip(0.72 + age / 110 + rng.normal(0, 0.1), 0.7, 1.75)),
        skull=float(rng.uniform(5.2, 7.5)),
        shift=float(rng.normal(0, 2.5)),
        tilt=float(rng.normal(0, 0.03)),
        calcified=age > 35 and bool(rng.random() < 0.7),
        lesions=(lesion,) if lesion else (),
    )


def draw(head: Head, grid: Grid, w: float, tissues: Tissues, *, table: bool) -> Picture:
    """One axial slice at ``w`` mm, (contrast, row, column), without noise."""
    canvas = Canvas(
        grid,
        tissues,
        w=w,
        wobble=head.wobble,
        amplitude=1.6,
        origin=(head.shift, 0),
        scale=head.scale,
        shear=head.tilt,
    )
    level = canvas.w
    if table:
        _headrest(canvas)
    a = float(np.interp(level, LEVELS, WIDTHS))
    b = float(np.interp(level, LEVELS, LENGTHS))
    if a <= 1:
        return canvas.data
    _shell(canvas, head, a, b)
    wall = 5 + head.skull
    inner = (max(a - wall, 0.1), max(b - wall, 0.1))
    _brain(canvas, head, inner)
    _deep(canvas, head, inner)
    _hindbrain(canvas)
    if level < -14:
        _face(canvas, head, a, b)
    for lesion in head.lesions:
        region = canvas.blob(lesion.at, lesion.radii, soft=3)
        if lesion.tissue in ("bleed", "tumour"):
            canvas.paint(canvas.blob(lesion.at, tuple(1.45 * r for r in lesion.radii), soft=9), "edema")  # type: ignore[arg-type]
        canvas.paint(region, lesion.tissue)
    return canvas.data


def _headrest(canvas: Canvas) -> None:
    canvas.paint(
        canvas.ellipse((0, 30), (98, 92))
        .without(canvas.ellipse((0, 26), (95, 90)))
        .times((canvas.v > 40).astype(np.float32)),
        "shell",
    )
    canvas.paint(
        canvas.ellipse((0, 26), (95, 90))
        .without(canvas.ellipse((0, 8), (90, 96)))
        .times((canvas.v > 40).astype(np.float32)),
        "foam",
    )


def _shell(canvas: Canvas, head: Head, a: float, b: float) -> None:
    low = canvas.w < -20
    outline = canvas.paint(canvas.ellipse((0, 0), (a, b)), "skin")
    canvas.paint(canvas.ellipse((0, 0), (a - 1.6, b - 1.6)), "fat")
    if canvas.w < 28:
        for side in (-1, 1):
            canvas.paint(
                canvas.ellipse((side * (a - 4), -30), (5.5, 32), turn=side * 14, soft=2).within(outline), "muscle"
            )
    if low:
        canvas.paint(canvas.ellipse((0, b - 5), (46, 9), soft=3).within(outline), "muscle")
    skull = max(head.skull, 1)
    canvas.paint(canvas.ellipse((0, 0), (a - 5, b - 5)), "bone")
    canvas.paint(
        canvas.ellipse((0, 0), (a - 5 - 0.3 * skull, b - 5 - 0.27 * skull)).without(
            canvas.ellipse((0, 0), (a - 5 - 0.72 * skull, b - 5 - 0.76 * skull))
        ),
        "diploe",
    )


def _brain(canvas: Canvas, head: Head, inner: tuple[float, float]) -> None:
    """Cerebral hemispheres: CSF, a folded grey ribbon, white matter, the fissure between them."""
    a, b = inner
    if a < 3:
        return
    cavity = canvas.paint(canvas.ellipse((0, 0), inner, soft=1.0), "csf")
    age = head.ventricles
    depth = canvas.depth((0, 0), (a - 1.0 * age, b - 1.0 * age))
    folds = np.abs(head.folds.at(canvas.grid, canvas.w))
    # The fissure is one more fold, straight and deep.
    middle = np.abs(canvas.u - 0.6 * np.sin(canvas.v / 20))
    near = middle + 2.4 * np.clip(folds, 0, 1.2)
    reach = 1.0 if canvas.w > 26 else float(np.interp(canvas.w, (-25, 26), (0.35, 0.7)))
    fissure = np.where(np.abs(canvas.v) > (1 - reach) * b, middle, 99).astype(np.float32)
    beside = np.where(np.abs(canvas.v) > (1 - reach) * b, near, 99).astype(np.float32)
    fold = np.clip(1 - depth / 24, 0, 1)
    sulcus = np.clip((0.24 * age * fold - folds) / 0.16 + 0.25, 0, 1) * np.clip(fold * 3, 0, 1)
    sulcus = np.maximum(sulcus, np.clip((0.7 + 0.5 * age - fissure) / 1.2, 0, 1))
    ribbon = np.minimum(depth - 3.6, 9 * (folds - 0.42 * fold) + 5 * (1 - fold))
    white = np.clip(np.minimum(ribbon, beside - 3.8) / 2.0, 0, 1)
    canvas.paint(canvas.where(np.clip(depth + 0.5, 0, 1)).within(cavity), "gray")
    canvas.paint(canvas.where(white * np.clip(depth, 0, 1)).within(cavity), "white")
    canvas.paint(canvas.where(0.9 * sulcus * np.clip(depth + 0.5, 0, 1)).within(cavity), "csf")
    if canvas.w > -8:
        canvas.paint(canvas.where(0.75 * np.clip((0.9 - fissure) / 0.8, 0, 1)).within(cavity), "dura")
        sinus = canvas.ellipse((0.5, b - 3), (3.6, 3.4), soft=1)
        canvas.paint(sinus.within(cavity), "vessel")


def _deep(canvas: Canvas, head: Head, inner: tuple[float, float]) -> None:
    """Ventricles, basal ganglia, insula."""
    w, big = canvas.w, head.ventricles
    if not -24 < w < 40:
        return
    for side in (-1, 1):
        skew = 1 + 0.08 * side * np.sign(head.shift)
        # Corona radiata keeps the middle of each hemisphere white.
        canvas.paint(canvas.blob((side * 24, 2, 16), (15, 38, 22), soft=7).times(0.75), "white")
        canvas.paint(canvas.blob((side * 37, 0, -2), (3.5, 20, 17), soft=2.5, turn=side * 4), "gray")
        canvas.paint(canvas.blob((side * 24.5, -3, 1), (7.5, 16, 13), soft=2.5, turn=-side * 12), "gray")
        canvas.paint(canvas.blob((side * 11.5, 9, 1), (8.5, 13, 13), soft=2.5, turn=side * 14), "gray")
        canvas.paint(canvas.blob((side * 15.5, -22, 8), (5.5, 10, 14), soft=2, turn=-side * 12), "gray")
        fissure = canvas.band(
            [(side * (inner[0] - 1), -20), (side * 43, -8), (side * 41, 8), (side * 44, 20)],
            [2.4 * big, 1.7 * big, 1.2 * big, 0.8],
            soft=1.5,
        )
        if -16 < w < 14:
            canvas.paint(fissure.times(0.95), "csf")
        open_at = np.clip(1 - ((w - 14) / 24) ** 2, 0, 1) ** 0.5 * big * skew
        if open_at <= 0.1:
            continue
        if w < 16:
            canvas.paint(
                canvas.ellipse((side * 7.5 * skew, -27), (3.3 * open_at, 11 * open_at), turn=-side * 24, soft=1.5),
                "csf",
            )
            if w > -8:
                canvas.paint(
                    canvas.band(
                        [(side * 17, 20), (side * 24, 32), (side * 23, 44)],
                        [2.6 * open_at, 5.4 * open_at, 2.0 * open_at],
                        soft=1.5,
                    ),
                    "csf",
                )
                if head.calcified and 2 < w < 12:
                    canvas.paint(canvas.ellipse((side * 22, 30), (2.4, 3.4), soft=1.2), "calcium")
        else:
            ends = [(side * 8, -30), (side * 9, -8), (side * 14, 14), (side * 22, 33)]
            canvas.paint(
                canvas.band(ends, [2.4 * open_at, 4.4 * open_at, 4.8 * open_at, 3.6 * open_at], soft=1.5), "csf"
            )
    if 6 < w < 24:
        canvas.paint(canvas.ellipse((0, -33), (11, 3.4), soft=2), "white")
        canvas.paint(canvas.ellipse((0, 30), (13, 4.5), soft=2), "white")
    if -16 < w < 8:
        canvas.paint(canvas.band([(0, -14), (0, 16)], 1.5 * big, soft=1.2), "csf")
        if head.calcified and -4 < w < 4:
            canvas.paint(canvas.ellipse((0, 24), (2.2, 2.6), soft=1.2), "calcium")
    if -14 < w < 2:
        canvas.paint(canvas.band([(-12, 26), (0, 31), (12, 26)], [1.2, 2.8, 1.2], soft=1.5), "csf")


def _hindbrain(canvas: Canvas) -> None:
    """Below the tentorium: brain stem, cerebellum, fourth ventricle, cisterns."""
    w = canvas.w
    if w > -4:
        return
    if -28 < w < -10:
        star = [(0, -22), (0, 2), (16, -6), (0, 0), (-16, -6)]
        canvas.paint(canvas.band(star, 4.2, soft=3), "csf")
        for side in (-1, 1):
            canvas.paint(canvas.band([(0, -4), (side * 14, -12), (side * 30, -10)], 1.3), "vessel")
    if w < -8:
        tent = np.clip((-8 - w) / 12, 0, 1)
        hole = canvas.ellipse((0, 46), (54 * tent**0.5, 36 * tent**0.5), soft=2)
        canvas.paint(hole, "csf")
        bowl = float(np.interp(w, (-70, -45, -20, -8), (0.55, 0.95, 1, 0.5)))
        canvas.paint(canvas.ellipse((0, 47), (50 * bowl, 32 * bowl), soft=1.5), "gray")
        folia = 0.5 + 0.5 * np.sin(np.hypot(canvas.u * 0.8, canvas.v - 20) * 1.15)
        inside = canvas.ellipse((0, 47), (47 * bowl, 29 * bowl), soft=2)
        canvas.paint(inside.times((0.55 * folia).astype(np.float32)), "white")
        for side in (-1, 1):
            canvas.paint(canvas.ellipse((side * 20 * bowl, 44), (15 * bowl, 9 * bowl), turn=side * 20, soft=5), "white")
        canvas.paint(canvas.ellipse((0, 56), (5, 18), soft=3), "gray")
        stem = float(np.interp(w, (-70, -45, -30, -10), (8, 12, 16, 14)))
        canvas.paint(canvas.ellipse((0, 12), (stem + 5, stem + 2), soft=2), "csf")
        canvas.paint(canvas.ellipse((0, 14), (stem, 0.82 * stem), soft=2), "white")
        if w < -16:
            canvas.paint(canvas.ellipse((0, 12 - stem), (1.7, 1.7)), "vessel")
        if -48 < w < -24:
            canvas.paint(canvas.ellipse((0, 30), (6.5, 4.5), soft=2, power=1.5), "csf")


def _face(canvas: Canvas, head: Head, a: float, b: float) -> None:
    """What lies in front of and below the brain: petrous bones, orbits, sinuses, ears, nose."""
    w = canvas.w
    for side in (-1, 1):
        if w < -26:
            thick = float(np.interp(w, (-62, -44, -34, -26), (15, 13, 9, 2)))
            canvas.paint(
                canvas.band(
                    [(side * (a - 9), 22), (side * 40, 12), (side * 16, -4)],
                    [thick, 0.75 * thick, 0.35 * thick],
                    soft=2,
                ),
                "petrous",
            )
            cells = np.clip(0.35 + 1.1 * head.texture.at(canvas.grid, 3 * w), 0, 1)
            canvas.paint(canvas.ellipse((side * (a - 16), 26), (0.9 * thick, 1.1 * thick), soft=3).times(cells), "air")
            if w < -36:
                canvas.paint(canvas.band([(side * (a - 1), 12), (side * 46, 8)], 2.6), "air")
            canvas.paint(
                canvas.band([(side * 14, -6), (side * 38, -34), (side * (a - 12), -46)], 2.6, soft=1.5), "bone"
            )
        if -58 < w < -8:
            canvas.paint(canvas.ellipse((side * (a + 3), 16), (5, 13), turn=-side * 20, soft=2), "skin")
    if w < -18:
        # The face: soft tissue between thin walls of bone, with orbits, nose and sinuses in it.
        front = float(np.interp(w, (-62, -30, -18), (-30, -36, -58)))
        ahead = (canvas.v < front).astype(np.float32)
        face = canvas.ellipse((0, -b + 26), (54, 0.5 * b + 0.2 * front), soft=2).times(ahead)
        canvas.paint(face, "bone" if w > -23 else "muscle")
        canvas.paint(canvas.band([(-34, front - 2), (0, front + 5), (34, front - 2)], 2.2, soft=1.5), "bone")
        if w > -56:
            for side in (-1, 1):
                size = float(np.interp(w, (-56, -46, -34, -22, -18), (0.2, 0.85, 1, 0.8, 0.3)))
                rim = canvas.ellipse((side * 31, -56), (19 * size + 2.6, 28 * size + 1), turn=side * 16, soft=1.5)
                canvas.paint(rim.times((canvas.v > -80).astype(np.float32)), "bone")
                canvas.paint(canvas.ellipse((side * 31, -56), (19 * size, 28 * size), turn=side * 16, soft=1.5), "fat")
                canvas.paint(canvas.band([(side * 22, -32), (side * 32, -58)], 1.9), "white")
                canvas.paint(canvas.band([(side * 19, -34), (side * 19, -62)], 1.9), "muscle")
                canvas.paint(canvas.band([(side * 26, -34), (side * 45, -60)], 1.9), "muscle")
                canvas.paint(canvas.blob((side * 33, -70, -36), (12.4, 12.4, 12.4)), "muscle")
                canvas.paint(canvas.blob((side * 33, -70, -36), (11, 11, 11)), "vitreous")
                canvas.paint(canvas.blob((side * 33.5, -79, -36), (4.6, 2.2, 4.6)), "lens")
        nose = canvas.ellipse((0, -60), (12.5, 26), soft=1.5, power=3)
        canvas.paint(nose, "bone")
        cells = np.clip(0.75 + 0.8 * head.texture.at(canvas.grid, 2 * w), 0, 1)
        canvas.paint(canvas.ellipse((0, -60), (10.5, 24), soft=1.5, power=3).times(cells), "air")
        canvas.paint(canvas.band([(0, -80), (1.5, -60), (0, -38)], 0.9), "bone")
        canvas.paint(canvas.ellipse((2, -24), (13, 11), soft=1.5), "bone")
        canvas.paint(canvas.ellipse((2, -24), (11, 9), soft=1.5), "air")
    if w < -30:
        reach = float(np.interp(w, (-62, -40, -30), (18, 15, 4)))
        canvas.paint(canvas.ellipse((0, -b - 2), (9, reach), soft=2), "skin")
        canvas.paint(canvas.band([(-4, -b + 2), (-4, -b - reach * 0.5)], 2.2), "air")
        canvas.paint(canvas.band([(4, -b + 2), (4, -b - reach * 0.5)], 2.2), "air")
    if w < -50:
        for side in (-1, 1):
            canvas.paint(canvas.ellipse((side * 30, -54), (17, 19), turn=side * 15, soft=1.5), "bone")
            canvas.paint(canvas.band([(side * 44, -66), (side * 60, -48), (side * 66, -20)], [4, 3, 2.5]), "bone")
            canvas.paint(canvas.ellipse((side * 30, -54), (15, 17), turn=side * 15, soft=1.2), "air")
    if -26 < w < -4:
        # Frontal sinus, of two unequal halves.
        canvas.paint(canvas.ellipse((-7, -b + 10), (8, 4), soft=1.2), "air")
        canvas.paint(canvas.ellipse((10, -b + 10), (10, 4.6), soft=1.2), "air")


def ct(rng: Generator, build: Build) -> Slicer:
    """An unenhanced head on its headrest."""
    return partial(_slice, make_head(rng, age=build.age), CT, True)


def ct_contrast(rng: Generator, build: Build) -> Slicer:
    """The same with contrast agent in its vessels."""
    return partial(_slice, make_head(rng, age=build.age), CT_CONTRAST, True)


def mr(rng: Generator, build: Build) -> Slicer:
    """The same as magnetic resonance sees it."""
    return partial(_slice, make_head(rng, age=build.age), MR, False)


def _slice(head: Head, tissues: Tissues, table: bool, grid: Grid, w: float) -> Picture:
    return draw(head, grid, w, tissues, table=table)
