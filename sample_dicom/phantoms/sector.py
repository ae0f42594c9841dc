"""How ultrasound makes a picture: beams, speckle, attenuation, shadows and the fan they are shown in.

A phantom draws echoes (dB below full white) and attenuation on a flat map once; each frame samples that map along the
beams, which is cheap enough for cine loops. u is along the probe, v the depth below the skin, mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sample_dicom.phantoms.canvas import Picture, Point, Tissues

PROBE_RADIUS = 50.0
HALF_ANGLE = np.radians(33.0)
LINEAR_WIDTH = 46.0
DYNAMIC_RANGE = 62.0
MAP_SPACING = 0.45
BEAMS = 176
SAMPLES = 300

# (echo in dB, extra attenuation in dB per mm): fluid lets more through than soft tissue, bone and gas nothing.
ECHO: Tissues = {
    "air": (-80.0, 0.0),
    "skin": (-12.0, 0.02),
    "fat": (-33.0, 0.03),
    "fascia": (-13.0, 0.05),
    "muscle": (-34.0, 0.03),
    "liver": (-26.0, 0.0),
    "spleen": (-25.0, 0.0),
    "pancreas": (-20.0, 0.0),
    "thyroid": (-20.0, 0.0),
    "cortex": (-31.0, 0.0),
    "pyramid": (-37.0, 0.0),
    "sinus": (-14.0, 0.05),
    "fluid": (-85.0, -0.12),
    "blood": (-64.0, -0.05),
    "wall": (-11.0, 0.05),
    "gas": (-7.0, 2.4),
    "bone": (-5.0, 3.0),
    "stone": (-4.0, 2.4),
    "nodule": (-33.0, 0.0),
    "bright": (-16.0, 0.0),
    "diaphragm": (-5.0, 0.08),
}


@dataclass(frozen=True)
class Frame:
    """Where the insonated area lies on the screen (pixels), and the size of a pixel in mm."""

    rows: int
    columns: int
    left: int
    top: int
    right: int
    bottom: int
    spacing: float


@lru_cache(maxsize=8)
def frame_of(geometry: str, columns: int, depth: float) -> Frame:
    """The screen for a probe: 4 by 3, the fan as high as fits."""
    rows = 2 * round(columns * 0.375)
    if geometry == "convex":
        width = 2 * (PROBE_RADIUS + depth) * np.sin(HALF_ANGLE)
        height = PROBE_RADIUS + depth - PROBE_RADIUS * np.cos(HALF_ANGLE)
    else:
        width, height = LINEAR_WIDTH, depth
    spacing = max(width / (0.96 * columns), height / (0.92 * rows))
    across, down = width / spacing, height / spacing
    left, top = int((columns - across) / 2), int(0.04 * rows)
    return Frame(rows, columns, left, top, int(left + across), int(top + down), float(spacing))


@lru_cache(maxsize=4)
def _beams(geometry: str, depth: float) -> tuple[Picture, Picture]:
    """(u, v) of each sample (row) of each beam (column)."""
    along = ((np.arange(SAMPLES) + 0.5) * depth / SAMPLES).astype(np.float32)[:, None]
    across = np.linspace(-1, 1, BEAMS, dtype=np.float32)[None, :]
    if geometry == "convex":
        angle = across * np.float32(HALF_ANGLE)
        return (PROBE_RADIUS + along) * np.sin(angle), (PROBE_RADIUS + along) * np.cos(angle) - PROBE_RADIUS
    return across * (LINEAR_WIDTH / 2) + 0 * along, along + 0 * across


@lru_cache(maxsize=4)
def _screen(
    geometry: str, columns: int, depth: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], Picture, Picture, NDArray[np.bool_]]:
    """For each pixel: the beam and sample before it, the shares of the next ones, and whether it is insonated."""
    frame = frame_of(geometry, columns, depth)
    x = ((np.arange(columns) + 0.5 - columns / 2) * frame.spacing)[None, :]
    y = ((np.arange(frame.rows) + 0.5 - frame.top) * frame.spacing)[:, None]
    if geometry == "convex":
        below = y + PROBE_RADIUS * np.cos(HALF_ANGLE)
        along = np.hypot(x, below) - PROBE_RADIUS
        across = np.arctan2(x, below) / HALF_ANGLE
    else:
        along, across = y + 0 * x, x / (LINEAR_WIDTH / 2) + 0 * y
    row = along * SAMPLES / depth - 0.5
    column = (across + 1) / 2 * (BEAMS - 1)
    inside = (row >= 0) & (row < SAMPLES - 1) & (column >= 0) & (column < BEAMS - 1)
    row, column = np.clip(row, 0, SAMPLES - 1.001), np.clip(column, 0, BEAMS - 1.001)
    row_index, column_index = row.astype(np.intp), column.astype(np.intp)
    return (
        row_index[inside],
        column_index[inside],
        (row - row_index)[inside].astype(np.float32),
        (column - column_index)[inside].astype(np.float32),
        inside,
    )


@lru_cache(maxsize=1)
def _speckle() -> Picture:
    """Interference of many scatterers, in dB about its mean: Rayleigh, short along the beam, wide across it."""
    rng = np.random.default_rng(19770716)
    parts = rng.standard_normal((2, 512, 512), dtype=np.float32)
    for axis, rounds in ((-1, 3), (-2, 1)):
        for _ in range(rounds):
            parts = 0.5 * parts + 0.25 * (np.roll(parts, 1, axis) + np.roll(parts, -1, axis))
    power = (parts**2).sum(axis=0)
    sheet = np.asarray(10 * np.log10(power / power.mean() + 1e-3), dtype=np.float32)
    sheet.setflags(write=False)
    return sheet


def scan(
    echo_map: Picture,
    geometry: str,
    columns: int,
    depth: float,
    *,
    move: Point = (0.0, 0.0),
    offset: int = 0,
    pitch: float = MAP_SPACING,
) -> NDArray[np.uint8]:
    """One frame of a map of (echo, attenuation). ``move`` (mm) shifts the tissue, ``offset`` the speckle;
    ``pitch`` is the size of the map's pixels.
    """
    u, v = _beams(geometry, depth)
    _, rows, wide = echo_map.shape
    pick_u = np.clip(((u - move[0]) / pitch + wide / 2).astype(np.intp), 0, wide - 1)
    pick_v = np.clip(((v - move[1]) / pitch).astype(np.intp), 0, rows - 1)
    echo, loss = echo_map[0][pick_v, pick_u], echo_map[1][pick_v, pick_u]
    step = depth / SAMPLES
    # What lies above dims or brightens; the gain curve has already evened out what soft tissue takes.
    through = -np.cumsum(loss, axis=0) * np.float32(step)
    through = np.clip(through, -70, 9)
    # Interfaces that the beam crosses at right angles send back more.
    change = np.abs(np.diff(echo, axis=0, prepend=echo[:1]))
    edge = np.clip(change * 0.35, 0, 9)
    shift_v, shift_u = int(move[1] / step) + 7 * offset, int(move[0] * 2) + 13 * offset
    grain = np.roll(_speckle(), (shift_v, shift_u), (0, 1))[:SAMPLES, :BEAMS]
    along = (np.arange(SAMPLES, dtype=np.float32) / SAMPLES)[:, None]
    # The focus is at half depth; near the skin reverberates, far away noise comes up.
    gain = 2.5 * np.exp(-(((along - 0.5) / 0.3) ** 2)) - 7 * along**2 + 12 * np.exp(-along * 28)
    level = echo + edge + through + 0.85 * grain + gain
    level = np.logaddexp(level * 0.23, -13.5 + 2.0 * along + 0.1 * grain) / 0.23
    shades = np.clip((level + DYNAMIC_RANGE) / DYNAMIC_RANGE, 0, 1) * 240
    i, j, s, t, inside = _screen(geometry, columns, depth)
    top = shades[i, j] * (1 - t) + shades[i, j + 1] * t
    bottom = shades[i + 1, j] * (1 - t) + shades[i + 1, j + 1] * t
    picture = np.zeros(inside.shape, np.uint8)
    picture[inside] = (top + s * (bottom - top)).astype(np.uint8)
    return picture
