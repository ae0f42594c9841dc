"""The faults of an archive: each is seen over DICOM, survives the archive's restart, and its undo leaves no trace."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from sample_dicom.procedures import procedure
from sandbox.archive.accidents import unlock_index
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.operation import Operation
from sandbox.archive.operations.orphans import MendOrphans
from sandbox.archive.operations.reindex import Reindex
from sandbox.archive.volumes import mount, volumes
from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, ConflictError, SandboxError
from sandbox.model.scenario import Primitive
from sandbox.model.view import CommandResult
from sandbox.nodes.modality import AcquiredExam
from tests.drill.support import do, running_lab
from tests.nodes.conftest import Small

Works = Callable[[Small], bool]


def found(small: Small, exam: AcquiredExam) -> CommandResult:
    asked = {"StudyInstanceUID": exam.study_uid, "NumberOfStudyRelatedInstances": ""}
    answer = small.department.node("WS1").tools.find("ARCHIVE", "STUDY", asked)
    assert answer.ok, answer
    return answer


def is_found_whole(small: Small) -> bool:
    """Whether the newest exam is found by a query, with every instance it has."""
    exam = small.exams[-1]
    answer = found(small, exam)
    return bool(answer.rows) and str(exam.instances) in answer.rows[0]


def can_be_pulled(small: Small) -> bool:
    exam = small.exams[-1]
    node = small.department.node("WS1")
    answer = node.tools.move("ARCHIVE", "WS1", "STUDY", {"StudyInstanceUID": exam.study_uid})
    node.forget_study(exam.study_uid)
    return answer.ok


def can_be_stored(small: Small) -> bool:
    """Whether the archive takes an exam it has not seen."""
    before = len(small.events)
    exam = scan(small)
    small.wait_for_archive(exam, after=before)
    small.wait_stored("WS2", exam)
    stored = small.archive.store.study(exam.study_uid)
    small.router.queue.discard("ARCHIVE", None, "a test")
    small.department.forget_study(exam.study_uid)
    return stored is not None


def says_its_name(small: Small) -> bool:
    return any(small.exams[-1].order.patient.name in row for row in found(small, small.exams[-1]).rows)


CASES: dict[str, tuple[dict[str, Any], Works]] = {
    "archive.index_older": ({"newer_than_h": 1}, is_found_whole),
    "archive.files_without_rows": ({"every": 2}, is_found_whole),
    "archive.rows_without_files": ({"volume": "tier2"}, can_be_pulled),
    "archive.locked_index": ({"job": "backup"}, can_be_stored),
    "archive.volume_full": ({"bin_studies": 1}, can_be_stored),
    "archive.header_drift": ({"keyword": "PatientName", "value": "Corrected^Name"}, says_its_name),
    "archive.purged": ({"modality": "CT"}, is_found_whole),
}
"""For each kind: parameters, and an operation of the department that works without it and not with it."""

SENSELESS: dict[str, dict[str, Any]] = {
    "archive.index_older": {"newer_than_h": -1},
    "archive.files_without_rows": {"every": 0},
    "archive.rows_without_files": {"volume": "../files"},
    "archive.locked_index": {"job": ""},
    "archive.volume_full": {"left_mb": -1},
    "archive.header_drift": {"keyword": "PixelData", "value": "x"},
    "archive.purged": {"newest": -1},
}


class Archived(Small):
    """A department with two exams in its archive."""

    exams: list[AcquiredExam]

    def wait_for_archive(self, exam: AcquiredExam, *, after: int) -> None:
        """Until the exam is archived, or the router has been refused."""

        def over(event: Any) -> bool:
            failed = event.kind == "queue.failed" and event.node == "ROUTER"
            stored = event.kind == "instance.stored" and event.node == "ARCHIVE"
            return failed or (stored and self.archive.store.study(exam.study_uid) is not None)

        assert self.events.wait_for(over, after=after, timeout=15) is not None, self.story()


def at_rest(small: Small) -> None:
    """Until no queue holds anything: what was stored may not have been answered for yet."""
    deadline = time.monotonic() + 20
    while any(view.waiting for node in small.department.nodes.values() if node.queue for view in node.queue.views()):
        assert time.monotonic() < deadline, small.story()
        threading.Event().wait(0.01)


def scan(small: Small, images: int = 2) -> AcquiredExam:
    rng = random.Random(len(small.events))
    order = small.department.order("CT", rng, procedure=procedure("CTHEADWO"))
    return small.department.acquire("CT1", order, images=images)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    small = Archived(tmp_path_factory.mktemp("archive-faults") / "lab")
    small.exams = [scan(small), scan(small, images=4)]
    for exam in small.exams:
        small.wait_stored("ARCHIVE", exam)
        small.wait_stored("WS2", exam)
    at_rest(small)
    yield small
    small.end()


def fault_of(kind: str, **more: Any) -> Fault:
    return make_fault(Primitive(kind=kind, **(CASES[kind][0] | more)))


def print_of(small: Small) -> tuple[object, ...]:
    """All that anybody could tell by looking: configurations, stores, files, the journal and the directory."""
    archive = small.archive.administration.archive
    store = archive.directory / "store"
    directories = sorted(str(path.relative_to(store)) for path in store.iterdir() if path.is_dir())
    names = sorted(path.name for path in archive.directory.iterdir() if "sqlite-" not in path.name)
    files = sorted((str(path.relative_to(store)), path.stat().st_size) for path in store.rglob("*.dcm"))
    rows = sorted(archive.bench.rows(), key=lambda row: row.sop_instance)
    left = [name for name in directories if name not in ("bin", "staged")]
    return (fingerprint(small.department), rows, files, archive.journal(), archive.orphans(), left, names)


def reopen(small: Small) -> None:
    """The lab's process ends and another one goes on."""
    small.reopen()


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_is_felt_and_its_undo_leaves_no_trace(small: Archived, kind: str) -> None:
    works = CASES[kind][1]
    assert works(small)
    healthy = print_of(small)
    undo = fault_of(kind).apply(small.department)
    assert not works(small)
    undo()
    undo()
    small.wait_until(lambda: print_of(small) == healthy)
    assert works(small)


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_outlives_the_labs_process(small_alone: Archived, kind: str) -> None:
    fault_of(kind).apply(small_alone.department)
    assert not CASES[kind][1](small_alone)
    reopen(small_alone)
    assert not CASES[kind][1](small_alone)


