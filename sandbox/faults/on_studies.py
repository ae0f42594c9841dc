"""The base of faults that befall studies of an archive: which studies, said by age and modality."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import Field

from sandbox.archive.archive import Archive
from sandbox.archive.views import StudyFilter
from sandbox.faults.fault import Fault
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.view import StudySummary
from sandbox.nodes.archive_node import ArchiveConfig
from sandbox.nodes.department import Department

_ALL = 1_000_000


def insist_on_archive(configs: Mapping[str, NodeConfig], node: str) -> None:
    """BadInputError unless ``node`` is an archive."""
    if node not in configs:
        raise NotFoundError(f"There is no node {node!r}.", f"Nodes: {', '.join(configs)}.")
    if not isinstance(configs[node], ArchiveConfig):
        raise BadInputError(f"{node} is no archive.", "Name an archive.")


def archive_of(department: Department, name: str) -> Archive:
    """The archive of an archive node."""
    node = department.node(name)
    if not isinstance(node.saved, ArchiveConfig) or node.store is None:
        raise BadInputError(f"{name} is no archive.", "Name an archive.")
    return node.store


class OnArchive(Fault):
    """A fault of the archive ``node``."""

    node: str = "ARCHIVE"

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        insist_on_archive(configs, self.node)


class OnStudies(OnArchive):
    """A fault of studies of the archive ``node``.

    ``modality`` ("CT"), ``newer_than_h`` and ``older_than_h`` (hours before the fault, by study date and time) narrow
    them, ``newest`` takes only the last so many of them. Without any, it befalls all studies.
    """

    modality: str = Field("", max_length=16)
    newer_than_h: float = Field(0.0, ge=0)
    older_than_h: float = Field(0.0, ge=0)
    newest: int = Field(0, ge=0)

    def studies(self, department: Department) -> list[StudySummary]:
        """The studies, the newest first. Raises ConflictError when there are none."""
        archive, now = archive_of(department, self.node), department.clock.now()
        found = [
            (moment, study)
            for study in archive.studies(StudyFilter(modality=self.modality), limit=_ALL)
            if (moment := _moment(study)) is not None and self._is_of_that_age(now, moment)
        ]
        found.sort(key=lambda pair: pair[0], reverse=True)
        chosen = [study for _, study in found][: self.newest or None]
        if not chosen:
            raise ConflictError(f"{self.node} has no such study.", "Scan somebody before the fault, or say it wider.")
        return chosen

    def _is_of_that_age(self, now: datetime, moment: datetime) -> bool:
        if self.newer_than_h and moment < now - timedelta(hours=self.newer_than_h):
            return False
        return not (self.older_than_h and moment > now - timedelta(hours=self.older_than_h))


def _moment(study: StudySummary) -> datetime | None:
    """When a study was made, as its header has it; None when that cannot be read."""
    text = f"{study.study_date}{(study.study_time.partition('.')[0] or '000000')[:6].ljust(6, '0')}"
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return None
