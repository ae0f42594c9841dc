"""storescu: C-STORE, as dcmtk's, of files of the node's disk and of copies in /work."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from sandbox.dicom.contexts import contexts_for_storage
from sandbox.dicom.contract import StoredObject, SupportedContext
from sandbox.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from sandbox.lab.terminal.dcmtk import (
    GENERAL,
    SECURE,
    UNCOMPRESSED_PROPOSED,
    WAITING,
    Log,
    NetworkProgram,
    titles,
)
from sandbox.lab.terminal.disk import DiskError, File
from sandbox.lab.terminal.dump import SYNTAXES
from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.shell import Shell
from sandbox.lab.terminal.statuses import dcmtk_status
from sandbox.lab.terminal.storage import object_of, prefix_of

MOST_FILES = 500


class StoreScu(NetworkProgram):
    """Send DICOM files to another AE (C-STORE), at once and past the node's queue."""

    name = "storescu"
    purpose: ClassVar[str] = "DICOM storage (C-STORE) SCU"
    usage: ClassVar[str] = "peer port dcmfile-in..."
    default_title: ClassVar[str] = "STORESCU"
    takes_files: ClassVar[bool] = True
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        *titles("STORESCU"),
        UNCOMPRESSED_PROPOSED,
        Option(("-xi", "--propose-implicit"), "propose implicit VR little endian TS only"),
        Option(("-R", "--required"), "propose only required presentation contexts (always so in this terminal)"),
        Option(("+sd", "--scan-directories"), "scan directories for input files (dcmfile-in)"),
        Option(("-nh", "--no-halt"), "do not halt if unsuccessful store encountered"),
        *WAITING,
        *SECURE,
    )
    examples: ClassVar[tuple[str, ...]] = (
        "storescu -v -aet {ae} -aec {peer} {host} {port} images/*/*/*.dcm",
        "storescu -v -aet {ae} -aec {peer} {host} {port} work/copy.dcm",
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        log = self.log(shell, given)
        self.peer(shell, given)
        if len(given.rest) < 3:
            raise UsageError("Missing parameter dcmfile-in")
        files = self._files(shell, log, given)
        if isinstance(files, int):
            return files
        log("info", "checking input files ...")
        objects = self._objects(log, files)
        if not objects:
            log("fatal", "no input files to be sent")
            return FAILURE
        syntax = IMPLICIT_VR_LITTLE_ENDIAN if "-xi" in given else ""
        contexts = (
            [SupportedContext(one, (syntax,)) for one in dict.fromkeys(item.sop_class for _, item in objects)]
            if syntax
            else contexts_for_storage(item for _, item in objects)
        )
        status = SUCCESS
        with self.calling(shell, given, contexts) as opened:
            if isinstance(opened, int):
                return opened
            for number, (name, item) in enumerate(objects, start=1):
                log("info", f"Sending file: {name}")
                names = {one.transfer_syntax for one in opened.contexts if one.abstract_syntax == item.sop_class}
                taken = item.transfer_syntax if item.transfer_syntax in names else next(iter(names - {""}), "")
                if not opened.accepts(item.sop_class):
                    log("error", f"No presentation context for: ({prefix_of(item.sop_class)}) {item.sop_class}")
                    log("error", "Store SCU Failed: 0006:0208 DIMSE No valid Presentation Context ID")
                    status = FAILURE
                    if "-nh" not in given:
                        break
                    continue
                log("info", f"Converting transfer syntax: {_named(item.transfer_syntax)} -> {_named(taken)}")
                log("info", f"Sending Store Request (MsgID {number}, {prefix_of(item.sop_class)})")
                answer = opened.store(item)
                shell.screen.check()
                if answer.status is None:
                    log("error", f"Store Failed, file: {name}: {answer.failure}")
                    return FAILURE
                if log.level in ("info", "debug"):
                    shell.print("XMIT: .")
                log("info", f"Received Store Response ({dcmtk_status('C-STORE', answer.status)})")
                if answer.comment:
                    log("debug", f"Error Comment: {answer.comment}")
                if not answer.succeeded and not answer.is_warning:
                    status = FAILURE
                    if "-nh" not in given:
                        break
            log("info", "Releasing Association")
        return status

    def _files(self, shell: Shell, log: Log, given: Arguments) -> list[tuple[str, Path]] | int:
        """Name as typed and real place of every file, or the exit status when one is not there."""
        found: list[tuple[str, Path]] = []
        for typed in given.rest[2:]:
            try:
                entry = shell.disk.find(shell.path(typed))
            except DiskError:
                log("fatal", f"cannot access file: {typed[:120]}")
                return FAILURE
            if isinstance(entry, File):
                if entry.path is None:
                    log("fatal", f"cannot access file: {typed[:120]} (no DICOM file)")
                    return FAILURE
                found.append((typed, shell.open(typed).path or entry.path))
            elif "+sd" not in given:
                log("warn", f"ignoring directory because option --scan-directories is not set: {typed[:120]}")
            else:
                children = entry().items()
                found += [
                    (f"{typed.rstrip('/')}/{name}", one.path)
                    for name, one in children
                    if isinstance(one, File) and one.path is not None
                ]
            if len(found) > MOST_FILES:
                log("fatal", f"too many input files: at most {MOST_FILES} at a time are sent from this terminal")
                return FAILURE
        return found

    def _objects(self, log: Log, files: list[tuple[str, Path]]) -> list[tuple[str, StoredObject]]:
        objects = []
        for name, path in files:
            try:
                objects.append((name, object_of(path)))
            except OSError as wrong:
                log("error", f"cannot access file: {name}: {wrong.strerror or 'Input/output error'}")
            except ValueError:
                log("warn", f"bad DICOM file: {name}, ignoring file")
        return objects


def _named(syntax: str) -> str:
    return SYNTAXES.get(syntax or EXPLICIT_VR_LITTLE_ENDIAN, ("", syntax))[1]
