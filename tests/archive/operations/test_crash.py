"""A crash at any moment of any operation leaves the old state or the new one, and loses nothing."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from sandbox.archive.archive import Archive
from sandbox.archive.index import changes
from sandbox.archive.operations import bench, journal
from sandbox.archive.store import ImageStore
from tests.archive.operations.support import CASES, consistent, populate, state

MOMENTS: tuple[tuple[object, str], ...] = (
    (bench.Stage, "write"),
    (bench.Stage, "link"),
    (bench.Bench, "_keep"),
    (ImageStore, "sync_all"),
    (bench, "drop_rows"),
    (bench, "add_record"),
    (journal, "write_entry"),
    (journal, "note_placements"),
    (journal, "leave_bin"),
    (Path, "replace"),
    (bench, "_unlink"),
    (ImageStore, "remove"),
    (journal, "placed"),
)
"""What may be under way when the process ends: from the first file that is written to the last note crossed off."""


def outcomes(tmp_path: Path, name: str) -> tuple[object, object]:
    """The state before and after the operation when nothing goes wrong."""
    case = CASES[name]
    with Archive(tmp_path / "undisturbed", ae_title="A", sync="normal") as archive:
        populate(archive, case.before)
        before = state(archive)
        archive.operate(case.make(archive), "admin")
        consistent(archive)
        return before, state(archive)


class Crash(BaseException):
    """The process is gone: nobody cleans up."""


ON_POSTGRESQL = ("delete", "edit", "reject")
"""Every crash is tried on SQLite; these on PostgreSQL too, where making an index anew takes longer."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", CASES)
def test_a_crash_leaves_the_old_or_the_new(
    tmp_path: Path, index_url: str | None, name: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if index_url is not None and name not in ON_POSTGRESQL:
        pytest.skip("tried on SQLite")
    old, new = outcomes(tmp_path, name)
    seen = set()
    for number, (owner, function) in enumerate(MOMENTS):
        directory = tmp_path / f"crashed-{number}"
        if index_url is not None:
            _emptied(index_url)
        with Archive(directory, ae_title="A", url=index_url, sync="normal") as archive:
            populate(archive, CASES[name].before)
            operation = CASES[name].make(archive)
            real = getattr(owner, function)

            def crash(*args: object, real=real, **kwargs: object) -> object:  # type: ignore[no-untyped-def]
                if after:
                    real(*args, **kwargs)
                raise Crash

            with monkeypatch.context() as crashing:
                crashing.setattr(owner, function, crash)
                with suppress(Crash):
                    archive.operate(operation, "admin")
        with Archive(directory, ae_title="A", url=index_url, sync="normal") as archive:
            assert archive.recovery.missing == archive.recovery.unreadable == archive.recovery.reindexed == ()
            # What is still to be swept is swept when the next operation begins, at the latest.
            archive.bench.settle()
            now = state(archive)
            assert now in (old, new), f"{function} of {owner}"
            consistent(archive)
            seen.add(now == new)
    assert True in seen


def _emptied(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        schema = connection.scalar(text("SELECT current_schema()"))
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine.dispose()


@pytest.mark.parametrize("name", CASES)
def test_a_failure_leaves_the_old_and_the_archive_goes_on(
    archive: Archive, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index cannot be written: the operation is refused, nothing is left behind, and it works when tried again."""
    populate(archive, CASES[name].before)
    operation, old = CASES[name].make(archive), state(archive)

    def full(*args: object, **kwargs: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as disk:
        disk.setattr(journal, "write_entry", full)
        with pytest.raises(OperationalError):
            archive.operate(operation, "admin")
    archive.bench.settle()
    assert state(archive) == old
    consistent(archive)
    archive.operate(operation, "admin")
    consistent(archive)


_KILLED = """
import os, sys
from pathlib import Path
from sandbox.archive.archive import Archive
from sandbox.archive.operations import bench
from tests.archive.operations.support import CASES, populate
archive = Archive(Path(sys.argv[1]), ae_title="A", sync=sys.argv[3])
populate(archive, CASES[sys.argv[2]].before)
wait, count, replace = int(sys.argv[4]), 0, Path.replace
def dying(self, target):
    global count
    if self.parent.parent.name == "staged":
        count += 1
        if count > wait:
            os.kill(os.getpid(), 9)
    return replace(self, target)
Path.replace = dying
archive.operate(CASES[sys.argv[2]].make(archive), "admin")
"""


@pytest.mark.parametrize("name", ["edit", "split", "merge"])
def test_kill_9_between_two_renames_ends_with_the_new(tmp_path: Path, name: str) -> None:
    _, new = outcomes(tmp_path, name)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / "a"), name, "full", "1"], timeout=60)
    assert killed.returncode == -9
    with Archive(tmp_path / "a", ae_title="A", sync="normal") as archive:
        assert state(archive) == new
        consistent(archive)


def test_counts_are_made_from_rows(archive: Archive) -> None:
    """The helper that crash tests rely on finds a wrong count."""
    populate(archive)
    with archive.bench.index.changing() as connection:
        connection.execute(changes.update(changes.studies).values(number_of_study_related_instances=7))
    with pytest.raises(AssertionError):
        consistent(archive)
