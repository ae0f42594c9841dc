"""A service that refuses some requests with a status of its own, though everything looks right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from sandbox.dicom.explain import explain_status
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_service import said_of, try_service
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Conditions, InjectedStatus, Service


def _hexadecimal(value: Any) -> Any:
    return int(value, 16) if isinstance(value, str) else value


Status = Annotated[int, BeforeValidator(_hexadecimal), Field(ge=1, le=0xFFFF)]
"""``"A700"`` as in the standard, or ``0xA700``."""


class ServiceStatus(Fault):
    """``service.status``: ``node`` answers every ``service`` request that matches ``where`` with ``status`` and
    ``comment``, and does nothing else for it. Without ``where`` it answers every request so.

    ``where`` names attributes of the object (C-STORE) or keys of the query, ``{ Modality = "US" }``. Seen from outside:
    ``storescu -v`` of such an object against the published port prints the status; of another, success. Mended by
    ``node.service_call`` for ``storing`` (C-STORE, N-ACTION) or ``queries`` (C-FIND, C-MOVE, C-GET).
    """

    kind = "service.status"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The association is accepted, and some of what goes over it is answered with a failure status.",
        "Both ends log the status; the sender's queue keeps what was refused and sends the rest.",
    )

    node: str
    service: Service = Service.STORE
    status: Status
    comment: str = Field("", max_length=64)
    where: Conditions = ()

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        what = said_of(self.where, "whatever it was asked")
        words = explain_status(self.service, self.status).name
        said = f" ({self.comment})" if self.comment else ""
        return (
            f"{self.node} answered {self.service} of {what} with {self.status:04X}, {words}{said}. The association, "
            "the titles and the network were sound: the refusal came from the program, one object at a time."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_service(configs, self.node, self.service, self.where)

    def break_it(self, department: Department) -> Undo:
        entry = InjectedStatus(service=self.service, status=self.status, comment=self.comment, where=self.where)
        return impair(department, self.node, "service", "statuses", entry)
