"""Identifiers read from their bytes have the keys that pydicom finds in them, or are left to pydicom."""

from __future__ import annotations

import random
import struct

import pytest
from pydicom.dataset import Dataset

from sandbox.archive.attributes import ATTRIBUTES, Level, lookup
from sandbox.archive.identifier import keys_of, plain_keys
from sandbox.dicom.datasets import decode_dataset, encode_dataset
from tests.archive.support import identifier

IMPLICIT, EXPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{rest}" for rest in ("", ".1", ".2", ".1.99"))
BOTH = pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])

PLAIN: tuple[tuple[str, dict[str, object]], ...] = (
    ("STUDY", {"StudyInstanceUID": "", "PatientID": "P1"}),
    ("STUDY", {"PatientName": "SMI*", "StudyDate": "20240301-20240331", "StudyTime": "10-11"}),
    ("STUDY", {"PatientName": "Doe^Jane^^Dr", "AccessionNumber": "A 1", "StudyDescription": "Head, thin?"}),
    ("STUDY", {"StudyInstanceUID": ["1.2.3", "1.2.4"], "ModalitiesInStudy": ["CT", "MR"]}),
    ("STUDY", {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "DOE*", "ReferringPhysicianName": ""}),
    ("STUDY", {"SpecificCharacterSet": "ISO_IR 192", "PatientID": "P1", "InstanceAvailability": ""}),
    ("STUDY", {"SpecificCharacterSet": "", "PatientID": "*"}),
    ("STUDY", {"ProcedureCodeSequence": [], "NumberOfStudyRelatedInstances": "", "PatientWeight": None}),
    ("STUDY", {"Allergies": "", "TimezoneOffsetFromUTC": "", "StorageMediaFileSetID": ""}),
    ("SERIES", {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "", "Modality": "CT", "SeriesNumber": ""}),
    ("IMAGE", {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "SOPInstanceUID": "", "Rows": None}),
    ("PATIENT", {"PatientID": "P1", "PatientBirthDate": "19600101", "PatientSex": "F", "PatientComments": ""}),
    ("FRAME", {}),
)
ODD: tuple[tuple[str, dict[str, object]], ...] = (
    ("STUDY", {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Müller*"}),
    ("STUDY", {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": "Yamada*"}),
    ("STUDY", {"SpecificCharacterSet": "ISO_IR 13", "PatientName": "YAMADA~"}),
    ("STUDY", {"PatientName": "YAMADA*=*"}),
    ("STUDY", {"PatientID": " P1"}),
    ("STUDY", {"PatientID": ["P1", " P2"]}),
    ("SERIES", {"StudyInstanceUID": "1.2.3", "SeriesNumber": "007"}),
    ("IMAGE", {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "Rows": 512}),
    ("STUDY", {"PatientComments": "one\r\ntwo"}),
    ("STUDY", {"Allergies": "pollen"}),
)


def both_ways(asked: Dataset, syntax: str) -> bool:
    """Whether the bytes are read without pydicom; what is read must be what pydicom reads."""
    encoded = encode_dataset(asked, syntax)
    plain = plain_keys(encoded, syntax)
    if plain is None:
        return False
    general = keys_of(decode_dataset(encoded, syntax))
    assert plain == general
    assert list(plain.texts) == list(general.texts)
    return True


@BOTH
@pytest.mark.parametrize(("level", "keys"), PLAIN)
def test_plain_ones_are_read_from_their_bytes(level: str, keys: dict[str, object], syntax: str) -> None:
    assert both_ways(identifier(level, **keys), syntax)


@BOTH
@pytest.mark.parametrize(("level", "keys"), ODD)
def test_others_are_left_to_pydicom(level: str, keys: dict[str, object], syntax: str) -> None:
    assert not both_ways(identifier(level, **keys), syntax)


@BOTH
def test_sequences_with_items_are_left_to_pydicom(syntax: str) -> None:
    item = identifier(None, ScheduledProcedureStepID="S1")
    assert not both_ways(identifier("SERIES", StudyInstanceUID="1.2", RequestAttributesSequence=[item]), syntax)


@pytest.mark.parametrize("syntax", [BIG, DEFLATED])
def test_other_transfer_syntaxes_are_left_to_pydicom(syntax: str) -> None:
    assert plain_keys(encode_dataset(identifier("STUDY", PatientID="P1"), syntax), syntax) is None


@BOTH
@pytest.mark.parametrize("level", list(Level))
def test_every_attribute_may_be_asked_for(level: Level, syntax: str) -> None:
    asked = identifier(level.value)
    for tag, attribute in lookup(level).items():
        asked.add_new(tag, attribute.vr, [] if attribute.vr == "SQ" else None)
    assert both_ways(asked, syntax)


def test_group_lengths_are_passed_over() -> None:
    encoded = encode_dataset(identifier("STUDY", PatientID="P1"), IMPLICIT)
    with_length = struct.pack("<HHLL", 8, 0, 4, 14) + encoded
    plain = plain_keys(with_length, IMPLICIT)
    assert plain is not None
    assert plain == keys_of(decode_dataset(with_length, IMPLICIT))


@pytest.mark.parametrize("cut", range(1, 30))
def test_what_is_cut_off_is_not_read(cut: int) -> None:
    encoded = encode_dataset(identifier("STUDY", PatientID="P1", PatientName="Doe^Jane"), IMPLICIT)
    plain = plain_keys(encoded[:-cut], IMPLICIT)
    if plain is not None:
        assert plain == keys_of(decode_dataset(encoded[:-cut], IMPLICIT))


_BITS = ("", "P1", "1.2.3", "20240301", "10:30", "-", "*", "?", "^", "=", "\\", " ", "\0", "a", "~", "\t", "é", "CT")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(300))
def test_whatever_is_asked_both_read_the_same(seed: int) -> None:
    """Elements of the archive's attributes with any value, well-formed or not, straight as bytes."""
    random_one = random.Random(seed)
    syntax = random_one.choice((IMPLICIT, EXPLICIT))
    chosen = {one.tag: one.vr for one in random_one.sample(ATTRIBUTES, random_one.randint(1, 6))} | {0x00080052: "CS"}
    if random_one.random() < 0.3:
        chosen[0x00080005] = "CS"
    encoded = b""
    for tag in sorted(chosen):
        vr = chosen[tag]
        value = "".join(random_one.choices(_BITS, k=random_one.randint(0, 3))).encode("latin-1")
        if tag == 0x00080005:
            value = random_one.choice((b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 6 ", b"ISO_IR 13 ", b""))
        value += b" " * (len(value) % 2)
        group, element = tag >> 16, tag & 0xFFFF
        if syntax == IMPLICIT:
            encoded += struct.pack("<HHL", group, element, len(value)) + value
        elif vr in ("SQ", "UC", "UR", "UT"):
            encoded += struct.pack("<HH2sHL", group, element, vr.encode(), 0, len(value)) + value
        else:
            encoded += struct.pack("<HH2sH", group, element, vr.encode(), len(value)) + value
    plain = plain_keys(encoded, syntax)
    if plain is not None:
        assert plain == keys_of(decode_dataset(encoded, syntax))
