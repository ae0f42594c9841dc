"""A line of an AE table with a wrong host: what is sent by it goes where nobody waits for it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.faults.on_remote import OnRemote


class RemoteHost(OnRemote):
    """``config.remote_host``: the AE table of ``node`` has the host ``value`` (a name or an address) for ``peer``.

    A name that nobody knows fails at once, an address without a host times out, that of another host is refused there
    or answered by the wrong node. Seen from outside: ``echoscu`` against the published port of ``peer`` is answered, so
    it is not the one to blame. Mended by ``node.config.save`` of ``remotes.PEER.host`` on ``node`` and a restart.
    """

    kind = "config.remote_host"
    setting = "host"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Calls to one node fail as unknown host, time out, or are answered by somebody else.",
        "The log of the node that was meant has no trace of them.",
    )

    value: str = Field(min_length=1, max_length=253)

    def explanation(self) -> str:
        return (
            f"In {self.node}'s AE table, {self.peer} had the host {self.value!r}. What {self.node} sent went there and "
            f"not to {self.peer}, which was well and heard nothing."
        )
