"""An archive that gives the first answers only, and says that these were all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_service import try_service
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import AnswerCap, Service

_CAPPED = {
    Service.FIND: "matches of a query",
    Service.MOVE: "instances of a retrieve",
    Service.GET: "instances of a retrieve",
}


class ServiceAnswersCapped(Fault):
    """``service.answers_capped``: ``node`` gives the first ``most`` matches of a C-FIND (or sends the first ``most``
    instances of a C-MOVE or C-GET, by ``service``) and ends with success.

    A limit in the configuration (``query_limit``) does the same for queries and can be seen there; this is one that
    cannot. Seen from outside: ``findscu`` against the published port prints ``most`` matches and no more, whatever is
    asked; a narrower question finds what the wide one left out. Mended by ``node.service_call`` for ``queries``.
    """

    kind = "service.answers_capped"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Long lists stop at the same number; a narrower search finds what was missing.",
        "The final status is success, and no log has an error.",
    )

    node: str
    service: Service = Service.FIND
    most: int = Field(ge=1, le=1000000)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} gave the first {self.most} {_CAPPED.get(self.service, 'answers')} and said that these were "
            "all. Nothing was lost: what the long list left out was found by asking for less."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if self.service not in _CAPPED:
            raise BadInputError(f"{self.service} has no answers to cap.", f"There is: {', '.join(_CAPPED)}.")
        try_service(configs, self.node, self.service, ())

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "service", "caps", AnswerCap(service=self.service, most=self.most))
