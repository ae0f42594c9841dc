"""Deleting, restoring, emptying the bin, taking back: what is where, what the journal says, what is refused."""

from __future__ import annotations

import pytest

from sandbox.archive.archive import Archive
from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.operation import Kind
from sandbox.archive.operations.restore import Restore
from sandbox.archive.operations.undo import Undo
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from tests.archive.operations.support import ANNA, BEN, DELETE, WHY, consistent, populate, population, state
from tests.archive.support import found, store


def test_a_deleted_study_is_in_the_bin_and_comes_back_byte_for_byte(archive: Archive) -> None:
    populate(archive)
    before, counts = state(archive), archive.counts()
    paths = {one.sop_instance: one.path.read_bytes() for one in archive.objects(ANNA)}
    gone = archive.operate(DELETE, "anna")
    assert gone.instances == len(paths) == 4
    assert not found(archive, "STUDY", StudyInstanceUID=ANNA)
    assert archive.counts().studies == 1
    consistent(archive)
    (entry,) = archive.bin()
    assert (entry.actor, entry.reason, entry.kind, entry.in_bin) == ("anna", WHY, Kind.DELETE, 4)
    back = archive.operate(Restore(reason="wrong study", entry=entry.number), "ben")
    assert back.studies == (ANNA,)
    assert {one.sop_instance: one.path.read_bytes() for one in archive.objects(ANNA)} == paths
    assert (state(archive), archive.counts()) == (before, counts)
    assert archive.bin() == []
    assert [(entry.kind, entry.undone_by) for entry in archive.journal()] == [(Kind.RESTORE, 0), (Kind.DELETE, 2)]
    consistent(archive)


def test_a_part_is_deleted_and_a_part_restored(archive: Archive) -> None:
    populate(archive)
    archive.operate(Delete(reason=WHY, study_uid=ANNA, series_uid=f"{ANNA}.2"), "admin")
    consistent(archive)
    study = archive.study(ANNA)
    assert study is not None
    assert (study.study.series, study.study.instances, study.study.modalities) == (1, 2, ("CT",))
    one = f"{ANNA}.2.1"
    archive.operate(Restore(reason=WHY, entry=1, sop_instance=one), "admin")
    consistent(archive)
    assert archive.instance_path(one) is not None
    assert archive.bin()[0].in_bin == 1
    assert archive.journal()[1].undone_by == 0
    archive.operate(Restore(reason=WHY, entry=1), "admin")
    assert archive.bin() == []
    consistent(archive)


def test_what_came_again_is_not_overwritten(archive: Archive) -> None:
    populate(archive)
    archive.operate(DELETE, "admin")
    store(archive, population()[0])
    told = archive.operate(Restore(reason=WHY, entry=1), "admin")
    assert told.instances == 3
    assert "came again" in told.facts[0]
    assert archive.bin()[0].in_bin == 1
    with pytest.raises(ConflictError, match="came again"):
        archive.operate(Restore(reason=WHY, entry=1), "admin")
    consistent(archive)


def test_the_bin_is_emptied_only_when_that_is_confirmed(archive: Archive) -> None:
    populate(archive)
    archive.operate(DELETE, "admin")
    archive.operate(Delete(reason=WHY, study_uid=BEN), "admin")
    with pytest.raises(BadInputError, match="for good"):
        archive.operate(EmptyBin(reason=WHY), "admin")
    archive.operate(EmptyBin(reason=WHY, entry=1, confirmed=True), "admin")
    assert [entry.number for entry in archive.bin()] == [2]
    consistent(archive)
    with pytest.raises(ConflictError, match="emptied"):
        archive.operate(Restore(reason=WHY, entry=1), "admin")
    archive.operate(EmptyBin(reason=WHY, confirmed=True), "admin")
    assert not list((archive.files.directory / "bin").glob("**/*.dcm"))
    assert archive.size() == 0
    # Each file that is gone stands in the journal.
    gone = archive.bench.items(3)
    assert {(str(item.direction), item.row.sop_instance) for item in gone} == {
        ("gone", str(ds.SOPInstanceUID)) for ds in population()[:4]
    }


def test_what_was_done_since_is_taken_back_first(archive: Archive) -> None:
    populate(archive)
    before = state(archive)
    archive.operate(Edit(reason=WHY, study_uid=ANNA, values={"PatientName": "One"}), "admin")
    archive.operate(Edit(reason=WHY, study_uid=ANNA, values={"PatientName": "Two"}), "admin")
    with pytest.raises(ConflictError, match="Entry 2"):
        archive.operate(Undo(reason=WHY, entry=1), "admin")
    archive.operate(Undo(reason=WHY, entry=2), "admin")
    assert found(archive, "STUDY", StudyInstanceUID=ANNA, PatientName="")[0].PatientName == "One"
    archive.operate(Undo(reason=WHY, entry=1), "admin")
    held, binned = state(archive)
    assert held == before[0]
    assert {name for name, _ in binned} == {"One", "Two"}
    consistent(archive)
    with pytest.raises(ConflictError, match="already"):
        archive.operate(Undo(reason=WHY, entry=1), "admin")
    with pytest.raises(ConflictError, match="cannot be taken back"):
        archive.operate(Undo(reason=WHY, entry=3), "admin")


def test_what_is_not_there_is_refused_in_words(archive: Archive) -> None:
    populate(archive)
    before = state(archive)
    for operation, error in (
        (Delete(reason=WHY, study_uid="1.9"), NotFoundError),
        (Delete(reason=WHY, study_uid="../../x"), BadInputError),
        (Delete(reason=WHY, study_uid=ANNA, series_uid="1.9"), NotFoundError),
        (Restore(reason=WHY, entry=9), NotFoundError),
        (EmptyBin(reason=WHY, confirmed=True), ConflictError),
    ):
        with pytest.raises(error) as told:
            archive.operate(operation, "admin")
        assert told.value.sentence.endswith(".")
    assert state(archive) == before
    assert archive.journal() == []
