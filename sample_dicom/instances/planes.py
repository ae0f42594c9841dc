"""Where slices lie in the patient (PS3.3 C.7.6.2): directions of the picture's axes, and the position of each slice."""

from __future__ import annotations

from enum import StrEnum

from sample_dicom.phantoms.canvas import Grid

Vector = tuple[float, float, float]


class Plane(StrEnum):
    """How a slice is cut. The patient's axes are +x left, +y back, +z head."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


AXES: dict[Plane, tuple[Vector, Vector, Vector]] = {
    Plane.AXIAL: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    Plane.CORONAL: ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    Plane.SAGITTAL: ((0, 1, 0), (0, 0, -1), (-1, 0, 0)),
}
"""Directions of u (along a row), v (down a column) and w (through the slices) in the patient."""

ORIENTATIONS: dict[Plane, list[str]] = {
    Plane.AXIAL: ["L", "P"],
    Plane.CORONAL: ["L", "F"],
    Plane.SAGITTAL: ["P", "F"],
}


def orientation(plane: Plane) -> list[float]:
    """Image Orientation (Patient)."""
    row, column, _ = AXES[plane]
    return [float(value) for value in (*row, *column)]


def position(plane: Plane, grid: Grid, w: float, centre: Vector = (0.0, 0.0, 0.0)) -> list[float]:
    """Image Position (Patient): the middle of the first pixel, in mm, to the micrometre."""
    row, column, through = AXES[plane]
    left = -(grid.columns - 1) / 2 * grid.spacing
    top = -(grid.rows - 1) / 2 * grid.spacing
    return [
        round(centre[axis] + left * row[axis] + top * column[axis] + w * through[axis], 3) + 0.0 for axis in range(3)
    ]
