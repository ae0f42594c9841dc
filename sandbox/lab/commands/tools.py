"""What can be tried from a node, with its own identity and its own beliefs: ping, port, lookup, echo, find, move, get.

The other AE is a line of the node's AE table, or is written out. Whatever is tried is real; that it did not work is a
result and not an error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.dicom.contract import Peer
from sandbox.lab.command import Command
from sandbox.model.ae_title import ae_title
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

NODE = Field(**shown("From node", "The node it is tried from."))
HOST = Field(min_length=1, max_length=253, **shown("Host", "Host name or address."))


class Level(StrEnum):
    """Query/Retrieve level (PS3.4 C.3)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


class ToolPing(Command):
    """Ping a host from a node. An answer says that the host is on and reachable, not that its DICOM service works."""

    name = "tool.ping"
    title: ClassVar[str] = "Ping"

    node: str = NODE
    host: str = HOST

    def run(self, lab: Lab, /) -> CommandResult:
        return lab.department.node(self.node).tools.ping(self.host)


class ToolPort(Command):
    """Test whether a TCP port of a host takes connections from a node. No DICOM is spoken."""

    name = "tool.port"
    title: ClassVar[str] = "Test port"

    node: str = NODE
    host: str = HOST
    port: int = Field(ge=1, le=65535, **shown("Port"))

    def run(self, lab: Lab, /) -> CommandResult:
        return lab.department.node(self.node).tools.port(self.host, self.port)


class ToolLookup(Command):
    """Resolve a host name as a node resolves it."""

    name = "tool.lookup"
    title: ClassVar[str] = "Look up name"

    node: str = NODE
    host: str = HOST

    def run(self, lab: Lab, /) -> CommandResult:
        return lab.department.node(self.node).tools.lookup(self.host)


class _WithRemote(Command):
    node: str = NODE
    remote: str = Field(
        "", max_length=64, **shown("Remote", "A line of the AE table. Empty: the AE written out below.")
    )
    ae_title: str = Field("", max_length=64, **shown("AE title", "Of an AE that is not in the AE table."))
    host: str = Field("", max_length=253, **shown("Host", "Of an AE that is not in the AE table."))
    port: int | None = Field(None, ge=1, le=65535, **shown("Port", "Of an AE that is not in the AE table."))

    def target(self) -> str | Peer:
        """The AE-table line's name, or the AE as it is written out."""
        written = (self.ae_title, self.host, self.port)
        if self.remote:
            if any(written):
                raise BadInputError("Both a remote and an AE of its own are given.", "Give one of the two.")
            return self.remote
        if not (self.ae_title and self.host and self.port):
            raise BadInputError(
                "It is not said which AE to call.", "Give remote, or all three of ae_title, host and port."
            )
        return Peer(ae_title(self.ae_title), self.host, self.port)


class ToolEcho(_WithRemote):
    """C-ECHO from a node: the association is accepted and the other AE answers. It proves no more than that."""

    name = "tool.echo"
    title: ClassVar[str] = "C-ECHO"

    calling_ae: str = Field("", max_length=64, **shown("Calling AE title", "Empty: the node's own."))

    def run(self, lab: Lab, /) -> CommandResult:
        calling = ae_title(self.calling_ae) if self.calling_ae else None
        return lab.department.node(self.node).tools.echo(self.target(), calling_ae=calling)


class _Query(_WithRemote):
    level: Level = Field(Level.STUDY, **shown("Level"))
    keys: dict[str, str] = Field(
        default_factory=dict, **shown("Keys", "DICOM keywords and the values to match, such as PatientID.")
    )


class ToolFind(_Query):
    """C-FIND from a node. The answers are a table; * and ? stand for any characters, a hyphen spans dates."""

    name = "tool.find"
    title: ClassVar[str] = "C-FIND"

    def run(self, lab: Lab, /) -> CommandResult:
        return lab.department.node(self.node).tools.find(self.target(), self.level.value, self.keys)


class ToolMove(_Query):
    """C-MOVE from a node: ask another AE to send what matches to a destination, by its AE title."""

    name = "tool.move"
    title: ClassVar[str] = "C-MOVE"

    destination: str = Field(
        "", max_length=64, **shown("Move destination", "AE title, as the other AE knows it. Empty: the node itself.")
    )

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        destination = ae_title(self.destination) if self.destination else node.running.ae_title
        return node.tools.move(self.target(), destination, self.level.value, self.keys)


class ToolGet(_Query):
    """C-GET from a node: fetch what matches over the same association."""

    name = "tool.get"
    title: ClassVar[str] = "C-GET"

    def run(self, lab: Lab, /) -> CommandResult:
        return lab.department.node(self.node).tools.get(self.target(), self.level.value, self.keys)
