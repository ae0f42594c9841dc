"""Ultrasound of the thyroid with a linear probe."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sample_dicom.phantoms.canvas import Canvas, Field, Grid, Picture
from sample_dicom.phantoms.sector import ECHO, LINEAR_WIDTH, scan
from sample_dicom.phantoms.subject import Build, Generator, Sonogram

DEPTH = 40.0
PITCH = 0.16
"""A linear probe resolves finer than a curved one: mm to a pixel of the map."""
VIEWS = ("RIGHT TRANS", "RIGHT SAG", "LEFT TRANS", "LEFT SAG", "ISTHMUS")


@dataclass(frozen=True)
class Neck:
    """What differs from one neck to the next; ``maps`` keeps each view's drawing for its cine."""

    wobble: tuple[Field, Field]
    texture: Field
    size: float
    nodule: tuple[float, float, float, str] | None
    maps: dict[str, Picture] = field(default_factory=dict)


def make_neck(rng: Generator, build: Build) -> Neck:
    """A neck; nodules come with age, and more often to women."""
    likely = 0.15 + 0.004 * build.age + (0.15 if build.sex == "F" else 0)
    kind = str(rng.choice(("nodule", "fluid", "bright")))
    place = (float(rng.uniform(-3, 3)), float(rng.uniform(-2, 3)), float(rng.uniform(2, 5)))
    return Neck(
        wobble=(Field(rng, 9), Field(rng, 9)),
        texture=Field(rng, 3),
        size=float(rng.uniform(0.88, 1.15)),
        nodule=(*place, kind) if rng.random() < likely else None,
    )


def thyroid(rng: Generator, build: Build) -> Sonogram:
    """Both lobes, across and along."""
    return partial(_frame, make_neck(rng, build))


def _frame(neck: Neck, columns: int, view: str, phase: float) -> NDArray[np.uint8]:
    if view not in neck.maps:
        neck.maps[view] = _map(neck, view)
    pulse, back = float(np.sin(2 * np.pi * phase)), float(np.cos(2 * np.pi * phase))
    return scan(
        neck.maps[view],
        "linear",
        columns,
        DEPTH,
        move=(1.2 * pulse, 0.25 * pulse + 0.2 * back),
        offset=len(view),
        pitch=PITCH,
    )


def _map(neck: Neck, view: str) -> Picture:
    grid = Grid(int(DEPTH * 1.08 / PITCH), int(LINEAR_WIDTH * 1.15 / PITCH), PITCH)
    height = grid.rows * PITCH
    canvas = Canvas(
        grid, ECHO, w=3.0 * len(view), background="muscle", wobble=neck.wobble, amplitude=0.5, origin=(0, -height / 2)
    )
    for top, tissue in ((0.0, "skin"), (1.4, "fat"), (4.6, "fascia"), (5.0, "muscle"), (8.6, "fascia")):
        canvas.paint(canvas.where((canvas.v > top).astype(np.float32)), tissue)
    canvas.paint(canvas.where((canvas.v > 9.0).astype(np.float32)), "muscle")
    streaks = np.clip(0.4 * neck.texture.at(grid, 9.0) - 0.2, 0, 0.5)
    canvas.paint(canvas.where(streaks), "fascia")
    if view.endswith("SAG"):
        _along(canvas, neck, mirrored=view.startswith("LEFT"))
    else:
        # Of an isthmus view the windpipe is the middle; of a lobe it lies at the side towards the midline.
        middle = {"RIGHT TRANS": 15.0, "LEFT TRANS": -15.0, "ISTHMUS": 0.0}[view]
        _across(canvas, neck, middle, nodule=view.startswith("RIGHT"))
    canvas.data[0] += 0.9 * neck.texture.at(grid, 2.0)
    return canvas.data


def _across(canvas: Canvas, neck: Neck, middle: float, *, nodule: bool) -> None:
    size = neck.size
    for side in (-1, 1):
        lobe = (middle + side * 15.5, 17.0)
        canvas.paint(canvas.ellipse(lobe, (9.6 * size, 8.0 * size), turn=side * 14), "wall")
        canvas.paint(canvas.ellipse(lobe, (9.2 * size, 7.6 * size), turn=side * 14), "thyroid")
        artery = (middle + side * (27.5 + size), 19.5)
        canvas.paint(canvas.ellipse(artery, (4.1, 4.0)), "wall")
        canvas.paint(canvas.ellipse(artery, (3.3, 3.2)), "blood")
        canvas.paint(canvas.ellipse((middle + side * 34, 14.5), (5.2, 3.2), turn=side * 12), "blood")
        canvas.paint(canvas.ellipse((middle + side * 20, 32), (14, 6), soft=2).times(0.7), "nodule")
    canvas.paint(canvas.band([(middle - 12, 13), (middle, 10.6), (middle + 12, 13)], [3.4, 2.0, 3.4]), "thyroid")
    if nodule:
        _nodule(canvas, neck, (middle - 15.5, 17.0))
    canvas.paint(canvas.ellipse((middle, 22.5), (10.0, 9.6)), "wall")
    canvas.paint(canvas.ellipse((middle, 23.2), (9.2, 9.4)), "muscle")
    canvas.paint(canvas.ellipse((middle, 23.8), (8.2, 9.0)), "gas")


def _along(canvas: Canvas, neck: Neck, *, mirrored: bool) -> None:
    size, flip = neck.size, -1 if mirrored else 1
    canvas.paint(canvas.ellipse((flip * 1.0, 17), (22 * size, 7.6 * size), turn=flip * 4), "wall")
    canvas.paint(canvas.ellipse((flip * 1.0, 17), (21.5 * size, 7.2 * size), turn=flip * 4), "thyroid")
    if not mirrored and neck.nodule is not None:
        _nodule(canvas, neck, (0.0, 17.0))
    canvas.paint(canvas.band([(-26, 30), (0, 31), (26, 29)], 2.4, soft=1), "nodule")
    canvas.paint(canvas.band([(-26, 36), (26, 36.5)], 1.2), "bone")


def _nodule(canvas: Canvas, neck: Neck, at: tuple[float, float]) -> None:
    if neck.nodule is None:
        return
    du, dv, size, tissue = neck.nodule
    where = (at[0] + du, at[1] + dv)
    canvas.paint(canvas.ellipse(where, (size * 1.3 + 0.5, size + 0.5)), "nodule" if tissue != "fluid" else "wall")
    canvas.paint(canvas.ellipse(where, (size * 1.3, size)), tissue)
