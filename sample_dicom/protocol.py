"""What a protocol is: the settings by which a modality acquires a procedure, and the phantom that lies in it.

The values are of the kind a technologist would recognise; the table of them is sample_dicom.protocols.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sample_dicom.instances.planes import Plane, Vector
from sample_dicom.phantoms.subject import Build, Generator, Radiograph, Slicer, Sonogram


@dataclass(frozen=True)
class CTProtocol:
    """A localizer and one axial series. Lengths in mm, noise in HU."""

    name: str
    subject: Callable[[Generator, Build], Slicer]
    fov: float
    span: tuple[float, float]
    window: tuple[int, int]
    kernel: str
    kvp: int
    current: int
    noise: float
    agent: str = ""
    table_height: float = 145.0


@dataclass(frozen=True)
class MRSeries:
    """One pulse sequence. ``contrast`` is the phantom's contrast that it shows; times in ms."""

    description: str
    contrast: int
    sequence: tuple[str, ...]
    variant: tuple[str, ...]
    tr: float
    te: float
    flip: int
    train: int
    ti: float | None = None
    fat_suppressed: bool = False


@dataclass(frozen=True)
class MRProtocol:
    """Series through one body in one plane. Lengths in mm; ``span`` is that of w."""

    name: str
    subject: Callable[[Generator, Build], Slicer]
    fov: float
    span: tuple[float, float]
    plane: Plane
    coil: str
    series: tuple[MRSeries, ...]
    centre: Vector = (0.0, 0.0, 0.0)
    noise: float = 13.0
    contrasts: int = 3


@dataclass(frozen=True)
class DXView:
    """One exposure. ``orientation`` is the patient's towards the image's right and bottom (PS3.3 C.7.6.1.1.1)."""

    name: str
    description: str
    position: str
    code: tuple[str, str, str]
    orientation: tuple[str, str]
    kvp: int
    exposure: int


@dataclass(frozen=True)
class DXProtocol:
    """Views of one body part. ``height`` and ``width`` of the field in mm."""

    name: str
    subject: Callable[[Generator, Build], Radiograph]
    height: float
    width: float
    views: tuple[DXView, ...]
    grid: bool


@dataclass(frozen=True)
class USProtocol:
    """Views with one transducer; the first is also taken as a cine. ``depth`` in mm."""

    name: str
    subject: Callable[[Generator, Build], Sonogram]
    views: tuple[str, ...]
    transducer: str
    geometry: str
    frequency: float
    depth: float
    frame_time: float = 50.0


Protocol = CTProtocol | MRProtocol | DXProtocol | USProtocol
