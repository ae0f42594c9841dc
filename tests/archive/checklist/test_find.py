"""C-FIND on a socket (PS3.4 C.2.2.2 and C.4.1): statuses, what an answer holds, and every rule of matching."""

from __future__ import annotations

import os
import struct
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from sqlalchemy import text

from sandbox.archive.serve import RunningArchive
from sandbox.dicom.messages import C_FIND_RQ
from tests.archive.checklist.wire import EVERYTHING, Wire, pdvs
from tests.archive.support import CT, MR, PATIENT_FIND, STUDY_FIND, encoded, identifier, instance, uid
from tests.dicom.support import IMPLICIT, item, pdu


def fill(served: RunningArchive, *datasets: Dataset) -> None:
    assert served.archive.add_datasets(datasets) == len(datasets)


# --- statuses --------------------------------------------------------------------------------------------------------


def test_no_match_is_one_0000_without_an_identifier(port: int) -> None:
    with Wire(port) as wire:
        (only,) = wire.find(identifier("STUDY", PatientID="NOBODY"))
    assert (only.status, only.data) == (0, None)


def test_an_optional_key_that_is_not_supported_is_ff01_and_left_out(served: RunningArchive, port: int) -> None:
    fill(served, instance())
    keys = identifier(
        "STUDY", StudyInstanceUID="", PatientName="", PatientReligiousPreference="", CurrentPatientLocation="X"
    )
    with Wire(port) as wire:
        match, last = wire.find(keys)
    assert (match.status, last.status, last.data) == (0xFF01, 0, None)
    assert "PatientReligiousPreference" not in match.dataset
    assert "CurrentPatientLocation" not in match.dataset
    assert match.dataset.PatientName == "Doe^Jane"


def test_a_key_below_the_level_is_ff01_and_left_out(served: RunningArchive, port: int) -> None:
    fill(served, instance())
    with Wire(port) as wire:
        match, _ = wire.find(identifier("STUDY", StudyInstanceUID="", SeriesNumber=""))
    assert match.status == 0xFF01
    assert "SeriesNumber" not in match.dataset


@pytest.mark.parametrize(
    ("level", "model", "keys"),
    [
        (None, STUDY_FIND, {"PatientName": ""}),
        ("", STUDY_FIND, {}),
        ("EXAM", STUDY_FIND, {}),
        ("study", STUDY_FIND, {}),
        ("PATIENT", STUDY_FIND, {"PatientID": "P1"}),
        ("SERIES", STUDY_FIND, {"SeriesInstanceUID": ""}),
        ("SERIES", STUDY_FIND, {"StudyInstanceUID": "1.2\\1.3"}),
        ("SERIES", STUDY_FIND, {"StudyInstanceUID": "*"}),
        ("IMAGE", STUDY_FIND, {"StudyInstanceUID": "1.2"}),
        ("STUDY", PATIENT_FIND, {"StudyInstanceUID": ""}),
        ("STUDY", PATIENT_FIND, {"PatientID": "P*"}),
        ("SERIES", PATIENT_FIND, {"StudyInstanceUID": "1.2"}),
    ],
)
def test_what_does_not_fit_the_model_is_a900_without_an_identifier(
    served: RunningArchive, port: int, level: str | None, model: str, keys: dict[str, str]
) -> None:
    fill(served, instance())
    with Wire(port) as wire:
        (only,) = wire.find(identifier(level, **keys), model)
        assert (only.status, only.data) == (0xA900, None)
        assert only.comment
        assert wire.matches("STUDY", StudyInstanceUID="")


@pytest.mark.parametrize(
    "data",
    [b"\x08\x00\x52\x00CS\x10\x00STUDY", b"no data set, only text of a kind", struct.pack("<HH2sH", 8, 0x52, b"CS", 6)],
)
def test_an_identifier_that_cannot_be_read_is_c000_or_a900(port: int, data: bytes) -> None:
    with Wire(port) as wire:
        (only,) = wire.find(data)
        assert only.status in (0xC000, 0xA900)
        assert only.data is None
        assert wire.matches("STUDY", StudyInstanceUID="") == []


def test_no_identifier_at_all_is_c000(port: int) -> None:
    with Wire(port) as wire:
        (only,) = wire.ask(wire.context(STUDY_FIND), {"AffectedSOPClassUID": STUDY_FIND, "CommandField": C_FIND_RQ})
        assert (only.status, only.data) == (0xC000, None)


