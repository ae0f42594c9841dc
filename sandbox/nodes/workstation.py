"""A reading workstation: it queries its archive, has studies sent to it, takes what is sent, and shows it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from sandbox.archive.display import render_frame
from sandbox.dicom.contract import Services, SupportedContext
from sandbox.dicom.syntaxes import query_retrieve_find, verification
from sandbox.model.config import NAME_PATTERN, NodeConfig, shown
from sandbox.model.errors import NotFoundError
from sandbox.model.view import CommandResult
from sandbox.nodes.answering import answer_find
from sandbox.nodes.context import NodeContext
from sandbox.nodes.node import Node
from sandbox.nodes.objects_config import ObjectsConfig


class RetrieveBy(StrEnum):
    """How a workstation has its archive send a study (PS3.4 C.4.2 and C.4.3)."""

    MOVE = "C-MOVE"
    GET = "C-GET"


class WorkstationConfig(ObjectsConfig):
    """What an administrator sets on a workstation."""

    archive: str = Field(
        pattern=NAME_PATTERN,
        **shown("Archive", "The line of the AE table that is queried.", group="Query and retrieve", choices="remotes"),
    )
    retrieve_by: RetrieveBy = Field(
        RetrieveBy.MOVE,
        **shown(
            "Retrieve by",
            "C-MOVE: the archive calls this node and sends. C-GET: over the same association, nobody calls back.",
            group="Query and retrieve",
        ),
    )


class Workstation(Node):
    """Receives, queries, retrieves, displays."""

    role = "workstation"
    config_class = WorkstationConfig
    abilities: ClassVar[tuple[str, ...]] = ("echo", "studies", "view", "find", "move", "retrieve")

    saved: WorkstationConfig
    running: WorkstationConfig

    def __init__(self, context: NodeContext, config: NodeConfig) -> None:
        super().__init__(context, config)
        self.store = self._archive = self.open_store()

    def contexts(self) -> tuple[SupportedContext, ...]:
        return (*verification(), *self.running.storage(), *query_retrieve_find())

    def services(self) -> Services:
        """It stores, and tells what is on its own disk, as reading workstations do for their neighbours."""
        return Services(store=self._archive.store, find=lambda query: answer_find(self, self._archive, query))

    def retrieve(self, study_uid: str) -> CommandResult:
        """Have the configured archive send a study here, by C-MOVE with this node as destination or by C-GET."""
        keys = {"StudyInstanceUID": study_uid}
        if self.running.retrieve_by is RetrieveBy.GET:
            return self.tools.get(self.running.archive, "STUDY", keys)
        return self.tools.move(self.running.archive, self.running.ae_title, "STUDY", keys)

    def display(
        self, sop_instance: str, frame: int = 0, *, center: float | None = None, width: float | None = None
    ) -> bytes:
        """A frame of an instance that is here, as PNG. ConflictError in words when it cannot be shown."""
        path = self._archive.instance_path(sop_instance)
        if path is None:
            raise NotFoundError(f"{self.name} does not have this image.", "Retrieve the study first.")
        return render_frame(path, frame, center=center, width=width)
