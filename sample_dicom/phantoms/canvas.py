"""The drawing board of all phantoms: soft-edged shapes in millimetres, organic wobble, and noise.

One canvas is one slice. Shapes return a Region (a window of the picture and its coverage, 0 to 1); painting blends a
tissue into all contrasts at once, so that T1, T2 and FLAIR of one anatomy cost one drawing. u runs along the columns
(to the image's right), v down the rows, w through the slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Contrasts = tuple[float, ...]
Tissues = Mapping[str, Contrasts]
Point = tuple[float, float]


@dataclass(frozen=True)
class Region:
    """Coverage of part of a canvas: ``alpha`` is 1 inside the shape, 0 outside, between the two on its soft edge."""

    rows: slice
    columns: slice
    alpha: Picture

    @property
    def empty(self) -> bool:
        """Nothing of the shape lies on this slice."""
        return self.alpha.size == 0

    def times(self, factor: float | Picture) -> Region:
        """The same shape, thinned. An array has the size of the whole canvas."""
        if self.empty:
            return self
        part = factor if isinstance(factor, int | float) else factor[self.rows, self.columns]
        return replace(self, alpha=(self.alpha * part).astype(np.float32, copy=False))

    def without(self, other: Region) -> Region:
        """What this shape covers and the other does not."""
        if self.empty or other.empty:
            return self
        return self.times_part(1 - other.spread(self))

    def within(self, other: Region) -> Region:
        """What both cover."""
        if self.empty or other.empty:
            return NOWHERE
        return self.times_part(other.spread(self))

    def times_part(self, part: Picture) -> Region:
        """Thinned by an array of this region's own size."""
        return replace(self, alpha=self.alpha * part)

    def spread(self, onto: Region) -> Picture:
        """This coverage on the window of another region."""
        out = np.zeros(onto.alpha.shape, np.float32)
        top, bottom = max(self.rows.start, onto.rows.start), min(self.rows.stop, onto.rows.stop)
        left, right = (
            max(self.columns.start, onto.columns.start),
            min(self.columns.stop, onto.columns.stop),
        )
        if top < bottom and left < right:
            out[
                top - onto.rows.start : bottom - onto.rows.start,
                left - onto.columns.start : right - onto.columns.start,
            ] = self.alpha[
                top - self.rows.start : bottom - self.rows.start,
                left - self.columns.start : right - self.columns.start,
            ]
        return out


NOWHERE = Region(slice(0, 0), slice(0, 0), np.zeros((0, 0), np.float32))


@dataclass(frozen=True)
class Grid:
    """The pixels of a slice in millimetres, centred on (0, 0)."""

    rows: int
    columns: int
    spacing: float

    @property
    def u(self) -> Picture:
        """Column positions in mm, as a row vector."""
        return _axis(self.columns, self.spacing)[None, :]

    @property
    def v(self) -> Picture:
        """Row positions in mm, as a column vector."""
        return _axis(self.rows, self.spacing)[:, None]


@lru_cache(maxsize=16)
def _axis(count: int, spacing: float) -> Picture:
    return ((np.arange(count) - (count - 1) / 2) * spacing).astype(np.float32)


class Field:
    """Smooth random relief in three dimensions, about -1 to 1: a lattice of numbers joined by cubic B-splines.

    ``cell`` is the distance of the lattice points in mm. Beyond its extent the relief repeats.
    """

    LATTICE = 24

    def __init__(self, rng: np.random.Generator, cell: float, *, depth_cell: float | None = None) -> None:
        self.cell = cell
        self.depth_cell = depth_cell or cell
        # 2.2 brings the spline's smoothed spread back to about one.
        self.lattice = (2.2 * rng.standard_normal((self.LATTICE,) * 3)).astype(np.float32)

    def at(self, grid: Grid, w: float) -> Picture:
        """The relief on the slice at ``w`` mm."""
        # Four weighted neighbours an axis; small matrix products would wake the BLAS's threads for nothing.
        sheet = _blend(self.lattice, _spline(np.array([w / self.depth_cell]), self.LATTICE), 0)[0]
        sheet = _blend(sheet, _spline_axis(grid.columns, grid.spacing, self.cell), 1)
        return _blend(sheet, _spline_axis(grid.rows, grid.spacing, self.cell), 0)


