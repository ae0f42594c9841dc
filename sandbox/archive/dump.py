"""A stored file's header as lines of text, two of them compared, and an image's facts. Pixel data are told as a size.

Whatever the file holds is shown as it stands: a value that its VR does not allow is evidence, and no reason to fail.
What is too much for a screen is counted and left out.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.datadict import dictionary_description, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from sandbox.archive.display import LARGEST_INFLATED
from sandbox.archive.header import UnreadableError, inflated
from sandbox.archive.part10 import NotPart10Error, opened
from sandbox.dicom.codecs import PIXEL_TAGS, pixel_place
from sandbox.dicom.explain import uid_name
from sandbox.model.errors import ConflictError
from sandbox.model.header_view import (
    HeaderComparison,
    HeaderDifference,
    HeaderLine,
    HeaderSource,
    HeaderView,
    How,
    ImageFacts,
)

MOST_LINES = 3000
LONGEST = 240
"""Characters of a value that are shown."""

DEEPEST = 12
_LARGEST_PIXELS = 512_000_000
_BYTES = frozenset({"OB", "OW", "OD", "OF", "OL", "OV", "UN"})
_UNDEFINED = 0xFFFFFFFF
_SHOWN_BYTES = 16
_GROUP_LENGTH = Tag(0x0002, 0x0000)


@dataclass(frozen=True)
class Dump:
    """A file that was read: ``lines`` with their whole values, and where the pixel data are."""

    source: HeaderSource
    lines: tuple[HeaderLine, ...]
    pixels: tuple[int, int] | None
    path: Path


def header_view(node: str, path: Path) -> HeaderView:
    """The header of the file at ``path``, which is ``node``'s. ConflictError for what cannot be read."""
    dump = read(node, path)
    shown = tuple(_cut(line) for line in dump.lines[:MOST_LINES])
    return HeaderView(source=dump.source, lines=shown, left_out=len(dump.lines) - len(shown))


def compare(left: Dump, right: Dump) -> HeaderComparison:
    """Two headers, element by element. Sequences are compared item by item, in their order."""
    here = {line.path: line for line in left.lines if not line.is_item and line.tag != "(0002,0000)"}
    there = {line.path: line for line in right.lines if not line.is_item and line.tag != "(0002,0000)"}
    differences: list[HeaderDifference] = []
    same: list[HeaderLine] = []
    for path in sorted(here.keys() | there.keys(), key=_place):
        one, other = here.get(path), there.get(path)
        line = one or other
        assert line is not None
        if one is not None and other is not None and (one.value, one.vr) == (other.value, other.vr):
            same.append(_cut(one))
            continue
        how = How.ONLY_RIGHT if one is None else How.ONLY_LEFT if other is None else How.DIFFERS
        differences.append(
            HeaderDifference(
                path=path,
                depth=line.depth,
                tag=line.tag,
                vr=line.vr if one is None or other is None or one.vr == other.vr else f"{one.vr} and {other.vr}",
                keyword=line.keyword,
                name=line.name,
                is_private=line.is_private,
                how=how,
                left="" if one is None else _short(one.value),
                right="" if other is None else _short(other.value),
            )
        )
    told, is_same = _pixels(left, right)
    return HeaderComparison(
        left=left.source,
        right=right.source,
        pixels=told,
        pixels_same=is_same,
        differences=tuple(differences[:MOST_LINES]),
        same=tuple(same[:MOST_LINES]),
        left_out=max(0, len(differences) - MOST_LINES) + max(0, len(same) - MOST_LINES),
    )


def read(node: str, path: Path) -> Dump:
    """Read a file's header. ConflictError for what cannot be read."""
    dataset, pixels = _dataset(path)
    meta = getattr(dataset, "file_meta", None) or Dataset()
    lines = [*_lines(meta, "", 0), *_lines(dataset, "", 0)]
    syntax = str(meta.get("TransferSyntaxUID", ""))
    if pixels is not None:
        lines.append(_pixel_line(dataset, pixels, syntax))
    source = HeaderSource(
        node=node,
        sop_instance=_text_of(dataset, "SOPInstanceUID"),
        study_uid=_text_of(dataset, "StudyInstanceUID"),
        patient_name=_text_of(dataset, "PatientName"),
        sop_class_name=uid_name(_text_of(dataset, "SOPClassUID")),
        transfer_syntax=uid_name(syntax),
        size=path.stat().st_size,
    )
    return Dump(source, tuple(lines), pixels, path)


