"""Checks of what an archive holds: nothing lost, nobody mixed up, all written down, one truth on screen and CD."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from sample_dicom.procedures import procedure
from sandbox.archive.accidents import lose_rows, rows_in, withdraw
from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.reject import Reject
from sandbox.archive.operations.split import Split
from sandbox.archive.volumes import unmount
from sandbox.checks.check import Check
from sandbox.checks.memory import Memory
from sandbox.checks.registry import make_check
from sandbox.drill.fingerprint import fingerprint
from sandbox.events.event import PROBE
from sandbox.faults.registry import make_fault
from sandbox.model.patient import Patient
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from sandbox.nodes.modality import AcquiredExam
from tests.checks.support import noted
from tests.nodes.conftest import Small

Spoil = Callable[["Kept"], None]


class Kept(Small):
    """A department with one exam in its archive that somebody called about, and what is remembered of it."""

    exam: AcquiredExam
    memory: Memory


def break_it(kind: str, **params: object) -> Spoil:
    return lambda small: make_fault(Primitive(kind=kind, **params)).apply(small.department) and None  # type: ignore[func-returns-value]


def delete(small: Kept) -> None:
    small.archive.administration.operate(Delete(reason="looks odd", study_uid=small.exam.study_uid))


def purge(small: Kept) -> None:
    archive = small.archive.administration.archive
    withdraw(archive, rows_in(archive, [small.exam.study_uid]))


def scan(small: Small, patient: Patient | None = None) -> AcquiredExam:
    over = {} if patient is None else {"patient": patient}
    rng = random.Random(len(small.events))
    order = small.department.order("CT", rng, procedure=procedure("CTHEADWO"), **over)
    exam = small.department.acquire("CT1", order, images=2)
    small.wait_stored("ARCHIVE", exam)
    small.wait_until(lambda: not small.ct.queue.waiting_studies())
    return exam


def scan_again(small: Kept) -> None:
    scan(small, small.exam.order.patient)


CASES: dict[str, tuple[dict[str, object], Spoil]] = {
    "nothing_lost": ({}, delete),
    "no_patient_mixed_up": ({"scanning": ["CT1"]}, break_it("data.wrong_patient", node="CT1")),
    "audit_complete": ({}, purge),
    "same_on_export": (
        {"exams": "head", "node": "WS1"},
        break_it("archive.header_drift", keyword="PatientName", value="Corrected^Name"),
    ),
    "nobody_scanned_twice": ({}, scan_again),
    "exam_header_right": (
        {"node": "CT1"},
        break_it("data.value", node="CT1", keyword="StudyDate", manner="old-date"),
    ),
    "invalid_values_refused": ({"sender": "CT1"}, lambda small: small.change("ARCHIVE", check_values=False)),
}
"""For each kind: parameters, and what spoils the claim."""


def check_of(kind: str, **more: object) -> Check:
    return make_check(Primitive(kind=kind, id=kind.replace("_", "-"), **(CASES[kind][0] | more)))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Kept]:
    small = Kept(tmp_path / "lab", {"CT1": {"send_to": ["ARCHIVE"]}, "ARCHIVE": {"check_values": True}})
    exam = small.exam = scan(small)
    baselines = {}
    for kind in CASES:
        found = check_of(kind).note(small.department)
        if found is not None:
            baselines[check_of(kind).name] = found
    small.memory = Memory(start=len(small.events), exams=(noted(exam, at=small.clock.now()),), baselines=baselines)
    yield small
    small.end()


@pytest.mark.parametrize("kind", CASES)
def test_a_check_tells_the_healthy_department_from_the_spoilt_one(small: Kept, kind: str) -> None:
    check = check_of(kind)
    before, position = fingerprint(small.department), len(small.events)
    journal = small.archive.administration.archive.journal()
    healthy = check.run(small.department, small.memory)
    assert healthy.verdict is Verdict.PASS, healthy
    small.wait_until(lambda: before.differences(fingerprint(small.department)) == ())
    begun = ("association.requested", "exam.acquired", "probe.started")
    assert {event.actor for event in small.events.since(position) if event.kind in begun} == {PROBE}
    assert small.archive.administration.archive.journal() == journal

    CASES[kind][1](small)
    spoilt = check.run(small.department, small.memory)
    assert spoilt.verdict is Verdict.FAIL, spoilt
    assert spoilt.sentence.endswith(".")
    assert spoilt.duration_s < 10, "what is certain is not waited for"


# --- nothing_lost ----------------------------------------------------------------------------------------------------


def lost(small: Kept, **more: object) -> bool:
    finding = check_of("nothing_lost", **more).run(small.department, small.memory)
    assert finding.verdict is not Verdict.COULD_NOT_TELL, finding
    return finding.verdict is Verdict.FAIL


def test_what_nobody_finds_is_not_lost_while_its_file_is_there(small: Kept) -> None:
    archive = small.archive.administration.archive
    rows = rows_in(archive, [small.exam.study_uid])
    lose_rows(archive, rows[:1])
    assert not lost(small)
    unmount(archive.bench, "tier2", [row.file for row in rows])
    assert not lost(small)
    purge(small)  # rows that are left; their files are on the volume
    assert not lost(small)


def test_what_was_replaced_is_not_lost_and_what_was_rejected_is_unless_it_may_be(small: Kept) -> None:
    desk = small.archive.administration
    study = desk.archive.study(small.exam.study_uid)
    assert study is not None
    series = (study.series[-1].series_uid,)
    desk.operate(
        Split(reason="two", study_uid=small.exam.study_uid, series_uids=series, values={"AccessionNumber": "X"})
    )
    assert not lost(small)
    desk.operate(Reject(reason="bad", study_uid=small.exam.study_uid))
    assert lost(small)
    assert not lost(small, may_reject=True)


def test_an_exam_of_later_counts_instance_by_instance(small: Kept) -> None:
    later = scan(small)
    assert not lost(small)
    archive = small.archive.administration.archive
    withdraw(archive, rows_in(archive, [later.study_uid])[:1])
    finding = check_of("nothing_lost").run(small.department, small.memory)
    assert finding.verdict is Verdict.FAIL
    assert finding.sentence.startswith("1 image ")
    assert finding.facts == (f"{later.accession_number}: 1 image missing",)


# --- no_patient_mixed_up ---------------------------------------------------------------------------------------------


def test_images_in_somebody_elses_record_are_found_out(small: Kept) -> None:
    check = check_of("no_patient_mixed_up", scanning=[])
    break_it("data.shared_study", node="CT1")(small)
    other = Patient(patient_id="OTHER", name="Other^Ann", birth_date=date(1971, 3, 4), sex="F")
    exam = scan(small, other)
    assert exam.study_uid == small.exam.study_uid
    finding = check.run(small.department, small.memory)
    assert finding.verdict is Verdict.FAIL
    assert "OTHER" in finding.sentence
    assert {small.events[seq].kind for seq in finding.evidence} == {"exam.acquired"}


def test_only_the_exams_that_somebody_called_about_may_be_looked_at(small: Kept) -> None:
    break_it("data.wrong_patient", node="CT1")(small)
    scan(small, Patient(patient_id="OTHER", name="Other^Ann", birth_date=date(1971, 3, 4), sex="F"))
    verdicts = [
        check_of("no_patient_mixed_up", scanning=[], exams=exams).run(small.department, small.memory).verdict
        for exams in ([], ["head"])
    ]
    assert verdicts == [Verdict.FAIL, Verdict.PASS]


def test_a_scanner_that_joins_patients_is_found_out_without_harm(small: Kept) -> None:
    break_it("data.shared_study", node="CT1")(small)
    before = fingerprint(small.department)
    finding = check_of("no_patient_mixed_up").run(small.department, small.memory)
    assert finding.verdict is Verdict.FAIL
    assert "one study" in finding.sentence
    small.wait_until(lambda: before.differences(fingerprint(small.department)) == ())


# --- audit_complete --------------------------------------------------------------------------------------------------


def test_a_deletion_with_a_reason_is_written_down_and_a_silent_discard_is_not(small: Kept) -> None:
    check = check_of("audit_complete")
    delete(small)
    assert check.run(small.department, small.memory).verdict is Verdict.PASS
    small.archive.stop("for a test")
    small.department.acquire("CT1", images=1)
    small.ct.queue.discard("ARCHIVE", None, "")
    finding = check.run(small.department, small.memory)
    assert finding.verdict is Verdict.FAIL
    assert "nobody said why" in finding.sentence
    assert check.run(small.department, Memory()).verdict is Verdict.COULD_NOT_TELL


# --- exam_header_right -----------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "data.value": ({"keyword": "AccessionNumber", "manner": "blank"}, {}, "AccessionNumber"),
    "data.wrong_patient": ({}, {}, "Patient"),
    "data.changed_description": ({"keyword": "StudyDescription", "value": "OTHER"}, {}, "OTHER"),
    "data.split_study": ({}, {}, "2 studies"),
    "data.private_capture": ({}, {"sop_classes": ["1.2.840.10008.5.1.4.1.1.2"]}, "Secondary Capture"),
}
"""Faults that it finds: their parameters, the check's own, and what it says."""


