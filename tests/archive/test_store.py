"""C-STORE: byte for byte, durable, idempotent, and refused with the right status when it is not what it says."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from sandbox.archive import part10
from sandbox.archive import store as store_module
from sandbox.archive.archive import Archive, StoredInstance
from sandbox.archive.store import ImageStore, OutOfResourcesError, Sync
from sandbox.archive.uids import is_uid
from sandbox.dicom import syntaxes
from sandbox.dicom.contract import Query
from sandbox.model.errors import BadInputError, UnavailableError
from tests.archive.support import CT, FACTS, MR, STUDY_MOVE, encoded, found, identifier, instance, request, store, uid


def test_every_byte_survives(archive: Archive) -> None:
    ds = instance()
    ds.add_new(0x00091001, "UN", b"private\0")
    sent = request(ds)
    assert archive.store(sent).status == 0
    path = archive.instance_path(sent.sop_instance)
    assert path is not None
    assert path.read_bytes().endswith(bytes(sent.dataset))
    read = dcmread(path)
    assert read.file_meta.TransferSyntaxUID == sent.transfer_syntax
    assert read.file_meta.SourceApplicationEntityTitle == "CT1"
    assert read[0x00091001].value == b"private\0"


def test_the_same_instance_twice_leaves_the_counts(archive: Archive) -> None:
    ds = instance()
    store(archive, ds)
    before = archive.counts()
    store(archive, ds, ds)
    assert archive.counts() == before
    assert (before.patients, before.studies, before.series, before.instances) == (1, 1, 1, 1)


def test_counts_modalities_and_classes_follow_what_comes(archive: Archive) -> None:
    first = instance()
    same_series = instance(StudyInstanceUID=first.StudyInstanceUID, SeriesInstanceUID=first.SeriesInstanceUID)
    other = instance(StudyInstanceUID=first.StudyInstanceUID, Modality="MR", SOPClassUID=MR)
    store(archive, first, same_series, other)
    (study,) = found(
        archive,
        "STUDY",
        StudyInstanceUID=first.StudyInstanceUID,
        NumberOfStudyRelatedSeries="",
        NumberOfStudyRelatedInstances="",
        ModalitiesInStudy="",
        SOPClassesInStudy="",
    )
    assert (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances) == (2, 3)
    assert list(study.ModalitiesInStudy) == ["CT", "MR"]
    assert list(study.SOPClassesInStudy) == [CT, MR]


def test_one_series_uid_in_two_studies_is_two_series(archive: Archive) -> None:
    first = instance()
    second = instance(SeriesInstanceUID=first.SeriesInstanceUID)
    store(archive, first, second)
    counts = archive.counts()
    assert (counts.studies, counts.series, counts.instances) == (2, 2, 2)


def test_a_differing_copy_is_told_and_the_first_kept(tmp_path: Path) -> None:
    told: list[StoredInstance] = []
    with Archive(tmp_path, ae_title="A", sync="normal", on_stored=told.append) as archive:
        ds = instance(PatientName="First^One")
        store(archive, ds)
        store(archive, ds)
        ds.PatientName = "Second^One"
        store(archive, ds)
        assert [(one.is_new, one.differs) for one in told] == [(True, False), (False, False), (False, True)]
        assert dcmread(told[0].path).PatientName == "First^One"
        assert told[0].study_uid == ds.StudyInstanceUID


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"sop_instance": "../../etc/passwd"}, 0x0117, "UID"),
        ({"sop_instance": "1." * 40 + "1"}, 0x0117, "UID"),
        ({"sop_instance": "1.2.3.999"}, 0xA900, "SOPInstanceUID"),
        ({"sop_class": MR}, 0xA900, "SOPClassUID"),
        ({"dataset": b"garbage!"}, 0xC000, ""),
    ],
)
def test_refusals(archive: Archive, change: dict[str, object], status: int, word: str) -> None:
    answer = archive.store(replace(request(instance()), **change))  # type: ignore[arg-type]
    assert answer.status == status
    assert word in answer.comment
    assert 0 < len(answer.comment) <= 64
    assert archive.counts().instances == 0


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_a_data_set_without_its_uids(archive: Archive, keyword: str) -> None:
    good = instance()
    sent = request(good)
    delattr(good, keyword)
    answer = archive.store(replace(sent, dataset=encoded(good)))
    assert (answer.status, keyword in answer.comment) == (0xA900, True)


def test_a_bad_study_uid(archive: Archive) -> None:
    ds = instance()
    ds.add_new(0x0020000D, "LO", "../1.2")
    data = encoded(ds).replace(b"\x20\x00\x0d\x00LO", b"\x20\x00\x0d\x00UI")
    assert archive.store(replace(request(ds), dataset=data)).status == 0xA900


def test_truncated(archive: Archive) -> None:
    sent = request(instance())
    assert archive.store(replace(sent, dataset=sent.dataset[:-2])).status == 0xC000
    assert list((archive.directory / "store" / "incoming").iterdir()) == []


def test_a_full_disk_is_a700_and_leaves_nothing(archive: Archive) -> None:
    archive.files.free = lambda directory: 1_000_000
    archive.files.reserve = 2_000_000
    answer = archive.store(request(instance()))
    assert answer.status == 0xA700
    assert "1 MB" in answer.comment
    assert archive.counts().instances == 0
    archive.files.reserve = 0
    store(archive, instance())


def test_an_instance_whose_file_went_is_healed_by_sending_again(archive: Archive) -> None:
    ds = instance()
    store(archive, ds)
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    path.unlink()
    ds.ImageComments = "sent again in another encoding"
    sent = request(ds, ImplicitVRLittleEndian)
    assert archive.store(sent).status == 0
    assert path.exists()
    counts = archive.counts()
    assert (counts.instances, counts.size) == (1, path.stat().st_size)
    key = identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID)
    (item,) = archive.move(Query(FACTS, STUDY_MOVE, key), "WS1").objects
    assert item.transfer_syntax == ImplicitVRLittleEndian


def test_many_senders_at_once(archive: Archive) -> None:
    """Four associations, some sending the same instances: all are answered, each is counted once."""
    study = uid()
    shared = [request(instance(StudyInstanceUID=study)) for _ in range(20)]
    own = [[request(instance(StudyInstanceUID=study)) for _ in range(20)] for _ in range(4)]
    statuses: list[int] = []

    def send(mine: int) -> None:
        statuses.extend(archive.store(one).status for one in [*shared, *own[mine]])

    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert statuses == [0] * 160
    assert archive.counts().instances == 100
    detail = archive.study(study)
    assert detail is not None
    assert (detail.study.instances, detail.study.series) == (100, 100)


def test_files_are_hard_to_misname(tmp_path: Path) -> None:
    files = ImageStore(tmp_path, Sync.NORMAL)
    for wrong in ("", ".", "..", "../1", "1/2", "1.2.", ".1", "1..2", "1" * 65, "1.2\n", "１.２"):
        assert not is_uid(wrong)
        with pytest.raises(BadInputError):
            files.write(wrong, [b"x"])
    assert is_uid("1.2.03")


def test_leftovers_are_cleaned_and_errors_typed(tmp_path: Path) -> None:
    ImageStore(tmp_path)
    (tmp_path / "incoming" / "7-1.part").write_bytes(b"half")
    files = ImageStore(tmp_path, Sync.FULL)
    assert list((tmp_path / "incoming").iterdir()) == []
    relative, size = files.write("1.2.3", [b"ab", memoryview(b"cd")])
    assert (files.path(relative).read_bytes(), size) == (b"abcd", 4)
    (tmp_path / "incoming").rmdir()
    with pytest.raises(OutOfResourcesError):
        files.write("1.2.4", [b"x"])


def test_one_process_one_directory(tmp_path: Path) -> None:
    first = Archive(tmp_path, ae_title="A")
    with pytest.raises(UnavailableError, match="in use"):
        Archive(tmp_path, ae_title="A")
    first.close()
    first.close()
    assert first.store(request(instance())).status == 0xA700
    Archive(tmp_path, ae_title="A").close()


def test_implementation_is_the_one_of_sandbox_dicom() -> None:
    assert syntaxes.IMPLEMENTATION_CLASS_UID == part10.IMPLEMENTATION_CLASS_UID
    assert syntaxes.IMPLEMENTATION_VERSION_NAME == part10.IMPLEMENTATION_VERSION


def test_a_local_disk_does_not_load_pynetdicom() -> None:
    """Whoever only keeps and reads images has no use for it, and it takes long to load."""
    code = "import sys, sandbox.archive.archive; sys.exit('pynetdicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("in_one_journal", [True, False])
def test_flushes_are_as_few_as_the_file_system_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_journal: bool
) -> None:
    """One for all buckets when the store is made; one for a file with its name, or another for the name where need
    be."""
    synced: list[Path] = []
    monkeypatch.setattr(store_module, "_sync_directory", synced.append)
    files = ImageStore(tmp_path, Sync.FULL)
    assert synced == [tmp_path / "files"]
    assert len(list((tmp_path / "files").iterdir())) == 256
    synced.clear()
    files = ImageStore(tmp_path, Sync.FULL)
    files._sync_names = not in_one_journal
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    written = [files.write(f"2.25.{number}", (b"x",))[0] for number in range(40)]
    assert synced == ([] if in_one_journal else [files.path(file).parent for file in written])
    assert len(flushed) == 40
    assert all(files.path(file).exists() for file in written)


def test_a_directory_that_went_is_made_again(tmp_path: Path) -> None:
    files = ImageStore(tmp_path, Sync.FULL)
    path = files.path(files.relative_path("2.25.1"))
    path.parent.rmdir()
    files.write("2.25.1", (b"x",))
    assert path.exists()


def test_which_file_systems_flush_a_name_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(store_module, "_MOUNTS", mounts)
    for kind, follows in (("ext4", True), ("xfs", True), ("nfs4", False), ("overlay", False)):
        mounts.write_text(
            f"25 1 0:99 / /elsewhere rw - ext4 none rw\n"
            f"26 1 {os.major(device)}:{os.minor(device)} / / rw,relatime shared:1 - {kind} /dev/vda rw\n"
        )
        assert store_module._names_follow_files(tmp_path) is follows
    mounts.unlink()
    assert not store_module._names_follow_files(tmp_path)


def test_a_file_that_cannot_be_flushed_stays_whole_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may be one that a row stands for: only the temporary one is ours to take away."""
    files = ImageStore(tmp_path, Sync.FULL)
    place = tmp_path / "files" / files.relative_path("2.25.1")
    files.write("2.25.1", (b"cut",))

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    monkeypatch.setattr("sandbox.archive.store._sync_directory", lambda directory: None)
    with pytest.raises(OutOfResourcesError):
        files.write("2.25.1", (b"x",))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [place]
    assert place.read_bytes() == b"x"


def test_a_write_that_is_taken_in_parts_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.writev
    pieces = (b"head", b"data" * 1000)
    for taken in (0, 3, 4, 5, 3000):
        monkeypatch.setattr(os, "writev", lambda fd, parts, taken=taken: real(fd, [b"".join(parts)[:taken]]))  # type: ignore[misc]
        file, size = ImageStore(tmp_path, Sync.NORMAL).write(f"2.25.{taken}", pieces)
        assert (tmp_path / "files" / file).read_bytes() == b"".join(pieces)
        assert size == 4004
