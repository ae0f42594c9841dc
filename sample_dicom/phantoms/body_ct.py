"""Chest and abdomen CT: the trunk with its organs, unenhanced, in the pulmonary arterial or portal venous phase."""

from __future__ import annotations

from functools import partial

from sample_dicom.phantoms import thorax, viscera
from sample_dicom.phantoms.canvas import Grid, Picture, Tissues
from sample_dicom.phantoms.subject import Build, Generator, Slicer
from sample_dicom.phantoms.torso import PLAIN, PORTAL, PULMONARY, Trunk, make_trunk, prepare, ribs, section, spine


def plain(rng: Generator, build: Build) -> Slicer:
    """No contrast agent."""
    return partial(_slice, make_trunk(rng, build), PLAIN)


def pulmonary(rng: Generator, build: Build) -> Slicer:
    """Contrast agent in the right heart and the pulmonary arteries."""
    return partial(_slice, make_trunk(rng, build), PULMONARY)


def portal(rng: Generator, build: Build) -> Slicer:
    """Contrast agent in the organs and veins, seventy seconds on."""
    return partial(_slice, make_trunk(rng, build), PORTAL)


def _slice(trunk: Trunk, tissues: Tissues, grid: Grid, w: float) -> Picture:
    canvas = prepare(trunk, grid, w, tissues)
    here = section(canvas.w)
    thorax.draw(canvas, here, trunk)
    viscera.draw(canvas, here, trunk)
    ribs(canvas, here)
    spine(canvas, here, trunk)
    return canvas.data
