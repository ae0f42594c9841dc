"""C-FIND answers that are encoded without pydicom are the bytes that pydicom makes of them, or are left to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset

from sandbox.archive.answers import EXPLICIT, IMPLICIT, AnswerEncoder
from sandbox.archive.archive import Archive
from sandbox.archive.attributes import LEVELS, UNIQUE_KEY, Level, lookup
from sandbox.dicom.contract import Query
from sandbox.dicom.datasets import encode_dataset
from tests.archive.support import FACTS, STUDY_FIND, identifier, instance, store

PLAIN = ("Brown^Amy", "O'Neil^^^Dr", "A")
ODD = ("Müller^Jörg", "Yamada^Tarou=山田^太郎", "Smith^J\\Jones^K")


@pytest.fixture
def answered(archive: Archive) -> Archive:
    """Plain and odd values of all kinds."""
    for number, name in enumerate((*PLAIN, *ODD)):
        store(
            archive,
            instance(
                SpecificCharacterSet="ISO_IR 192",
                PatientName=name,
                PatientID=f"P{number}",
                StudyInstanceUID=f"2.25.{number + 1}1",
                SeriesInstanceUID=f"2.25.{number + 1}2",
                SOPInstanceUID=f"2.25.{number + 1}3",
                OtherPatientIDs=["X1", "Y22"],
                PatientWeight="70.5",
                StudyDescription="Head, odd",
                ImageType=["ORIGINAL", "PRIMARY"],
                SeriesNumber=-3,
            ),
        )
    return archive


def _asking_for_all(level: Level, number: int) -> Dataset:
    asked = identifier(level.value)
    for tag, attribute in lookup(level).items():
        asked.add_new(tag, attribute.vr, [] if attribute.vr == "SQ" else None)
    for upper in LEVELS[1 : level.depth]:
        asked[UNIQUE_KEY[upper].tag].value = f"2.25.{number + 1}{upper.depth}"
    asked.InstanceAvailability = ""
    return asked


def _bytes(archive: Archive, asked: Dataset, transfer_syntax: str, *, fast: bool) -> Iterator[tuple[bytes, bool]]:
    for answer in archive.find(Query(FACTS, STUDY_FIND, asked, transfer_syntax=transfer_syntax if fast else "")):
        assert answer.is_match
        if answer.encoded is not None:
            yield answer.encoded, True
        else:
            assert answer.identifier is not None
            yield encode_dataset(answer.identifier, transfer_syntax), False


@pytest.mark.parametrize("transfer_syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.IMAGE])
def test_answers_are_the_same_bytes(answered: Archive, level: Level, transfer_syntax: str) -> None:
    encoded_here = 0
    for number in range(len(PLAIN + ODD) if level is not Level.STUDY else 1):
        asked = _asking_for_all(level, number)
        general = list(_bytes(answered, asked, transfer_syntax, fast=False))
        fast = list(_bytes(answered, asked, transfer_syntax, fast=True))
        assert general
        assert not any(encoded for _, encoded in general)
        assert [data for data, _ in fast] == [data for data, _ in general]
        encoded_here += sum(encoded for _, encoded in fast)
    assert encoded_here == len(PLAIN), "plain answers are encoded here, odd ones are not"


@pytest.mark.parametrize(
    ("vr", "text"),
    [
        *(("PN", name) for name in ODD),
        ("LO", " leading"),
        ("LO", "a \\b"),
        ("SH", "esc\x1b"),
        ("IS", "1e3"),
        ("DS", "1.50E2"),
        ("US", "70000"),
        ("SQ", "[]"),
        ("LO", "x" * 70_000),
    ],
)
def test_what_is_not_plain_is_left_to_pydicom(vr: str, text: str) -> None:
    assert AnswerEncoder(EXPLICIT, [(0x00080050, vr)], {}).encode([text]) is None


def test_other_encodings_are_left_to_pydicom() -> None:
    assert AnswerEncoder("1.2.840.10008.1.2.2", [(0x00080050, "SH")], {}).encode(["A1"]) is None
