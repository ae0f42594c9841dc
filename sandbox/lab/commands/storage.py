"""What an archive's images lie on and who works on its index: volumes to mount, and jobs to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.archive.accidents import unlock_index
from sandbox.archive.volumes import mount, volumes
from sandbox.lab.command import Command
from sandbox.lab.sentences import counted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.view import CommandResult
from sandbox.nodes.archive_node import ArchiveNode

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab


class _OnArchive(Command):
    node: str = Field("ARCHIVE", **shown("Archive", "The archive this is done on."))

    def archive_node(self, lab: Lab) -> ArchiveNode:
        node = lab.department.node(self.node)
        if not isinstance(node, ArchiveNode):
            raise BadInputError(f"{node.name} is no archive.", "Choose an archive such as ARCHIVE.")
        return node


class ArchiveVolumes(_OnArchive):
    """What the archive's images lie on, and whether it is mounted."""

    name = "archive.volumes"
    title: ClassVar[str] = "Volumes"

    def run(self, lab: Lab, /) -> CommandResult:
        archive = self.archive_node(lab).administration.archive
        found = volumes(archive.bench)
        missing = [volume.name for volume in found if not volume.is_mounted]
        rows = [("online", "mounted", "")]
        rows += [
            (
                volume.name,
                "mounted" if volume.is_mounted else "not mounted",
                "" if volume.is_mounted else f"{counted(volume.files, 'file')}, {volume.size / 1_000_000:.1f} MB",
            )
            for volume in found
        ]
        told = f"not mounted: {', '.join(missing)}." if missing else "every volume is mounted."
        return CommandResult(
            ok=True, sentence=f"{self.node}: {told}", columns=("Volume", "State", "Out of reach"), rows=tuple(rows)
        )


class ArchiveVolumeMount(_OnArchive):
    """Mount a volume of the archive. Its files can be read again."""

    name = "archive.volume.mount"
    title: ClassVar[str] = "Mount volume"

    volume: str = Field(min_length=1, max_length=32, **shown("Volume", "As archive.volumes lists it."))

    def run(self, lab: Lab, /) -> CommandResult:
        node = self.archive_node(lab)
        files = mount(node.administration.archive.bench, self.volume)
        told = f"Volume {self.volume} mounted: {counted(files, 'file')} can be read again."
        node.log("info", told)
        return CommandResult(ok=True, sentence=f"{self.node}: {told}")


class ArchiveJobs(_OnArchive):
    """Programs that work on the archive's index beside it, and whether one holds its write lock."""

    name = "archive.jobs"
    title: ClassVar[str] = "Jobs"

    def run(self, lab: Lab, /) -> CommandResult:
        job = self.archive_node(lab).administration.archive.trouble.lock
        if job is None:
            return CommandResult(ok=True, sentence=f"{self.node}: nobody else works on the index.")
        return CommandResult(
            ok=True,
            sentence=f"{self.node}: 1 job works on the index.",
            columns=("Job", "Since", "Holds"),
            rows=((job.name, job.since, "write lock"),),
        )


class ArchiveJobEnd(_OnArchive):
    """End a job that works on the archive's index. Whatever it holds is free again."""

    name = "archive.job.end"
    title: ClassVar[str] = "End job"

    job: str = Field(min_length=1, max_length=64, **shown("Job", "As archive.jobs lists it."))

    def run(self, lab: Lab, /) -> CommandResult:
        node = self.archive_node(lab)
        ended = unlock_index(node.administration.archive, self.job.strip())
        if ended is None:
            raise NotFoundError(f"No job {self.job!r} works on the index of {self.node}.", "Look at archive.jobs.")
        told = f"The {ended.name} was ended; the index can be written again."
        node.log("info", told)
        return CommandResult(ok=True, sentence=f"{self.node}: {told}")
