"""Reindexing, orphans both ways, exporting, and the quota."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from sqlalchemy import update

from sandbox.archive.archive import Archive
from sandbox.archive.index.schema import studies
from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.export import Export
from sandbox.archive.operations.orphans import MendOrphans, What
from sandbox.archive.operations.reindex import Reindex
from sandbox.archive.operations.restore import Restore
from sandbox.archive.quota import Crossing, Quota
from sandbox.archive.store import OutOfResourcesError
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from tests.archive.operations.support import ANNA, BEN, DELETE, WHY, consistent, populate, population, state
from tests.archive.support import found, instance, request, store


@pytest.mark.parametrize("study", [ANNA, ""])
def test_reindexing_brings_rows_in_line_with_files(archive: Archive, study: str) -> None:
    populate(archive)
    before, counts = state(archive), archive.counts()
    with archive.bench.index.changing() as connection:
        connection.execute(
            update(studies)
            .where(studies.c.study_instance_uid == ANNA)
            .values(patient_name="Nonsense", number_of_study_related_instances=77)
        )
    told = archive.operate(Reindex(reason=WHY, study_uid=study), "admin")
    assert told.ok
    assert told.instances == (4 if study else 5)
    assert (state(archive), archive.counts()) == (before, counts)
    assert found(archive, "STUDY", PatientName="Adams*")
    consistent(archive)


def test_reindexing_keeps_rows_whose_files_are_gone(archive: Archive) -> None:
    populate(archive)
    archive.objects(ANNA)[0].path.unlink()
    told = archive.operate(Reindex(reason=WHY), "admin")
    assert not told.ok
    assert f"{ANNA}.1.1" in told.facts[0]
    assert archive.counts().instances == 5
    with pytest.raises(NotFoundError):
        archive.operate(Reindex(reason=WHY, study_uid="1.9"), "admin")


def test_files_without_rows(archive: Archive) -> None:
    populate(archive)
    before = state(archive)
    with archive.bench.index.changing() as connection:
        connection.execute(studies.delete().where(studies.c.study_instance_uid == ANNA))
    rubbish = archive.files.path(archive.files.relative_path("1.2.3.4.5"))
    rubbish.parent.mkdir(exist_ok=True)
    rubbish.write_bytes(b"rubbish")
    orphans = archive.orphans()
    assert (len(orphans.files), len(orphans.unreadable), orphans.rows, orphans.bin) == (4, 1, (), ())
    assert archive.counts().instances == 1  # looking changes nothing
    told = archive.operate(MendOrphans(reason=WHY), "admin")
    assert told.instances == 4
    assert (archive.files.directory / "set-aside" / orphans.unreadable[0]).read_bytes() == b"rubbish"
    assert state(archive) == before
    consistent(archive)
    with pytest.raises(ConflictError, match="no files without a row"):
        archive.operate(MendOrphans(reason=WHY), "admin")


def test_rows_without_files(archive: Archive) -> None:
    """One whose file is in the bin of an earlier edit gets nothing from there, for that is an older one."""
    populate(archive)
    archive.operate(Edit(reason=WHY, study_uid=BEN, values={"PatientName": "Brown^Benjamin"}), "admin")
    lost = [archive.objects(ANNA)[0], archive.objects(BEN)[0]]
    for one in lost:
        one.path.unlink()
    assert archive.orphans().rows == tuple(sorted(one.sop_instance for one in lost))
    with pytest.raises(ConflictError, match="no file anywhere"):
        archive.operate(MendOrphans(reason=WHY, what=What.ROWS), "admin")
    assert archive.counts().instances == 5
    told = archive.operate(MendOrphans(reason=WHY, what=What.ROWS, drop_rows=True), "admin")
    assert archive.counts().instances == 3
    assert {item.row.sop_instance for item in archive.bench.items(told.entry)} == {one.sop_instance for one in lost}
    consistent(archive)


def test_a_row_gets_its_file_back_from_the_bin(archive: Archive) -> None:
    populate(archive)
    archive.operate(DELETE, "admin")
    store(archive, *population()[:4])
    before = state(archive)[0]
    archive.objects(ANNA)[0].path.unlink()
    told = archive.operate(MendOrphans(reason=WHY, what=What.ROWS), "admin")
    assert told.sentence.startswith("Brought back 1 file")
    assert state(archive)[0] == before
    consistent(archive)


def test_a_bin_whose_index_was_lost(tmp_path: Path) -> None:
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        populate(archive)
        archive.operate(DELETE, "admin")
    for part in tmp_path.glob("index.sqlite*"):
        part.unlink()
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        assert archive.counts().instances == 1
        assert len(archive.orphans().bin) == 4
        listed = archive.operate(MendOrphans(reason=WHY, what=What.BIN), "admin")
        assert archive.orphans().count == 0
        archive.operate(Restore(reason=WHY, entry=listed.entry), "admin")
        assert archive.counts().instances == 5
        consistent(archive)


@pytest.mark.parametrize("zipped", [False, True])
def test_an_export_is_a_file_set_others_can_read(archive: Archive, tmp_path: Path, zipped: bool) -> None:
    populate(archive)
    place = tmp_path / "exports"
    told = archive.operate(Export(reason=WHY, directory=place, name="anna", patient_id="P1", zipped=zipped), "admin")
    assert told.instances == 4
    target = place / "anna"
    if zipped:
        with zipfile.ZipFile(place / "anna.zip") as packed:
            packed.extractall(target)
    fileset = FileSet(target / "DICOMDIR")
    assert {one.SOPInstanceUID for one in fileset} == {one.sop_instance for one in archive.objects(ANNA)}
    originals = {one.sop_instance: one.path.read_bytes() for one in archive.objects(ANNA)}
    for one in fileset:
        assert Path(one.path).read_bytes() == originals[str(one.SOPInstanceUID)]
    assert sorted(path.name for path in place.iterdir()) == (["anna", "anna.zip"] if zipped else ["anna"])
    with pytest.raises(ConflictError, match="already"):
        archive.operate(Export(reason=WHY, directory=place, name="anna", study_uid=ANNA, zipped=zipped), "admin")


def test_what_a_directory_cannot_list_is_exported_all_the_same(archive: Archive, tmp_path: Path) -> None:
    odd = instance(StudyInstanceUID=BEN, SeriesInstanceUID=f"{BEN}.2", PatientID=None, InstanceNumber=None)
    store(archive, odd)
    told = archive.operate(Export(reason=WHY, directory=tmp_path, name="odd", study_uid=BEN), "admin")
    files = [path for path in (tmp_path / "odd").rglob("*") if path.is_file() and path.name != "DICOMDIR"]
    assert [str(dcmread(path).SOPInstanceUID) for path in files] == [odd.SOPInstanceUID]
    assert any("not in the DICOMDIR" in fact for fact in told.facts)


def test_exports_that_make_no_sense(archive: Archive, tmp_path: Path) -> None:
    populate(archive)
    for name in ("../out", "", ".hidden", "a/b", "x" * 65):
        with pytest.raises(BadInputError):
            archive.operate(Export(reason=WHY, directory=tmp_path, name=name, study_uid=ANNA), "admin")
    with pytest.raises(BadInputError, match="either"):
        archive.operate(Export(reason=WHY, directory=tmp_path, name="x"), "admin")
    archive.objects(ANNA)[3].path.unlink()
    with pytest.raises(ConflictError, match="missing"):
        archive.operate(Export(reason=WHY, directory=tmp_path / "e", name="x", study_uid=ANNA), "admin")
    assert not list((tmp_path / "e").iterdir())


def test_a_quota_refuses_with_its_reason_and_the_bin_counts(archive: Archive) -> None:
    first = instance(StudyInstanceUID=BEN)
    store(archive, first)
    quota = Quota(archive.size, quota=archive.size() + 100)
    archive.files.limit = quota.check
    answer = archive.store(request(instance()))
    assert answer.status == 0xA700
    assert re.fullmatch(r"Quota reached: 0\.\d\d kB of 0\.\d\d kB used\.", answer.comment), answer.comment
    assert archive.counts().instances == 1
    archive.operate(Delete(reason=WHY, study_uid=BEN), "admin")
    assert archive.store(request(instance())).status == 0xA700
    archive.operate(EmptyBin(reason=WHY, confirmed=True), "admin")
    assert archive.store(request(instance())).status == 0


def test_the_watermark_is_crossed_once_each_way() -> None:
    held = [0]
    quota = Quota(lambda: held[0], quota=1000, watermark=80, now=lambda: 0.0)
    assert quota.grown(0) is Crossing.NONE
    crossings = []
    for _ in range(10):
        held[0] += 90
        crossings.append(quota.grown(90))
    assert crossings.count(Crossing.ABOVE) == 1
    assert crossings.index(Crossing.ABOVE) == 8
    assert quota.level().percent == 90
    with pytest.raises(OutOfResourcesError, match="Quota reached"):
        quota.check(101)
    quota.check(100)
    held[0] = 100
    assert quota.grown(0) is Crossing.BELOW
    assert quota.grown(0) is Crossing.NONE
    assert Quota(lambda: 10**12).grown(5) is Crossing.NONE