def test_an_index_that_cannot_be_read_is_a700_and_passes(served: RunningArchive, port: int) -> None:
    fill(served, instance())
    engine = served.archive._index._engine
    with Wire(port) as wire:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE studies RENAME TO elsewhere"))
        (only,) = wire.find(identifier("STUDY", StudyInstanceUID=""))
        assert (only.status, only.data) == (0xA700, None)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO studies"))
        assert len(wire.matches("STUDY", StudyInstanceUID="")) == 1


def test_a_cancelled_query_is_fe00_and_the_association_goes_on(served: RunningArchive, port: int) -> None:
    fill(served, *(instance(PatientID=f"P{number}") for number in range(30)))
    with Wire(port) as wire:
        context = wire.context(STUDY_FIND)
        keys = encoded(identifier("STUDY", StudyInstanceUID=""))
        query = wire.message(
            context, {"AffectedSOPClassUID": STUDY_FIND, "CommandField": C_FIND_RQ, "Priority": 0, "MessageID": 9}, keys
        )
        # In one PDU, so that the C-CANCEL is there before the first answer.
        wire.peer.send(pdu(4, b"".join(pdvs(query) + pdvs(wire.cancel(context, 9)))))
        answers = [wire.read()]
        while answers[-1].status in (0xFF00, 0xFF01):
            answers.append(wire.read())
        assert (answers[-1].status, answers[-1].data) == (0xFE00, None)
        assert len(answers) < 30
        assert len(wire.matches("STUDY", StudyInstanceUID="")) == 30


# --- what an answer holds --------------------------------------------------------------------------------------------


