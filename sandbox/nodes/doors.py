"""Where a node listens: its plain port, the one for TLS if it has one, and the one server behind both.

They are opened and closed by the node's lifecycle and by nothing else. Whatever fails on the way in, ``close`` closes
what was opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.dicom.contract import Services
from sandbox.dicom.server import Server, TlsListener
from sandbox.dicom.tls import server_context
from sandbox.network.network import Listener

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

_HELD_BY_THE_SYSTEM = 128
"""Connections that the system holds for a program that hangs. Further ones are not even connected."""


class Doors:
    """Those of one node. Addresses are the department's, published ones the real host:port; empty when not open."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._plain: Listener | None = None
        self._tls: Listener | None = None
        self._secure: TlsListener | None = None
        self._server: Server | None = None

    def open(self) -> None:
        """Listen where the running configuration says. Nobody is answered yet."""
        node, config = self._node, self._node.running
        self._plain = node.context.network.listen(node.name, config.port)
        if any(remote.tls for remote in config.remotes):
            node.tls.ready()
        if config.tls_port:
            context = server_context(node.tls.server(config.client_certificates))
            self._tls = node.context.network.listen(node.name, config.tls_port)
            self._secure = TlsListener(self._tls.socket, self._tls.address, context)

    def leave_unanswered(self) -> None:
        """A program that hangs only listens: the system takes the connections, nobody else."""
        for listener in (self._plain, self._tls):
            if listener is not None:
                listener.socket.listen(_HELD_BY_THE_SYSTEM)

    def answer(self, services: Services) -> None:
        """Begin to serve whoever calls."""
        node = self._node
        assert self._plain is not None
        self._server = Server(
            self._plain.socket,
            node.policy(),
            services,
            node.watcher(),
            node=node.name,
            local=self._plain.address,
            caller_of=node.context.network.caller_of,
            requestor=node.caller.requestor,
            new_association_id=node.context.new_association_id,
            secure=self._secure,
        )
        self._server.start()

    def hang_up(self) -> None:
        """End what is being served. The ports stay open until ``close``."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def close(self) -> None:
        """Close the ports."""
        listeners = self._plain, self._tls
        self._plain = self._tls = self._secure = None
        for listener in listeners:
            if listener is not None:
                listener.close()

    @property
    def address(self) -> str:
        return "" if self._plain is None else self._plain.address

    @property
    def tls_address(self) -> str:
        return "" if self._tls is None else self._tls.address

    @property
    def published(self) -> str:
        return _published(self._plain)

    @property
    def tls_published(self) -> str:
        return _published(self._tls)


def _published(listener: Listener | None) -> str:
    if listener is None:
        return ""
    host, port = listener.published
    return f"{host}:{port}"
