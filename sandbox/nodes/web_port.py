"""An archive's DICOMweb on a port of its node: published like its other ports, and served from the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.archive.archive import Archive

if TYPE_CHECKING:
    from sandbox.dicomweb.server import RunningDicomweb
    from sandbox.network.network import Listener
    from sandbox.nodes.node import Node


class WebPort:
    """Serves ``store`` over HTTP while it is open. ``address`` is what the department writes for it, ``url`` where
    outside tools reach it; both are empty while it is closed."""

    def __init__(self, node: Node, store: Archive) -> None:
        self._node = node
        self._store = store
        self._listener: Listener | None = None
        self._running: RunningDicomweb | None = None

    def open(self, port: int, token: str) -> None:
        """Listen on ``port``. Raises SandboxError or OSError if that cannot be had, BadInputError without a ``token``
        where the department is published beyond this machine."""
        # Flask costs half of the start of a node, and most departments do without.
        from sandbox.dicomweb.options import WebOptions
        from sandbox.dicomweb.server import guarded, serve_on

        network = self._node.context.network
        options = guarded(network.publish_host, WebOptions(token=token))
        self._listener = network.listen(self._node.name, port)
        self._running = serve_on(self._listener.socket, self._store, options)

    def close(self) -> None:
        """No more requests. Safe to call again."""
        running, listener = self._running, self._listener
        self._running = self._listener = None
        if running is not None:
            running.stop()
        if listener is not None:
            listener.close()

    @property
    def address(self) -> str:
        return "" if self._listener is None else self._listener.address

    @property
    def url(self) -> str:
        if self._listener is None or self._running is None:
            return ""
        host, port = self._listener.published
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{self._running.prefix}"
