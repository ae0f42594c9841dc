"""Whoever was scanned is whom the images say: nobody's images are in somebody else's record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from sandbox.archive.archive import Archive
from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, counted, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.events.event import PROBE
from sandbox.events.kinds import ExamAcquired, InstanceStored
from sandbox.nodes.department import Department

_HEADER = ["PatientID"]


@dataclass(frozen=True)
class _Scanned:
    """Who lay on the table, and the images that were made then."""

    patient_id: str
    accession_number: str
    sop_instances: tuple[str, ...]
    event: int


class NoPatientMixedUp(Check):
    """``no_patient_mixed_up``: at every ``at`` each image, and the study it is found in, is of the patient scanned.

    Who was scanned is known from the exam itself (exam.acquired), whatever the image says. With ``scanning``, each of
    these modalities makes two exams of invented patients besides, and may neither swap nor join them. An image that is
    nowhere is no business of this check. With ``exams`` only these exams of the scenario are looked at: what else is
    made while a fault lasts is as wrong as they were, and not what somebody called about.
    """

    kind = "no_patient_mixed_up"

    at: Names = ("ARCHIVE",)
    scanning: tuple[str, ...] = ()
    exams: tuple[str, ...] = ()

    def claim(self) -> str:
        return "Every image is in the record of the patient it was made of."

    def nodes(self) -> tuple[str, ...]:
        return (*self.at, *self.scanning)

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        exams = list(_named(memory, self.exams) if self.exams else _scanned(department, memory))
        for node in self.at:
            store = department.node(node).store
            for exam in exams if store is not None else ():
                wrong = _wrong(store, exam)  # type: ignore[arg-type]
                if wrong:
                    sentence = f"At {node}, {wrong}."
                    return failed(sentence, (exam.event,) * bool(exam.event))
        for node in self.scanning:
            wrong = _tried(department, node)
            if wrong:
                return failed(wrong)
        told = f"{counted(len(exams), 'exam')} looked at in {said(self.at)}"
        tried = f", and new ones of {said(self.scanning)}" if self.scanning else ""
        return passed(f"{told}{tried}: each is in the right record.")


def _named(memory: Memory, labels: Iterable[str]) -> Iterator[_Scanned]:
    for noted in (exam for label in labels for exam in memory.labelled(label)):
        yield _Scanned(noted.patient_id, noted.accession_number, noted.sop_instances, 0)


def _scanned(department: Department, memory: Memory) -> Iterator[_Scanned]:
    resets = department.events.latest(lambda event: event.kind == "lab.reset", limit=1)
    start = max(memory.start, resets[0].seq if resets else 0)
    yield from _named(memory, dict.fromkeys(exam.label for exam in memory.exams))
    made: dict[int, list[str]] = {}
    acquired = []
    for event in department.events.since(start):
        if isinstance(event.body, ExamAcquired) and event.actor != PROBE:
            acquired.append(event)
            made[event.seq] = []
        elif isinstance(event.body, InstanceStored) and event.cause in made:
            made[event.cause].append(event.body.sop_instance)
    for event in acquired:
        body = event.body
        if isinstance(body, ExamAcquired):
            yield _Scanned(body.patient_id, body.accession_number, tuple(made[event.seq]), event.seq)


def _wrong(store: Archive, exam: _Scanned) -> str:
    studies: dict[str, str] = {}
    for row in store.bench.rows_of(exam.sop_instances):
        if row.study_uid not in studies:
            study = store.study(row.study_uid)
            studies[row.study_uid] = exam.patient_id if study is None else study.study.patient_id
        listed = studies[row.study_uid]
        if listed != exam.patient_id:
            return f"an image of patient {exam.patient_id} ({exam.accession_number}) is in a study of patient {listed}"
        said_inside = _patient_of(store.files.path(row.file))
        if said_inside not in ("", exam.patient_id):
            return f"an image of patient {exam.patient_id} ({exam.accession_number}) says it is of {said_inside}"
    return ""


def _patient_of(path: Path) -> str:
    """The Patient ID in a file; empty when it cannot be read."""
    try:
        return str(dcmread(path, stop_before_pixels=True, specific_tags=list(_HEADER)).get("PatientID", ""))
    except Exception:
        # Whatever is wrong with the file, it tells no name.
        return ""


def _tried(department: Department, node: str) -> str:
    """Two exams, one after the other, and what the modality makes of them; empty when they are what they should be."""
    with ExitStack() as stack:
        exams = [stack.enter_context(probe_exam(department, node, images=1))[0] for _ in range(2)]
        for exam in exams:
            said_inside = {_patient_of(stored.path) for stored in exam.objects}
            if said_inside != {exam.order.patient.patient_id}:
                return f"{node} writes another patient into its images than the one who lies on its table."
        if set(exams[0].studies) & set(exams[1].studies):
            return f"{node} puts two patients into one study."
    return ""
