"""echoscu: C-ECHO, as dcmtk's."""

from __future__ import annotations

from typing import ClassVar

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION
from sandbox.lab.terminal.dcmtk import GENERAL, SECURE, WAITING, NetworkProgram, titles
from sandbox.lab.terminal.options import Arguments, Option
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.shell import Shell
from sandbox.lab.terminal.statuses import dcmtk_status


class EchoScu(NetworkProgram):
    """Ask another AE whether it is there (C-ECHO). Association, AE titles and contexts are tried; nothing else is."""

    name = "echoscu"
    purpose: ClassVar[str] = "DICOM verification (C-ECHO) SCU"
    usage: ClassVar[str] = "peer port"
    default_title: ClassVar[str] = "ECHOSCU"
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        *titles("ECHOSCU"),
        *WAITING,
        Option(("--repeat",), "repeat n times", ("number",)),
        Option(("--abort",), "abort association instead of releasing it"),
        *SECURE,
    )
    examples: ClassVar[tuple[str, ...]] = ("echoscu -v -aet {ae} -aec {peer} {host} {port}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        log, times = self.log(shell, given), given.number("--repeat", 1, 1, 100)
        contexts = [SupportedContext(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,))]
        with self.calling(shell, given, contexts) as opened:
            if isinstance(opened, int):
                return opened
            for number in range(1, times + 1):
                log("info", f"Sending Echo Request (MsgID {number})")
                answer = opened.echo()
                shell.screen.check()
                if answer.status is None:
                    log("fatal", f"Echo SCU Failed: 0006:0207 {answer.failure}")
                    return FAILURE
                log("info", f"Received Echo Response ({dcmtk_status('C-ECHO', answer.status)})")
            if "--abort" in given:
                log("info", "Aborting Association")
                opened.abort()
                return SUCCESS
            log("info", "Releasing Association")
        return SUCCESS
