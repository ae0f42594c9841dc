"""The lumbar spine in sagittal slices for MR: T1, T2 and STIR (arbitrary units).

w = 0 is the midline; u is negative in front (the belly), v negative above.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture, Tissues
from sample_dicom.phantoms.subject import Build, Generator, Slicer

FOV = 290.0
SPAN = (-34.0, 34.0)

# T1, T2, STIR
TISSUES: Tissues = {
    "air": (4.0, 4.0, 4.0),
    "skin": (350.0, 260.0, 160.0),
    "fat": (880.0, 640.0, 90.0),
    "muscle": (330.0, 190.0, 210.0),
    "marrow": (560.0, 380.0, 150.0),
    "cortical": (60.0, 50.0, 30.0),
    "nucleus": (300.0, 760.0, 560.0),
    "dry": (260.0, 240.0, 170.0),
    "annulus": (170.0, 130.0, 100.0),
    "csf": (140.0, 980.0, 940.0),
    "cord": (430.0, 440.0, 380.0),
    "ligament": (120.0, 80.0, 60.0),
    "bowel": (300.0, 420.0, 400.0),
    "vessel": (70.0, 60.0, 80.0),
    "edema": (330.0, 560.0, 760.0),
    "haemangioma": (760.0, 620.0, 300.0),
}


@dataclass(frozen=True)
class Spine:
    """What differs from one spine to the next; ``wear`` is 0 (young disc) to 1 for each of seven discs."""

    wobble: tuple[Field, Field]
    texture: Field
    bowel: Field
    scale: float
    curve: float
    fat: float
    wear: tuple[float, ...]
    slip: int
    fracture: int
    haemangioma: int


def mr(rng: Generator, build: Build) -> Slicer:
    """A spine; discs dry and bulge with age, most at the two lowest levels."""
    worn = np.clip(
        (build.age - 25) / 60 + rng.normal(0, 0.2, 7) + np.array([-0.25, -0.2, -0.15, -0.05, 0.05, 0.25, 0.3]), 0, 1
    )
    return partial(
        _slice,
        Spine(
            wobble=(Field(rng, 40), Field(rng, 40)),
            texture=Field(rng, 6),
            bowel=Field(rng, 18),
            scale=float(rng.uniform(0.93, 1.04)) * float(np.interp(build.age, (0, 15), (0.6, 1))),
            curve=float(rng.uniform(0.8, 1.25)),
            fat=float(rng.uniform(12, 36)),
            wear=tuple(float(value) for value in worn),
            slip=int(rng.choice((-1, 4, 5, 6), p=(0.4, 0.1, 0.25, 0.25))),
            fracture=int(rng.integers(0, 6)) if build.age > 55 and rng.random() < 0.25 else -1,
            haemangioma=int(rng.integers(0, 6)) if rng.random() < 0.3 else -1,
        ),
    )


def _line(spine: Spine, v: float) -> float:
    """Where the back edges of the vertebral bodies stand at a height."""
    return float(_line_of(spine, np.array(v, np.float32)))


def _line_of(spine: Spine, v: Picture) -> Picture:
    """The same for many heights: lordosis, then the sacrum's turn backwards."""
    bow = -16 * spine.curve * np.cos((v - 30) / 72)
    return np.asarray(bow + 0.011 * np.maximum(v - 78, 0) ** 2 + 22, dtype=np.float32)


def _slice(spine: Spine, grid: Grid, w: float) -> Picture:
    canvas = Canvas(grid, TISSUES, w=w, wobble=spine.wobble, amplitude=1.3, scale=spine.scale, background="air")
    w = canvas.w
    back = 76.0 + spine.fat
    inside = np.clip(back + 8 * np.cos(canvas.v / 60) - canvas.u, 0, 1).astype(np.float32)
    canvas.paint(canvas.where(inside), "skin")
    canvas.paint(canvas.where(np.clip(back - 2.5 + 8 * np.cos(canvas.v / 60) - canvas.u, 0, 1)), "fat")
    _front(canvas, spine)
    _muscles(canvas, spine)
    half = abs(w)
    if half < 27:
        _column(canvas, spine, float(np.sqrt(1 - (half / 27) ** 2)))
    if half < 11:
        _canal(canvas, spine, float(np.sqrt(1 - (half / 11) ** 2)))
    elif half < 22:
        _foramina(canvas, spine)
    if half < 6:
        _processes(canvas, spine)
    canvas.data *= 1 + 0.03 * spine.texture.at(grid, canvas.w)
    return canvas.data


