"""A key is looked up through an SQL index at every level, however it is matched: no query but a wildcard that begins
with an asterisk reads every row. Asked of SQLite itself, with the statements that queries really run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from sandbox.archive.identifier import Refusal, keys_of
from sandbox.archive.index import database, schema
from sandbox.archive.index.reader import Reader
from sandbox.archive.query import kind_of, read_question, statement
from sandbox.archive.store import Sync
from tests.archive.support import PATIENT_FIND, STUDY_FIND, identifier

EXACT, RANGE, WILDCARD = "ix_studies_patient_id", "ix_studies_date", "ix_studies_patient_name"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = tmp_path_factory.mktemp("plans") / "index.sqlite"
    engine = database.open_database(database.sqlite_url(path), Sync.NORMAL)
    with engine.begin() as connection:
        connection.execute(
            insert(schema.studies),
            [{"study_instance_uid": f"1.{n}", "patient_id": f"P{n}", "received": 0} for n in range(50)],
        )
    yield engine
    engine.dispose()


def plan(engine: Engine, model: str, level: str, keys: dict[str, object]) -> str:
    question = read_question(model, keys_of(identifier(level, **keys)))
    assert not isinstance(question, Refusal)
    kind, values = kind_of(question)
    prepared = Reader(engine).prepared(statement, kind)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {prepared.text}", tuple(prepared.parameters(values))
        ).all()
    return " ".join(str(row[3]) for row in rows)


STUDY = {"StudyInstanceUID": "1.7"}
SERIES = {**STUDY, "SeriesInstanceUID": "1.7.1"}


@pytest.mark.parametrize(
    ("model", "level", "keys", "expected"),
    [
        (STUDY_FIND, "STUDY", {"PatientID": "P7"}, EXACT),
        (STUDY_FIND, "STUDY", {"PatientID": ["P7", "P8"]}, EXACT),
        (STUDY_FIND, "STUDY", {"PatientID": "P7*"}, EXACT),
        (STUDY_FIND, "STUDY", {"PatientName": "DOE*"}, WILDCARD),
        (STUDY_FIND, "STUDY", {"PatientName": "DOE^JANE"}, WILDCARD),
        (STUDY_FIND, "STUDY", {"PatientName": "D?E^*", "StudyDescription": "A*"}, WILDCARD),
        (STUDY_FIND, "STUDY", {"StudyDate": "20260101"}, RANGE),
        (STUDY_FIND, "STUDY", {"StudyDate": "20260101-20260107"}, RANGE),
        (STUDY_FIND, "STUDY", {"StudyDate": "20260101-"}, RANGE),
        (STUDY_FIND, "STUDY", {"AccessionNumber": "A77"}, "ix_studies_accession"),
        (STUDY_FIND, "STUDY", {"AccessionNumber": "A77*"}, "ix_studies_accession"),
        (STUDY_FIND, "STUDY", STUDY, "(study_instance_uid=?)"),
        (STUDY_FIND, "SERIES", STUDY, "(study_row=?"),
        (STUDY_FIND, "SERIES", {**STUDY, "Modality": "C*", "SeriesNumber": "1"}, "(study_row=?"),
        (STUDY_FIND, "IMAGE", SERIES, "ix_instances_series"),
        (STUDY_FIND, "IMAGE", {**SERIES, "SOPInstanceUID": "1.7.1.1"}, "(sop_instance_uid=?)"),
        (PATIENT_FIND, "PATIENT", {"PatientID": "P7"}, EXACT),
        (PATIENT_FIND, "PATIENT", {"PatientID": "", "PatientName": "DOE*"}, WILDCARD),
        (PATIENT_FIND, "PATIENT", {"PatientID": "P7", "NumberOfPatientRelatedStudies": ""}, "ix_studies_patient_key"),
        (PATIENT_FIND, "STUDY", {"PatientID": "P7", "StudyDate": "20260101-20260107"}, "USING INDEX"),
        (PATIENT_FIND, "SERIES", {"PatientID": "P7", **STUDY}, "(study_row=?"),
        (PATIENT_FIND, "IMAGE", {"PatientID": "P7", **SERIES}, "ix_instances_series"),
    ],
)
def test_keys_are_looked_up_and_not_scanned_for(
    engine: Engine, model: str, level: str, keys: dict[str, object], expected: str
) -> None:
    found = plan(engine, model, level, keys)
    assert "SCAN" not in found
    assert expected in found


def test_only_what_begins_with_an_asterisk_is_scanned_for(engine: Engine) -> None:
    assert "SCAN studies" in plan(engine, STUDY_FIND, "STUDY", {"PatientID": "*7"})
