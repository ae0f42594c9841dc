"""A service that answers, but later than those who ask are willing to wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_service import said_of, try_service
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Conditions, Service, Slowness


class ServiceSlow(Fault):
    """``service.slow``: ``node`` takes ``seconds`` longer for each ``service`` request that matches ``where``, on every
    association from the one after the first ``after`` on (a cache that fills).

    Whoever's DIMSE timeout is shorter gives up in the middle; the work is done all the same, and what was given up is
    sent again. Seen from outside: ``storescu -v`` or ``findscu -v`` against the published port waits that long for its
    response; with ``-td 2`` it aborts. Mended by ``node.service_call`` for ``speed``; a longer DIMSE timeout at the
    sender hides it.
    """

    kind = "service.slow"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Small studies pass; large ones are aborted by the sender in the middle, for no response came in time.",
        "The receiver logs an abort by its peer, and no error of its own.",
    )

    node: str
    service: Service = Service.STORE
    seconds: float = Field(gt=0, le=600)
    after: int = Field(0, ge=0, le=100000)
    where: Conditions = ()

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        what = said_of(self.where, "everything")
        late = f", after the first {self.after} of an association," if self.after else ""
        return (
            f"{self.node} took {self.seconds:g} s longer to answer {self.service} of {what}{late} than it should. Who "
            "waits less than that for a response gives up, and sees a broken connection where there is only a slow one."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        try_service(configs, self.node, self.service, self.where)

    def break_it(self, department: Department) -> Undo:
        entry = Slowness(service=self.service, seconds=self.seconds, after=self.after, where=self.where)
        return impair(department, self.node, "service", "slow", entry)