def _heights() -> list[float]:
    """The middles of T12 to L5, mm below the centre of the picture."""
    return [-98.0, -66.0, -33.0, 1.0, 36.0, 71.0]


def _front(canvas: Canvas, spine: Spine) -> None:
    """Belly: bowel, and the great vessels before the spine."""
    relief = spine.bowel.at(canvas.grid, canvas.w)
    before = _line_of(spine, canvas.v) - 62 - canvas.u
    loops = np.clip((np.abs(relief) - 0.35) / 0.3, 0, 1) * np.clip(before / 14, 0, 1)
    canvas.paint(canvas.where((0.85 * loops).astype(np.float32)), "bowel")
    gas = np.clip((relief - 1.9) / 0.2, 0, 1) * np.clip((before - 8) / 12, 0, 1)
    canvas.paint(canvas.where(gas.astype(np.float32)), "air")
    at = {-1: -10.0, 1: 12.0}[1 if canvas.w > 0 else -1]
    if abs(canvas.w - at) < 9:
        line = [(_line(spine, v) - 44, v) for v in (-160, -90, -30, 20, 62)]
        canvas.paint(canvas.band(line, [8.5, 8, 8, 7.5, 7], soft=1), "vessel")


def _muscles(canvas: Canvas, spine: Spine) -> None:
    thick = float(np.clip((abs(canvas.w) - 2) / 12, 0, 1))
    line = [(_line(spine, v) + 40, v) for v in (-160, -100, -40, 20, 70)] + [(72.0, 112.0)]
    muscle = canvas.band(line, [(18 * thick) + 0.1] * 5 + [6 * thick + 0.1], soft=3)
    canvas.paint(muscle, "muscle")
    streak = np.clip(np.abs(spine.texture.at(canvas.grid, 5 * canvas.w)) - 0.9, 0, 0.6)
    canvas.paint(muscle.times(streak.astype(np.float32)), "fat")


def _column(canvas: Canvas, spine: Spine, round_: float) -> None:
    heights = _heights()
    for index, v in enumerate(heights):
        u = _line(spine, v)
        slope = float(np.degrees(np.arctan((_line(spine, v + 8) - _line(spine, v - 8)) / 16)))
        crush = 0.72 if index == spine.fracture else 1.0
        deep, high = 17.5 * (0.55 + 0.45 * round_), (12.2 + 0.4 * index) * crush
        at = (u - 17.5, v)
        canvas.paint(canvas.ellipse(at, (deep, high + 0.9), turn=-slope, power=5), "cortical")
        body = canvas.ellipse(at, (deep - 1.1, high - 0.2), turn=-slope, power=5)
        canvas.paint(body, "marrow")
        if index == spine.fracture:
            canvas.paint(body.times(0.7), "edema")
        if index == spine.haemangioma:
            canvas.paint(canvas.blob((at[0] - 3, v + 2, 3.0), (7, 6, 9), soft=2), "haemangioma")
        canvas.paint(canvas.ellipse((u - 3.5, v), (4.2, 1.6), turn=-slope, soft=1).times(0.7), "csf")
    # Discs: between T12 and L1 down to L5 and the sacrum.
    for index in range(6):
        v = (heights[index] + heights[index + 1]) / 2 if index < 5 else 89.5
        u = _line(spine, v)
        slope = float(np.degrees(np.arctan((_line(spine, v + 8) - _line(spine, v - 8)) / 16)))
        wear = spine.wear[index + 1]
        bulge = 1.2 + (4.8 if index == spine.slip - 1 else 2.2 * wear)
        high = 4.6 - 1.6 * wear
        deep = 17 * (0.6 + 0.4 * round_) + bulge / 2
        canvas.paint(canvas.ellipse((u - 17 + bulge / 2, v), (deep, high + 0.6), turn=-slope, power=3), "annulus")
        core = canvas.ellipse((u - 17.5, v), (0.74 * deep, high - 0.6), turn=-slope, power=2.4, soft=2)
        canvas.paint(core, "nucleus")
        canvas.paint(core.times(min(1.0, wear * 1.15)), "dry")
    # Sacrum, in pieces that turn backwards.
    canvas.paint(
        canvas.band([(_line(spine, v) - 10, v) for v in (100.0, 125.0, 150.0, 168.0)], [8, 7, 6, 4]).times(0.8),
        "marrow",
    )
    for index in range(4):
        v = 103.0 + 21 * index
        u = _line(spine, v)
        slope = float(np.degrees(np.arctan((_line(spine, v + 8) - _line(spine, v - 8)) / 16)))
        size = 15.0 - 2.6 * index
        canvas.paint(canvas.ellipse((u - size, v), (size, 10.4), turn=-slope, power=4), "cortical")
        canvas.paint(canvas.ellipse((u - size, v), (size - 1.2, 9.2), turn=-slope, power=4), "marrow")


