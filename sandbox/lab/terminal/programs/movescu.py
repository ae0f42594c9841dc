"""movescu: C-MOVE, as dcmtk's. It receives nothing itself: the destination is another AE."""

from __future__ import annotations

from contextlib import closing
from typing import ClassVar

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.syntaxes import UNCOMPRESSED
from sandbox.lab.terminal.dcmtk import GENERAL, KEYS, SECURE, WAITING, NetworkProgram, Refusal, titles
from sandbox.lab.terminal.keys import OPTIONS, KeyFormatError, model_of, override_keys, query
from sandbox.lab.terminal.options import Arguments, Option
from sandbox.lab.terminal.program import SUCCESS
from sandbox.lab.terminal.shell import Shell
from sandbox.lab.terminal.statuses import dcmtk_status

WITH_ERROR = 69
NO_ASSOCIATION = 61
BAD_KEY = 60


class MoveScu(NetworkProgram):
    """Ask an archive to send what matches to an AE title (C-MOVE). The archive looks the title up in its own AE table
    and opens an association of its own to it."""

    name = "movescu"
    purpose: ClassVar[str] = "DICOM retrieve (C-MOVE) SCU"
    usage: ClassVar[str] = "peer port"
    default_title: ClassVar[str] = "MOVESCU"
    refusal: ClassVar[Refusal] = Refusal(status=NO_ASSOCIATION, own_line=True)
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        KEYS,
        *(OPTIONS[key] for key in ("-P", "-S", "-O")),
        *titles("MOVESCU"),
        Option(("-aem", "--move"), "set move destinat. AE title (default: MOVESCU)", ("title",)),
        *WAITING,
        *SECURE,
    )
    examples: ClassVar[tuple[str, ...]] = (
        "movescu -v -S -aet {ae} -aec ARCHIVE -aem {ae} -k 0008,0052=STUDY -k StudyInstanceUID={study} {archive}",
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        log = self.log(shell, given)
        self.peer(shell, given)
        keys = override_keys(given)
        try:
            asked = query(keys)
        except KeyFormatError as wrong:
            log("fatal", f"Bad override key/path: {keys[-1][:80]}: {wrong}")
            return BAD_KEY
        model = model_of(given, "-P").move
        status = SUCCESS
        with self.calling(shell, given, [SupportedContext(model, UNCOMPRESSED)]) as opened:
            if isinstance(opened, int):
                return opened
            log("info", "Sending Move Request (MsgID 1)")
            log("info", "Request Identifiers:")
            log.dataset("info", asked)
            with closing(opened.move(model, asked, given.value("-aem", self.default_title)[:16])) as answers:
                for number, answer in enumerate(answers, start=1):
                    shell.screen.check()
                    if answer.status is None:
                        log("error", f"Move Request Failed: {answer.failure}")
                        return WITH_ERROR
                    words = dcmtk_status("C-MOVE", answer.status)
                    if answer.is_pending:
                        log("info", f"Received Move Response {number} ({words})")
                        continue
                    if answer.status != 0:
                        status = WITH_ERROR
                        log("warn", f"Move response with error status ({words})")
                    log("info", f"Received Final Move Response ({words})")
                    if answer.comment:
                        log("debug", f"Error Comment: {answer.comment}")
            log("info", "Releasing Association")
        return status
