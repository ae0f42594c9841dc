"""The scanner that an image says it comes from, and how large it scans."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from sandbox.model.base import Model


class Station(Model):
    """What the General Equipment module (PS3.3 C.7.5.1) tells of the modality, and its AE title."""

    ae_title: str = Field(min_length=1, max_length=16)
    station_name: str = Field(default="", max_length=16)
    manufacturer: str = Field(default="Riverside Imaging Systems", max_length=64)
    model: str = Field(default="", max_length=64)
    institution: str = Field(default="Riverside Community Hospital", max_length=64)
    department: str = Field(default="Radiology", max_length=64)


@dataclass(frozen=True)
class Size:
    """How large a study becomes. The default keeps labs light; FULL is what a hospital makes.

    ``matrix`` is rows and columns of CT and MR, ``slices`` those of one series, ``film`` the rows of a DX image,
    ``sonogram`` the columns of a US image, ``stills`` and ``cine_frames`` what a US examination holds.
    """

    matrix: int = 256
    slices: int = 16
    film: int = 512
    sonogram: int = 480
    stills: int = 5
    cine_frames: int = 16


DEFAULT = Size()
TINY = Size(matrix=64, slices=4, film=128, sonogram=128, stills=2, cine_frames=3)
FULL = Size(matrix=512, slices=80, film=2048, sonogram=960, stills=12, cine_frames=60)
