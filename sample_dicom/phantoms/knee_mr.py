"""The knee in sagittal slices for MR: proton density with fat suppression, T1, T2 (arbitrary units).

w runs from the lateral side (negative) to the medial; u is negative in front (the kneecap), v negative above.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture, Tissues
from sample_dicom.phantoms.subject import Build, Generator, Slicer

FOV = 170.0
SPAN = (-48.0, 48.0)

# PD fat-suppressed, T1, T2
TISSUES: Tissues = {
    "air": (5.0, 4.0, 4.0),
    "skin": (240.0, 330.0, 160.0),
    "fat": (130.0, 880.0, 560.0),
    "marrow": (120.0, 760.0, 470.0),
    "cortical": (35.0, 40.0, 30.0),
    "cartilage": (760.0, 430.0, 430.0),
    "meniscus": (75.0, 110.0, 60.0),
    "tendon": (55.0, 60.0, 45.0),
    "ligament": (130.0, 150.0, 90.0),
    "muscle": (330.0, 340.0, 170.0),
    "fluid": (980.0, 170.0, 990.0),
    "vessel": (150.0, 90.0, 80.0),
    "edema": (700.0, 380.0, 640.0),
    "septum": (210.0, 620.0, 330.0),
}


@dataclass(frozen=True)
class Knee:
    """What differs from one knee to the next."""

    wobble: tuple[Field, Field]
    texture: Field
    scale: float
    bend: float
    effusion: float
    tear: bool
    bruise: tuple[float, float, float, float] | None


def mr(rng: Generator, build: Build) -> Slicer:
    """A knee; an effusion, a torn meniscus or a bone bruise in some."""
    grown = float(np.interp(build.age, (0, 15), (0.6, 1.0)))
    knee = Knee(
        wobble=(Field(rng, 26), Field(rng, 26)),
        texture=Field(rng, 5),
        scale=float(rng.uniform(0.92, 1.05)) * (0.94 if build.sex == "F" else 1.0) * grown,
        bend=float(rng.uniform(-0.03, 0.05)),
        effusion=float(np.clip(rng.normal(0.35, 0.3), 0.1, 1.0)),
        tear=bool(rng.random() < 0.35),
        bruise=(
            float(rng.uniform(-10, 15)),
            float(rng.choice((-22, 24))),
            float(rng.choice((-22, 22))),
            float(rng.uniform(7, 13)),
        )
        if rng.random() < 0.4
        else None,
    )
    return partial(_slice, knee)


def _slice(knee: Knee, grid: Grid, w: float) -> Picture:
    canvas = Canvas(
        grid,
        TISSUES,
        w=w,
        wobble=knee.wobble,
        amplitude=0.9,
        scale=knee.scale,
        shear=knee.bend,
    )
    across = abs(canvas.w) / 52
    if across >= 1:
        return canvas.data
    _envelope(canvas, knee, float(np.sqrt(1 - across**2)))
    _bones(canvas, knee)
    _joint(canvas, knee)
    canvas.data *= 1 + 0.035 * knee.texture.at(grid, w)
    return canvas.data


def _envelope(canvas: Canvas, knee: Knee, round_: float) -> None:
    """Skin, fat, and the muscles of thigh and calf."""
    outline = [(2.0, -120.0), (4.0, -50.0), (0.0, -10.0), (3.0, 30.0), (10.0, 120.0)]
    widths = [68 * round_, 62 * round_, 58 * round_, 53 * round_, 52 * round_]
    canvas.paint(canvas.band(outline, widths), "skin")
    canvas.paint(canvas.band(outline, [max(width - 1.8, 0.2) for width in widths]), "fat")
    strands = np.clip(np.abs(knee.texture.at(canvas.grid, 3 * canvas.w)) - 0.6, 0, 0.5)
    for points, reach in (
        (((-26, -120), (-30, -62), (-29, -42)), (22, 13, 3)),
        (((36, -120), (40, -50), (33, -12)), (20, 13, 4)),
        (((44, -14), (40, 30), (36, 120)), (6, 17, 23)),
        (((26, 34), (26, 60), (24, 120)), (3, 9, 10)),
        (((-22, 48), (-14, 120)), (3, 8)),
    ):
        muscle = canvas.band(points, [value * round_ for value in reach], soft=1.5)
        canvas.paint(muscle, "muscle")
        canvas.paint(muscle.times((0.5 * strands).astype(np.float32)), "septum")


def _bones(canvas: Canvas, knee: Knee) -> None:
    w = canvas.w
    # The femur: shaft and two condyles with the notch between; the tibia; the fibula outside; the kneecap.
    condyle = float(np.sqrt(np.clip(1 - ((abs(w) - 24) / 21) ** 2, 0, 1)))
    shaft = float(np.sqrt(np.clip(1 - (w / 24) ** 2, 0, 1)))
    plateau = float(np.clip(1 - (abs(w) / 42) ** 4, 0, 1)) ** 0.5
    for grow, tissue, cartilage in ((3.6, "cartilage", True), (1.1, "cortical", False), (0.0, "marrow", False)):
        if condyle > 0.15:
            size = 24 * condyle + (grow if not cartilage else grow * condyle)
            canvas.paint(canvas.ellipse((5, -19), (size * 1.12, size * 0.98), turn=-10), tissue)
        if not cartilage:
            canvas.paint(
                canvas.band(
                    [(-2, -130), (-4, -58), (-1, -30)], [14 * shaft + grow, 14.5 * shaft + grow, 21 * shaft + grow]
                ),
                tissue,
            )
        if plateau > 0.15:
            top = 13.5 - (grow if cartilage else 0.4 * grow)
            canvas.paint(
                canvas.ellipse((4, 13.5 + 8), (27 * plateau + 0.5 * grow, 21.5 - top + 0.2 * grow), power=5), tissue
            )
            if not cartilage:
                canvas.paint(
                    canvas.band(
                        [(2, 28), (-2, 56), (0, 130)], [25 * plateau + grow, 15 * plateau + grow, 12.5 * shaft + grow]
                    ),
                    tissue,
                )
        if -40 < w < -24 and not cartilage:
            canvas.paint(canvas.band([(24, 34), (25, 44), (26, 130)], [8 + grow, 6 + grow, 5 + grow]), tissue)
        if abs(w) < 21:
            cap = float(np.sqrt(1 - (w / 21) ** 2))
            shift = grow if cartilage else 0.0
            canvas.paint(
                canvas.ellipse(
                    (-40 + 0.6 * shift, -32), ((9 + 0.6 * grow) * cap, (19.5 + 0.4 * grow) * cap), turn=8, power=2.4
                ),
                tissue,
            )
    # The growth plate's scar.
    if shaft > 0.3:
        canvas.paint(canvas.band([(-18, -40), (0, -44), (20, -38)], 0.7).times(0.5), "cortical")
        canvas.paint(canvas.band([(-16, 34), (4, 32), (20, 35)], 0.7).times(0.5), "cortical")
    if knee.bruise is not None:
        u, v, at, size = knee.bruise
        canvas.paint(canvas.blob((u, v, at), (size, size * 0.8, size), soft=6).times(0.75), "edema")


def _joint(canvas: Canvas, knee: Knee) -> None:
    w = canvas.w
    middle = abs(w) < 13
    # Fluid above the kneecap and in front of the fat pad.
    swell = knee.effusion * float(np.clip(1 - (w / 30) ** 2, 0, 1))
    if swell > 0.05:
        canvas.paint(
            canvas.band([(-27, -78), (-28, -60), (-27, -50)], [1 + 3 * swell, 1.5 + 6 * swell, 1.0], soft=1), "fluid"
        )
        canvas.paint(canvas.band([(-27, -22), (-24, -8), (-16, 4)], 0.6 + 1.2 * swell, soft=0.8), "fluid")
    if abs(w) < 17:
        canvas.paint(canvas.band([(-36, -130), (-41, -80), (-43, -50)], [3.6, 3.4, 3.6]), "tendon")
        canvas.paint(canvas.band([(-43, -14), (-36, 16), (-27, 38)], [2.8, 2.8, 3.4]), "tendon")
    if 11 < abs(w) < 42:
        # Menisci: two dark wedges on the outer edges of the plateau, joined to a bow tie at its rim.
        rim = float(np.clip((abs(w) - 30) / 8, 0, 1))
        for start, end in (((-21, 8.5), (-9 + 9 * rim, 11)), ((29, 8.5), (16 - 11 * rim, 11))):
            canvas.paint(canvas.band([start, end], [4.6, 0.6 + 2.8 * rim]), "meniscus")
        if knee.tear and 16 < w < 34:
            canvas.paint(canvas.band([(27, 6), (20, 12)], 0.7), "fluid")
    if middle:
        canvas.paint(canvas.band([(18, -20), (4, -2), (-12, 12)], [5.5, 4.2, 5.0], soft=1.5), "ligament")
        canvas.paint(canvas.band([(18, -20), (4, -2), (-12, 12)], [2.2, 1.6, 1.8], soft=1.5), "tendon")
    if -4 < w < 15:
        canvas.paint(canvas.band([(-2, -14), (18, -8), (28, 8), (29, 20)], [3.6, 4.0, 3.8, 2.6]), "tendon")
    if abs(w) < 12:
        for at, size in ((44, 4.2), (52, 3.4)):
            canvas.paint(canvas.band([(at - 3, -120), (at - 2, -20), (at - 8, 30), (at - 6, 120)], size), "vessel")
            canvas.paint(
                canvas.band([(at - 3, -120), (at - 2, -20), (at - 8, 30), (at - 6, 120)], size * 0.5).times(0.35),
                "fluid",
            )
