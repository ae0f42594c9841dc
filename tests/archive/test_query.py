"""C-FIND (PS3.4 C.4.1) at every level: what is answered, left out and refused, and in which character set."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from sandbox.archive.archive import Archive
from sandbox.archive.identifier import character_set, value_text
from sandbox.dicom.contract import Query
from sandbox.dicom.datasets import decode_dataset, encode_dataset
from tests.archive.support import (
    FACTS,
    PATIENT_FIND,
    STUDY_FIND,
    Cancel,
    ask,
    found,
    identifier,
    instance,
    pairs,
    store,
    uid,
)

_EXPLICIT = "1.2.840.10008.1.2.1"


def keywords(answer: Dataset) -> set[str]:
    return {element.keyword for element in answer}


def test_an_answer_holds_what_was_asked_and_little_more(archive: Archive) -> None:
    store(archive, instance())
    (answer,) = found(archive, "STUDY", PatientName="", StudyDate="")
    assert keywords(answer) == {
        "QueryRetrieveLevel",
        "RetrieveAETitle",
        "StudyInstanceUID",
        "PatientName",
        "StudyDate",
    }
    assert (answer.RetrieveAETitle, answer.QueryRetrieveLevel) == ("ARCHIVE", "STUDY")
    (answer,) = found(archive, "STUDY", InstanceAvailability="")
    assert answer.InstanceAvailability == "ONLINE"


def test_one_answer_for_each_entity(archive: Archive) -> None:
    study = uid()
    store(archive, *(instance(StudyInstanceUID=study) for _ in range(3)), instance())
    assert len(found(archive, "STUDY")) == 2
    assert len(found(archive, "SERIES", StudyInstanceUID=study)) == 3
    assert len(found(archive, "PATIENT", model=PATIENT_FIND)) == 1


def test_patient_level(archive: Archive) -> None:
    store(
        archive,
        instance(PatientName="Doe^Jane", PatientID="P1"),
        instance(PatientName="Doe^Jane^M", PatientID="P1"),
        instance(PatientName="Roe^Rick", PatientID="P2"),
        instance(PatientName="Nobody^Known", PatientID=""),
        instance(PatientName="Other^Unknown", PatientID=""),
    )
    answers = found(
        archive,
        "PATIENT",
        model=PATIENT_FIND,
        PatientName="",
        PatientID="",
        NumberOfPatientRelatedStudies="",
        NumberOfPatientRelatedInstances="",
    )
    assert sorted(pairs(answers, "PatientName")) == ["Doe^Jane^M", "Nobody^Known", "Other^Unknown", "Roe^Rick"]
    (jane,) = (answer for answer in answers if answer.PatientID == "P1")
    assert (jane.NumberOfPatientRelatedStudies, jane.NumberOfPatientRelatedInstances) == (2, 2)
    (by_older_name,) = found(archive, "PATIENT", model=PATIENT_FIND, PatientName="DOE^JANE", PatientID="")
    assert by_older_name.PatientID == "P1"


def test_series_and_image_level_carry_the_unique_keys_above(archive: Archive) -> None:
    ds = instance(SeriesDescription="Thin", ImageType=["ORIGINAL", "PRIMARY"], NumberOfFrames="3")
    store(archive, ds)
    (answer,) = found(archive, "SERIES", StudyInstanceUID=ds.StudyInstanceUID, Modality="CT", SeriesDescription="")
    assert (answer.StudyInstanceUID, answer.SeriesInstanceUID) == (ds.StudyInstanceUID, ds.SeriesInstanceUID)
    assert answer.SeriesDescription == "Thin"
    (answer,) = found(
        archive,
        "IMAGE",
        StudyInstanceUID=ds.StudyInstanceUID,
        SeriesInstanceUID=ds.SeriesInstanceUID,
        ImageType="PRIMARY",
        NumberOfFrames="",
        Rows=None,
        SOPClassUID="",
        AvailableTransferSyntaxUID="",
        PatientName="",
    )
    assert (answer.SOPInstanceUID, answer.Rows, answer.NumberOfFrames) == (ds.SOPInstanceUID, 2, 3)
    assert list(answer.ImageType) == ["ORIGINAL", "PRIMARY"]
    assert answer.AvailableTransferSyntaxUID == _EXPLICIT
    assert answer.PatientName == "Doe^Jane"


def test_patient_root_below_the_patient(archive: Archive) -> None:
    ds = instance()
    store(archive, ds, instance(PatientID="P2"))
    (answer,) = found(archive, "STUDY", model=PATIENT_FIND, PatientID="P1", StudyInstanceUID="")
    assert (answer.PatientID, answer.StudyInstanceUID) == ("P1", ds.StudyInstanceUID)
    assert not found(
        archive,
        "SERIES",
        model=PATIENT_FIND,
        PatientID="P2",
        StudyInstanceUID=ds.StudyInstanceUID,
        SeriesInstanceUID="",
    )


@pytest.mark.parametrize(
    ("model", "level", "keys"),
    [
        (STUDY_FIND, None, {}),
        (STUDY_FIND, "", {}),
        (STUDY_FIND, "FRAME", {}),
        (STUDY_FIND, "study", {}),
        (STUDY_FIND, "PATIENT", {"PatientID": "P1"}),
        (STUDY_FIND, "SERIES", {}),
        (STUDY_FIND, "SERIES", {"StudyInstanceUID": ""}),
        (STUDY_FIND, "SERIES", {"StudyInstanceUID": "*"}),
        (STUDY_FIND, "SERIES", {"StudyInstanceUID": ["1.2", "1.3"]}),
        (STUDY_FIND, "IMAGE", {"StudyInstanceUID": "1.2"}),
        (PATIENT_FIND, "STUDY", {}),
        (PATIENT_FIND, "STUDY", {"PatientID": "P*"}),
        (PATIENT_FIND, "SERIES", {"StudyInstanceUID": "1.2"}),
        (PATIENT_FIND.replace(".1.1", ".3.1"), "SERIES", {"PatientID": "P1", "StudyInstanceUID": "1.2"}),
    ],
)
def test_what_is_no_sound_identifier_is_a900(
    archive: Archive, model: str, level: str | None, keys: dict[str, object]
) -> None:
    store(archive, instance())
    (answer,) = ask(archive, level, model=model, **keys)
    assert (answer.status, answer.identifier) == (0xA900, None)
    assert 0 < len(answer.comment) <= 64


def test_no_match_is_no_answer(archive: Archive) -> None:
    store(archive, instance())
    assert ask(archive, "STUDY", PatientID="NOBODY") == []


@pytest.mark.parametrize(
    "keys", [{"Modality": "MR"}, {"SOPInstanceUID": ""}, {"Allergies": ""}, {"StorageMediaFileSetID": ""}]
)
def test_unsupported_keys_are_left_out_with_ff01(archive: Archive, keys: dict[str, object]) -> None:
    store(archive, instance())
    (answer,) = ask(archive, "STUDY", PatientID="P1", **keys)
    assert answer.status == 0xFF01
    assert answer.identifier is not None
    assert not keywords(answer.identifier) & set(keys)


def test_private_and_group_length_elements(archive: Archive) -> None:
    store(archive, instance())
    asked = identifier("STUDY", PatientID="P1")
    asked.add_new(0x00100000, "UL", 10)
    (answer,) = archive.find(Query(FACTS, STUDY_FIND, asked))
    assert answer.status == 0xFF00
    asked.add_new(0x00091001, "LO", "")
    (answer,) = archive.find(Query(FACTS, STUDY_FIND, asked))
    assert answer.status == 0xFF01


@pytest.mark.parametrize(
    ("keys", "matches"),
    [
        ({"PatientID": "P1"}, True),
        ({"PatientID": "p1"}, False),
        ({"PatientID": "P_"}, False),
        ({"PatientID": "P?"}, True),
        ({"PatientID": "*"}, True),
        ({"PatientName": "doe*"}, True),
        ({"PatientName": "*jane"}, True),
        ({"PatientName": "j*"}, False),
        ({"StudyDate": "20260101-20260102"}, True),
        ({"StudyDate": "-20260101"}, False),
        ({"StudyTime": "1030"}, True),
        ({"StudyTime": "10-1029"}, False),
        ({"StudyDate": "20260101-20260103", "StudyTime": "09-11"}, True),
        ({"AccessionNumber": "A1"}, True),
        ({"AccessionNumber": "A%"}, False),
        ({"StudyDescription": "*' OR 1=1 --*"}, False),
        ({"StudyDescription": "*"}, True),
        ({"StudyDescription": "?*"}, False),
        ({"ModalitiesInStudy": ["MR", "CT"]}, True),
        ({"ModalitiesInStudy": "MR"}, False),
        ({"NumberOfStudyRelatedInstances": "1"}, True),
        ({"NumberOfStudyRelatedInstances": "2"}, False),
        ({"StudyInstanceUID": ["1.2.3", "1.2.4"]}, False),
        ({"PatientID": [f"X{number}*" for number in range(2000)]}, False),
        ({"PatientID": [f"X{number}" for number in range(40000)] + ["P1"]}, True),
        ({"ReferringPhysicianName": "house*"}, True),
        ({"InstitutionName": "St. Mary's"}, True),
    ],
)
def test_matching_through_the_index(archive: Archive, keys: dict[str, object], matches: bool) -> None:
    store(archive, instance(ReferringPhysicianName="House^Gregory", InstitutionName="St. Mary's"))
    assert bool(found(archive, "STUDY", **keys)) is matches


@pytest.mark.parametrize(
    "keys",
    [
        {"PatientName": [f"SOMEBODY{number}" for number in range(499)] + ["DOE^JANE"]},
        {"PatientName": [f"SOMEBODY{number}*" for number in range(499)] + ["*JANE"]},
        {"PatientName": [f"SOMEBODY{number}*" for number in range(3000)] + ["DOE*"]},
        {"PatientID": [f"?X{number}" for number in range(499)] + ["?1"]},
        {"ModalitiesInStudy": [f"X{number}" for number in range(499)] + ["CT"]},
        {"StudyInstanceUID": [f"1.2.3.{number}" for number in range(5000)] + ["1.2.3"]},
        {"StudyDate": [f"{1000 + number}0102" for number in range(5000)]},
        {"PatientName": "DOE^JANE" + "^*" * 5000},
        {"StudyDescription": "*" + "_" * 600 + "*"},
    ],
)
def test_what_a_statement_cannot_hold_is_matched_all_the_same(archive: Archive, keys: dict[str, object]) -> None:
    """SQLite takes an expression 1000 deep and a pattern of 50,000 bytes; neither is the asker's business."""
    store(archive, instance(StudyInstanceUID="1.2.3", StudyDescription="_" * 700))
    assert len(found(archive, "STUDY", **keys)) == 1


