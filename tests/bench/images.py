"""The images of a run: Part 10 files in folders, made before anything is timed, other instances in every round.

The first round's small images are a department of known names and dates, so that every C-FIND has a known number of
answers; later rounds lie in another year under other names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

PARALLEL = 4
_ROOT = "2.25.4242"
_NAMES = ("Smith", "Smidt", "Brown", "Meyer", "Rossi")
_INSTANCES_A_STUDY = 3
_MONTHS = 12

Owner = tuple[str, str, str, str]
"""Study Instance UID, Patient ID, Patient's Name and Study Date."""


@dataclass(frozen=True)
class Sizes:
    """How many instances each measure sends. CT images have 512 by 512 pixels of 16 bits."""

    ct: int
    small: int
    big: int
    nagle: int


DEFAULT = Sizes(ct=100, small=300, big=3, nagle=20)
QUICK = Sizes(ct=40, small=120, big=1, nagle=10)


@dataclass(frozen=True)
class Question:
    """A C-FIND at study level: its keys, and how many answers are right."""

    keys: tuple[str, ...]
    answers: int


@dataclass(frozen=True)
class ImageSet:
    """The folders of one round. ``ct_four`` and ``small_four`` are one for each of four associations."""

    ct: Path
    ct_four: tuple[Path, ...]
    small: Path
    small_four: tuple[Path, ...]
    big: Path
    nagle: Path
    ct_study: str
    small_study: str


def studies_of(sizes: Sizes) -> int:
    """How many studies the first round's small images are in."""
    return sizes.small // _INSTANCES_A_STUDY


def questions(sizes: Sizes) -> dict[str, Question]:
    """The queries of a run, by name."""
    count = studies_of(sizes)
    smi = sum(_NAMES[number % len(_NAMES)].upper().startswith("SMI") for number in range(count))
    in_march = sum(number % _MONTHS == 2 for number in range(count))
    return {
        "exact": Question(("PatientID=P0-7", "StudyDate", "PatientName", "AccessionNumber"), 1),
        "wildcard": Question(("PatientName=SMI*", "PatientID", "StudyDate", "AccessionNumber"), smi),
        "range": Question(("StudyDate=20240301-20240331", "PatientID", "PatientName", "AccessionNumber"), in_march),
    }


def make_images(directory: Path, round_number: int, sizes: Sizes) -> ImageSet:
    """Write one round's files below ``directory``."""
    ct_study, small_study = f"{_ROOT}.{round_number}.1", f"{_ROOT}.{round_number}.2"
    year = 2024 - round_number
    numbers = range(PARALLEL)
    made = ImageSet(
        ct=directory / "ct",
        ct_four=tuple(directory / f"ct-four-{part}" for part in numbers),
        small=directory / "small",
        small_four=tuple(directory / f"small-four-{part}" for part in numbers),
        big=directory / "big",
        nagle=directory / "nagle",
        ct_study=ct_study,
        small_study=small_study,
    )
    names = _NAMES if round_number == 0 else ("Later",)
    ct, small, big = _image(512, 512), _image(64, 64), _image(4096, 3840)
    _fill(made.ct, ct, sizes.ct, _always(ct_study, f"C{round_number}", "Tomo^Graph", f"{year}1224"))
    for part, folder in enumerate(made.ct_four):
        study = f"{_ROOT}.{round_number}.3.{part}"
        _fill(folder, ct, sizes.ct // PARALLEL, _always(study, f"D{round_number}-{part}", "Tomo^Four", f"{year}1224"))

    def of_department(number: int) -> Owner:
        study = number // _INSTANCES_A_STUDY
        name = names[study % len(names)].upper()
        return (
            f"{_ROOT}.{round_number}.4.{study}",
            f"P{round_number}-{study}",
            f"{name}^{study}",
            f"{year}{study % _MONTHS + 1:02}15",
        )

    _fill(made.small, small, sizes.small, of_department)
    for part, folder in enumerate(made.small_four):
        _fill(
            folder,
            small,
            sizes.small // PARALLEL,
            _always(small_study, f"F{round_number}", "Little^Four", f"{year}1225"),
            series=part + 1,
        )
    _fill(made.big, big, sizes.big, _always(f"{_ROOT}.{round_number}.5", "B", "Big^Mammo", f"{year}1226"))
    _fill(made.nagle, small, sizes.nagle, _always(f"{_ROOT}.{round_number}.6", "N", "Nagle", f"{year}1227"))
    return made


def _always(*owner: str) -> Callable[[int], Owner]:
    study, patient, name, date = owner
    return lambda number: (study, patient, name, date)


def _fill(folder: Path, image: Dataset, count: int, of: Callable[[int], Owner], series: int = 1) -> None:
    """``count`` files, each of the owner that ``of`` gives for its number."""
    folder.mkdir(parents=True)
    for number in range(count):
        study, patient, name, date = of(number)
        image.StudyInstanceUID, image.PatientID, image.PatientName, image.StudyDate = study, patient, name, date
        image.SeriesInstanceUID = f"{study}.{series}"
        image.SOPInstanceUID = f"{study}.{series}.{number + 1}"
        image.AccessionNumber, image.InstanceNumber = f"A-{patient}", number + 1
        image.save_as(folder / f"{number:05}.dcm", enforce_file_format=True)


def _image(columns: int, rows: int) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = CTImageStorage
    image.PatientBirthDate, image.PatientSex, image.Modality = "19600101", "O", "CT"
    image.StudyTime, image.StudyID, image.StudyDescription = "120000", "1", "Bench"
    image.SeriesNumber, image.ReferringPhysicianName = 1, "Doe^Jane"
    image.Rows, image.Columns = rows, columns
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = np.arange(rows * columns, dtype=np.uint16).tobytes()
    return image