@pytest.fixture
def small_alone(tmp_path: Path) -> Iterator[Archived]:
    small = Archived(tmp_path / "lab")
    small.exams = [scan(small), scan(small, images=4)]
    for exam in small.exams:
        small.wait_stored("ARCHIVE", exam)
    at_rest(small)
    yield small
    small.end()


@pytest.mark.parametrize("kind", CASES)
def test_what_makes_no_sense_is_refused(kind: str) -> None:
    with pytest.raises(BadInputError):
        fault_of(kind, **SENSELESS[kind])


@pytest.mark.parametrize("kind", CASES)
def test_it_befalls_archives_only(small: Archived, kind: str) -> None:
    configs: Mapping[str, NodeConfig] = {name: node.saved for name, node in small.department.nodes.items()}
    fault_of(kind).try_on(configs)
    for wrong in ("CT1", "NOBODY"):
        with pytest.raises(SandboxError):
            fault_of(kind, node=wrong).try_on(configs)
    assert fault_of(kind).explanation()


def test_studies_that_are_not_there_cannot_be_befallen(small: Archived) -> None:
    with pytest.raises(ConflictError):
        fault_of("archive.purged", modality="MR").apply(small.department)
    with pytest.raises(ConflictError):
        fault_of("archive.purged", older_than_h=2).apply(small.department)
    with pytest.raises(ConflictError):
        fault_of("archive.volume_full", bin_studies=9).apply(small.department)


def operate(operation: Operation) -> Callable[[Archived], object]:
    return lambda small: small.archive.administration.operate(operation)


def send_again(small: Archived) -> object:
    return small.ct.tools.send("ARCHIVE", small.exams[-1].study_uid)


def correct_the_files(small: Archived) -> object:
    study = small.exams[-1].study_uid
    edit = Edit(reason="as in the list", study_uid=study, values={"PatientName": "Corrected^Name"})
    return small.archive.administration.operate(edit)


MENDED: dict[str, Callable[[Archived], object]] = {
    "archive.index_older": operate(Reindex(reason="the index is older")),
    "archive.files_without_rows": operate(MendOrphans(reason="found")),
    "archive.rows_without_files": lambda small: mount(small.archive.administration.archive.bench, "tier2"),
    "archive.locked_index": lambda small: unlock_index(small.archive.administration.archive, "backup"),
    "archive.volume_full": operate(EmptyBin(reason="nobody wants them", confirmed=True)),
    "archive.header_drift": correct_the_files,
    "archive.purged": send_again,
}
"""What an administrator does about each, by the archive's own operations."""


