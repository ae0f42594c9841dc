"""What an administrator sees, and loading many instances at once."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom import dcmread

from sandbox.archive.archive import Archive
from sandbox.archive.part10 import part10_bytes
from sandbox.archive.views import StudyFilter
from sandbox.model.errors import BadInputError
from tests.archive.support import instance, store, uid

_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def test_studies_the_newest_first_with_paging(archive: Archive) -> None:
    datasets = [instance(PatientID=f"P{number}") for number in range(5)]
    store(archive, *datasets)
    assert [study.patient_id for study in archive.studies(limit=2)] == ["P4", "P3"]
    assert [study.patient_id for study in archive.studies(limit=2, offset=4)] == ["P0"]
    assert archive.count_studies() == 5


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (StudyFilter(text="müll"), True),
        (StudyFilter(text="MULL"), True),
        (StudyFilter(text="a-7"), True),
        (StudyFilter(text="thorax"), True),
        (StudyFilter(text="%"), False),
        (StudyFilter(name="mul"), True),
        (StudyFilter(name="jur"), False),
        (StudyFilter(patient_id="P1"), True),
        (StudyFilter(patient_id="P"), False),
        (StudyFilter(accession_number="A-7"), True),
        (StudyFilter(modality="CT"), True),
        (StudyFilter(modality="C"), False),
        (StudyFilter(date_from="20260101", date_to="20260102"), True),
        (StudyFilter(date_from="20260103"), False),
        (StudyFilter(date_to="20260101"), False),
    ],
)
def test_filters(archive: Archive, wanted: StudyFilter, matches: bool) -> None:
    ds = instance(
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Müller^Jürgen",
        AccessionNumber="A-7",
        StudyDescription="CT Thorax",
    )
    store(archive, ds)
    assert len(archive.studies(wanted)) == archive.count_studies(wanted) == int(matches)


def test_a_study_in_detail(archive: Archive) -> None:
    study, series = uid(), uid()
    store(
        archive,
        *(
            instance(StudyInstanceUID=study, SeriesInstanceUID=series, SeriesNumber="2", InstanceNumber=str(number))
            for number in (10, 9, 1)
        ),
        instance(StudyInstanceUID=study, SeriesNumber="1", Modality="SR"),
    )
    detail = archive.study(study)
    assert detail is not None
    assert (detail.study.series, detail.study.instances, detail.study.modalities) == (2, 4, ("CT", "SR"))
    assert [one.number for one in detail.series] == [1, 2]
    assert [one.number for one in detail.series[1].instances] == [1, 9, 10]
    first, *_ = archive.objects(study)
    assert first.path.exists()
    assert {one.sop_instance for one in archive.objects(study)} == {
        one.sop_instance for group in detail.series for one in group.instances
    }
    assert archive.objects("1.2.3") == ()
    assert detail.study.size == sum(one.size for group in detail.series for one in group.instances)
    assert detail.model_dump_json()
    assert archive.study("1.2.3") is None
    assert archive.instance_path("1.2.3") is None


def test_counts(archive: Archive) -> None:
    assert archive.counts().model_dump() == {"patients": 0, "studies": 0, "series": 0, "instances": 0, "size": 0}
    store(archive, instance(), instance(), instance(PatientID="P2"))
    counts = archive.counts()
    assert (counts.patients, counts.studies, counts.series, counts.instances) == (2, 3, 3, 3)
    assert counts.size == sum(path.stat().st_size for path in (archive.directory / "store").rglob("*.dcm"))


def test_bulk_loading_is_idempotent(tmp_path: Path) -> None:
    study, series = uid(), uid()
    datasets = [instance(StudyInstanceUID=study, SeriesInstanceUID=series) for _ in range(500)]
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        assert archive.add_datasets(datasets) == 500
        assert archive.add_datasets(datasets[:10]) == 0
        assert archive.counts().instances == 500


def test_files_are_linked_and_found(archive: Archive, tmp_path: Path) -> None:
    source = tmp_path / "a.dcm"
    ds = instance()
    source.write_bytes(part10_bytes(ds))
    real = _FILES / "CT_small.dcm"
    assert archive.add_files([source, real]) == 2
    assert archive.add_files([source]) == 0
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    assert path.samefile(source)
    copied = archive.instance_path(dcmread(real).SOPInstanceUID)
    assert copied is not None
    assert copied.read_bytes() == real.read_bytes()
    assert list((archive.directory / "store" / "incoming").iterdir()) == []


def test_a_bad_file_among_good_ones(archive: Archive, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.dcm", tmp_path / "bad.dcm"
    good.write_bytes(part10_bytes(instance()))
    bad.write_bytes(b"no")
    with pytest.raises(BadInputError, match=r"bad\.dcm"):
        archive.add_files([good, bad])
    assert archive.counts().instances == 1
    with pytest.raises(BadInputError, match="StudyInstanceUID"):
        archive.add_datasets([instance(StudyInstanceUID=None)])
