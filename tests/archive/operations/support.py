"""A small population, the operations tried on it, and what must hold whatever happens to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydicom import dcmread
from pydicom.dataset import Dataset
from sqlalchemy import func, select

from sandbox.archive.archive import Archive
from sandbox.archive.index.schema import instances, placements, removals, series, studies
from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.merge import Merge, MoveStudy
from sandbox.archive.operations.operation import Operation
from sandbox.archive.operations.reindex import Reindex
from sandbox.archive.operations.reject import Reject
from sandbox.archive.operations.restore import Restore
from sandbox.archive.operations.split import Split
from sandbox.archive.operations.undo import Undo
from tests.archive.support import instance, store

ANNA, BEN = "1.2.3.1", "1.2.3.2"
WHY = "ordered by the head of radiology"


def population() -> list[Dataset]:
    """Anna (P1) with a study of two series, Ben (P2) with one of one."""
    found = [
        instance(
            StudyInstanceUID=ANNA,
            SeriesInstanceUID=f"{ANNA}.{number}",
            SOPInstanceUID=f"{ANNA}.{number}.{image}",
            PatientID="P1",
            PatientName="Adams^Anna",
            PatientSex="F",
            Modality=("CT", "CT", "SR")[number],
            SeriesNumber=str(number),
            InstanceNumber=str(image),
        )
        for number in (1, 2)
        for image in (1, 2)
    ]
    found.append(
        instance(
            StudyInstanceUID=BEN,
            SeriesInstanceUID=f"{BEN}.1",
            SOPInstanceUID=f"{BEN}.1.1",
            PatientID="P2",
            PatientName="Brown^Ben",
            PatientSex="M",
        )
    )
    return found


@dataclass(frozen=True)
class Case:
    """An operation, and what must be done before it."""

    make: Callable[[Archive], Operation]
    before: tuple[Operation, ...] = ()


def _last(archive: Archive) -> int:
    return archive.journal()[0].number


DELETE = Delete(reason=WHY, study_uid=ANNA)
CASES: dict[str, Case] = {
    "delete": Case(lambda a: DELETE),
    "delete-series": Case(lambda a: Delete(reason=WHY, study_uid=ANNA, series_uid=f"{ANNA}.2")),
    "restore": Case(lambda a: Restore(reason=WHY, entry=_last(a)), (DELETE,)),
    "empty-bin": Case(lambda a: EmptyBin(reason=WHY, confirmed=True), (DELETE,)),
    "edit": Case(lambda a: Edit(reason=WHY, study_uid=ANNA, values={"PatientName": "Adams^Ännchen", "StudyID": "S9"})),
    "merge": Case(lambda a: Merge(reason=WHY, source="P1", target="P2")),
    "move": Case(lambda a: MoveStudy(reason=WHY, study_uid=ANNA, target="P2")),
    "split": Case(lambda a: Split(reason=WHY, study_uid=ANNA, series_uids=(f"{ANNA}.2",))),
    "reject": Case(lambda a: Reject(reason=WHY, study_uid=ANNA, series_uid=f"{ANNA}.2")),
    "undo-merge": Case(lambda a: Undo(reason=WHY, entry=_last(a)), (Merge(reason=WHY, source="P1", target="P2"),)),
    "undo-reject": Case(lambda a: Undo(reason=WHY, entry=_last(a)), (Reject(reason=WHY, study_uid=ANNA),)),
    "reindex": Case(lambda a: Reindex(reason=WHY, study_uid=ANNA)),
}


def populate(archive: Archive, before: Iterable[Operation] = ()) -> None:
    store(archive, *population())
    for operation in before:
        archive.operate(operation, "admin")


Row = tuple[str, str, str, str, str]


def state(archive: Archive) -> tuple[frozenset[Row], frozenset[tuple[str, str]]]:
    """What the archive holds: its instances with patient and UIDs as their files have them, and what lies in the bin.
    New UIDs are not told apart from each other."""
    with archive.bench.index.connect() as connection:
        rows = connection.execute(
            select(studies.c.patient_id, studies.c.study_instance_uid, instances.c.sop_instance_uid, instances.c.file)
            .join(series, series.c.study_row == studies.c.id)
            .join(instances, instances.c.series_row == series.c.id)
        ).all()
    held: set[Row] = set()
    for patient_id, study_uid, sop_instance, file in rows:
        ds = dcmread(archive.files.path(file))
        assert (ds.PatientID, ds.StudyInstanceUID, ds.SOPInstanceUID) == (patient_id, study_uid, sop_instance)
        held.add((patient_id, str(ds.PatientName), _uid(study_uid), _uid(sop_instance), str(ds.get("InstanceNumber"))))
    binned = set()
    for path in (archive.files.directory / "bin").glob("*/*.dcm"):
        ds = dcmread(path)
        binned.add((str(ds.PatientName), _uid(ds.SOPInstanceUID)))
    return frozenset(held), frozenset(binned)


def _uid(uid: str) -> str:
    return "new" if uid.startswith("2.25.") else uid


def consistent(archive: Archive) -> None:
    """Counts are those of the rows, every row has its file and every file its row, and nothing is left half done."""
    with archive.bench.index.connect() as connection:
        for row in connection.execute(select(studies)).mappings():
            within = select(series.c.id).where(series.c.study_row == row["id"])
            of_study = instances.c.series_row.in_(within)
            assert row["number_of_study_related_series"] == connection.scalar(
                select(func.count()).where(series.c.study_row == row["id"])
            )
            count, size = connection.execute(select(func.count(), func.sum(instances.c.size)).where(of_study)).one()
            assert (row["number_of_study_related_instances"], row["size"]) == (count, size)
            modalities = connection.execute(select(series.c.modality).where(series.c.study_row == row["id"])).scalars()
            assert set(row["modalities_in_study"].split("\\")) == set(modalities)
        for row in connection.execute(select(series)).mappings():
            count = connection.scalar(select(func.count()).where(instances.c.series_row == row["id"]))
            assert row["number_of_series_related_instances"] == count > 0
        for row in connection.execute(select(instances)).mappings():
            assert archive.files.path(row["file"]).stat().st_size == row["size"]
        assert connection.execute(select(placements)).all() == []
        assert connection.execute(select(removals)).all() == []
    assert archive.orphans().count == 0
    assert not (archive.files.directory / "staged").exists()
