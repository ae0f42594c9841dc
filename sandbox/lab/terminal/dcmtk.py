"""What dcmtk's commands have in common: their options, how loud they are, and what they say when nobody lets them in.

Wording and exit statuses are those of dcmtk 3.6.7; a test runs both against the same node. Where dcmtk differs between
its own commands (findscu says E: where echoscu says F:), so do these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydicom.dataset import Dataset

from sandbox.dicom.client import Association
from sandbox.dicom.contract import Peer, Role, SupportedContext, Timeouts
from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.outcomes import AssociationFailure, FailureKind
from sandbox.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from sandbox.dicom.tls import TlsIdentity, TlsPolicy
from sandbox.lab.terminal.disk import DiskError
from sandbox.lab.terminal.dump import Printer, walk
from sandbox.lab.terminal.options import Arguments, Option, UsageError, read
from sandbox.lab.terminal.program import FAILURE, SUCCESS, Program
from sandbox.model.association import DialOutcome, Rejection
from sandbox.nodes.caller import CausedRequestor

if TYPE_CHECKING:
    from sandbox.lab.terminal.shell import Shell

VERSION = "3.6.7"
LEVELS = ("fatal", "error", "warn", "info", "debug")
CONNECT_S = 20.0
"""How long a connection is waited for unless -to says otherwise. TCP itself would wait for minutes."""

GENERAL = (
    Option(("-h", "--help"), "print this help text and exit"),
    Option(("--version",), "print version information and exit"),
    Option(("-q", "--quiet"), "quiet mode, print no warnings and errors"),
    Option(("-v", "--verbose"), "verbose mode, print processing details"),
    Option(("-d", "--debug"), "debug mode, print debug information"),
    Option(("-ll", "--log-level"), "use level l for the logger (fatal, error, warn, info, debug)", ("level",)),
)
WAITING = (
    Option(("-to", "--timeout"), f"timeout for connection requests, in seconds (here: {CONNECT_S:g})", ("seconds",)),
    Option(("-ta", "--acse-timeout"), "timeout for ACSE messages, in seconds (default: 30)", ("seconds",)),
    Option(("-td", "--dimse-timeout"), "timeout for DIMSE messages, in seconds (here: 110)", ("seconds",)),
    Option(("-pdu", "--max-pdu"), "set max receive pdu to n bytes, 4096..131072 (default: 16384)", ("bytes",)),
)
SECURE = (
    Option(("-tls", "--disable-tls"), "use normal TCP/IP connection (default)"),
    Option(("+tls", "--enable-tls"), "use authenticated secure TLS connection", ("key file", "certificate file")),
    Option(("+tla", "--anonymous-tls"), "use secure TLS connection without certificate"),
    Option(("+cf", "--add-cert-file"), "add certificate file to list of certificates", ("file",)),
)
UNCOMPRESSED_PROPOSED = Option(("-x=", "--propose-uncompr"), "propose all uncompressed TS, explicit VR first (default)")
KEYS = Option(("-k", "--key"), 'override matching key: gggg,eeee="str" or dict. name="str"', ("key",))

_DIAL: Mapping[DialOutcome, str] = {
    DialOutcome.REFUSED: "TCP Initialization Error: Connection refused",
    DialOutcome.TIMED_OUT: "TCP Initialization Error: Connection timed out",
    DialOutcome.UNREACHABLE: "TCP Initialization Error: No route to host",
    DialOutcome.RESET: "TCP Initialization Error: Connection reset by peer",
    DialOutcome.UNKNOWN_HOST: "Attempt to connect to unknown host: {host}",
}
_CODES: Mapping[DialOutcome, str] = dict.fromkeys(DialOutcome, "0006:031c") | {DialOutcome.UNKNOWN_HOST: "0006:0320"}
RESULTS: Mapping[int, str] = {1: "Rejected Permanent", 2: "Rejected Transient"}
SOURCES: Mapping[int, str] = {
    1: "Service User",
    2: "Service Provider (ACSE Related)",
    3: "Service Provider (Presentation Related)",
}
REASONS: Mapping[tuple[int, int], str] = {
    (1, 1): "No Reason",
    (1, 2): "App Context Name Not Supported",
    (1, 3): "Calling AE Title Not Recognized",
    (1, 7): "Called AE Title Not Recognized",
    (2, 1): "No Reason",
    (2, 2): "Protocol Version Not Supported",
    (3, 1): "Temporary Congestion",
    (3, 2): "Local Limit Exceeded",
}


@dataclass(frozen=True)
class Log:
    """dcmtk's logger: lines with the letter of their level, from the level on that was asked for."""

    shell: Shell
    level: str = "warn"

    def __call__(self, level: str, text: str) -> None:
        if LEVELS.index(level) <= LEVELS.index(self.level):
            for line in text.split("\n"):
                self.shell.print(f"{level[0].upper()}: {line}")

    def dataset(self, level: str, dataset: Dataset) -> None:
        """A data set as dcmtk logs it."""
        if LEVELS.index(level) > LEVELS.index(self.level):
            return
        self(level, "")
        self(level, "# Dicom-Data-Set")
        self(level, "# Used TransferSyntax: Little Endian Explicit")
        encoded = encode_dataset(dataset, EXPLICIT_VR_LITTLE_ENDIAN)
        for line in Printer().lines(walk(encoded, EXPLICIT_VR_LITTLE_ENDIAN)):
            self(level, line)
        self(level, "")