def _dataset(path: Path) -> tuple[Dataset, tuple[int, int] | None]:
    """The header, and where the pixel data lie in the file: first byte and how many; none where they are in memory."""
    try:
        with opened(path) as (found, encoded):
            if found.transfer_syntax == DeflatedExplicitVRLittleEndian:
                size = 0
                for piece in inflated(encoded):
                    size += len(piece)
                    if size > LARGEST_INFLATED:
                        raise ConflictError("This object is too large to be shown here.", "Use dcmdump.")
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if found.transfer_syntax == DeflatedExplicitVRLittleEndian:
                return dcmread(file, force=True), None
            dataset = dcmread(file, stop_before_pixels=True, force=True)
            place = pixel_place(file, UID(found.transfer_syntax))
            if place is None:
                return dataset, None
            end = path.stat().st_size if place.length is None else place.start + place.length
            return dataset, (place.start, end - place.start)
    except (OSError, InvalidDicomError, NotPart10Error, UnreadableError, EOFError, ValueError) as wrong:
        raise ConflictError("This file cannot be read.", "It may have been removed or damaged.") from wrong


def _pixel_line(dataset: Dataset, pixels: tuple[int, int], syntax: str) -> HeaderLine:
    encapsulated = UID(syntax).is_encapsulated if syntax else False
    frames = _text_of(dataset, "NumberOfFrames") or "1"
    what = f"{frames} frame{'' if frames == '1' else 's'}, {'compressed' if encapsulated else 'as it is'}"
    return HeaderLine(
        path="7FE00010",
        depth=0,
        tag="(7FE0,0010)",
        vr="OB" if encapsulated else "OW",
        keyword="PixelData",
        name="Pixel Data",
        value=f"{pixels[1]:,} bytes ({what})",
        length=pixels[1],
    )


def _lines(dataset: Dataset, within: str, depth: int) -> Iterator[HeaderLine]:
    for tag in sorted(dataset.keys()):
        raw = dataset.get_item(tag)
        length = raw.length if isinstance(raw, RawDataElement) and raw.length != _UNDEFINED else None
        path = f"{within}{int(tag):08X}"
        vr, value = _element(dataset, tag)
        items = list(value) if vr == "SQ" and value is not None and not isinstance(value, str | bytes) else []
        yield HeaderLine(
            path=path,
            depth=depth,
            tag=f"({tag.group:04X},{tag.element:04X})",
            vr=vr,
            keyword=keyword_for_tag(tag),
            name=_name(dataset, tag),
            value=f"{len(items)} item{'' if len(items) == 1 else 's'}" if vr == "SQ" else _words(tag, vr, value),
            length=length,
            is_private=tag.is_private,
        )
        if depth >= DEEPEST:
            continue
        for number, item in enumerate(items, start=1):
            yield HeaderLine(path=f"{path}[{number}]", depth=depth + 1, name=f"Item {number}", is_item=True)
            yield from _lines(item, f"{path}[{number}].", depth + 1)


def _element(dataset: Dataset, tag: BaseTag) -> tuple[str, Any]:
    """VR and value; the raw bytes where they cannot be read as what they claim to be."""
    raw = dataset.get_item(tag)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            element = dataset[tag]
            return str(element.VR), element.value
    except Exception:
        # pydicom raises many kinds of errors for values that no VR allows; they are shown as they stand.
        return str(getattr(raw, "VR", None) or "UN"), getattr(raw, "value", b"") or b""


def _words(tag: BaseTag, vr: str, value: Any) -> str:
    if int(tag) in PIXEL_TAGS:
        return f"{len(value):,} bytes"
    if value is None:
        return ""
    if isinstance(value, bytes):
        if vr not in _BYTES:
            return value.decode("latin-1").rstrip("\0 ")
        start = " ".join(f"{byte:02x}" for byte in value[:_SHOWN_BYTES])
        if len(value) <= _SHOWN_BYTES:
            return start
        # The digest is what comparing goes by.
        return f"{len(value):,} bytes: {start} … (SHA-1 {hashlib.sha1(value, usedforsecurity=False).hexdigest()[:12]})"
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join(_words(tag, vr, each) for each in value)
    if vr == "UI" and value:
        name = uid_name(str(value))
        return str(value) if name == str(value) else f"{value} ({name})"
    if vr == "AT":
        return f"({int(value) >> 16:04X},{int(value) & 0xFFFF:04X})"
    return str(value)


def _name(dataset: Dataset, tag: BaseTag) -> str:
    if tag.is_private:
        with suppress(Exception):
            return str(dataset[tag].name).strip("[]")
        return "Private element"
    try:
        return dictionary_description(tag)
    except KeyError:
        return "Group length" if tag.element == 0 else "Unknown element"


def _place(path: str) -> tuple[tuple[int, int], ...]:
    """Where an element stands: by tag, within sequences by item."""
    found = []
    for part in path.split("."):
        tag, _, number = part.partition("[")
        found.append((int(tag, 16), int(number.rstrip("]") or 0)))
    return tuple(found)


def _cut(line: HeaderLine) -> HeaderLine:
    return line if len(line.value) <= LONGEST else line.model_copy(update={"value": _short(line.value)})


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _pixels(left: Dump, right: Dump) -> tuple[str, bool | None]:
    if left.pixels is None or right.pixels is None:
        if left.pixels == right.pixels:
            return "Neither has pixel data that could be compared.", None
        return "Only one of them has pixel data.", False
    if left.source.transfer_syntax != right.source.transfer_syntax:
        return (
            f"The pixel data are stored in different transfer syntaxes ({left.source.transfer_syntax} and "
            f"{right.source.transfer_syntax}), so their bytes cannot be compared.",
            None,
        )
    if max(left.pixels[1], right.pixels[1]) > _LARGEST_PIXELS:
        return "The pixel data are too large to be compared here.", None
    if left.pixels[1] == right.pixels[1] and _digest(left) == _digest(right):
        return "The pixel data are the same, byte for byte.", True
    return "The pixel data differ.", False