def _canal(canvas: Canvas, spine: Spine, round_: float) -> None:
    heights = np.linspace(-160, 128, 25)
    line = [(_line(spine, float(v)) + 8.6, float(v)) for v in heights]
    wide = [(7.6 if v < 70 else max(0.6, 7.6 - 0.11 * (v - 70))) * round_ for v in heights]
    canvas.paint(canvas.band(line, [value + 1.0 for value in wide], soft=1), "ligament")
    sac = canvas.band(line, wide, soft=1)
    canvas.paint(sac, "csf")
    upper = [point for point in line if point[1] < -50]
    canvas.paint(
        canvas.band([(u - 0.4, v) for u, v in upper], [4.2 * round_] * (len(upper) - 2) + [2.6 * round_, 0.6], soft=1),
        "cord",
    )
    lower = [(u + 2.6, v) for u, v in line if -66 < v < 98]
    canvas.paint(canvas.band(lower, [2.6 * round_] * len(lower), soft=2.5).times(0.62), "cord")
    threads = np.clip(np.sin(canvas.u * 2.4 + canvas.v * 0.05), 0, 1) * (canvas.v > -60)
    canvas.paint(sac.times((0.35 * threads).astype(np.float32)), "cord")
    index = spine.slip - 1
    if 0 <= index < 6:
        v = 89.5 if index == 5 else (_heights()[index] + _heights()[index + 1]) / 2
        canvas.paint(canvas.ellipse((_line(spine, v) + 1.6, v + 1), (4.4, 4.2), soft=1), "dry")


def _foramina(canvas: Canvas, spine: Spine) -> None:
    heights = [-130.0, *_heights(), 104.0]
    for above, below in pairwise(heights):
        middle = (above + below) / 2 - 2
        u = _line(spine, middle) + 7
        canvas.paint(canvas.band([(_line(spine, above + 6) + 1, above - 2), (u + 9, above + 4)], 5.5), "marrow")
        canvas.paint(canvas.band([(u + 8, above + 6), (u + 12, middle + 8)], 5.2), "cortical")
        canvas.paint(canvas.band([(u + 8, above + 6), (u + 12, middle + 8)], 4.0), "marrow")
        canvas.paint(canvas.ellipse((u, middle), (6.2, 9), soft=1.5), "fat")
        canvas.paint(canvas.ellipse((u, middle - 3), (2.8, 3.0), soft=1), "cord")


def _processes(canvas: Canvas, spine: Spine) -> None:
    for v in [-130.0, *_heights()]:
        u = _line(spine, v)
        line = [(u + 21, v + 8), (u + 40, v + 17)]
        canvas.paint(canvas.band([(u + 18, v - 6), (u + 18, v + 8)], 1.6), "ligament")
        canvas.paint(canvas.band(line, [6.0, 8.2]), "cortical")
        canvas.paint(canvas.band(line, [4.8, 7.0]), "marrow")