def test_an_answer_holds_what_was_asked_and_what_belongs_to_it(served: RunningArchive, port: int) -> None:
    ds = instance(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg", InstitutionName="Riverside")
    fill(served, ds)
    with Wire(port) as wire:
        (plain,) = wire.matches("STUDY", StudyInstanceUID="")
        (named,) = wire.matches("STUDY", StudyInstanceUID="", PatientName="", InstanceAvailability="")
        (image,) = wire.matches(
            "IMAGE",
            StudyInstanceUID=ds.StudyInstanceUID,
            SeriesInstanceUID=ds.SeriesInstanceUID,
            SOPInstanceUID="",
            InstanceNumber="",
        )
    assert sorted(plain.keys()) == [0x00080052, 0x00080054, 0x0020000D]
    assert (plain.QueryRetrieveLevel, plain.RetrieveAETitle) == ("STUDY", "ARCHIVE")
    assert sorted(named.keys()) == [0x00080005, 0x00080052, 0x00080054, 0x00080056, 0x00100010, 0x0020000D]
    assert (named.SpecificCharacterSet, named.InstanceAvailability) == ("ISO_IR 100", "ONLINE")
    assert named.PatientName == "Müller^Jörg"
    assert (image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID) == (
        ds.StudyInstanceUID,
        ds.SeriesInstanceUID,
        ds.SOPInstanceUID,
    )


def test_the_unique_keys_of_upper_levels_come_unasked(served: RunningArchive, port: int) -> None:
    ds = instance()
    fill(served, ds)
    upper = {"PatientID": "P1", "StudyInstanceUID": ds.StudyInstanceUID, "SeriesInstanceUID": ds.SeriesInstanceUID}
    with Wire(port) as wire:
        (found,) = wire.matches("IMAGE", PATIENT_FIND, **upper)
    assert {keyword: str(found[keyword].value) for keyword in upper} == upper
    assert found.SOPInstanceUID == ds.SOPInstanceUID


def test_one_answer_for_each_entity(served: RunningArchive, port: int) -> None:
    studies = [uid() for _ in range(3)]
    fill(
        served,
        *(
            instance(PatientID=f"P{place % 2}", StudyInstanceUID=study, SeriesInstanceUID=f"{study}.{number}")
            for place, study in enumerate(studies)
            for number in (1, 2)
            for _ in range(4)
        ),
    )
    with Wire(port) as wire:
        assert len(wire.matches("PATIENT", PATIENT_FIND, PatientID="")) == 2
        assert len(wire.matches("STUDY", StudyInstanceUID="")) == 3
        assert len(wire.matches("SERIES", StudyInstanceUID=studies[0], SeriesInstanceUID="")) == 2
        in_series = {"StudyInstanceUID": studies[0], "SeriesInstanceUID": f"{studies[0]}.1"}
        assert len(wire.matches("IMAGE", **in_series, SOPInstanceUID="")) == 4


def test_counts_and_what_a_study_is_made_of(served: RunningArchive, port: int) -> None:
    study, series = uid(), uid()
    common: dict[str, Any] = {"StudyInstanceUID": study, "StudyDescription": "Head", "InstitutionName": "Riverside"}
    first = instance(**common, SeriesInstanceUID=series, NumberOfFrames="12")
    fill(
        served,
        first,
        instance(**common, SeriesInstanceUID=series),
        instance(**common, SOPClassUID=MR, Modality="MR"),
        instance(),
    )
    with Wire(port) as wire:
        (found,) = wire.matches(
            "STUDY",
            StudyInstanceUID=study,
            ModalitiesInStudy="",
            SOPClassesInStudy="",
            NumberOfPatientRelatedStudies="",
            NumberOfPatientRelatedSeries="",
            NumberOfPatientRelatedInstances="",
            NumberOfStudyRelatedSeries="",
            NumberOfStudyRelatedInstances="",
            StudyDescription="",
            InstitutionName="",
        )
        (of_series,) = wire.matches(
            "SERIES", StudyInstanceUID=study, SeriesInstanceUID=series, NumberOfSeriesRelatedInstances=""
        )
        (image,) = wire.matches(
            "IMAGE",
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            SOPInstanceUID=first.SOPInstanceUID,
            NumberOfFrames="",
            SOPClassUID="",
        )
        assert len(wire.matches("STUDY", StudyInstanceUID="", ModalitiesInStudy="MR")) == 1
    assert set(found.ModalitiesInStudy) == {"CT", "MR"}
    assert set(found.SOPClassesInStudy) == {CT, MR}
    assert (found.NumberOfPatientRelatedStudies, found.NumberOfPatientRelatedSeries) == (2, 3)
    assert found.NumberOfPatientRelatedInstances == 4
    assert (found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances) == (2, 3)
    assert (found.StudyDescription, found.InstitutionName) == ("Head", "Riverside")
    assert of_series.NumberOfSeriesRelatedInstances == 2
    assert (image.NumberOfFrames, image.SOPClassUID) == (12, CT)


# --- matching --------------------------------------------------------------------------------------------------------


def stored_for_matching() -> list[Dataset]:
    """Three studies of one afternoon and night: A, B, and C, which lacks much."""
    code, other = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "T-D1100", "SRT"
    other.CodeValue, other.CodingSchemeDesignator = "CTHEAD", "99LOCAL"
    return [
        instance(
            StudyInstanceUID="1.2.1",
            StudyID="A",
            PatientName="Smith^John^Q",
            PatientID="ID_1",
            StudyDate="20260310",
            StudyTime="223000",
            AccessionNumber="ACC%1",
            StudyDescription="Head [plain]",
            NameOfPhysiciansReadingStudy=["Grey^M", "House^G"],
            ProcedureCodeSequence=Sequence([code, other]),
        ),
        instance(
            StudyInstanceUID="1.2.2",
            StudyID="B",
            PatientName="SMYTHE^Jane",
            PatientID="IDX1",
            StudyDate="20260311",
            StudyTime="0015",
            AccessionNumber="ACCX1",
            StudyDescription="head contrast",
        ),
        instance(
            StudyInstanceUID="1.2.3",
            StudyID="C",
            PatientName="",
            PatientID="ID2",
            StudyDate="",
            StudyTime="",
            AccessionNumber="",
        ),
    ]


def codes(**keys: str) -> Sequence:
    wanted = Dataset()
    for keyword, value in keys.items():
        setattr(wanted, keyword, value)
    return Sequence([wanted])


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        # universal; an asterisk alone finds empty values too
        ({}, "ABC"),
        ({"PatientName": ""}, "ABC"),
        ({"PatientName": "*", "AccessionNumber": "*", "StudyDate": ""}, "ABC"),
        # single value: exact, with regard to case but for person names
        ({"AccessionNumber": "ACC%1"}, "A"),
        ({"AccessionNumber": "acc%1"}, ""),
        ({"AccessionNumber": "ACC"}, ""),
        ({"StudyDescription": "Head [plain]"}, "A"),
        ({"PatientName": "smith^john^q"}, "A"),
        ({"PatientName": "Smith"}, ""),
        # wildcards; "_", "%" and brackets stand for themselves
        ({"PatientName": "SM*"}, "AB"),
        ({"PatientName": "*Jane"}, "B"),
        ({"PatientName": "Sm?th^*"}, "A"),
        ({"PatientName": "SM?TH*"}, "AB"),
        ({"StudyDescription": "*ead*"}, "AB"),
        ({"StudyDescription": "head*"}, "B"),
        ({"StudyDescription": "*[plain]"}, "A"),
        ({"PatientID": "ID_1"}, "A"),
        ({"PatientID": "ID?1"}, "AB"),
        ({"PatientID": "*_*"}, "A"),
        ({"AccessionNumber": "*%*"}, "A"),
        ({"AccessionNumber": "ACC?1"}, "AB"),
        ({"AccessionNumber": "?*"}, "AB"),
        # lists of UIDs
        ({"StudyInstanceUID": "1.2.1\\1.2.3\\1.2.99"}, "AC"),
        ({"StudyInstanceUID": "1.2.*"}, ""),
        # dates and times by meaning; ranges inclusive and open
        ({"StudyDate": "20260310"}, "A"),
        ({"StudyDate": "20260310-20260311"}, "AB"),
        ({"StudyDate": "20260311-"}, "B"),
        ({"StudyDate": "-20260310"}, "A"),
        ({"StudyDate": "20260312-20260320"}, ""),
        ({"StudyTime": "2230"}, "A"),
        ({"StudyTime": "001500"}, "B"),
        ({"StudyTime": "2230-2230"}, "A"),
        ({"StudyTime": "-01"}, "B"),
        ({"StudyTime": "22-"}, "A"),
        # date and time apply separately
        ({"StudyDate": "20260310-20260311", "StudyTime": "2200-2359"}, "A"),
        ({"StudyDate": "20260310-20260311", "StudyTime": "0000-2359"}, "AB"),
        # several values: any may match
        ({"NameOfPhysiciansReadingStudy": "House*"}, "A"),
        ({"NameOfPhysiciansReadingStudy": "Wilson*"}, ""),
        ({"ModalitiesInStudy": "MR\\CT"}, "ABC"),
        # sequences, item by item
        ({"ProcedureCodeSequence": codes(CodeValue="T-D1100", CodingSchemeDesignator="SRT")}, "A"),
        ({"ProcedureCodeSequence": codes(CodeValue="T-D1100", CodingSchemeDesignator="99LOCAL")}, ""),
        ({"ProcedureCodeSequence": codes(CodeValue="CT*")}, "A"),
        # all keys together
        ({"PatientName": "SM*", "StudyDate": "20260311"}, "B"),
        ({"PatientID": "'; DROP TABLE studies; --"}, ""),
    ],
)
def test_matching(served: RunningArchive, port: int, keys: dict[str, Any], expected: str) -> None:
    fill(served, *stored_for_matching())
    with Wire(port) as wire:
        found = wire.matches("STUDY", **({"StudyInstanceUID": "", "StudyID": ""} | keys))
    assert sorted(answer.StudyID for answer in found) == sorted(expected)


