"""A line of an AE table with a wrong port: what is sent by it goes where nobody waits for it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sandbox.faults.on_remote import OnRemote


class RemotePort(OnRemote):
    """``config.remote_port``: the AE table of ``node`` has the port ``value`` for ``peer``, where nobody listens.

    Connections are refused at once, and the log of ``peer`` says nothing: that silence is the clue. If ``peer`` is who
    asked for something (storage commitment, C-MOVE), only the way back is broken. Seen from outside: ``echoscu``
    against the published port of ``peer`` is answered, so it is not the one to blame. Mended by ``node.config.save`` of
    ``remotes.PEER.port`` on ``node`` and a restart.
    """

    kind = "config.remote_port"
    setting = "port"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Every connection of the caller is refused at once; others reach the same node.",
        "The log of the called node has no trace of the calls.",
    )

    value: int = Field(ge=1, le=65535)

    def explanation(self) -> str:
        return (
            f"In {self.node}'s AE table, {self.peer} had the port {self.value}. Nobody listens there, so every "
            f"connection was refused by the host of {self.peer}, and its program never heard of it: "
            "nothing at all in its log."
        )
