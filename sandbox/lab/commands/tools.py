"""What can be tried from a node, with its own identity and its own beliefs: network tests and the DIMSE services.

The other AE is a line of the node's AE table, or is written out. Whatever is tried is real; that it did not work is a
result and not an error.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.dicom.contract import Peer
from sandbox.lab.command import Command
from sandbox.model.ae_title import ae_title
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.view import CommandResult
from sandbox.nodes.damage import Damage

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

UID_OR_NOTHING = r"^([0-9][0-9.]{0,63})?$"
NODE = Field(**shown("From node", "The node it is tried from."))
HOST = Field(min_length=1, max_length=253, **shown("Host", "Host name or address."))


class Level(StrEnum):
    """Query/Retrieve level (PS3.4 C.3)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


class Root(StrEnum):
    """Query/Retrieve information model (PS3.4 C.3)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"


class _Timed(Command):
    """A try whose result says how long it took."""

    def run(self, lab: Lab, /) -> CommandResult:
        started = time.monotonic()
        result = self.tried(lab)
        return result.model_copy(update={"took_ms": round((time.monotonic() - started) * 1000, 1)})

    def tried(self, lab: Lab) -> CommandResult:
        """Do it."""
        raise NotImplementedError


class ToolPing(_Timed):
    """Ping a host from a node. An answer says that the host is on and reachable, not that its DICOM service works."""

    name = "tool.ping"
    title: ClassVar[str] = "Ping"

    node: str = NODE
    host: str = HOST

    def tried(self, lab: Lab) -> CommandResult:
        return lab.department.node(self.node).tools.ping(self.host)


class ToolPort(_Timed):
    """Test whether a TCP port of a host takes connections from a node. No DICOM is spoken."""

    name = "tool.port"
    title: ClassVar[str] = "Test port"

    node: str = NODE
    host: str = HOST
    port: int = Field(ge=1, le=65535, **shown("Port"))

    def tried(self, lab: Lab) -> CommandResult:
        return lab.department.node(self.node).tools.port(self.host, self.port)


class ToolLookup(_Timed):
    """Resolve a host name as a node resolves it."""

    name = "tool.lookup"
    title: ClassVar[str] = "Look up name"

    node: str = NODE
    host: str = HOST

    def tried(self, lab: Lab) -> CommandResult:
        return lab.department.node(self.node).tools.lookup(self.host)


class ToolTls(_Timed):
    """Try a TLS handshake with a port: protocol, cipher and certificate, and in words what is wrong with it."""

    name = "tool.tls"
    title: ClassVar[str] = "TLS handshake"

    node: str = NODE
    host: str = HOST
    port: int = Field(2762, ge=1, le=65535, **shown("Port", "DICOM's own for TLS is 2762."))
    wanted: str = Field("", max_length=253, **shown("Name wanted", "In the certificate. Empty: the host as given."))

    def tried(self, lab: Lab) -> CommandResult:
        return lab.department.node(self.node).tools.tls(self.host, self.port, self.wanted)


class _WithRemote(_Timed):
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

    def tried(self, lab: Lab) -> CommandResult:
        calling = ae_title(self.calling_ae) if self.calling_ae else None
        return lab.department.node(self.node).tools.echo(self.target(), calling_ae=calling)


class _Query(_WithRemote):
    level: Level = Field(Level.STUDY, **shown("Level"))
    root: Root | None = Field(None, **shown("Information model", "Empty: the one that has the level."))
    keys: dict[str, str] = Field(
        default_factory=dict, **shown("Keys", "DICOM keywords and the values to match, such as PatientID.")
    )

    @property
    def model(self) -> str:
        return self.root.value if self.root is not None else ""


class ToolFind(_Query):
    """C-FIND from a node. The answers are a table; * and ? stand for any characters, a hyphen spans dates."""

    name = "tool.find"
    title: ClassVar[str] = "C-FIND"

    drop_each: bool = Field(
        False, **shown("Leave out one key at a time", "Only counts: which key is it that excludes?")
    )

    def tried(self, lab: Lab) -> CommandResult:
        tools = lab.department.node(self.node).tools
        ask = tools.find_dropping if self.drop_each else tools.find
        return ask(self.target(), self.level.value, self.keys, self.model)


class ToolMove(_Query):
    """C-MOVE from a node: ask another AE to send what matches to a destination, by its AE title."""

    name = "tool.move"
    title: ClassVar[str] = "C-MOVE"

    destination: str = Field(
        "", max_length=64, **shown("Move destination", "AE title, as the other AE knows it. Empty: the node itself.")
    )

    def tried(self, lab: Lab) -> CommandResult:
        node = lab.department.node(self.node)
        destination = ae_title(self.destination) if self.destination else node.running.ae_title
        return node.tools.move(self.target(), destination, self.level.value, self.keys, self.model)


class ToolGet(_Query):
    """C-GET from a node: fetch what matches over the same association."""

    name = "tool.get"
    title: ClassVar[str] = "C-GET"

    def tried(self, lab: Lab) -> CommandResult:
        return lab.department.node(self.node).tools.get(self.target(), self.level.value, self.keys, self.model)


class ToolStore(_WithRemote):
    """C-STORE one image of the node's disk, as it is or damaged in one way. A damaged one is a test object: it has
    another patient and UIDs of its own."""

    name = "tool.store"
    title: ClassVar[str] = "C-STORE"

    study: str = Field("", pattern=UID_OR_NOTHING, **shown("Study", "Study Instance UID. Empty: the newest there is."))
    instance: str = Field("", pattern=UID_OR_NOTHING, **shown("Image", "SOP Instance UID. Empty: the study's first."))
    damage: Damage = Field(Damage.NONE, **shown("Damage", "In which way it is made wrong."))

    def tried(self, lab: Lab) -> CommandResult:
        node = lab.department.node(self.node)
        store = node.store
        if store is None:
            raise NotFoundError(f"{node.name} keeps no images.", "Choose a node that does, such as a modality.")
        study = self.study or next((found.study_uid for found in store.studies(limit=1)), "")
        objects = store.objects(study, "", self.instance) if study else ()
        if not objects:
            raise NotFoundError(f"{node.name} does not have this image.", "Scan somebody, or look at its studies.")
        return node.tools.send_damaged(self.target(), objects[0], self.damage)