def test_a_pattern_longer_than_any_value_matches_none(archive: Archive) -> None:
    store(archive, instance())
    for keyword in ("PatientName", "PatientID", "StudyDescription"):
        assert found(archive, "STUDY", **{keyword: "*" + "x" * 60_000 + "*"}) == []


def test_request_attributes_match_item_by_item(archive: Archive) -> None:
    def item(step: str, procedure: str) -> Dataset:
        one = Dataset()
        one.ScheduledProcedureStepID, one.RequestedProcedureID = step, procedure
        return one

    ds = instance(RequestAttributesSequence=[item("S1", "R1"), item("S2", "R2")])
    store(archive, ds)

    def asked(step: str, procedure: str) -> list[Dataset]:
        wanted = [item(step, procedure)]
        return found(archive, "SERIES", StudyInstanceUID=ds.StudyInstanceUID, RequestAttributesSequence=wanted)

    (answer,) = asked("S2", "R2")
    assert [one.ScheduledProcedureStepID for one in answer.RequestAttributesSequence] == ["S1", "S2"]
    assert asked("S1", "R*")
    assert not asked("S1", "R2")
    (answer,) = asked("", "")
    assert len(answer.RequestAttributesSequence) == 2
    (answer,) = found(archive, "SERIES", StudyInstanceUID=ds.StudyInstanceUID, RequestAttributesSequence=[])
    assert len(answer.RequestAttributesSequence) == 2