def test_every_fault_can_be_mended() -> None:
    assert set(MENDED) == set(CASES)


@pytest.mark.parametrize("kind", MENDED)
def test_an_administrator_mends_it(small_alone: Archived, kind: str) -> None:
    undo = fault_of(kind).apply(small_alone.department)
    if kind == "archive.header_drift":
        assert header_and_list_agree(small_alone) is False
        MENDED[kind](small_alone)
        assert header_and_list_agree(small_alone) is True
    else:
        assert not CASES[kind][1](small_alone)
        MENDED[kind](small_alone)
        assert CASES[kind][1](small_alone)
    undo()  # which finds its work done
    if kind != "archive.header_drift":
        assert CASES[kind][1](small_alone)


def header_and_list_agree(small: Archived) -> bool:
    exam = small.exams[-1]
    store = small.archive.administration.archive
    study = store.study(exam.study_uid)
    assert study is not None
    return {str(dcmread(one.path).PatientName) for one in store.objects(exam.study_uid)} == {study.study.patient_name}


def test_a_file_that_is_away_is_told_of_without_its_path(small_alone: Archived) -> None:
    fault_of("archive.rows_without_files").apply(small_alone.department)
    exam = small_alone.exams[-1]
    ws1 = small_alone.department.node("WS1")
    answer = ws1.tools.move("ARCHIVE", "WS1", "STUDY", {"StudyInstanceUID": exam.study_uid})
    assert not answer.ok
    told = " ".join((answer.sentence, *answer.facts))
    assert "file could not be read: No such file or directory" in told
    assert f"/{small_alone.archive.administration.archive.directory.parts[1]}" not in told


def test_files_that_were_changed_under_the_list_say_so_only_where_they_go(small_alone: Archived) -> None:
    """The list stays right, a retrieve brings the other name, and making the index anew spreads it."""
    before = print_of(small_alone)
    undo = fault_of("archive.header_drift", where="files", value="SUBJECT 0417", newest=1).apply(small_alone.department)
    exam = small_alone.exams[-1]
    store = small_alone.archive.administration.archive
    assert says_its_name(small_alone)
    assert {str(dcmread(one.path).PatientName) for one in store.objects(exam.study_uid)} == {"SUBJECT 0417"}
    assert can_be_pulled(small_alone)
    undo()
    assert header_and_list_agree(small_alone) is True
    assert print_of(small_alone) == before
    fault_of("archive.header_drift", where="files", value="SUBJECT 0417", newest=1).apply(small_alone.department)
    reopen(small_alone)
    assert says_its_name(small_alone)
    assert header_and_list_agree(small_alone) is False
    small_alone.archive.administration.operate(Reindex(reason="they differ", study_uid=exam.study_uid))
    assert not says_its_name(small_alone)
    assert header_and_list_agree(small_alone) is True


def test_all_of_them_together_survive_a_reset_of_the_lab(tmp_path: Path) -> None:
    """A drill marks its start when its faults are in: a reset brings every one of them back, and nothing else."""
    with running_lab(tmp_path / "lab") as lab:
        made = [lab.department.acquire("CT1", images=2) for _ in range(2)]
        assert lab.events.wait_for(lambda event: stored_whole(lab, made), timeout=30)
        archive_faults = ("archive.rows_without_files", "archive.header_drift", "archive.index_older")
        for kind in archive_faults:
            params = CASES[kind][0] | ({"newest": 1} if kind != "archive.header_drift" else {})
            make_fault(Primitive(kind=kind, **params)).apply(lab.department)
        fault_of("archive.locked_index").apply(lab.department)
        lab.mark_start()
        before = archive_state(lab)
        assert do(lab, "archive.job.end", job="backup").ok
        assert do(lab, "archive.volume.mount", volume="tier2").ok
        assert do(lab, "archive.reindex", reason="the index is older").ok
        assert archive_state(lab) != before
        lab.reset()
        assert archive_state(lab) == before


def stored_whole(lab: Lab, made: list[AcquiredExam]) -> bool:
    store = lab.department.node("ARCHIVE").store
    assert store is not None
    return all(len(store.objects(exam.study_uid)) == exam.instances for exam in made)


def archive_state(lab: Lab) -> tuple[object, ...]:
    store = lab.department.node("ARCHIVE").store
    assert store is not None
    return (store.orphans(), store.trouble, volumes(store.bench), store.studies(), store.journal())
