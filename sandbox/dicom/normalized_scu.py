"""The DIMSE-N requests of an open association (PS3.7 10.1), and answering the events that its peer reports on it."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from sandbox.dicom.contract import NormalizedService
from sandbox.dicom.messages import (
    N_ACTION_RQ,
    N_CREATE_RQ,
    N_DELETE_RQ,
    N_EVENT_REPORT_RQ,
    N_GET_RQ,
    N_SET_RQ,
    Command,
)
from sandbox.dicom.outcomes import NormalizedOutcome
from sandbox.dicom.scu import Invoker


class NormalizedRequests:
    """What an association offers besides the DIMSE-C requests."""

    _invoker: Invoker

    def n_action(
        self, sop_class: str, sop_instance: str, action: int, dataset: Dataset | None = None
    ) -> NormalizedOutcome:
        """N-ACTION (PS3.7 10.1.4)."""
        command = _requested(N_ACTION_RQ, sop_class, sop_instance)
        command["ActionTypeID"] = action
        return self._invoker.normalized(sop_class, command, dataset)

    def n_event_report(
        self, sop_class: str, sop_instance: str, event: int, dataset: Dataset | None = None
    ) -> NormalizedOutcome:
        """N-EVENT-REPORT (PS3.7 10.1.1), for which the peer must have taken us for the SCP (``roles``)."""
        command: Command = {
            "CommandField": N_EVENT_REPORT_RQ,
            "AffectedSOPInstanceUID": sop_instance,
            "EventTypeID": event,
        }
        return self._invoker.normalized(sop_class, command, dataset)

    def n_create(self, sop_class: str, sop_instance: str, dataset: Dataset) -> NormalizedOutcome:
        """N-CREATE (PS3.7 10.1.5). Without ``sop_instance`` the peer makes the UID."""
        command: Command = {"CommandField": N_CREATE_RQ}
        if sop_instance:
            command["AffectedSOPInstanceUID"] = sop_instance
        return self._invoker.normalized(sop_class, command, dataset)

    def n_set(self, sop_class: str, sop_instance: str, dataset: Dataset) -> NormalizedOutcome:
        """N-SET (PS3.7 10.1.3)."""
        return self._invoker.normalized(sop_class, _requested(N_SET_RQ, sop_class, sop_instance), dataset)

    def n_get(self, sop_class: str, sop_instance: str, attributes: Sequence[int] = ()) -> NormalizedOutcome:
        """N-GET of these tags, or of all there are (PS3.7 10.1.2)."""
        command = _requested(N_GET_RQ, sop_class, sop_instance)
        if attributes:
            command["AttributeIdentifierList"] = tuple(attributes)
        return self._invoker.normalized(sop_class, command)

    def n_delete(self, sop_class: str, sop_instance: str) -> NormalizedOutcome:
        """N-DELETE (PS3.7 10.1.6)."""
        return self._invoker.normalized(sop_class, _requested(N_DELETE_RQ, sop_class, sop_instance))

    def answer_events(self, service: NormalizedService) -> None:
        """Have ``service`` answer N-EVENT-REPORTs that come while a response or an event is waited for."""
        self._invoker.events = service

    def await_event(self, seconds: float) -> bool:
        """Answer one N-EVENT-REPORT that comes within ``seconds``; False if none did."""
        return self._invoker.await_event(seconds)


def _requested(field: int, sop_class: str, sop_instance: str) -> Command:
    return {"CommandField": field, "RequestedSOPClassUID": sop_class, "RequestedSOPInstanceUID": sop_instance}