@pytest.mark.parametrize("kind", WRONG)
def test_what_a_scanner_writes_wrong_is_named(small: Kept, kind: str) -> None:
    params, more, said = WRONG[kind]
    check = check_of("exam_header_right", **more)
    assert check.run(small.department, small.memory).verdict is Verdict.PASS
    break_it(kind, node="CT1", **params)(small)
    before = fingerprint(small.department)
    finding = check.run(small.department, small.memory)
    assert finding.verdict is Verdict.FAIL, finding
    assert said in finding.sentence
    small.wait_until(lambda: before.differences(fingerprint(small.department)) == ())


# --- same_on_export --------------------------------------------------------------------------------------------------


def test_being_wrong_alike_is_not_enough(small: Kept) -> None:
    right = {"PatientName": small.exam.order.patient.name}
    assert check_of("same_on_export", values=right).run(small.department, small.memory).verdict is Verdict.PASS
    wrong = check_of("same_on_export", values={"PatientName": "Somebody^Else"}).run(small.department, small.memory)
    assert wrong.verdict is Verdict.FAIL
    delete(small)
    gone = check_of("same_on_export").run(small.department, small.memory)
    assert gone.verdict is Verdict.FAIL
    assert "does not find" in gone.sentence


def test_an_exam_that_is_on_its_way_to_the_archive_is_waited_for(small: Kept) -> None:
    undo = make_fault(Primitive(kind="service.slow", node="ARCHIVE", seconds=1)).apply(small.department)
    small.archive.store.forget_study(small.exam.study_uid)
    small.ct.send(small.exam.study_uid, "ARCHIVE")
    finding = check_of("same_on_export").run(small.department, small.memory)
    undo()
    assert finding.verdict is Verdict.PASS, finding
