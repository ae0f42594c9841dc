"""A stored object's header as people read it, two of them compared, and what a viewer needs to know of an image."""

from __future__ import annotations

from enum import StrEnum

from sandbox.model.base import Model


class HeaderLine(Model):
    """One data element, or the beginning of a sequence's item (``is_item``, without a tag). ``path`` is unique within
    the object, ``depth`` counts the sequences around it, ``length`` is in bytes (None: undefined, or not known)."""

    path: str
    depth: int
    tag: str = ""
    vr: str = ""
    keyword: str = ""
    name: str = ""
    value: str = ""
    length: int | None = None
    is_private: bool = False
    is_item: bool = False


class HeaderSource(Model):
    """Which object: at which node, in which study, and how large its file is in bytes."""

    node: str
    sop_instance: str
    study_uid: str = ""
    patient_name: str = ""
    sop_class_name: str = ""
    transfer_syntax: str = ""
    size: int = 0


class HeaderView(Model):
    """A header, element by element, file meta information first (PS3.10 7.1). ``left_out`` lines were too many."""

    source: HeaderSource
    lines: tuple[HeaderLine, ...]
    left_out: int = 0


class How(StrEnum):
    """How an element of two objects differs."""

    DIFFERS = "differs"
    ONLY_LEFT = "only-left"
    ONLY_RIGHT = "only-right"


class HeaderDifference(Model):
    path: str
    depth: int
    tag: str
    vr: str
    keyword: str
    name: str
    is_private: bool
    how: How
    left: str = ""
    right: str = ""


class HeaderComparison(Model):
    """Two headers beside each other. ``pixels`` says in a sentence whether the pixel data are the same, ``same`` are
    the elements that are alike."""

    left: HeaderSource
    right: HeaderSource
    pixels: str
    pixels_same: bool | None = None
    differences: tuple[HeaderDifference, ...]
    same: tuple[HeaderLine, ...]
    left_out: int = 0


class ImageFacts(Model):
    """What a viewer needs of an image: ``spacing`` is the distance of rows and of columns in mm, ``spacing_of`` what it
    was measured at; window as in the header, in ``unit``; ``frame_ms`` how long a frame is shown."""

    sop_instance: str
    rows: int = 0
    columns: int = 0
    frames: int = 1
    spacing: tuple[float, float] | None = None
    spacing_of: str = ""
    center: float | None = None
    width: float | None = None
    unit: str = ""
    photometric: str = ""
    frame_ms: float | None = None
    number: str = ""
    location_mm: float | None = None
    orientation: tuple[str, str] | None = None
    view: str = ""
    laterality: str = ""
    transfer_syntax: str = ""
