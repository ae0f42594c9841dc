"""Whether what arrived is what was acquired: same patient, same accession number, same pixels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from sandbox.dicom.codecs import frames_of
from sandbox.nodes.department import Department

IDENTITY = ("PatientID", "PatientName", "AccessionNumber", "StudyInstanceUID")
"""What must not change on the way, or a patient is mixed up."""


def differences(department: Department, source: str, target: str, sop_instances: Iterable[str]) -> tuple[str, ...]:
    """What differs between the two nodes' copies, in short statements. Empty: nothing does."""
    found: list[str] = []
    for sop_instance in sop_instances:
        ours, theirs = _path(department, source, sop_instance), _path(department, target, sop_instance)
        if theirs is None:
            found.append(f"image {sop_instance} cannot be compared")
            continue
        try:
            acquired = None if ours is None else dcmread(ours)
        except FileNotFoundError:
            acquired = None
        if acquired is None:
            # The modality has made room this very moment: there is nothing left to compare with.
            continue
        found.extend(_differences(acquired, dcmread(theirs)))
    return tuple(dict.fromkeys(found))


def _differences(ours: Dataset, theirs: Dataset) -> Iterable[str]:
    for keyword in IDENTITY:
        if str(ours.get(keyword, "")) != str(theirs.get(keyword, "")):
            yield f"{keyword} was {str(ours.get(keyword, ''))!r} and arrived as {str(theirs.get(keyword, ''))!r}"
    if _pixels(ours) != _pixels(theirs):
        yield "the pixels differ"


def _pixels(dataset: Dataset) -> bytes:
    """Pixel data as stored; decoded where it is compressed, since a route may transcode without loss."""
    if "PixelData" not in dataset:
        return b""
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        return b"".join(pixels.tobytes() for pixels, _ in frames_of(dataset))
    return bytes(dataset.PixelData)


def _path(department: Department, node: str, sop_instance: str) -> Path | None:
    store = department.node(node).store
    return None if store is None else store.instance_path(sop_instance)