@dataclass(frozen=True)
class Refusal:
    """How a command of dcmtk tells that it has no association: ``level``, the exit ``status``, whether the reason has
    a line (``own_line``) and a number of its own, or is one ``phrase``."""

    level: str = "fatal"
    status: int = FAILURE
    own_line: bool = False
    phrase: str = ""

    def tell(self, log: Log, failure: AssociationFailure) -> int:
        """Say it; the exit status."""
        if failure.rejection is not None and not self.phrase:
            log(self.level, rejection_in_words(failure.rejection))
            return self.status
        code, reason = reason_of(failure)
        if self.phrase:
            log(self.level, f"{self.phrase}: {reason}")
        elif self.own_line:
            log(self.level, f"Association Request Failed:\n{code} {reason}")
        else:
            log(self.level, f"Association Request Failed: {code} {reason}")
        return self.status


def rejection_in_words(rejection: Rejection) -> str:
    """The three lines of a rejection."""
    result = RESULTS.get(rejection.result, f"unknown result ({rejection.result})")
    source = SOURCES.get(rejection.source, f"unknown source ({rejection.source})")
    reason = REASONS.get((rejection.source, rejection.reason), f"unknown reason ({rejection.reason})")
    return f"Association Rejected:\nResult: {result}, Source: {source}\nReason: {reason}"


def reason_of(failure: AssociationFailure) -> tuple[str, str]:
    """dcmtk's number and text for an association that did not come about."""
    if failure.dial is not None:
        outcome = failure.dial.outcome
        return _CODES[outcome], _DIAL[outcome].format(host=failure.dial.host)
    match failure.kind:
        case FailureKind.REJECTED:
            return "0006:0305", "DUL Association Rejected"
        case FailureKind.TIMED_OUT:
            return "0006:031a", "DUL network read timeout"
        case FailureKind.NO_TLS:
            return "0006:031e", f"DUL secure transport layer: {failure.sentence.rpartition(': ')[2].rstrip('.')}"
    return "0006:0317", "Peer aborted Association (or never connected)"


class DcmtkProgram(Program):
    """The base of dcmtk's commands."""

    group: ClassVar[str] = "DICOM (dcmtk)"
    purpose: ClassVar[str] = ""
    """What dcmtk says of itself: "DICOM verification (C-ECHO) SCU"."""

    def read(self, words: Sequence[str]) -> Arguments:
        return read(self.options, words)

    def execute(self, shell: Shell, words: Sequence[str]) -> int:
        try:
            given = self.read(words)
            if not words or "-h" in given:
                return self.help(shell)
            if "--version" in given:
                self._banner(shell)
                return SUCCESS
            return self.run(shell, given)
        except UsageError as wrong:
            return self.misused(shell, str(wrong))

    def misused(self, shell: Shell, what: str) -> int:
        self._banner(shell)
        shell.print(f"error: {what}")
        if what.startswith("Unknown option"):
            shell.print(f"Known here: {' '.join(option.key for option in self.options)} ({self.name} --help)")
        return FAILURE

    def help(self, shell: Shell) -> int:
        """Usage and options. dcmtk prints this also when nothing at all was given."""
        self._banner(shell)
        shell.print(f"usage: {self.name} [options] {self.usage}\n\noptions of dcmtk that are there in this terminal:")
        for option in self.options:
            names = "  ".join(option.names)
            values = f"  [{', '.join(option.values)}]" if option.values else ""
            shell.print(f"  {names + values:<36} {option.help}")
        return SUCCESS

    def log(self, shell: Shell, given: Arguments) -> Log:
        """The logger at the level that was asked for."""
        level = given.value("-ll", "warn")
        if level not in LEVELS:
            raise UsageError(f"Invalid value for option --log-level ({level})")
        for key, louder in (("-q", "fatal"), ("-v", "info"), ("-d", "debug")):
            level = louder if key in given else level
        return Log(shell, level)

    def _banner(self, shell: Shell) -> None:
        shell.print(f"$dcmtk: {self.name} v{VERSION} $\n\n{self.name}: {self.purpose}")


