"""findscu: C-FIND, as dcmtk's."""

from __future__ import annotations

from contextlib import closing
from typing import ClassVar

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.syntaxes import UNCOMPRESSED
from sandbox.lab.terminal.dcmtk import GENERAL, KEYS, SECURE, WAITING, Log, NetworkProgram, Refusal, titles
from sandbox.lab.terminal.keys import OPTIONS, KeyFormatError, model_of, override_keys, query
from sandbox.lab.terminal.options import Arguments, Option
from sandbox.lab.terminal.program import SUCCESS
from sandbox.lab.terminal.shell import Shell
from sandbox.lab.terminal.statuses import dcmtk_status


class FindScu(NetworkProgram):
    """Ask an archive what it has (C-FIND). Without -S, -P or -O it asks for a worklist, as dcmtk's does."""

    name = "findscu"
    purpose: ClassVar[str] = "DICOM query (C-FIND) SCU"
    usage: ClassVar[str] = "peer port"
    default_title: ClassVar[str] = "FINDSCU"
    refusal: ClassVar[Refusal] = Refusal(level="error", status=2)
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        KEYS,
        *OPTIONS.values(),
        *titles("FINDSCU"),
        *WAITING,
        Option(("--cancel",), "cancel after n responses (default: never)", ("number",)),
        Option(("+sr", "--show-responses"), "always output responses to the logger"),
        Option(("-sr", "--hide-responses"), "do not output responses to the logger"),
        *SECURE,
    )
    examples: ClassVar[tuple[str, ...]] = (
        "findscu -S -aet {ae} -aec ARCHIVE -k QueryRetrieveLevel=STUDY -k PatientName='A*' -k StudyDate {archive}",
        "findscu -v -S -aet {ae} -aec ARCHIVE -k 0008,0052=STUDY -k AccessionNumber -k StudyDate {archive}",
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        log = self.log(shell, given)
        self.peer(shell, given)
        keys = override_keys(given)
        try:
            asked = query(keys)
        except KeyFormatError as wrong:
            log("error", f"Bad override key/path: {keys[-1][:80]}")
            log("error", f"Find SCU Failed: 0001:0019 {wrong}")
            return SUCCESS
        model = model_of(given, "-W").find
        most = given.number("--cancel", 0, 1, 100_000)
        with self.calling(shell, given, [SupportedContext(model, UNCOMPRESSED)]) as opened:
            if isinstance(opened, int):
                return opened
            log("info", "Sending Find Request (MsgID 1)")
            log("info", "Request Identifiers:")
            log.dataset("info", asked)
            loud = Log(shell, "info") if "-q" not in given and "-sr" not in given else log
            with closing(opened.find(model, asked)) as answers:
                for number, answer in enumerate(answers, start=1):
                    shell.screen.check()
                    if answer.status is None:
                        log("error", f"Find Request Failed: {answer.failure}")
                        return self.refusal.status
                    if answer.is_pending and answer.identifier is not None:
                        loud("info", "---------------------------")
                        loud("info", f"Find Response: {number} ({dcmtk_status('C-FIND', answer.status)})")
                        loud.dataset("info", answer.identifier)
                        if number == most:
                            log("info", f"Sending Cancel Request (MsgID 1, PresID {opened.contexts[0].id})")
                            opened.cancel()
                    else:
                        log("info", f"Received Final Find Response ({dcmtk_status('C-FIND', answer.status)})")
            log("info", "Releasing Association")
        return SUCCESS
