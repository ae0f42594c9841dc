"""What an archive finds again after its process was killed: everything that was answered 0000, each file whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from sandbox.archive import archive as archive_module
from sandbox.archive.archive import Archive
from sandbox.archive.index.index import Index
from sandbox.archive.part10 import opened
from sandbox.model.errors import UnavailableError
from tests.archive.support import found, instance, request, store, uid

_SENDER = """
import sys
from pathlib import Path
from sandbox.archive.archive import Archive
from tests.archive.support import instance, request, uid
archive = Archive(Path(sys.argv[1]), ae_title="A", sync=sys.argv[2])
prefix = sys.argv[3]
for number in range(100_000):
    ds = instance(SOPInstanceUID=f"{prefix}.{number}", StudyInstanceUID=f"{prefix}.9{number // 20}")
    assert archive.store(request(ds)).status == 0
    sys.stdout.write(ds.SOPInstanceUID + "\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("sync", ["full", "normal"])
def test_kill_9_while_storing_loses_nothing(tmp_path: Path, sync: str) -> None:
    answered: list[str] = []
    for number, stored in enumerate((40, 17)):
        prefix = f"1.2.3.{number + 1}"
        sender = subprocess.Popen(
            [sys.executable, "-c", _SENDER, str(tmp_path), sync, prefix], stdout=subprocess.PIPE, text=True
        )
        assert sender.stdout is not None
        answered += [sender.stdout.readline().strip() for _ in range(stored)]
        sender.send_signal(signal.SIGKILL)
        answered += sender.stdout.read().split()
        sender.wait(20)
        sender.stdout.close()
    with Archive(tmp_path, ae_title="A", sync=sync) as archive:
        assert archive.recovery.missing == archive.recovery.unreadable == ()
        for sop_instance in answered:
            path = archive.instance_path(sop_instance)
            assert path is not None, sop_instance
            with opened(path) as (meta, dataset):
                assert meta.sop_instance == sop_instance
                assert bytes(dataset[-4:]) == b"\1\2\3\4"
        counts = archive.counts()
        files = list((tmp_path / "store" / "files").glob("*/*.dcm"))
        assert counts.instances == len(files) >= len(answered) == len(set(answered))
        assert list((tmp_path / "store" / "incoming").iterdir()) == []


def test_a_file_without_a_row_is_indexed_again(tmp_path: Path, index_url: str | None, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The process ended between rename and commit."""
    ds = instance()
    with Archive(tmp_path, ae_title="A", url=index_url, sync="normal") as archive:
        store(archive, instance())
        with monkeypatch.context() as broken:
            broken.setattr(Index, "add", lambda self, record: False)
            archive.store(request(ds))
        assert archive.instance_path(ds.SOPInstanceUID) is None
    with Archive(tmp_path, ae_title="A", url=index_url, sync="normal") as archive:
        assert archive.recovery.reindexed == (ds.SOPInstanceUID,)
        assert archive.counts().instances == 2
        assert found(archive, "STUDY", StudyInstanceUID=ds.StudyInstanceUID)


def test_a_lost_index_is_made_anew_from_the_files(tmp_path: Path) -> None:
    datasets = [instance() for _ in range(5)]
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        store(archive, *datasets)
        before = archive.counts()
    for leftover in tmp_path.glob("index.sqlite*"):
        leftover.unlink()
    for old in (tmp_path / "store" / "files").iterdir():
        os.utime(old, (1, 1))
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        assert archive.counts() == before
        assert set(archive.recovery.reindexed) == {ds.SOPInstanceUID for ds in datasets}


def test_a_row_without_a_file_is_reported_and_kept(archive: Archive) -> None:
    ds = instance()
    store(archive, ds)
    path = archive.instance_path(ds.SOPInstanceUID)
    assert path is not None
    path.unlink()
    report = archive.audit()
    assert report.missing == (ds.SOPInstanceUID,)
    assert archive.counts().instances == 1


def test_an_archive_that_cannot_write_its_index_opens_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at start: what is indexed is served, and the rest is found when there is room again."""
    kept, lost = instance(), instance()

    def full(self: Index, records: object) -> list[bool]:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        store(archive, kept)
        with monkeypatch.context() as broken:
            broken.setattr(Index, "add", full)
            assert archive.store(request(lost)).status == 0xA700
    with monkeypatch.context() as broken:
        broken.setattr(Index, "add_many", full)
        with Archive(tmp_path, ae_title="A", sync="normal") as archive:
            assert archive.recovery.postponed
            assert found(archive, "STUDY", StudyInstanceUID=kept.StudyInstanceUID)
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        assert (archive.recovery.postponed, archive.recovery.reindexed) == (False, (lost.SOPInstanceUID,))


def test_what_is_no_instance_is_left_alone_and_reported(tmp_path: Path) -> None:
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        store(archive, instance())
        relative = archive.files.relative_path("1.2.3")
        archive.files.path(relative).parent.mkdir(exist_ok=True)
        archive.files.path(relative).write_bytes(b"rubbish")
        (tmp_path / "store" / "files" / "notes.txt").write_text("someone was here")
        assert archive.audit().unreadable == (relative,)
        assert archive.files.path(relative).exists()


def test_forgetting_a_study(archive: Archive) -> None:
    study = uid()
    gone = [instance(StudyInstanceUID=study) for _ in range(3)]
    kept = instance()
    store(archive, *gone, kept)
    paths = [archive.instance_path(ds.SOPInstanceUID) for ds in gone]
    assert archive.forget_study(study) == 3
    assert archive.forget_study(study) == 0
    assert not any(path.exists() for path in paths if path is not None)
    assert archive.study(study) is None
    assert archive.counts().instances == 1
    store(archive, *gone)
    assert archive.counts().instances == 4


def test_a_crash_while_forgetting_does_not_bring_the_study_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds = instance()
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        store(archive, ds)
        path = archive.instance_path(ds.SOPInstanceUID)

        def crash(relative: str) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as crashing:
            crashing.setattr(archive.files, "remove", crash)
            with pytest.raises(KeyboardInterrupt):
                archive.forget_study(ds.StudyInstanceUID)
    assert path is not None
    assert path.exists()
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        assert archive.recovery.removed == 1
        assert archive.counts().instances == 0
        assert not path.exists()


def test_what_comes_again_after_a_removal_that_could_not_be_crossed_off_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds = instance()
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        store(archive, ds)

        def full(files: object) -> None:
            raise OperationalError("", {}, OSError("database or disk is full"))

        with monkeypatch.context() as disk:
            disk.setattr(archive._index, "removed", full)
            with pytest.raises(OperationalError):
                archive.forget_study(ds.StudyInstanceUID)
        store(archive, ds)
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        path = archive.instance_path(ds.SOPInstanceUID)
        assert (archive.recovery.removed, archive.recovery.missing) == (0, ())
        assert path is not None
        assert path.exists()
        assert archive.forget_study(ds.StudyInstanceUID) == 1
        store(archive, ds)


def test_a_study_is_forgotten_though_an_earlier_removal_was_not_crossed_off(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds = instance()
    store(archive, ds)
    with monkeypatch.context() as disk:
        disk.setattr(archive._index, "removed", lambda files: None)
        assert archive.forget_study(ds.StudyInstanceUID) == 1
    store(archive, ds)
    assert archive.forget_study(ds.StudyInstanceUID) == 1
    assert archive.counts().instances == 0


def test_a_closed_archive_takes_nothing_more(tmp_path: Path) -> None:
    ds = instance()
    archive = Archive(tmp_path, ae_title="A", sync="normal")
    archive.close()
    assert archive.store(request(ds)).status == 0xA700
    assert not list((tmp_path / "store" / "files").glob("*/*.dcm"))
    for late in (lambda: archive.forget_study(ds.StudyInstanceUID), lambda: archive.add_datasets([ds])):
        with pytest.raises(UnavailableError, match="closed"):
            late()


def test_success_is_said_after_the_file_is_flushed_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order under ``full``: the file under its final name, flushed; then its row; and only then the answer. The row
    needs no flush: after a power cut it is made again from the file."""
    order: list[str] = []
    real_sync = os.fsync
    real_add = Index.add

    def fsync(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_sync(descriptor)

    def add(self: Index, record: archive_module.InstanceRecord) -> bool:
        new = real_add(self, record)
        order.append("row")
        return new

    with Archive(tmp_path, ae_title="A", sync="full") as archive:
        store(archive, instance())
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Index, "add", add)
        sent = request(instance())
        assert archive.store(replace(sent)).status == 0
    assert order[0] == f"{sent.sop_instance}.dcm"
    assert order[-1] == "row"


def test_a_power_cut_that_takes_the_last_rows_takes_no_instance(tmp_path: Path) -> None:
    """SQLite loses the unflushed end of its log and nothing else; the files, which were flushed, bring it back."""
    directory = tmp_path / "archive"
    archive = Archive(directory, ae_title="A", sync="full")
    early = [instance() for _ in range(3)]
    store(archive, *early)
    kept = {name: (directory / name).read_bytes() for name in ("index.sqlite", "index.sqlite-wal")}
    late = [instance() for _ in range(5)]
    store(archive, *late)
    archive.close()
    for name, content in kept.items():
        (directory / name).write_bytes(content)
    (directory / "index.sqlite-shm").unlink(missing_ok=True)
    with Archive(directory, ae_title="A", sync="full") as archive:
        assert set(archive.recovery.reindexed) == {ds.SOPInstanceUID for ds in late}
        assert archive.counts().instances == 8
        assert all(found(archive, "STUDY", StudyInstanceUID=ds.StudyInstanceUID) for ds in early + late)
