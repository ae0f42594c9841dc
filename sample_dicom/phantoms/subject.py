"""What every phantom hands out: a function that draws a slice, a view or a frame of one invented body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
