"""What may be edited of patient and study, how new values are checked, and rewriting a set of instances with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.valuerep import validate_value

from sandbox.archive.index.changes import InstanceRow
from sandbox.archive.operations.bench import Bench, Stage
from sandbox.archive.operations.rewrite import Changes, Why, rewritten
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError, ConflictError

PATIENT_KEYWORDS = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientBirthTime",
    "PatientSex",
    "OtherPatientNames",
    "EthnicGroup",
    "PatientComments",
)
STUDY_KEYWORDS = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "ReferringPhysicianName",
    "AdmittingDiagnosesDescription",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "Occupation",
    "AdditionalPatientHistory",
)
_SEXES = ("", "M", "F", "O")
_NEEDED = ("PatientID", "PatientName")


def checked(values: Mapping[str, str], allowed: Sequence[str]) -> dict[str, str]:
    """Values that may be written, or BadInputError in words (PS3.5 6.2)."""
    if not values:
        raise BadInputError("There is nothing to change.", f"Give one of {', '.join(allowed)}.")
    sound: dict[str, str] = {}
    for keyword, given in values.items():
        if keyword not in allowed:
            raise BadInputError(f"{keyword} cannot be edited here.", suggestion(keyword, allowed))
        value = given.strip()
        try:
            if value:
                validate_value(dictionary_VR(keyword), value, RAISE)
        except ValueError as wrong:
            raise BadInputError(
                f"{value[:80]!r} is no {keyword}: {wrong}", "Write it as the standard has it."
            ) from wrong
        if "\\" in value or any(ord(letter) < 32 for letter in value):
            raise BadInputError(f"{keyword} must be one line without a backslash.")
        if keyword == "PatientSex" and value not in _SEXES:
            raise BadInputError(f"{value!r} is no sex.", "It is M, F, O or empty (PS3.3 C.2.2).")
        if keyword in _NEEDED and not value:
            raise BadInputError(f"{keyword} must not be made empty.", "Nobody would find the study again.")
        sound[keyword] = value
    return sound


def rewrite(
    bench: Bench,
    stage: Stage,
    rows: Sequence[InstanceRow],
    values: Mapping[str, str],
    why: Why,
    uids: Mapping[str, str] | None = None,
) -> None:
    """Stage every instance with the new values. Raises ConflictError when one cannot be read; nothing is changed."""
    missing = [row for row in rows if not bench.files.path(row.file).exists()]
    if missing:
        raise ConflictError(
            f"{len(missing)} of {len(rows)} files are missing, so they cannot be changed.",
            "Find orphans and mend them first.",
        )
    changes = Changes(values, datetime.fromtimestamp(bench.now(), UTC), why, uids)
    for row in rows:
        with rewritten(bench.files.path(row.file), changes) as (sop_instance, parts):
            stage.write(sop_instance, parts, row.received)


def in_words(values: Mapping[str, str]) -> str:
    return ", ".join(f"{keyword} {value or 'nothing'}" for keyword, value in values.items())
