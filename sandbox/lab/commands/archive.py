"""An archive's administration: deleting and restoring, mending the index, correcting demographics, rejecting, export.

Each is an operation of sandbox.archive.operations; the archive journals it, and none loses anything without saying so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.edit import Edit
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.export import Export
from sandbox.archive.operations.merge import Merge, MoveStudy
from sandbox.archive.operations.operation import JournalEntry, Operation
from sandbox.archive.operations.orphans import MendOrphans, What
from sandbox.archive.operations.reindex import Reindex
from sandbox.archive.operations.reject import Reject, Title
from sandbox.archive.operations.restore import Restore
from sandbox.archive.operations.split import Split
from sandbox.archive.operations.undo import Undo
from sandbox.lab.command import Command
from sandbox.lab.sentences import counted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult
from sandbox.nodes.archive_node import ArchiveNode

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.archive_administration import ArchiveAdministration

_UID = r"^[0-9][0-9.]{0,63}$"
_UID_OR_NONE = r"^([0-9][0-9.]{0,63})?$"

STUDY = Field(pattern=_UID, **shown("Study", "Study Instance UID."))
SERIES = Field("", pattern=_UID_OR_NONE, **shown("Series", "Series Instance UID. Empty: the whole study."))
INSTANCE = Field("", pattern=_UID_OR_NONE, **shown("Instance", "SOP Instance UID. Empty: all of them."))
ANY_STUDY = Field("", pattern=_UID_OR_NONE, **shown("Study", "Study Instance UID. Empty: all of them."))
PATIENT = Field("", max_length=64, **shown("Patient", "Patient ID, instead of a study."))
ISSUER = Field("", max_length=64, **shown("Issuer", "Issuer of the patient ID, if it has one."))
REASON = Field(min_length=1, max_length=200, **shown("Reason", "Why. It stands in the archive's journal."))
ENTRY = Field(ge=1, **shown("Entry", "Number in the archive's journal."))


class _OnArchive(Command):
    node: str = Field("ARCHIVE", **shown("Archive", "The archive this is done on."))

    def administration(self, lab: Lab) -> ArchiveAdministration:
        node = lab.department.node(self.node)
        if not isinstance(node, ArchiveNode):
            raise BadInputError(f"{node.name} is no archive.", "Choose an archive such as ARCHIVE.")
        return node.administration


class _Operating(_OnArchive):
    reason: str = REASON

    def operation(self, desk: ArchiveAdministration) -> Operation:
        raise NotImplementedError

    def run(self, lab: Lab, /) -> CommandResult:
        desk = self.administration(lab)
        outcome = desk.operate(self.operation(desk))
        return CommandResult(ok=outcome.ok, sentence=f"{self.node}: {outcome.sentence}", facts=outcome.facts)


class ArchiveDelete(_Operating):
    """Delete a study, a series or an instance. Its files lie in the archive's bin until that is emptied."""

    name = "archive.delete"
    title: ClassVar[str] = "Delete"

    study: str = STUDY
    series: str = SERIES
    instance: str = INSTANCE

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Delete(reason=self.reason, study_uid=self.study, series_uid=self.series, sop_instance=self.instance)


class ArchiveRestore(_Operating):
    """Restore from the bin what an entry of the journal deleted: all of it, or a part."""

    name = "archive.restore"
    title: ClassVar[str] = "Restore"

    entry: int = ENTRY
    study: str = ANY_STUDY
    series: str = SERIES
    instance: str = INSTANCE

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Restore(
            reason=self.reason,
            entry=self.entry,
            study_uid=self.study,
            series_uid=self.series,
            sop_instance=self.instance,
        )


class ArchiveUndo(_Operating):
    """Take an entry of the journal back: a deletion, an edit, a merge, a split, a move or a rejection."""

    name = "archive.undo"
    title: ClassVar[str] = "Take back"

    entry: int = ENTRY

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Undo(reason=self.reason, entry=self.entry)


class ArchiveBin(_OnArchive):
    """What the bin keeps, entry by entry of the journal."""

    name = "archive.bin"
    title: ClassVar[str] = "Bin"

    def run(self, lab: Lab, /) -> CommandResult:
        entries = self.administration(lab).archive.bin()
        files, size = sum(entry.in_bin for entry in entries), sum(entry.size_in_bin for entry in entries)
        return _listed(
            f"{self.node}: {counted(files, 'file')} in the bin ({size / 1_000_000:.1f} MB).",
            entries,
            lambda entry: f"{entry.in_bin} files",
        )


class ArchiveBinEmpty(_Operating):
    """Empty the bin, or what it keeps for one entry. Those files are gone for good."""

    name = "archive.bin.empty"
    title: ClassVar[str] = "Empty bin"

    entry: int = Field(0, ge=0, **shown("Entry", "Number in the archive's journal. 0: all of them."))
    confirmed: bool = Field(False, **shown("Confirmed", "They are gone for good, and that is meant."))

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return EmptyBin(reason=self.reason, entry=self.entry, confirmed=self.confirmed)


class ArchiveJournal(_OnArchive):
    """What was done to the archive, by whom and why, the last first."""

    name = "archive.journal"
    title: ClassVar[str] = "Journal"

    def run(self, lab: Lab, /) -> CommandResult:
        entries = self.administration(lab).archive.journal()
        return _listed(
            f"{self.node}: {counted(len(entries), 'entry', 'entries')} in the journal.",
            entries,
            lambda entry: f"taken back by {entry.undone_by}" if entry.undone_by else "",
        )


class ArchiveReindex(_Operating):
    """Make the index anew from the files, of one study or of all."""

    name = "archive.reindex"
    title: ClassVar[str] = "Reindex"

    study: str = ANY_STUDY

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Reindex(reason=self.reason, study_uid=self.study)