Weights = tuple[tuple[NDArray[np.intp], Picture], ...]


def _blend(lattice: Picture, weights: Weights, axis: int) -> Picture:
    """The lattice resampled along one axis."""
    shape = [1] * lattice.ndim
    shape[axis] = -1
    parts = (np.take(lattice, index, axis) * share.reshape(shape) for index, share in weights)
    total = next(parts)
    for part in parts:
        total += part
    return total


@lru_cache(maxsize=64)
def _spline_axis(count: int, spacing: float, cell: float) -> Weights:
    return _spline(_axis(count, spacing) / cell, Field.LATTICE)


def _spline(places: NDArray[np.floating], size: int) -> Weights:
    """The four neighbours of each place, and their shares, in a periodic uniform cubic B-spline."""
    whole = np.floor(places).astype(np.intp)
    t = (places - whole).astype(np.float32)
    shares = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    return tuple(((whole + offset - 1) % size, share) for offset, share in enumerate(shares))


class Canvas:
    """One slice being drawn, in as many contrasts as the tissue table has columns."""

    def __init__(
        self,
        grid: Grid,
        tissues: Tissues,
        *,
        w: float = 0.0,
        background: str = "air",
        wobble: tuple[Field, Field] | None = None,
        amplitude: float = 0.0,
        origin: Point = (0.0, 0.0),
        scale: float = 1.0,
        shear: float = 0.0,
    ) -> None:
        """``origin`` is where the drawing's (0, 0) lies on the grid, ``scale`` how large a drawn mm is there.
        Depth is not scaled: a child's protocol covers the same anatomy as an adult's, whatever the phantom's size.

        ``amplitude`` (mm) is how far the wobble bends shapes, ``shear`` how far they lean to the right per mm down.
        """
        self.grid = grid
        self.tissues = tissues
        self.w = w
        base = np.array(tissues[background], np.float32)
        self.data = np.empty((len(base), grid.rows, grid.columns), np.float32)
        self.data[:] = base[:, None, None]
        self._origin, self._scale = origin, scale
        half_height = grid.rows * grid.spacing / 2
        self._margin = 3 * amplitude * scale + 2 * grid.spacing + abs(shear) * half_height
        v = (grid.v - np.float32(origin[1])) / np.float32(scale)
        u = (grid.u - np.float32(origin[0])) / np.float32(scale) - np.float32(shear) * v
        u, v = np.broadcast_arrays(u, v)
        self.u: Picture = u
        self.v: Picture = v
        if wobble is not None:
            self.u = u + np.float32(amplitude) * wobble[0].at(grid, w)
            self.v = v + np.float32(amplitude) * wobble[1].at(grid, w)

    # -- shapes

    def ellipse(self, at: Point, radii: Point, *, turn: float = 0.0, soft: float = 0.0, power: float = 2.0) -> Region:
        """An ellipse (``power`` 2) or a rounded box (more). ``turn`` in degrees clockwise, ``soft`` in mm."""
        a, b = radii
        if a <= 0.2 * self.grid.spacing or b <= 0.2 * self.grid.spacing:
            return NOWHERE
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        window = self._window(at, a * abs(cos) + b * abs(sin) + soft, a * abs(sin) + b * abs(cos) + soft)
        if window is None:
            return NOWHERE
        x, y = self.u[window] - np.float32(at[0]), self.v[window] - np.float32(at[1])
        if turn:
            x, y = x * np.float32(cos) + y * np.float32(sin), y * np.float32(cos) - x * np.float32(sin)
        if power == 2.0:
            radius = np.sqrt((x * np.float32(1 / a)) ** 2 + (y * np.float32(1 / b)) ** 2)
        else:
            radius = (np.abs(x / a) ** np.float32(power) + np.abs(y / b) ** np.float32(power)) ** np.float32(1 / power)
        edge = max(soft, 1.2 * self.grid.spacing)
        return self._region(window, 0.5 + (1 - radius) * np.float32(min(a, b) / edge))

    def blob(
        self,
        at: tuple[float, float, float],
        radii: tuple[float, float, float],
        *,
        turn: float = 0.0,
        soft: float = 0.0,
        power: float = 2.0,
        lean: Point = (0.0, 0.0),
    ) -> Region:
        """An ellipsoid cut by this slice. ``lean`` moves its centre by so many mm per mm of w."""
        offset = self.w - at[2]
        squeeze = 1 - (offset / radii[2]) ** 2
        if squeeze <= 0:
            return NOWHERE
        scale = float(squeeze**0.5)
        return self.ellipse(
            (at[0] + lean[0] * offset, at[1] + lean[1] * offset),
            (radii[0] * scale, radii[1] * scale),
            turn=turn,
            soft=soft,
            power=power,
        )

    def depth(self, at: Point, radii: Point) -> Picture:
        """How far (mm, roughly) every pixel of the slice lies inside an ellipse; negative outside."""
        x, y = self.u - np.float32(at[0]), self.v - np.float32(at[1])
        radius = np.sqrt((x * np.float32(1 / radii[0])) ** 2 + (y * np.float32(1 / radii[1])) ** 2)
        return np.asarray((1 - radius) * np.float32(min(radii)), dtype=np.float32)

    def where(self, alpha: NDArray[np.floating]) -> Region:
        """A region of the whole slice from any picture of coverage; it is cut to 0 to 1."""
        return self._region((slice(0, self.grid.rows), slice(0, self.grid.columns)), alpha)

    def band(self, points: Sequence[Point], widths: float | Sequence[float], *, soft: float = 0.0) -> Region:
        """A stroke along a line of points, ``widths`` its half width in mm at each of them."""
        half = [widths] * len(points) if isinstance(widths, int | float) else list(widths)
        us, vs = [point[0] for point in points], [point[1] for point in points]
        reach = max(half) + soft
        centre = ((min(us) + max(us)) / 2, (min(vs) + max(vs)) / 2)
        window = self._window(centre, (max(us) - min(us)) / 2 + reach, (max(vs) - min(vs)) / 2 + reach)
        if window is None:
            return NOWHERE
        inside, _ = self._along(window, points, half)
        edge = max(soft, 1.2 * self.grid.spacing)
        return self._region(window, 0.5 + inside / np.float32(edge))

    def tube(self, points: Sequence[Point], widths: float | Sequence[float], *, hollow: float = 0.0) -> Region:
        """The shadow of a rod seen from the side, thickest in its middle; ``hollow`` takes a softer core out of it."""
        half = [widths] * len(points) if isinstance(widths, int | float) else list(widths)
        us, vs = [point[0] for point in points], [point[1] for point in points]
        centre = ((min(us) + max(us)) / 2, (min(vs) + max(vs)) / 2)
        window = self._window(centre, (max(us) - min(us)) / 2 + max(half), (max(vs) - min(vs)) / 2 + max(half))
        if window is None:
            return NOWHERE
        inside, radius = self._along(window, points, half)
        off = 1 - inside / radius
        shadow = np.sqrt(np.clip(1 - off * off, 0, 1)) * (off < 1)
        if hollow:
            core = np.clip(1 - (off / np.float32(hollow)) ** 2, 0, 1)
            shadow = shadow - np.float32(0.62 * hollow) * np.sqrt(core)
        return self._region(window, shadow)

    def chord(self, at: Point, radii: Point, *, turn: float = 0.0, power: float = 2.0) -> Region:
        """The shadow of a ball-like body: how much of it a ray crosses, 1 in the middle."""
        region = self.ellipse(at, radii, turn=turn, soft=2 * min(radii), power=power)
        # A soft ellipse of that width falls linearly from the middle: turn the fall into a chord.
        return replace(region, alpha=np.sqrt(np.clip(1 - (2 * (1 - np.clip(region.alpha, 0.5, 1))) ** 2, 0, 1)))

    def _along(
        self, window: tuple[slice, slice], points: Sequence[Point], half: Sequence[float]
    ) -> tuple[Picture, Picture]:
        """How far (mm) each pixel lies inside a stroke (negative outside), and the stroke's half width there."""
        u, v = self.u[window], self.v[window]
        best = np.full(u.shape, -1e9, np.float32)
        radius = np.full(u.shape, half[0], np.float32)
        for (u0, v0), (u1, v1), r0, r1 in zip(points, points[1:], half, half[1:], strict=False):
            du, dv = u1 - u0, v1 - v0
            length = du * du + dv * dv
            x, y = u - np.float32(u0), v - np.float32(v0)
            t = np.clip((x * np.float32(du) + y * np.float32(dv)) / np.float32(length or 1), 0, 1)
            away = np.sqrt((x - t * np.float32(du)) ** 2 + (y - t * np.float32(dv)) ** 2)
            here = np.float32(r0) + t * np.float32(r1 - r0)
            inside = here - away
            if r0 != r1:
                np.copyto(radius, here, where=inside > best)
            np.maximum(best, inside, out=best)
        return best, radius

    def everywhere(self) -> Region:
        """The whole slice."""
        return Region(
            slice(0, self.grid.rows),
            slice(0, self.grid.columns),
            np.ones((self.grid.rows, self.grid.columns), np.float32),
        )

    def _window(self, at: Point, reach_u: float, reach_v: float) -> tuple[slice, slice] | None:
        grid = self.grid
        half_u, half_v = (grid.columns - 1) / 2, (grid.rows - 1) / 2
        at = (at[0] * self._scale + self._origin[0], at[1] * self._scale + self._origin[1])
        reach_u, reach_v = reach_u * self._scale, reach_v * self._scale
        left = int((at[0] - reach_u - self._margin) / grid.spacing + half_u)
        right = int((at[0] + reach_u + self._margin) / grid.spacing + half_u) + 2
        top = int((at[1] - reach_v - self._margin) / grid.spacing + half_v)
        bottom = int((at[1] + reach_v + self._margin) / grid.spacing + half_v) + 2
        left, right = max(left, 0), min(right, grid.columns)
        top, bottom = max(top, 0), min(bottom, grid.rows)
        if left >= right or top >= bottom:
            return None
        return slice(top, bottom), slice(left, right)

    @staticmethod
    def _region(window: tuple[slice, slice], alpha: NDArray[np.floating]) -> Region:
        return Region(window[0], window[1], np.clip(alpha, 0, 1).astype(np.float32, copy=False))

    # -- painting

    def paint(self, region: Region, tissue: str) -> Region:
        """Blend a tissue into every contrast, and hand the region back for what goes into it."""
        if not region.empty:
            for plane, value in zip(self.data, self.tissues[tissue], strict=True):
                part = plane[region.rows, region.columns]
                part += region.alpha * (np.float32(value) - part)
        return region

    def add(self, region: Region, amounts: float | Contrasts) -> None:
        """Add an amount to every contrast (or one for each), weighted by the coverage."""
        if region.empty:
            return
        each = (amounts,) * len(self.data) if isinstance(amounts, int | float) else amounts
        for plane, amount in zip(self.data, each, strict=True):
            if amount:
                plane[region.rows, region.columns] += region.alpha * np.float32(amount)


