"""Exams: scanning a patient on a modality, correcting and sending a study again, pulling one to a workstation."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sample_dicom.procedures import procedure, procedures_for
from sandbox.archive.operations.edit import Edit
from sandbox.events.log import current
from sandbox.lab.command import Command
from sandbox.lab.sentences import counted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.patient import Order
from sandbox.model.view import CommandResult
from sandbox.nodes.modality import Modality
from sandbox.nodes.workstation import Workstation

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

STUDY = Field(pattern=r"^[0-9][0-9.]{0,63}$", **shown("Study", "Study Instance UID."))


class ExamAcquire(Command):
    """Scan a patient on a modality. The images are sent as the modality is configured to send them."""

    name = "exam.acquire"
    title: ClassVar[str] = "Scan a patient"

    node: str = Field(**shown("Modality"))
    procedure: str = Field(
        "", max_length=16, **shown("Procedure", "Code of the catalogue. Empty: any of this modality.")
    )
    order: Order | None = Field(None, **shown("Order", "The order to carry out. Empty: a new patient is made up."))
    stat: bool | None = Field(None, **shown("Stat", "An exam that cannot wait."))
    images: int | None = Field(None, ge=1, le=200, **shown("Images", "How many. Empty: as the procedure has it."))

    def run(self, lab: Lab, /) -> CommandResult:
        department = lab.department
        node = department.node(self.node)
        modality = str(getattr(node.running, "modality", ""))
        if not modality:
            raise BadInputError(f"{node.name} cannot scan; it is no modality.", "Choose a modality such as CT1.")
        # Drawn anew for every exam, and yet the same whenever the same lab does the same.
        rng = random.Random(f"{lab.seed}:exam:{len(lab.events)}")  # noqa: S311 - patients, not secrets
        exam = department.acquire(node.name, self._order(lab, modality, rng), images=self.images)
        return CommandResult(
            ok=True,
            sentence=f"{node.name} scanned {exam.order.patient.spoken_name}: {exam.order.procedure.description}, "
            f"{counted(exam.instances, 'image')}.",
            facts=(
                f"Patient ID: {exam.order.patient.patient_id}",
                f"Accession number: {exam.order.accession_number}",
                f"Study Instance UID: {exam.study_uid}",
            ),
        )

    def _order(self, lab: Lab, modality: str, rng: random.Random) -> Order:
        over: dict[str, Any] = {}
        if self.procedure:
            chosen = procedure(self.procedure)
            if chosen.modality != modality:
                codes = ", ".join(entry.code for entry in procedures_for(modality))
                raise BadInputError(f"{self.node} cannot do {chosen.code}; it is a {modality}.", f"It can do {codes}.")
            over["procedure"] = chosen
        if self.order is not None:
            if over:
                raise BadInputError("Both an order and a procedure are given.", "Give one of the two.")
            order = self.order
        else:
            order = lab.department.order(modality, rng, **over)
        return order if self.stat is None else order.model_copy(update={"stat": self.stat})


class ExamSend(Command):
    """Send a study from a node's own disk to another AE, now and not through the queue."""

    name = "exam.send"
    title: ClassVar[str] = "Send study"

    node: str = Field(**shown("From node"))
    study: str = STUDY
    to: str = Field(min_length=1, max_length=64, **shown("To", "A line of the node's AE table."))

    def run(self, lab: Lab, /) -> CommandResult:
        return lab.department.node(self.node).tools.send(self.to, self.study)


class ExamCorrect(Command):
    """Correct values of a study on a modality's own disk, as a technologist does at its console.

    Whoever has the study already keeps it as it was: send it again. SOP Instance UIDs stay.
    """

    name = "exam.correct"
    title: ClassVar[str] = "Correct an exam"

    node: str = Field(**shown("Modality"))
    study: str = STUDY
    values: dict[str, str] = Field(
        min_length=1, **shown("Values", "DICOM keywords and their new values, such as StudyDescription.")
    )

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        if not isinstance(node, Modality):
            raise BadInputError(f"{node.name} is no modality.", "Choose the modality that made the exam.")
        if node.store.study(self.study) is None:
            raise NotFoundError(f"{node.name} does not have this study.", "Look at the list of its studies.")
        edit = Edit(reason="Corrected at the console", study_uid=self.study, values=self.values)
        done = node.store.operate(edit, current().actor)
        node.log("info", done.sentence)
        facts = ("Whoever has the study already keeps it as it was. Send it again.",)
        return CommandResult(ok=done.ok, sentence=f"{node.name}: {done.sentence}", facts=facts)


class StudyRemove(Command):
    """Remove a study from a workstation's own disk, so that it can be retrieved afresh. The archive keeps it."""

    name = "study.remove"
    title: ClassVar[str] = "Remove local copy"

    node: str = Field(**shown("Workstation"))
    study: str = STUDY

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        if not isinstance(node, Workstation):
            raise BadInputError(f"{node.name} is no workstation.", "Choose a workstation such as WS1.")
        detail = None if node.store is None else node.store.study(self.study)
        if node.store is None or detail is None:
            raise NotFoundError(f"{node.name} does not have this study.", "Look at the list of its studies.")
        number = node.store.forget_study(self.study)
        whose = detail.study.accession_number or self.study
        node.log("info", f"Local copy of study {whose} removed: {counted(number, 'image')}")
        return CommandResult(
            ok=True, sentence=f"{node.name}: {counted(number, 'image')} of {whose} removed from its disk."
        )


class StudyRetrieve(Command):
    """Pull a study to a workstation from the archive that it is configured to query."""

    name = "study.retrieve"
    title: ClassVar[str] = "Retrieve study"

    node: str = Field(**shown("Workstation"))
    study: str = STUDY

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        archive = str(getattr(node.running, "archive", ""))
        if not archive:
            raise BadInputError(f"{node.name} is not configured to query an archive.", "Choose a workstation.")
        if isinstance(node, Workstation):
            return node.retrieve(self.study)
        return node.tools.move(archive, node.running.ae_title, "STUDY", {"StudyInstanceUID": self.study})
