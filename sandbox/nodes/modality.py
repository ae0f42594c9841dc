"""A modality: it scans patients, keeps the images on its own disk and sends them where it is told to."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field
from pydicom.dataset import Dataset

from sample_dicom.orders import make_order
from sample_dicom.studies import make_study
from sample_dicom.uids import make_uid
from sandbox.archive.archive import Archive
from sandbox.dicom.contract import Services, StoredObject, SupportedContext
from sandbox.dicom.syntaxes import storage_commitment, verification
from sandbox.events import kinds
from sandbox.events.event import PROBE
from sandbox.events.log import because, current
from sandbox.model.config import NodeConfig, RetryPolicy, shown
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.patient import Order
from sandbox.model.route import Priority
from sandbox.model.view import NodeState
from sandbox.nodes.acquired import Previous, Scan, changed, text_of
from sandbox.nodes.caller import QueueCarrier
from sandbox.nodes.commitment import Commitments
from sandbox.nodes.context import NodeContext
from sandbox.nodes.impairments import DataImpairments
from sandbox.nodes.node import Node
from sandbox.nodes.objects_config import SendingConfig
from sandbox.nodes.queue import SendQueue
from sandbox.nodes.queue_tables import QueueItem

_SOUND = DataImpairments()


class ModalityConfig(SendingConfig):
    """What an administrator sets on a modality."""

    modality: str = Field(min_length=2, max_length=16, **shown("Modality", "CT, MR, DX or US.", group="Identity"))
    station_name: str = Field(
        "", max_length=16, **shown("Station name", "Written into the images (0008,1010).", group="Identity")
    )
    send_to: tuple[str, ...] = Field(
        (), **shown("Send to", "Names from the AE table.", group="Sending", choices="remotes")
    )
    auto_send: bool = Field(
        True, **shown("Send automatically", "Send each exam as soon as it is acquired.", group="Sending")
    )
    request_commitment: str = Field(
        "",
        **shown(
            "Ask for storage commitment",
            "Name from the AE table of who shall confirm that what was sent is safely stored. Empty: nobody is asked.",
            group="Sending",
            choices="remotes",
        ),
    )
    retry: RetryPolicy = Field(RetryPolicy(), **shown("Retry", group="Sending"))
    keep_studies: int = Field(
        100,
        ge=1,
        le=100000,
        **shown("Studies kept", "Older ones leave the local disk once they are sent.", unit="studies", group="Sending"),
    )


@dataclass(frozen=True)
class AcquiredExam:
    """An exam that was scanned. ``event`` is its exam.acquired, from which all that follows can be traced.

    ``objects`` are its ``instances`` images as they lie on the modality's own disk, in ``studies``: one, unless the
    modality is wrong about it.
    """

    node: str
    order: Order
    study_uid: str
    objects: tuple[StoredObject, ...]
    event: int
    studies: tuple[str, ...] = ()

    @property
    def instances(self) -> int:
        return len(self.objects)

    @property
    def accession_number(self) -> str:
        return self.order.accession_number


class Modality(Node):
    """Scans, keeps and sends. It answers C-ECHO, and takes reports of storage commitment if it asks for it."""

    role = "modality"
    config_class = ModalityConfig
    abilities: ClassVar[tuple[str, ...]] = ("echo", "acquire", "send", "queue", "find", "move")

    saved: ModalityConfig
    running: ModalityConfig
    queue: SendQueue
    store: Archive

    def __init__(self, context: NodeContext, config: NodeConfig) -> None:
        super().__init__(context, config)
        self.store = self.open_store()
        self.commitment = Commitments(
            self, remote=lambda: self.running.request_commitment, retry=lambda: self.running.retry
        )
        self.queue = SendQueue(
            context.directory,
            node=self.name,
            events=context.events,
            clock=context.clock,
            carrier=QueueCarrier(self, self.commitment),
            retry=lambda: self.running.retry,
            known=lambda: self.running.send_to,
            note=self.log,
        )

    def contexts(self) -> tuple[SupportedContext, ...]:
        return (*verification(), *(storage_commitment() if self.running.request_commitment else ()))

    def services(self) -> Services:
        return Services(n_event_report=self.commitment.report if self.running.request_commitment else None)

    def open_work(self) -> None:
        self.queue.start()
        self.commitment.start()

    def halt_work(self) -> None:
        self.commitment.halt()

    def close_work(self) -> None:
        self.queue.stop()
        self.commitment.stop()

    def close(self) -> None:
        super().close()
        self.commitment.close()

    def forget_study(self, study_uid: str) -> None:
        self.commitment.forget([item.sop_instance for item in self.store.objects(study_uid)])
        super().forget_study(study_uid)

    # --- scanning ----------------------------------------------------------------------------------------------------

    def acquire(self, order: Order | None = None, *, images: int | None = None) -> AcquiredExam:
        """Scan ``order`` (without one: whoever comes next), keep it and, if so configured, queue it for sending.

        ``images`` bounds how many images are made, for exams that shall be quick.
        """
        if self.state is not NodeState.RUNNING:
            raise ConflictError(f"{self.name} is not running and cannot scan.", "Start it first.")
        order = order or self._next_order()
        if order.procedure.modality != self.running.modality:
            raise BadInputError(
                f"{order.procedure.description} is not done on {self.name}.",
                f"Choose a procedure for {self.running.modality}.",
            )
        now = self.now()
        station = self.context.station.model_copy(
            update={
                "ae_title": self.running.ae_title,
                "station_name": self.running.station_name or self.context.station.station_name,
            }
        )
        # A check brings nobody: it lays a test object on the table.
        is_check = current().actor == PROBE
        made = make_study(order, seed=self.context.seed, when=now, station=station, test_object=is_check)
        datasets = self._as_it_is_today(list(itertools.islice(made, images)))
        study_uid = str(datasets[0].StudyInstanceUID)
        event = self.context.events.append(
            kinds.ExamAcquired(
                accession_number=order.accession_number,
                patient_id=order.patient.patient_id,
                patient_name=order.patient.name,
                modality=order.procedure.modality,
                description=order.procedure.description,
                study_uid=study_uid,
                instances=len(datasets),
            ),
            node=self.name,
        )
        with because(event.seq):
            instances = self._keep_images(datasets)
            self.log("info", f"Exam {order.accession_number} {order.procedure.description}: {len(instances)} images")
            if self.running.auto_send and self.running.send_to:
                self._enqueue(order, datasets, instances, self.running.send_to)
        studies = tuple(dict.fromkeys(str(dataset.StudyInstanceUID) for dataset in datasets))
        self._make_room(studies)
        return AcquiredExam(self.name, order, study_uid, instances, event.seq, studies)

    def send(self, study_uid: str, remote: str) -> int:
        """Queue a study that is on the local disk for ``remote`` (a name in the AE table). Returns how many images."""
        if self.running.remote(remote) is None:
            known = ", ".join(line.name for line in self.running.remotes)
            raise NotFoundError(f"{self.name} has no {remote!r} in its AE table.", f"It has: {known or 'none'}.")
        detail = self.store.study(study_uid)
        if detail is None:
            raise NotFoundError(f"{self.name} has no such study on its disk.", "It may have been removed; scan again.")
        items = [
            QueueItem(
                object=stored,
                study_uid=study_uid,
                patient_name=detail.study.patient_name,
                accession_number=detail.study.accession_number,
                description=detail.study.description,
            )
            for stored in self.store.objects(study_uid)
        ]
        self.queue.add(items, {remote: int(Priority.NORMAL)})
        return len(items)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _next_order(self) -> Order:
        """Whoever comes next: the same seed and the same number of exams so far make the same order."""
        events = self.context.events
        number = sum(event.kind == "exam.acquired" and event.node == self.name for event in events.since())
        rng = random.Random(f"{self.context.seed}/{self.name}/{number}")  # noqa: S311 - simulation, not secrecy
        return make_order(rng, self.running.modality, self.context.clock.now())

    def _as_it_is_today(self, datasets: list[Dataset]) -> list[Dataset]:
        """The images as this scanner makes them, with what is wrong with it."""
        wrong = self.impairments.data
        if wrong == _SOUND:
            return datasets
        shared = ""
        if current().actor == PROBE:
            # A check forgets its own studies afterwards, so they are never shared with anybody's.
            shared = make_uid("shared", self.context.seed, current().cause)
        return changed(datasets, wrong, Scan(self._previous(), shared))

    def _previous(self) -> Previous | None:
        """The exam before, as it is on the local disk."""
        for study in self.store.studies(limit=1):
            return Previous(
                study_uid=study.study_uid,
                patient_id=study.patient_id,
                patient_name=study.patient_name,
                birth_date=study.birth_date,
                sex=study.sex,
                accession_number=study.accession_number,
            )
        return None

    def _keep_images(self, datasets: Sequence[Dataset]) -> tuple[StoredObject, ...]:
        self.store.add_datasets(datasets)
        kept = []
        for dataset in datasets:
            sop_instance = str(dataset.SOPInstanceUID)
            path = self.store.instance_path(sop_instance)
            assert path is not None
            syntax = str(dataset.file_meta.TransferSyntaxUID)
            kept.append(StoredObject(path, str(dataset.SOPClassUID), sop_instance, syntax))
            self.tell_stored(str(dataset.StudyInstanceUID), sop_instance)
        return tuple(kept)

    def _enqueue(
        self, order: Order, datasets: Sequence[Dataset], instances: Sequence[StoredObject], destinations: Sequence[str]
    ) -> None:
        items = [
            QueueItem(
                object=stored,
                study_uid=str(dataset.StudyInstanceUID),
                patient_name=text_of(dataset, "PatientName"),
                accession_number=text_of(dataset, "AccessionNumber"),
                description=order.procedure.description,
            )
            for dataset, stored in zip(datasets, instances, strict=True)
        ]
        priority = Priority.STAT if order.stat else Priority.NORMAL
        self.queue.add(items, {destination: int(priority) for destination in destinations})

    def _make_room(self, just_acquired: Sequence[str]) -> None:
        """Remove the oldest studies beyond what is kept, never one that still waits to be sent or taken charge of."""
        if self.store.count_studies() <= self.running.keep_studies:
            return
        waiting = self.queue.waiting_studies() | set(just_acquired)
        for study in self.store.studies(limit=1000, offset=self.running.keep_studies):
            if study.study_uid in waiting:
                continue
            instances = [item.sop_instance for item in self.store.objects(study.study_uid)]
            if self.commitment.is_finished(instances):
                self.commitment.forget(instances)
                self.store.forget_study(study.study_uid)
