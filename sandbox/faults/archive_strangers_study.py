"""A study from somebody whom nobody knows: a program on a host of the department stored it under a title of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date

from pydantic import Field

from sample_dicom.orders import make_order
from sample_dicom.station import TINY, Station
from sample_dicom.studies import make_study
from sandbox.archive.accidents import forget_for_good
from sandbox.dicom.client import Requestor
from sandbox.dicom.contexts import contexts_for_pairs
from sandbox.dicom.contract import Peer
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.plain import NullObserver
from sandbox.events.event import SYSTEM
from sandbox.events.log import because
from sandbox.faults.fault import Undo
from sandbox.faults.on_node import try_node
from sandbox.faults.on_studies import OnArchive, archive_of
from sandbox.model.ae_title import AETitle
from sandbox.model.config import NodeConfig
from sandbox.model.errors import ConflictError
from sandbox.model.patient import Patient
from sandbox.nodes.department import Department


class StrangersStudy(OnArchive):
    """``archive.strangers_study``: a program on the host of ``host`` stored a study at ``node`` under the AE title
    ``title``.

    One image of ``modality``, of a patient ``patient_name`` with the ID ``patient_id``, in the study ``study_uid``. It
    needs an archive that lets the title in (``config.unlisted_callers`` before it). Seen from outside: ``findscu``
    finds a study that no modality of the department made; the archive's log has the title and the address that it came
    from, and the log of ``host`` has nothing of it. Mended by ``archive.reject`` or ``archive.delete`` of the study,
    and by shutting the door it came through.
    """

    kind = "archive.strangers_study"
    symptoms = (
        "The archive has a study that no modality made, of a patient whom nobody registered.",
        "Its log has an association under a title that is in no AE table, from the address of a known host.",
    )

    host: str
    title: AETitle
    study_uid: str = Field(pattern=r"^[0-9][0-9.]{0,63}$")
    patient_name: str = Field(min_length=1, max_length=64)
    patient_id: str = Field(min_length=1, max_length=64)
    modality: str = Field("MR", min_length=2, max_length=16)

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.host)

    def explanation(self) -> str:
        return (
            f"A program on the host of {self.host} called itself {self.title} and stored a study at {self.node}, which "
            "did not know that title and took it all the same. What nobody ordered stood among what was."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        super().try_on(configs)
        try_node(configs, self.host)

    def break_it(self, department: Department) -> Undo:
        archive = archive_of(department, self.node)
        rng = random.Random(f"{department.seed}:{self.study_uid}")  # noqa: S311 - a phantom, not a secret
        person = Patient(patient_id=self.patient_id, name=self.patient_name, birth_date=date(2000, 1, 1), sex="O")
        now = department.clock.now()
        order = make_order(rng, self.modality, now, patient=person)
        station = Station(ae_title=self.title, station_name=self.title[:16])
        image = next(
            make_study(
                order, seed=department.seed, when=now, station=station, size=TINY, study_instance_uid=self.study_uid
            )
        )
        image.AccessionNumber = ""
        server = department.node(self.node)
        peer = Peer(server.running.ae_title, department.network.address_of(self.node), server.running.port)
        context = contexts_for_pairs([(str(image.SOPClassUID), str(image.file_meta.TransferSyntaxUID))])
        # Another program calls from the same host: the node knows nothing of it, and its log has no line about it.
        host = department.node(self.host)
        dialler = department.network.dialler(self.host)
        requestor = Requestor(
            self.title,
            self.host,
            dialler,
            NullObserver(),
            host.timeouts(),
            host.running.maximum_pdu,
            host.context.new_association_id,
        )
        # The stranger is part of the day, and everybody may see in the log what it did.
        with because(None, SYSTEM):
            opened = requestor.associate(peer, context)
            if isinstance(opened, AssociationFailure):
                raise ConflictError(
                    f"{self.node} turned {self.title} away: {opened.sentence}", "Let unlisted callers in before."
                )
            with opened:
                answer = opened.store(image)
        if not answer.succeeded:
            raise ConflictError(f"{self.node} did not take the study of {self.title}.", "Let it store before.")

        def undo() -> None:
            department.node(self.node).forget_study(self.study_uid)
            # Whoever deleted or rejected it has left it in the bin and in the journal.
            forget_for_good(archive, self.study_uid)

        return undo