class ArchiveOrphans(_OnArchive):
    """Look for files that the index does not know, and for rows of the index whose file is gone. Changes nothing."""

    name = "archive.orphans"
    title: ClassVar[str] = "Find orphans"

    def run(self, lab: Lab, /) -> CommandResult:
        orphans = self.administration(lab).archive.orphans()
        kinds = (
            ("file without a row", orphans.files),
            ("file that is no instance", orphans.unreadable),
            ("row without a file", orphans.rows),
            ("file in the bin without an entry", orphans.bin),
        )
        rows = tuple((kind, name) for kind, names in kinds for name in names)
        told = f"{counted(len(rows), 'orphan')} found." if rows else "No orphans."
        return CommandResult(ok=True, sentence=f"{self.node}: {told}", columns=("Orphan", "Which"), rows=rows)


class ArchiveOrphansMend(_Operating):
    """Mend orphans of one kind: index files without a row, bring back files from the bin for rows without one."""

    name = "archive.orphans.mend"
    title: ClassVar[str] = "Mend orphans"

    what: What = Field(What.FILES, **shown("What", "Which orphans."))
    drop_rows: bool = Field(False, **shown("Drop rows", "Forget rows whose file is nowhere. The journal keeps them."))

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return MendOrphans(reason=self.reason, what=self.what, drop_rows=self.drop_rows)


class ArchiveEdit(_Operating):
    """Correct values of a study, or of a patient in all studies. What was there before is kept in the images."""

    name = "archive.edit"
    title: ClassVar[str] = "Edit demographics"

    study: str = Field("", pattern=_UID_OR_NONE, **shown("Study", "Study Instance UID, or give a patient."))
    patient: str = PATIENT
    issuer: str = ISSUER
    values: dict[str, str] = Field(
        default_factory=dict, **shown("Values", "DICOM keywords and their new values, such as PatientName.")
    )

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Edit(
            reason=self.reason,
            study_uid=self.study,
            patient_id=self.patient,
            issuer=self.issuer,
            values=self.values,
        )


class ArchiveMerge(_Operating):
    """Merge two patients that are one: all studies of the one become those of the other, who survives."""

    name = "archive.merge"
    title: ClassVar[str] = "Merge patients"

    patient: str = Field(min_length=1, max_length=64, **shown("Patient", "ID of the patient who goes."))
    issuer: str = ISSUER
    into: str = Field(min_length=1, max_length=64, **shown("Into", "ID of the patient who survives."))
    into_issuer: str = Field("", max_length=64, **shown("Into issuer", "Issuer of that ID, if it has one."))

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Merge(
            reason=self.reason,
            source=self.patient,
            source_issuer=self.issuer,
            target=self.into,
            target_issuer=self.into_issuer,
        )


class ArchiveSplit(_Operating):
    """Make chosen series of a study a study of their own, with new UIDs."""

    name = "archive.split"
    title: ClassVar[str] = "Split study"

    study: str = STUDY
    series: tuple[str, ...] = Field(min_length=1, **shown("Series", "Series Instance UIDs that go."))
    values: dict[str, str] = Field(
        default_factory=dict, **shown("Values", "What is different in the new study, such as AccessionNumber.")
    )

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Split(reason=self.reason, study_uid=self.study, series_uids=self.series, values=self.values)


class ArchiveMoveStudy(_Operating):
    """Give a study to the patient it belongs to, who has other studies here already."""

    name = "archive.move_study"
    title: ClassVar[str] = "Move study"

    study: str = STUDY
    to: str = Field(min_length=1, max_length=64, **shown("To patient", "Patient ID."))
    issuer: str = ISSUER

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return MoveStudy(reason=self.reason, study_uid=self.study, target=self.to, target_issuer=self.issuer)


class ArchiveReject(_Operating):
    """Reject images with a rejection note (IHE IOCM): they are not found any more, and refused when they come again."""

    name = "archive.reject"
    title: ClassVar[str] = "Reject"

    study: str = STUDY
    series: str = SERIES
    instance: str = INSTANCE
    code: Title = Field(
        Title.QUALITY,
        **shown(
            "Code",
            "113001 quality, 113037 patient safety, 113038 wrong worklist entry, 113039 retention expired.",
        ),
    )

    def operation(self, desk: ArchiveAdministration) -> Operation:  # noqa: ARG002
        return Reject(
            reason=self.reason,
            study_uid=self.study,
            series_uid=self.series,
            sop_instance=self.instance,
            title=self.code,
        )


class ArchiveExport(_Operating):
    """Export a study or a patient as DICOM files with a DICOMDIR, in a directory of the archive or as a zip."""

    name = "archive.export"
    title: ClassVar[str] = "Export"

    to: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", **shown("Name", "What the directory or zip will be called.")
    )
    study: str = Field("", pattern=_UID_OR_NONE, **shown("Study", "Study Instance UID, or give a patient."))
    patient: str = PATIENT
    issuer: str = ISSUER
    zipped: bool = Field(False, **shown("Zip", "One zip file instead of a directory."))

    def operation(self, desk: ArchiveAdministration) -> Operation:
        return Export(
            reason=self.reason,
            directory=desk.exports,
            name=self.to,
            study_uid=self.study,
            patient_id=self.patient,
            issuer=self.issuer,
            zipped=self.zipped,
        )


def _listed(sentence: str, entries: list[JournalEntry], last: Callable[[JournalEntry], str]) -> CommandResult:
    return CommandResult(
        ok=True,
        sentence=sentence,
        columns=("Entry", "When", "Who", "What", "Reason", ""),
        rows=tuple(
            (
                str(entry.number),
                datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
                entry.actor,
                entry.sentence,
                entry.reason,
                last(entry),
            )
            for entry in entries
        ),
    )
