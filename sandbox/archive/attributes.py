"""The attributes the archive knows: one line each, from which header scan, index, matching and answers are made.

The levels and key types are those of the Query/Retrieve information models (PS3.4 C.6.1.1, C.6.2.1). To support another
key is to add a line here and a migration beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pydicom.datadict import dictionary_VR, tag_for_keyword


class Level(StrEnum):
    """Query/Retrieve Level (0008,0052), from the top down."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"

    @property
    def depth(self) -> int:
        return LEVELS.index(self)


LEVELS = tuple(Level)


class KeyType(StrEnum):
    """PS3.4 C.2.2.1: unique keys identify an entity, required ones must be matched, optional ones may be."""

    UNIQUE = "U"
    REQUIRED = "R"
    OPTIONAL = "O"


_FOLDED_BEFORE_UPPER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Attribute:
    """A key of one level: ``computed`` ones are counted or gathered by the index, the rest come from the data set.

    ``multiple`` tells a value multiplicity above one. ``folded`` names are also kept without case and accents, so that
    the index can narrow a search by person name. ``column`` is its column in the index, the keyword in snake case.
    """

    level: Level
    keyword: str
    key: KeyType
    vr: str
    tag: int
    multiple: bool = False
    computed: bool = False
    folded: bool = False
    column: str = ""


def snake_case(keyword: str) -> str:
    """``StudyInstanceUID`` → ``study_instance_uid``."""
    joined = keyword.replace("UIDs", "Uids").replace("IDs", "Ids").replace("SOPI", "SopI").replace("SOPC", "SopC")
    return _FOLDED_BEFORE_UPPER.sub("_", joined).lower()


def _line(level: Level, key: str, keyword: str, *marks: str) -> Attribute:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(keyword)
    vr = dictionary_VR(tag)
    return Attribute(
        level=level,
        keyword=keyword,
        key=KeyType(key),
        vr=vr.split(" or ")[0],
        tag=tag,
        multiple="multiple" in marks,
        computed="computed" in marks,
        folded="folded" in marks,
        column=snake_case(keyword),
    )


_P, _ST, _SE, _I = LEVELS

