"""getscu: C-GET, as dcmtk's. What comes is kept in the terminal's /work."""

from __future__ import annotations

import posixpath
from contextlib import closing
from typing import ClassVar

from sandbox.archive.part10 import file_head
from sandbox.dicom.contract import Role, StoreRequest, StoreStatus, SupportedContext
from sandbox.dicom.syntaxes import UNCOMPRESSED
from sandbox.lab.terminal.dcmtk import GENERAL, KEYS, SECURE, WAITING, Log, NetworkProgram, Refusal, titles
from sandbox.lab.terminal.disk import WORK, DiskError
from sandbox.lab.terminal.keys import OPTIONS, KeyFormatError, model_of, override_keys, query
from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.shell import Shell
from sandbox.lab.terminal.statuses import dcmtk_status
from sandbox.lab.terminal.storage import prefix_of
from sandbox.nodes.retrieved import GET_CLASSES, contexts_for

OUT_OF_RESOURCES = 0xA700


class GetScu(NetworkProgram):
    """Fetch what matches over the same association (C-GET). The files come to /work, and nowhere else."""

    name = "getscu"
    purpose: ClassVar[str] = "DICOM retrieve (C-GET) SCU"
    usage: ClassVar[str] = "peer port"
    default_title: ClassVar[str] = "GETSCU"
    refusal: ClassVar[Refusal] = Refusal(phrase="Could not negotiate association")
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        KEYS,
        *(OPTIONS[key] for key in ("-P", "-S", "-O")),
        *titles("GETSCU"),
        *WAITING,
        Option(("-od", "--output-directory"), f"write received objects to directory d (here: /{WORK})", ("directory",)),
        Option(("--ignore",), "ignore store data, receive but do not store"),
        *SECURE,
    )
    examples: ClassVar[tuple[str, ...]] = (
        "getscu -v -S -aet {ae} -aec ARCHIVE -k QueryRetrieveLevel=STUDY -k StudyInstanceUID={study} {archive}",
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        log = self.log(shell, given)
        self.peer(shell, given)
        keys = override_keys(given)
        folder = shell.path(given.value("-od", f"/{WORK}"))
        if folder != f"/{WORK}":
            raise UsageError(f"specified output directory is not writeable: {folder[:80]} (use /{WORK})")
        try:
            asked = query(keys)
        except KeyFormatError as wrong:
            log("error", f"Bad override key/path: {keys[-1][:80]}: {wrong}")
            return FAILURE
        model = model_of(given, "-P").get
        keep = _Keeper(shell, log, ignores="--ignore" in given)
        contexts = [SupportedContext(model, UNCOMPRESSED), *contexts_for(GET_CLASSES)]
        with self.calling(shell, given, contexts, [Role(one) for one in GET_CLASSES]) as opened:
            if isinstance(opened, int):
                return opened
            if not opened.accepts(model):
                log("fatal", "No Acceptable Presentation Contexts")
                return FAILURE
            log("info", "Sending C-GET Request (MsgID 1)")
            last = None
            with closing(opened.get(model, asked, keep)) as answers:
                for last in answers:
                    shell.screen.check()
                    if last.status is None:
                        log("error", f"C-GET Request Failed: {last.failure}")
                        return FAILURE
                    log("info", f"Received C-GET Response ({dcmtk_status('C-GET', last.status)})")
            if last is not None and last.status != 0:
                log("error", f"DIMSE status is: {dcmtk_status('C-GET', last.status or 0)}")
            log("info", "Final status report from last C-GET message:")
            for what in ("remaining", "completed", "failed", "warning"):
                number = (getattr(last, what) if last is not None else 0) or 0
                log("info", f"  {f'Number of {what.title()} Suboperations':<33} : {number}")
            log("info", "Releasing Association")
        return SUCCESS

    def no_contexts(self, log: Log) -> int:
        log("fatal", "No Acceptable Presentation Contexts")
        return FAILURE


class _Keeper:
    """Takes each instance into a file of /work."""

    def __init__(self, shell: Shell, log: Log, *, ignores: bool) -> None:
        self._shell, self._log, self._ignores = shell, log, ignores
        self._number = 0

    def __call__(self, request: StoreRequest) -> StoreStatus:
        self._number += 1
        self._log("info", f"Received C-STORE Request (MsgID {self._number})")
        status = SUCCESS if self._ignores else self._kept(request)
        self._log("info", f"Sending C-STORE Response ({dcmtk_status('C-STORE', status)})")
        return StoreStatus(status)

    def _kept(self, request: StoreRequest) -> int:
        name = f"{prefix_of(request.sop_class)}.{request.sop_instance}"
        try:
            path = self._shell.disk.writable(posixpath.join("/", WORK, name))
        except DiskError as wrong:
            self._log("error", f"cannot write DICOM file: {name}: {wrong}")
            return OUT_OF_RESOURCES
        if path.exists():
            self._log("warn", f"DICOM file already exists, overwriting: {name}")
        head = file_head(request.sop_class, request.sop_instance, request.transfer_syntax)
        path.write_bytes(head + bytes(request.dataset))
        return SUCCESS
