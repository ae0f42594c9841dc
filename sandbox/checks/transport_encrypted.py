"""Nobody on the way can read along: what two nodes say to each other goes over TLS or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.probe_exam import probe_exam
from sandbox.events.event import Event
from sandbox.events.kinds import AssociationAccepted
from sandbox.events.log import current
from sandbox.model.association import Side
from sandbox.nodes.department import Department

WITHIN_S = 20.0


class TransportEncrypted(Check):
    """``transport_encrypted``: no association between ``a`` and ``b`` is in the clear, whichever of them calls.

    Tried by an exam that ``exam_from`` makes (or ``a``, where it is a modality), of ``procedure`` (a code of the
    catalogue, so that rules send it that way), and by a C-ECHO of ``a`` to each line of its AE table that leads to
    ``b``. That nothing gets through at all is another check's matter: what is not said cannot be read.
    """

    kind = "transport_encrypted"

    a: str
    b: str
    exam_from: str = ""
    procedure: str = ""

    def claim(self) -> str:
        return f"What {self.a} and {self.b} say to each other is encrypted."

    def nodes(self) -> tuple[str, ...]:
        return tuple(name for name in (self.a, self.b, self.exam_from) if name)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        since = current().cause or len(department.events)
        source = self.exam_from or (self.a if self.a in {node.name for node in department.modalities} else "")
        self._echo(department)
        if not source:
            return self._judged(department, since)
        with probe_exam(department, source, images=1, procedure=self.procedure) as (_, trail):
            trail.follow_to(self.b, WITHIN_S)
            return self._judged(department, since)

    def _echo(self, department: Department) -> None:
        node, network = department.node(self.a), department.network
        address = network.address_of(self.b)
        for remote in node.running.remotes:
            if network.resolve(self.a, remote.host).address == address:
                node.tools.echo(remote.name)

    def _judged(self, department: Department, since: int) -> Judgement:
        seen = list(self._associations(department, since))
        clear = [
            event.seq for event in seen if isinstance(event.body, AssociationAccepted) and not event.body.facts.tls
        ]
        if clear:
            return failed(f"{self.a} and {self.b} spoke in the clear; anybody on the way can read it.", tuple(clear))
        evidence = tuple(event.seq for event in seen)
        if not seen:
            return passed(f"Nothing that {self.a} and {self.b} said was in the clear; they said nothing just now.")
        return passed(f"What {self.a} and {self.b} said to each other was encrypted.", evidence)

    def _associations(self, department: Department, since: int) -> Iterator[Event]:
        """As the one who was called has it, since both ends write it."""
        for event in department.events.since(since):
            body = event.body
            if not isinstance(body, AssociationAccepted) or body.facts.side is not Side.ACCEPTOR:
                continue
            if {event.node, body.facts.peer_node} == {self.a, self.b}:
                yield event
