"""Who checks values still does: an image with a date that is no date is turned away."""

from __future__ import annotations

import random
from datetime import datetime

from pydantic import Field
from pydicom.dataset import Dataset

from sample_dicom.station import TINY, Station
from sample_dicom.studies import make_study
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.dicom.contexts import contexts_for_pairs
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.model.errors import NotFoundError
from sandbox.nodes.acquired import put_raw
from sandbox.nodes.department import Department


class InvalidValuesRefused(Check):
    """``invalid_values_refused``: ``node`` refuses an image of ``sender`` (a modality) whose Study Date is no date.

    Tried with a test object in the sender's own name, by its own line ``remote`` for the node (empty: the node's
    name). It catches the cure that lets everything in. What is taken against the claim is forgotten again.
    """

    kind = "invalid_values_refused"

    node: str = "ARCHIVE"
    sender: str
    remote: str = Field("", max_length=64)

    def claim(self) -> str:
        return f"{self.node} still refuses images with values that DICOM does not allow."

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.sender)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        sender, remote = department.modality(self.sender), self.remote or self.node
        peer = sender.caller.peer(remote)
        if peer is None:
            known = ", ".join(line.name for line in sender.running.remotes) or "nothing"
            raise NotFoundError(f"{self.sender} has no {remote!r} in its AE table.", f"It has: {known}.")
        image = _invalid_image(department, sender.running.modality, sender.now())
        pair = (str(image.SOPClassUID), str(image.file_meta.TransferSyntaxUID))
        before = len(department.events)
        opened = sender.caller.requestor.associate(peer, contexts_for_pairs([pair]))
        if isinstance(opened, AssociationFailure):
            return unclear(f"Whether {self.node} checks values could not be tried: {opened.sentence}")
        try:
            with opened:
                answer = opened.store(image)
        finally:
            department.forget_study(str(image.StudyInstanceUID))
        evidence = tuple(
            event.seq
            for event in department.events.since(before)
            if getattr(event.body, "association", "") == opened.facts.id
        )
        if answer.status is None:
            return unclear(f"Whether {self.node} checks values could not be tried: {answer.failure}.", evidence)
        if answer.succeeded or answer.is_warning:
            return failed(f"{self.node} took an image whose Study Date is {image['StudyDate'].value!r}.", evidence)
        return passed(f"{self.node} refused an image with an invalid date ({answer.status:04X}).", evidence)


def _invalid_image(department: Department, modality: str, now: datetime) -> Dataset:
    """A small test object of nobody, sound but for its date, which is as ACR-NEMA wrote them."""
    # Two tries must never make the same study, not even in labs of one seed.
    rng = random.Random(f"{department.seed}:invalid:{len(department.events)}")  # noqa: S311 - no secret
    order = department.order(modality, rng, accession_prefix="PROBE")
    station = Station(ae_title="PROBE", station_name="PROBE")
    image = next(iter(make_study(order, seed=department.seed, when=now, station=station, size=TINY, test_object=True)))
    put_raw(image, "StudyDate", f"{now:%Y.%m.%d}")
    return image
