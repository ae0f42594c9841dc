"""What a C-MOVE or C-GET sends, and that an identifier that names nothing sends nothing."""

from __future__ import annotations

import pytest

from sandbox.archive.archive import Archive
from sandbox.dicom.contract import Query, RetrievePlan
from tests.archive.support import FACTS, PATIENT_MOVE, STUDY_GET, STUDY_MOVE, identifier, instance, store, uid


def plan(archive: Archive, level: str | None, *, model: str = STUDY_MOVE, **keys: object) -> RetrievePlan:
    query = Query(FACTS, model, identifier(level, **keys))
    return archive.get(query) if model == STUDY_GET else archive.move(query, "WS1")


def sent(result: RetrievePlan) -> set[str]:
    assert result.status == 0
    return {item.sop_instance for item in result.objects}


def test_each_level(archive: Archive) -> None:
    study, series = uid(), uid()
    a = instance(StudyInstanceUID=study, SeriesInstanceUID=series)
    b = instance(StudyInstanceUID=study, SeriesInstanceUID=series)
    c = instance(StudyInstanceUID=study)
    d = instance()
    e = instance(PatientID="P2")
    store(archive, a, b, c, d, e)
    uids = [ds.SOPInstanceUID for ds in (a, b, c, d, e)]
    assert sent(plan(archive, "PATIENT", model=PATIENT_MOVE, PatientID="P1")) == set(uids[:4])
    assert sent(plan(archive, "STUDY", StudyInstanceUID=study)) == set(uids[:3])
    assert sent(plan(archive, "STUDY", StudyInstanceUID=[study, e.StudyInstanceUID])) == {*uids[:3], uids[4]}
    assert sent(plan(archive, "SERIES", StudyInstanceUID=study, SeriesInstanceUID=series)) == set(uids[:2])
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    assert sent(plan(archive, "IMAGE", **keys, SOPInstanceUID=uids[1])) == {uids[1]}
    assert sent(plan(archive, "IMAGE", **keys, SOPInstanceUID=[uids[0], uids[1], uids[1], uids[2]])) == set(uids[:2])
    assert sent(plan(archive, "STUDY", model=STUDY_GET, StudyInstanceUID=study)) == set(uids[:3])
    assert sent(plan(archive, "STUDY", model=PATIENT_MOVE, PatientID="P2", StudyInstanceUID=study)) == set()
    assert sent(plan(archive, "STUDY", StudyInstanceUID="1.2.3")) == set()


def test_an_object_says_where_it_lies_and_what_it_is(archive: Archive) -> None:
    ds = instance()
    store(archive, ds)
    (item,) = plan(archive, "STUDY", StudyInstanceUID=ds.StudyInstanceUID).objects
    assert item.path == archive.instance_path(ds.SOPInstanceUID)
    assert (item.sop_class, item.transfer_syntax) == (ds.SOPClassUID, "1.2.840.10008.1.2.1")


@pytest.mark.parametrize(
    ("model", "level", "keys"),
    [
        (STUDY_MOVE, None, {"StudyInstanceUID": "1.2"}),
        (STUDY_MOVE, "PATIENT", {"PatientID": "P1"}),
        (STUDY_MOVE, "STUDY", {}),
        (STUDY_MOVE, "STUDY", {"StudyInstanceUID": ""}),
        (STUDY_MOVE, "STUDY", {"StudyInstanceUID": "*"}),
        (STUDY_MOVE, "STUDY", {"StudyInstanceUID": "1.2.?"}),
        (STUDY_MOVE, "STUDY", {"StudyInstanceUID": "", "PatientID": "P1"}),
        (STUDY_MOVE, "SERIES", {"StudyInstanceUID": "1.2"}),
        (STUDY_MOVE, "SERIES", {"SeriesInstanceUID": "1.2"}),
        (STUDY_MOVE, "IMAGE", {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.3", "SOPInstanceUID": ""}),
        (STUDY_GET, "STUDY", {"StudyInstanceUID": ""}),
        (PATIENT_MOVE, "PATIENT", {"PatientID": ""}),
        (PATIENT_MOVE, "PATIENT", {"PatientID": "*"}),
        (PATIENT_MOVE, "PATIENT", {"PatientID": ["P1", "P2"]}),
        (PATIENT_MOVE, "STUDY", {"StudyInstanceUID": "1.2"}),
    ],
)
def test_what_names_nothing_sends_nothing(
    archive: Archive, model: str, level: str | None, keys: dict[str, object]
) -> None:
    store(archive, instance())
    result = plan(archive, level, model=model, **keys)
    assert (result.status, result.objects) == (0xA900, ())
    assert 0 < len(result.comment) <= 64


def test_long_uid_lists(archive: Archive) -> None:
    datasets = [instance() for _ in range(12)]
    store(archive, *datasets)
    wanted = [uid() for _ in range(1200)] + [ds.StudyInstanceUID for ds in datasets]
    assert len(plan(archive, "STUDY", StudyInstanceUID=wanted).objects) == 12
