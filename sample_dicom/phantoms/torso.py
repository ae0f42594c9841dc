"""The trunk in axial slices, in Hounsfield units: body wall, spine, ribs and pelvis; the organs are drawn by others.

w = 0 is the top of the right diaphragm, positive towards the head; v is negative in front. Chest and abdomen are two
spans of one body, so that a patient's two examinations agree where they overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture, Point, Tissues
from sample_dicom.phantoms.subject import Build, Generator

CHEST_SPAN = (-70.0, 195.0)
ABDOMEN_SPAN = (-400.0, 30.0)

PLAIN: Tissues = {
    "air": (-1000.0,),
    "table": (-150.0,),
    "foam": (-940.0,),
    "skin": (15.0,),
    "fat": (-102.0,),
    "muscle": (56.0,),
    "bone": (820.0,),
    "marrow": (190.0,),
    "cord": (34.0,),
    "disc": (80.0,),
    "lung": (-865.0,),
    "atelectasis": (-700.0,),
    "vessel": (38.0,),
    "pulmonary": (42.0,),
    "right_heart": (43.0,),
    "left_heart": (42.0,),
    "myocardium": (48.0,),
    "aorta": (42.0,),
    "vein": (40.0,),
    "clot": (50.0,),
    "esophagus": (38.0,),
    "node": (40.0,),
    "liver": (58.0,),
    "liver_lesion": (35.0,),
    "cyst": (5.0,),
    "spleen": (48.0,),
    "cortex": (34.0,),
    "medulla": (29.0,),
    "urine": (4.0,),
    "bile": (9.0,),
    "pancreas": (40.0,),
    "stomach": (25.0,),
    "bowel_wall": (42.0,),
    "bowel": (18.0,),
    "stool": (-40.0,),
    "gas": (-960.0,),
    "calcium": (420.0,),
    "nodule": (30.0,),
}
PULMONARY: Tissues = dict(PLAIN) | {
    "vessel": (310.0,),
    "pulmonary": (390.0,),
    "right_heart": (330.0,),
    "left_heart": (240.0,),
    "myocardium": (95.0,),
    "aorta": (215.0,),
    "vein": (330.0,),
    "liver": (70.0,),
    "spleen": (90.0,),
    "cortex": (140.0,),
}
PORTAL: Tissues = dict(PLAIN) | {
    "vessel": (140.0,),
    "pulmonary": (150.0,),
    "right_heart": (155.0,),
    "left_heart": (155.0,),
    "myocardium": (115.0,),
    "aorta": (165.0,),
    "vein": (150.0,),
    "liver": (112.0,),
    "liver_lesion": (62.0,),
    "spleen": (122.0,),
    "cortex": (195.0,),
    "medulla": (150.0,),
    "pancreas": (102.0,),
    "bowel_wall": (95.0,),
    "bowel": (22.0,),
    "stomach": (30.0,),
}

# Half width and half depth of the muscular body by level, mm; fat comes on top.
LEVELS = (-420.0, -350.0, -260.0, -160.0, -60.0, 40.0, 110.0, 170.0, 205.0)
WIDTHS = (150.0, 148.0, 134.0, 128.0, 134.0, 142.0, 148.0, 152.0, 140.0)
DEPTHS = (92.0, 88.0, 80.0, 82.0, 92.0, 98.0, 95.0, 82.0, 66.0)

VERTEBRA = 26.0
"""Height of a vertebra with its disc, mm."""


@dataclass(frozen=True)
class Trunk:
    """What differs from one trunk to the next. Lengths in mm."""

    wobble: tuple[Field, Field]
    texture: Field
    loops: Field
    fat: float
    scale: float
    lean: float
    heart: float
    liver: float
    calcified: bool
    vessels: Picture
    clot: bool
    nodule: tuple[float, float, float, float] | None
    cysts: tuple[tuple[float, float, float, float], ...]
    lesion: tuple[float, float, float, float] | None
    table: bool = True


@dataclass(frozen=True)
class Section:
    """The measures of one level: half axes of the muscular body and of the cavity, and where the spine stands."""

    a: float
    b: float
    cavity: Point
    spine: Point


def make_trunk(rng: Generator, build: Build) -> Trunk:
    """A trunk: fat, size and calcification by age and sex; a clot, a nodule, cysts or a liver lesion in some."""
    female = build.sex == "F"
    grown = float(np.interp(build.age, (0, 4, 10, 16), (0.5, 0.62, 0.78, 1.0)))
    side = float(rng.choice((-1, 1)))
    return Trunk(
        wobble=(Field(rng, 75), Field(rng, 75)),
        texture=Field(rng, 14),
        loops=Field(rng, 17, depth_cell=26),
        fat=float(np.clip(rng.gamma(4.0, 4.5) + (3 if female else 0), 6, 36)) * grown,
        scale=float(rng.uniform(0.92, 1.04)) * (0.95 if female else 1.0) * grown,
        lean=float(rng.normal(0, 3)),
        heart=float(rng.uniform(0.9, 1.1)) * (1.08 if build.age > 65 else 1.0),
        liver=float(rng.uniform(0.88, 1.08)),
        vessels=_vessels(rng),
        clot=bool(rng.random() < 0.3),
        nodule=(
            side * float(rng.uniform(45, 90)),
            float(rng.uniform(-40, 40)),
            float(rng.uniform(60, 140)),
            float(rng.uniform(4, 10)),
        )
        if rng.random() < 0.3
        else None,
        cysts=tuple(
            (
                float(rng.choice((-1, 1))) * 72,
                50 + float(rng.normal(0, 9)),
                -140 + float(rng.normal(0, 30)),
                float(rng.uniform(5, 16)),
            )
            for _ in range(int(rng.integers(0, 3)))
        ),
        lesion=(
            -75 + float(rng.normal(0, 20)),
            -10 + float(rng.normal(0, 20)),
            -70 + float(rng.normal(0, 18)),
            float(rng.uniform(7, 18)),
        )
        if rng.random() < 0.3
        else None,
        calcified=build.age > 55,
    )


def _vessels(rng: Generator) -> Picture:
    """The vessels of both lungs, fanning out of each hilum and forking once: a row for each straight piece."""
    pieces: list[Picture] = []
    for side in (-1, 1):
        root = np.array([side * 36.0, 0.0, 82.0])
        for _ in range(26):
            way = rng.standard_normal(3) * (1.0, 1.1, 1.35)
            way[0] = side * abs(way[0]) * 0.9
            end = root + way / np.linalg.norm(way) * rng.uniform(70, 118)
            thick = rng.uniform(2.6, 5.2)
            t = np.linspace(0, 1, 7)[:, None]
            points = root + t * (end - root) + 36 * t * (1 - t) * rng.standard_normal(3)
            pieces.append(_pieces(points, thick * (1 - 0.82 * t)))
            for fork in (2, 3, 4, 5):
                twig = points[fork] + (points[-1] - points[fork]) * 0.75 + rng.standard_normal(3) * 17
                t2 = np.linspace(0, 1, 4)[:, None]
                narrow = 0.5 * thick * (1 - 0.13 * fork) * (1 - 0.6 * t2)
                pieces.append(_pieces(points[fork] + t2 * (twig - points[fork]), narrow))
    return np.concatenate(pieces)


def _pieces(points: NDArray[np.float64], radii: NDArray[np.float64]) -> Picture:
    """Start (u, v, w), end, and the radius at both, a row for each two neighbouring points."""
    return np.hstack([points[:-1], points[1:], radii[:-1], radii[1:]]).astype(np.float32)


def section(w: float) -> Section:
    """The measures of the body at a level."""
    a, b = float(np.interp(w, LEVELS, WIDTHS)), float(np.interp(w, LEVELS, DEPTHS))
    # The chest narrows to its inlet between the shoulders.
    inlet = float(np.interp(w, (95, 150, 200), (1.0, 0.86, 0.5)))
    return Section(a=a, b=b, cavity=((a - 15) * inlet, (b - 15) * (0.4 + 0.6 * inlet)), spine=(0.0, b - 52))


def prepare(trunk: Trunk, grid: Grid, w: float, tissues: Tissues) -> Canvas:
    """A canvas at ``w`` with table, body wall, spine and ribs drawn."""
    canvas = Canvas(
        grid,
        tissues,
        w=w,
        wobble=trunk.wobble,
        amplitude=2.6,
        origin=(trunk.lean, 0),
        scale=trunk.scale,
    )
    _table(canvas, trunk)
    _wall(canvas, section(canvas.w), trunk.fat)
    return canvas


def _table(canvas: Canvas, trunk: Trunk) -> None:
    """The couch: a shell filled with foam, straight whatever the body does."""
    grid = canvas.grid
    sag = grid.v - trunk.scale * (100 + trunk.fat) + (grid.u / 60) ** 2
    inside = np.abs(grid.u) < 195
    canvas.paint(canvas.where(((sag > 0) & (sag < 5) & inside).astype(np.float32)), "table")
    canvas.paint(canvas.where(((sag >= 5) & (sag < 30) & inside).astype(np.float32)), "foam")


def _wall(canvas: Canvas, here: Section, fat: float) -> None:
    a, b = here.a, here.b
    # More fat lies in front of the belly than over the ribs.
    belly = float(np.interp(canvas.w, (-300, -150, 0, 100), (1.3, 1.4, 0.9, 0.7)))
    front = 0.35 * fat * belly
    canvas.paint(canvas.ellipse((0, -front / 2), (a + fat, b + fat * 0.8 + front / 2), power=2.4), "skin")
    canvas.paint(canvas.ellipse((0, -front / 2), (a + fat - 2, b + fat * 0.8 + front / 2 - 2), power=2.4), "fat")
    canvas.paint(canvas.ellipse((0, 0), (a, b), power=2.4, soft=2), "muscle")
    for side in (-1, 1):
        # The gap between latissimus and the chest wall, and the back muscles beside the spine.
        if canvas.w > 20:
            canvas.paint(canvas.ellipse((side * (a - 12), 20), (2.2, 34), turn=-side * 14, soft=3).times(0.8), "fat")
            canvas.paint(canvas.ellipse((side * 62, -b + 8), (38, 1.6), turn=side * 14, soft=2).times(0.8), "fat")
        canvas.paint(canvas.ellipse((side * 30, b - 10), (26, 1.5), soft=2).times(0.7), "fat")


def spine(canvas: Canvas, here: Section, trunk: Trunk) -> None:
    """The vertebra or disc at this level, with its canal and processes."""
    u, v = here.spine
    phase = (canvas.w / VERTEBRA) % 1.0
    wide = float(np.interp(canvas.w, (-300, 150), (25, 16)))
    deep = 0.72 * wide
    disc = phase < 0.26
    if disc:
        canvas.paint(canvas.ellipse((u, v), (wide, deep), power=2.3, soft=2), "disc")
    else:
        canvas.paint(canvas.ellipse((u, v), (wide, deep), power=2.3), "bone")
        body = canvas.paint(canvas.ellipse((u, v), (wide - 2.2, deep - 2.2), power=2.3, soft=1.5), "marrow")
        canvas.add(body.times((60 * trunk.texture.at(canvas.grid, 7 * canvas.w)).astype(np.float32)), 1.0)
    arch = v + deep + 9
    for side in (-1, 1):
        canvas.paint(canvas.band([(u + side * 13, v + deep), (u + side * 14, arch + 6), (u, arch + 16)], 3.4), "bone")
        if phase > 0.45:
            canvas.paint(canvas.band([(u + side * 13, arch), (u + side * 38, arch + 8)], [4, 2.6]), "bone")
            canvas.paint(canvas.band([(u + side * 14, arch), (u + side * 36, arch + 7)], [2, 1.0]), "marrow")
    if phase > 0.3:
        canvas.paint(canvas.band([(u, arch + 14), (u, arch + 27)], [3.4, 2.4]), "bone")
    canvas.paint(canvas.ellipse((u, arch - 1), (9.5, 7.5), soft=1.5), "fat")
    canvas.paint(canvas.ellipse((u, arch - 1), (7.5, 6.2), soft=1.5), "cord")


def ribs(canvas: Canvas, here: Section) -> None:
    """The cut ribs of this level: each runs from its vertebra outwards, forwards and down."""
    a, b = here.cavity[0] + 6, here.cavity[1] + 6
    for number in range(1, 13):
        start = 205 - 22.5 * number
        along = (start - canvas.w) / 34
        reach = 2.55 if number < 8 else 2.3 - 0.2 * (number - 8)
        if not -0.05 < along < reach:
            continue
        angle = 0.3 + along
        tangent = np.degrees(np.arctan2(-b * np.sin(angle), a * np.cos(angle)))
        cartilage = number < 11 and along > reach - 0.45
        for side in (-1, 1):
            at = (side * a * float(np.sin(angle)), b * float(np.cos(angle)))
            turn = float(side * tangent)
            canvas.paint(canvas.ellipse(at, (13, 4.6), turn=turn, power=2.4), "disc" if cartilage else "bone")
            if not cartilage:
                canvas.paint(canvas.ellipse(at, (10.5, 2.4), turn=turn, soft=1), "marrow")
    if 55 < canvas.w < 175:
        canvas.paint(canvas.ellipse((0, -here.b + 8), (17, 6.4), power=2.4), "bone")
        canvas.paint(canvas.ellipse((0, -here.b + 8), (14.5, 4), soft=1), "marrow")
    if canvas.w > 95:
        for side in (-1, 1):
            blade = [(side * 58, here.b - 14), (side * 98, here.b - 20), (side * 132, 22)]
            canvas.paint(canvas.band(blade, [2.6, 2.4, 4.5]), "bone")
            canvas.paint(canvas.band(blade, [0.8, 0.8, 2.2]), "marrow")
    if canvas.w > 178:
        for side in (-1, 1):
            canvas.paint(
                canvas.band([(side * 14, -here.b + 14), (side * 60, -34), (side * 110, -14)], [7, 5.5, 6]), "bone"
            )
            canvas.paint(
                canvas.band([(side * 14, -here.b + 14), (side * 60, -34), (side * 110, -14)], [4, 3, 3.5]), "marrow"
            )