def _digest(dump: Dump) -> str:
    assert dump.pixels is not None
    start, count = dump.pixels
    digest = hashlib.sha256()
    with dump.path.open("rb") as file:
        file.seek(start)
        while count > 0 and (piece := file.read(min(count, 1 << 20))):
            digest.update(piece)
            count -= len(piece)
    return digest.hexdigest()


# --- an image's facts ------------------------------------------------------------------------------------------------

_SPACINGS = (
    ("PixelSpacing", "in the patient"),
    ("ImagerPixelSpacing", "at the detector"),
    ("NominalScannedPixelSpacing", "of the scan"),
)
"""Where the distance of pixels stands (PS3.3 10.7), and what it was measured at. The first there is counts."""


def image_facts(path: Path) -> ImageFacts:
    """What a viewer needs of the image in ``path``. ConflictError for what cannot be read."""
    dataset, _ = _dataset(path)
    groups = _groups(dataset)
    spacing, of = _spacing(dataset, groups)
    voi = _first(groups, "FrameVOILUTSequence") or dataset
    frame_ms = _number(dataset, "FrameTime")
    rate = _number(dataset, "RecommendedDisplayFrameRate") or _number(dataset, "CineRate")
    orientation = dataset.get("PatientOrientation")
    meta = getattr(dataset, "file_meta", None) or Dataset()
    return ImageFacts(
        sop_instance=_text_of(dataset, "SOPInstanceUID"),
        rows=int(_number(dataset, "Rows") or 0),
        columns=int(_number(dataset, "Columns") or 0),
        frames=max(1, int(_number(dataset, "NumberOfFrames") or 1)),
        spacing=spacing,
        spacing_of=of,
        center=_number(voi, "WindowCenter"),
        width=_number(voi, "WindowWidth"),
        unit="HU" if _text_of(dataset, "Modality") == "CT" else "",
        photometric=_text_of(dataset, "PhotometricInterpretation"),
        frame_ms=frame_ms or (1000.0 / rate if rate else None),
        number=_text_of(dataset, "InstanceNumber"),
        location_mm=_number(dataset, "SliceLocation"),
        orientation=(str(orientation[0]), str(orientation[1]))
        if isinstance(orientation, MultiValue) and len(orientation) == 2
        else None,
        view=_text_of(dataset, "ViewPosition"),
        laterality=_text_of(dataset, "ImageLaterality") or _text_of(dataset, "Laterality"),
        transfer_syntax=uid_name(str(meta.get("TransferSyntaxUID", ""))),
    )


def _groups(dataset: Dataset) -> list[Dataset]:
    """Functional groups of an enhanced image (PS3.3 C.7.6.16): the first frame's, then those shared by all."""
    found: list[Dataset] = []
    for keyword in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        with suppress(Exception):
            found += list(dataset.get(keyword) or [])[:1]
    return found


def _first(groups: list[Dataset], macro: str) -> Dataset | None:
    for group in groups:
        with suppress(Exception):
            for item in group.get(macro) or []:
                return item if isinstance(item, Dataset) else None
    return None


def _spacing(dataset: Dataset, groups: list[Dataset]) -> tuple[tuple[float, float] | None, str]:
    measures = _first(groups, "PixelMeasuresSequence")
    for holder in (dataset, measures):
        for keyword, of in _SPACINGS:
            with suppress(Exception):
                value = holder.get(keyword) if holder is not None else None
                if value and len(value) == 2 and all(0 < float(one) < math.inf for one in value):
                    return (float(value[0]), float(value[1])), of
    with suppress(Exception):
        for region in dataset.get("SequenceOfUltrasoundRegions") or []:
            # Physical units 3 are centimetres (PS3.3 C.8.5.5.1.15).
            if int(region.PhysicalUnitsXDirection) == 3 and int(region.PhysicalUnitsYDirection) == 3:
                return (
                    (abs(float(region.PhysicalDeltaY)) * 10, abs(float(region.PhysicalDeltaX)) * 10),
                    "of the ultrasound region",
                )
    return None, ""


def _number(dataset: Dataset, keyword: str) -> float | None:
    try:
        value = dataset.get(keyword)
        if isinstance(value, MultiValue | list):
            value = value[0] if value else None
        found = None if value in (None, "") else float(value)
        return found if found is None or math.isfinite(found) else None
    except Exception:
        # As above: a value that is none.
        return None


def _text_of(dataset: Dataset, keyword: str) -> str:
    try:
        value = dataset.get(keyword)
    except Exception:
        return ""
    return "" if value is None else str(value)