@pytest.mark.parametrize(
    ("stored_in", "name", "asked_in", "pattern", "answered_in"),
    [
        ("ISO_IR 100", "Müller^Jürgen", None, "muller*", "ISO_IR 100"),
        ("ISO_IR 100", "Müller^Jürgen", "ISO_IR 192", "Müller*", "ISO_IR 192"),
        ("ISO_IR 192", "Müller^Jürgen", "ISO_IR 100", "MÜLLER*", "ISO_IR 100"),
        ("ISO_IR 192", "Διονυσιος^Α", "ISO_IR 126", "Διον*", "ISO_IR 126"),
        ("ISO_IR 126", "Διονυσιος^Α", "ISO_IR 100", "*", "ISO_IR 192"),
        ("ISO_IR 144", "Иванов^Пётр", "ISO_IR 192", "иванов*", "ISO_IR 192"),
        ("\\ISO 2022 IR 87", "Yamada^Hideki=山田^秀樹", "ISO_IR 192", "山田^秀*", "ISO_IR 192"),
        ("ISO_IR 192", "Yamada^Hideki=山田^秀樹", "\\ISO 2022 IR 87", "山田*", "\\ISO 2022 IR 87"),
        ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", "ISO_IR 192", "홍*", "ISO_IR 192"),
        ("ISO_IR 192", "Hong^Gildong=洪^吉洞=홍^길동", "\\ISO 2022 IR 149", "hong*", "\\ISO 2022 IR 149"),
        ("GB18030", "Wang^XiaoDong=王^小东", "ISO_IR 192", "王*", "ISO_IR 192"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东", "GB18030", "王^小?", "GB18030"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东", None, "wang*", "ISO_IR 192"),
        ("ISO_IR 192", "Yamada=山田", "ISO_IR 13", "yamada", "ISO_IR 192"),
        ("ISO_IR 192", "Müller", "ISO_IR 6", "muller", "ISO_IR 192"),
        ("ISO_IR 192", "Müller", "NO SUCH SET", "muller", "ISO_IR 192"),
        ("ISO_IR 192", "Plain^Name", "ISO_IR 192", "PLAIN*", None),
    ],
)
def test_stored_in_one_set_asked_in_another(
    archive: Archive, stored_in: str, name: str, asked_in: str | None, pattern: str, answered_in: str | None
) -> None:
    """Through real bytes on every leg: what the asker decodes is the name that was stored."""
    store(archive, instance(SpecificCharacterSet=stored_in.split("\\"), PatientName=name))
    asked = identifier("STUDY", PatientName=pattern)
    if asked_in is not None:
        asked.SpecificCharacterSet = asked_in.split("\\")
    received = decode_dataset(encode_dataset(asked, _EXPLICIT), _EXPLICIT)
    (answer,) = archive.find(Query(FACTS, STUDY_FIND, received))
    assert answer.identifier is not None
    charset = answer.identifier.get("SpecificCharacterSet")
    assert charset == (answered_in if answered_in is None or "\\" not in answered_in else answered_in.split("\\"))
    sent = encode_dataset(answer.identifier, _EXPLICIT)
    read = decode_dataset(sent, _EXPLICIT)
    assert value_text(read, 0x00100010, "PN", character_set(read)) == name
    if answered_in == "ISO_IR 192":
        assert name.encode() in sent