ATTRIBUTES: tuple[Attribute, ...] = (
    _line(_P, "R", "PatientName", "folded"),
    _line(_P, "U", "PatientID"),
    _line(_P, "O", "IssuerOfPatientID"),
    _line(_P, "O", "PatientBirthDate"),
    _line(_P, "O", "PatientBirthTime"),
    _line(_P, "O", "PatientSex"),
    _line(_P, "O", "OtherPatientIDs", "multiple"),
    _line(_P, "O", "OtherPatientNames", "multiple"),
    _line(_P, "O", "EthnicGroup"),
    _line(_P, "O", "PatientComments"),
    _line(_P, "O", "NumberOfPatientRelatedStudies", "computed"),
    _line(_P, "O", "NumberOfPatientRelatedSeries", "computed"),
    _line(_P, "O", "NumberOfPatientRelatedInstances", "computed"),
    _line(_ST, "U", "StudyInstanceUID"),
    _line(_ST, "R", "StudyDate"),
    _line(_ST, "R", "StudyTime"),
    _line(_ST, "R", "AccessionNumber"),
    _line(_ST, "R", "StudyID"),
    _line(_ST, "O", "StudyDescription"),
    _line(_ST, "O", "ReferringPhysicianName", "folded"),
    _line(_ST, "O", "PhysiciansOfRecord", "multiple"),
    _line(_ST, "O", "NameOfPhysiciansReadingStudy", "multiple"),
    _line(_ST, "O", "AdmittingDiagnosesDescription", "multiple"),
    _line(_ST, "O", "PatientAge"),
    _line(_ST, "O", "PatientSize"),
    _line(_ST, "O", "PatientWeight"),
    _line(_ST, "O", "Occupation"),
    _line(_ST, "O", "AdditionalPatientHistory"),
    _line(_ST, "O", "InstitutionName"),
    _line(_ST, "O", "ProcedureCodeSequence"),
    _line(_ST, "O", "ModalitiesInStudy", "multiple", "computed"),
    _line(_ST, "O", "SOPClassesInStudy", "multiple", "computed"),
    _line(_ST, "O", "NumberOfStudyRelatedSeries", "computed"),
    _line(_ST, "O", "NumberOfStudyRelatedInstances", "computed"),
    _line(_SE, "U", "SeriesInstanceUID"),
    _line(_SE, "R", "Modality"),
    _line(_SE, "R", "SeriesNumber"),
    _line(_SE, "O", "SeriesDescription"),
    _line(_SE, "O", "SeriesDate"),
    _line(_SE, "O", "SeriesTime"),
    _line(_SE, "O", "BodyPartExamined"),
    _line(_SE, "O", "Laterality"),
    _line(_SE, "O", "ProtocolName"),
    _line(_SE, "O", "PatientPosition"),
    _line(_SE, "O", "FrameOfReferenceUID"),
    _line(_SE, "O", "PerformingPhysicianName", "multiple"),
    _line(_SE, "O", "OperatorsName", "multiple"),
    _line(_SE, "O", "InstitutionName"),
    _line(_SE, "O", "InstitutionalDepartmentName"),
    _line(_SE, "O", "StationName"),
    _line(_SE, "O", "Manufacturer"),
    _line(_SE, "O", "ManufacturerModelName"),
    _line(_SE, "O", "PerformedProcedureStepStartDate"),
    _line(_SE, "O", "PerformedProcedureStepStartTime"),
    _line(_SE, "O", "PerformedProcedureStepID"),
    _line(_SE, "O", "PerformedProcedureStepDescription"),
    _line(_SE, "O", "RequestAttributesSequence"),
    _line(_SE, "O", "NumberOfSeriesRelatedInstances", "computed"),
    _line(_I, "U", "SOPInstanceUID"),
    _line(_I, "O", "SOPClassUID"),
    _line(_I, "R", "InstanceNumber"),
    _line(_I, "O", "ImageType", "multiple"),
    _line(_I, "O", "ContentDate"),
    _line(_I, "O", "ContentTime"),
    _line(_I, "O", "AcquisitionDate"),
    _line(_I, "O", "AcquisitionTime"),
    _line(_I, "O", "AcquisitionNumber"),
    _line(_I, "O", "ImageComments"),
    _line(_I, "O", "NumberOfFrames"),
    _line(_I, "O", "Rows"),
    _line(_I, "O", "Columns"),
    _line(_I, "O", "BitsAllocated"),
    _line(_I, "O", "PresentationIntentType"),
    _line(_I, "O", "ContentLabel"),
    _line(_I, "O", "ContentDescription"),
    _line(_I, "O", "DocumentTitle"),
    _line(_I, "O", "CompletionFlag"),
    _line(_I, "O", "VerificationFlag"),
    _line(_I, "O", "ConceptNameCodeSequence"),
    _line(_I, "O", "AvailableTransferSyntaxUID", "computed"),
)

STORED: tuple[Attribute, ...] = tuple(a for a in ATTRIBUTES if not a.computed)
"""Those whose values come out of the data set."""

AT_LEVEL: dict[Level, tuple[Attribute, ...]] = {
    level: tuple(a for a in ATTRIBUTES if a.level is level) for level in LEVELS
}

UNIQUE_KEY: dict[Level, Attribute] = {a.level: a for a in ATTRIBUTES if a.key is KeyType.UNIQUE}


def lookup(level: Level) -> dict[int, Attribute]:
    """What may be asked at ``level``: its own keys and those above it, by tag. The nearest level wins."""
    return {a.tag: a for upper in LEVELS[: level.depth + 1] for a in AT_LEVEL[upper]}
