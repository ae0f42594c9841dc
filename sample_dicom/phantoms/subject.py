"""What every phantom hands out: a function that draws a slice, a view or a frame of one invented body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample_dicom.phantoms.canvas import Grid, Picture

Generator = np.random.Generator
Slicer = Callable[[Grid, float], Picture]
"""(grid, position through the slices in mm) → (contrast, row, column), without noise."""

Radiograph = Callable[[Grid, str], Picture]
"""(grid, view) → (row, column), 0 (unexposed) to 1 (dense), without noise."""

Sonogram = Callable[[int, str, float], NDArray[np.uint8]]
"""(columns, view, phase of the movement 0 to 1) → (row, column), 0 to 255."""


@dataclass(frozen=True)
class Build:
    """What of a person shows in the pictures."""

    age: int
    sex: str
    laterality: str = ""


PICTURES = 64
"""How many pictures of one body are kept: the slices of a series and the cuts of its localizer."""


def drawn_once(draw: Callable[..., NDArray[Any]]) -> Callable[..., NDArray[Any]]:
    """The same drawing, each picture of it made once and then handed out again. Nobody may write into it."""

    @lru_cache(maxsize=PICTURES)
    def drawn(*asked: object) -> NDArray[Any]:
        picture = draw(*asked)
        picture.setflags(write=False)
        return picture

    return drawn