def test_a_cancel_ends_the_answers(archive: Archive) -> None:
    store(archive, *(instance() for _ in range(10)))
    cancel = Cancel(after=3)
    answers = list(archive.find(Query(FACTS, STUDY_FIND, identifier("STUDY"), cancel)))
    assert [answer.status for answer in answers] == [0xFF00] * 3 + [0xFE00]
    assert answers[-1].identifier is None


def test_answers_are_made_as_they_are_taken(archive: Archive) -> None:
    store(archive, *(instance() for _ in range(5)))
    cancel = Cancel(after=99)
    answers = archive.find(Query(FACTS, STUDY_FIND, identifier("STUDY"), cancel))
    next(answers)
    assert cancel.asked == 1


def test_a_broken_index_is_a700_without_an_identifier(archive: Archive) -> None:
    store(archive, instance())
    with archive._index._writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE studies RENAME TO gone")
    (answer,) = ask(archive, "STUDY")
    assert (answer.status, answer.identifier) == (0xA700, None)


def test_odd_stored_values_do_not_break_an_answer(archive: Archive) -> None:
    ds = instance(StudyDate=None, StudyTime=None, InstanceNumber=None, PatientID=None, PatientName=None)
    ds.add_new(0x00200011, "LO", "one")
    store(archive, ds)
    (answer,) = found(archive, "SERIES", StudyInstanceUID=ds.StudyInstanceUID, SeriesNumber="")
    assert answer.SeriesNumber is None
    (answer,) = found(archive, "STUDY", PatientName="*", PatientID="", StudyDate="", PatientWeight="")
    assert (answer.PatientName, answer.PatientID, answer.StudyDate) == ("", "", "")
    encode_dataset(answer, _EXPLICIT)
