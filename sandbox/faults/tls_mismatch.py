"""One side speaks TLS and the other does not: the AE table is wrong about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at
from sandbox.nodes.department import Department


class TlsMismatch(Fault):
    """``tls.mismatch``: in the AE table of ``node``, the line ``peer`` says TLS where it should not, or the reverse.

    The port stays as it is: so either plain DICOM goes to a TLS port, or TLS to a plain one. Seen from outside:
    ``echoscu`` against the published port of the peer answers in the way that is right for that port. Mended by: the
    setting ``remotes.PEER.tls`` (with the port that belongs to it).
    """

    kind = "tls.mismatch"
    symptoms: ClassVar[tuple[str, ...]] = (
        "TCP connects, and the connection is over before any association.",
        "One log speaks of a TLS handshake, the other of something that is no DICOM or no TLS.",
    )

    node: str
    peer: str

    @property
    def path(self) -> str:
        """The setting that is wrong."""
        return f"remotes.{self.peer}.tls"

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} and {self.peer} did not agree on TLS: the line {self.peer} in the AE table of {self.node} "
            "had it the wrong way round for the port it calls. To the one side the other's first bytes were noise, and "
            "the connection ended before any association."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        value_at(configs[self.node], self.path)

    def break_it(self, department: Department) -> Undo:
        was = value_at(department.node(self.node).running, self.path)
        return set_running(department, self.node, self.path, not was)