def blur(picture: Picture, rounds: int = 1) -> Picture:
    """A light 1-2-1 blur of the last two axes: the point spread of a scanner. Edges wrap, which air hides."""
    for _ in range(rounds):
        for axis in (-1, -2):
            picture = 0.5 * picture + 0.25 * (np.roll(picture, 1, axis) + np.roll(picture, -1, axis))
    return picture


NOISE_TILE = 640


@lru_cache(maxsize=2)
def noise_tile(correlated: bool) -> Picture:
    """A fixed sheet of unit noise to cut from at random: new noise for every slice would be half the cost."""
    sheet = np.random.default_rng(20240229).standard_normal((NOISE_TILE, NOISE_TILE), dtype=np.float32)
    if correlated:
        # Filtered back projection leaves CT noise with a grain of two or three pixels.
        sheet = blur(sheet)
        sheet /= sheet.std()
    sheet.setflags(write=False)
    return sheet


def noise(rng: np.random.Generator, rows: int, columns: int, *, correlated: bool = False) -> Picture:
    """Unit noise of this size, cut from the tile at a random place, mirrored at random, repeated if need be."""
    tile = noise_tile(correlated)
    top, left, flip = rng.integers(0, NOISE_TILE, 3)
    row_index = (np.arange(rows) + top) % NOISE_TILE
    column_index = (np.arange(columns) + left) % NOISE_TILE
    sheet = tile[np.ix_(row_index, column_index)]
    return sheet[:, ::-1] if flip % 2 else sheet