class NetworkProgram(DcmtkProgram):
    """The base of those that open an association. The first two parameters are peer and port."""

    takes_files: ClassVar[bool] = False
    default_title: ClassVar[str] = ""
    refusal: ClassVar[Refusal] = Refusal()

    def peer(self, shell: Shell, given: Arguments) -> Peer:
        """Whom to call, or UsageError in dcmtk's words."""
        if not given.rest:
            raise UsageError("Missing parameter peer")
        if len(given.rest) < 2:
            raise UsageError("Missing parameter port")
        host, port = given.rest[:2]
        if not (port.isascii() and port.isdigit()):
            raise UsageError(f"Invalid parameter value {port[:60]}")
        if not 1 <= int(port) <= 65535:
            raise UsageError(f"Invalid parameter value {port[:60]} ({'overflow' if int(port) else 'underflow'})")
        return Peer(_title(given.value("-aec", "ANY-SCP")), host[:253], int(port), self._tls(shell, given))

    def _tls(self, shell: Shell, given: Arguments) -> TlsPolicy | None:
        if "+tls" not in given and "+tla" not in given:
            return None
        identity = None
        if "+tls" in given:
            key, certificate = given.given["+tls"][-1]
            identity = TlsIdentity(_pem(shell, certificate), _pem(shell, key))
        authority = _pem(shell, given.value("+cf")) if "+cf" in given else _pem(shell, "/tls/authority.pem")
        return TlsPolicy(identity, authority)

    @contextmanager
    def calling(
        self,
        shell: Shell,
        given: Arguments,
        contexts: Sequence[SupportedContext],
        roles: Sequence[Role] = (),
    ) -> Iterator[Association | int]:
        """An open association, or the exit status after it was said why there is none. Ctrl-C aborts it."""
        log, peer = self.log(shell, given), self.peer(shell, given)
        node = shell.node
        requestor = CausedRequestor(
            _title(given.value("-aet", self.default_title)),
            node.name,
            node.context.network.dialler(node.name),
            node.observer,
            Timeouts(
                connect=given.number("-to", int(CONNECT_S), 1, 120),
                acse=given.number("-ta", 30, 1, 120),
                dimse=given.number("-td", 110, 1, 120),
                network=110,
            ),
            given.number("-pdu", 16384, 4096, 131072),
            node.context.new_association_id,
        )
        shell.screen.when_cancelled(requestor.close)
        log("info", "Requesting Association")
        opened = requestor.associate(peer, contexts, roles=roles)
        shell.screen.check()
        if isinstance(opened, AssociationFailure):
            if opened.kind is FailureKind.NO_ACCEPTED_CONTEXT:
                yield self.no_contexts(log)
            else:
                yield self.refusal.tell(log, opened)
            return
        pdv = min(opened.peer_maximum or 131072, 131072) - 12
        log("info", f"Association Accepted (Max Send PDV: {pdv})")
        with opened:
            yield opened
            shell.screen.check()

    def no_contexts(self, log: Log) -> int:
        """The peer accepted the association and nothing of what was proposed."""
        log("error", "No Acceptable Presentation Contexts")
        return self.refusal.status


def titles(calling: str, called: str = "ANY-SCP") -> tuple[Option, ...]:
    """The options for AE titles."""
    return (
        Option(("-aet", "--aetitle"), f"set my calling AE title (default: {calling})", ("title",)),
        Option(("-aec", "--call"), f"set called AE title of peer (default: {called})", ("title",)),
    )


def _title(text: str) -> str:
    # As in dcmtk: what is too long for the field is cut off, and nothing is said about it (PS3.8 9.3.2).
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable())[:16] or " "


def _pem(shell: Shell, typed: str) -> Path:
    try:
        found = shell.disk.file(shell.path(typed))
    except DiskError as wrong:
        raise UsageError(f"unable to load {typed[:80]}: {wrong}") from wrong
    if found.path is None:
        raise UsageError(f"unable to load {typed[:80]}: no PEM file")
    return found.path