def test_all_values_of_an_attribute_are_returned_whichever_matched(served: RunningArchive, port: int) -> None:
    fill(served, *stored_for_matching())
    with Wire(port) as wire:
        (found,) = wire.matches("STUDY", StudyInstanceUID="", NameOfPhysiciansReadingStudy="House*")
    assert [str(name) for name in found.NameOfPhysiciansReadingStudy] == ["Grey^M", "House^G"]


def test_numbers_match_by_meaning(served: RunningArchive, port: int) -> None:
    study = uid()
    fill(served, *(instance(StudyInstanceUID=study, SeriesNumber=number) for number in ("3", "30")))
    with Wire(port) as wire:
        assert len(wire.matches("SERIES", StudyInstanceUID=study, SeriesNumber="03")) == 1


# --- the wire --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("maximum", [0, 24, 100, 131072])
def test_answers_fit_the_peers_maximum_length(served: RunningArchive, port: int, maximum: int) -> None:
    fill(served, *(instance(StudyDescription="x" * 60) for _ in range(5)))
    with Wire(port, maximum=maximum, user_items=item(0x77, os.urandom(30)), fragment=11) as wire:
        assert len(wire.matches("STUDY", StudyInstanceUID="", StudyDescription="", PatientName="D*")) == 5


def test_128_contexts_and_a_query_on_the_last(served: RunningArchive, port: int) -> None:
    fill(served, instance())
    contexts = [("1.2.3.4.5", IMPLICIT)] + [(CT, "1.2.3.4")] + [(CT, IMPLICIT)] * 125 + [EVERYTHING[2]]
    with Wire(port, contexts) as wire:
        # The standard leaves the order of the answers open.
        results = [wire.results[number][0] for number in range(1, 256, 2)]
        assert results == [3, 4] + [0] * 126
        assert len(wire.results) == 128
        assert len(wire.matches("STUDY", StudyInstanceUID="")) == 1
