"""What all faults of a node's certificates have in common: files are replaced, the node takes them up, and all is put
back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.model.view import NodeState
from sandbox.nodes.department import Department
from sandbox.nodes.node import Node
from sandbox.nodes.tls import NodeTls


class OnCertificate(Fault):
    """A fault of the certificate, or of the trust, of ``node``, which must use TLS one way or the other."""

    node: str

    @abstractmethod
    def spoil(self, tls: NodeTls) -> None:
        """Replace what shall be wrong."""

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = try_node(configs, self.node)
        if not (config.tls_port or any(remote.tls for remote in config.remotes)):
            raise BadInputError(f"{self.node} neither listens for TLS nor calls with it.", "Name a node that does.")

    def break_it(self, department: Department) -> Undo:
        node = department.node(self.node)
        self.try_on({self.node: node.running})
        node.tls.ready()
        before = node.tls.files()
        self.spoil(node.tls)
        _take_up(node)

        def undo() -> None:
            node.tls.put_back(before)
            _take_up(node)

        return undo


def _take_up(node: Node) -> None:
    """A listener reads its certificate when it starts; a caller at each call."""
    if node.running.tls_port and node.state is NodeState.RUNNING:
        node.restart()
