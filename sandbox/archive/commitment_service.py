"""Storage commitment as the SCP (PS3.4 J.3): requests taken in, judged, and reported on an association of our own.

A request is on disk before it is answered with 0000, and stays there until its requester has heard the report; so
neither a requester that is down nor the end of this process loses one. One thread works on them; idle it costs nothing.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sandbox.archive import commitment
from sandbox.archive.archive import Archive
from sandbox.archive.commitment import Reference, Report
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import NormalizedAnswer, NormalizedRequest, Peer, Role
from sandbox.dicom.explain import explain_status
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.syntaxes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, storage_commitment
from sandbox.events.causes import SYSTEM, because, current
from sandbox.model.files import write_whole

log = logging.getLogger(__name__)

SUCCESS = 0x0000
INVALID_ARGUMENT = 0x0115
NO_SUCH_ACTION = 0x0123
NO_SUCH_INSTANCE = 0x0112
PROCESSING_FAILURE = 0x0110

_TRY_AGAIN = frozenset({0x0110, 0x0210, 0x0213})
"""Answers to a report after which it is made again: the requester could not work on it now."""
_AS_SCP = (Role(STORAGE_COMMITMENT, scu=False, scp=True),)
_STOP_S = 1.0


@dataclass(frozen=True)
class Backoff:
    """How a report is tried again, in seconds: after ``first``, then each time ``factor`` times later, at most
    ``maximum``; after ``give_up`` no more."""

    first: float = 2.0
    factor: float = 2.0
    maximum: float = 300.0
    give_up: float = 7 * 86400.0

    def after(self, attempts: int) -> float:
        """How long to wait after so many attempts."""
        return float(min(self.maximum, self.first * self.factor ** min(attempts - 1, 60)))


@dataclass(frozen=True)
class _Pending:
    """A request whose requester has not heard yet. Times are in seconds since the epoch."""

    transaction_uid: str
    requester: str
    references: tuple[Reference, ...]
    received: float
    due: float
    attempts: int = 0
    cause: int | None = None
    actor: str = SYSTEM
    is_duplicate: bool = False


class CommitmentService:
    """The storage commitment SCP of one archive. Requests lie in ``commitment/`` of the archive's directory.

    ``resolve`` looks a requester up in the AE table; ``requestor`` is asked for whenever a report is made; ``note``
    takes level and text of a line for the log.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        ae_title: Callable[[], str],
        resolve: Callable[[str], Peer | None],
        requestor: Callable[[], Requestor],
        note: Callable[[str, str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._archive = archive
        self._ae_title = ae_title
        self._resolve = resolve
        self._requestor = requestor
        self._note = note
        self._backoff = backoff or Backoff()
        self._directory = archive.directory / "commitment"
        self._changed = threading.Condition()
        self._pending: dict[Path, _Pending] = {}
        self._numbers = itertools.count(1)
        self._thread: threading.Thread | None = None
        self._ending: list[threading.Thread] = []

    # --- the service ---------------------------------------------------------------------------------------------

    def answer(self, request: NormalizedRequest) -> NormalizedAnswer:
        """N-ACTION: 0000 when the request is on disk."""
        if request.sop_class != STORAGE_COMMITMENT or request.sop_instance != STORAGE_COMMITMENT_INSTANCE:
            return NormalizedAnswer(NO_SUCH_INSTANCE)
        if request.number != commitment.REQUEST:
            return NormalizedAnswer(NO_SUCH_ACTION)
        try:
            transaction_uid, references = commitment.read_request(request.dataset)
        except ValueError as wrong:
            return NormalizedAnswer(INVALID_ARGUMENT, comment=str(wrong))
        requester = request.facts.calling_ae.strip()
        if self._resolve(requester) is None:
            # Better now than never: the report would have nowhere to go.
            return NormalizedAnswer(PROCESSING_FAILURE, comment=f"{requester} is not in the AE table")
        context = current()
        now = time.time()
        try:
            self._take(
                _Pending(transaction_uid, requester, references, now, now, cause=context.cause, actor=context.actor)
            )
        except OSError as wrong:
            return NormalizedAnswer(commitment.RESOURCE_LIMITATION, comment=wrong.strerror or "Cannot keep the request")
        self._note("info", f"{requester} asks for storage commitment of {_counted(len(references))}")
        return NormalizedAnswer(SUCCESS, afterwards=self._wake)

    @property
    def waiting(self) -> int:
        """How many requests have not been reported yet."""
        with self._changed:
            return len(self._pending)

    def forget(self, sop_instances: Collection[str]) -> None:
        """Report nothing more about these instances: requests that name nothing else go, as if nobody had asked."""
        gone = frozenset(sop_instances)
        with self._changed:
            for path, pending in list(self._pending.items()):
                if all(reference.sop_instance in gone for reference in pending.references):
                    del self._pending[path]
                    path.unlink(missing_ok=True)

    def start(self) -> None:
        """Work on what is there and what comes. What waits for its next attempt is tried at once: whoever starts an
        archive again has often just mended what kept the report from getting through."""
        with self._changed:
            now = time.time()
            left = {**self._left_over(), **self._pending}
            self._pending = {path: replace(pending, due=min(pending.due, now)) for path, pending in left.items()}
            self._thread = threading.Thread(target=self._run, name="commitment", daemon=True)
            self._thread.start()

    def halt(self) -> None:
        """Tell the thread to end, without waiting: what breaks off from now on is nobody's failure. What was not
        reported stays on disk."""
        with self._changed:
            if self._thread is not None:
                self._ending.append(self._thread)
            self._thread = None
            self._changed.notify_all()

    def stop(self) -> None:
        """End, and wait for it; the associations under way are the requestor's owner's to end before."""
        self.halt()
        while self._ending:
            self._ending.pop().join(_STOP_S)

    # --- keeping -------------------------------------------------------------------------------------------------

    def _take(self, new: _Pending) -> None:
        with self._changed:
            known = self._pending.get(self._path(new.transaction_uid))
            if known is None:
                self._keep(self._path(new.transaction_uid), new)
            elif (known.requester, known.references) != (new.requester, new.references):
                # PS3.4 J.3.3: the transaction UID is in use, which is the reason given for each of its instances.
                path = self._directory / f"{new.transaction_uid}.{next(self._numbers)}.json"
                self._keep(path, replace(new, is_duplicate=True))

    def _keep(self, path: Path, pending: _Pending) -> None:
        write_whole(path, json.dumps(asdict(pending)))
        self._pending[path] = pending

    def _path(self, transaction_uid: str) -> Path:
        return self._directory / f"{transaction_uid}.json"

    def _left_over(self) -> dict[Path, _Pending]:
        found: dict[Path, _Pending] = {}
        for path in sorted(self._directory.glob("*.json")):
            try:
                raw = json.loads(path.read_text(encoding="utf-8"))
                references = tuple(Reference(**each) for each in raw.pop("references"))
                found[path] = _Pending(references=references, **raw)
            except (ValueError, TypeError, KeyError, OSError) as wrong:
                log.warning("%s is no storage commitment request: %s", path, wrong)
        return found

    # --- reporting -----------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        me = threading.current_thread()
        while (found := self._next(me)) is not None:
            path, pending = found
            try:
                with because(pending.cause, pending.actor):
                    failure = self._report(pending)
                    self._settle(me, path, pending, failure)
            except Exception as wrong:
                log.exception("The storage commitment of %s failed", pending.requester)
                self._settle(me, path, pending, f"this archive failed: {wrong}")

    def _next(self, me: threading.Thread) -> tuple[Path, _Pending] | None:
        """What is due next, waited for; None at the end."""
        with self._changed:
            while self._thread is me:
                found = min(self._pending.items(), key=lambda item: item[1].due, default=None)
                wait = None if found is None else found[1].due - time.time()
                if found is not None and wait is not None and wait <= 0:
                    return found
                self._changed.wait(wait)
        return None

    def _report(self, pending: _Pending) -> str:
        """Judge and report; empty when the requester has heard, else why it has not."""
        peer = self._resolve(pending.requester)
        if peer is None:
            return f"{pending.requester} is not in the AE table"
        if pending.is_duplicate:
            failed = tuple((each, commitment.DUPLICATE_TRANSACTION) for each in pending.references)
            report = Report(pending.transaction_uid, failed=failed)
        else:
            report = commitment.judge(self._archive, pending.transaction_uid, pending.references)
        opened = self._requestor().associate(peer, storage_commitment(), cause=pending.cause, roles=_AS_SCP)
        if isinstance(opened, AssociationFailure):
            return opened.sentence.rstrip(".")
        with opened:
            dataset = commitment.report_dataset(report, self._ae_title())
            outcome = opened.n_event_report(STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, report.event_type, dataset)
        if outcome.status is None:
            return outcome.failure
        words = f"{outcome.status:04X} {explain_status('N-EVENT-REPORT', outcome.status).name}"
        if outcome.status in _TRY_AGAIN:
            return f"{pending.requester} answered {words}"
        committed, failed_ones = len(report.committed), len(report.failed)
        said = f"Storage commitment reported to {pending.requester}: {_counted(committed)} committed"
        reasons = ", ".join(sorted({_reason(reason) for _, reason in report.failed}))
        said += f", {failed_ones} failed ({reasons})" if failed_ones else ""
        if outcome.succeeded or outcome.is_warning:
            self._note("warning" if failed_ones else "info", said)
        else:
            self._note("warning", f"{said}; it answered {words}")
        return ""

    def _settle(self, me: threading.Thread, path: Path, pending: _Pending, failure: str) -> None:
        with self._changed:
            if path not in self._pending:
                # Forgotten while it was reported.
                return
            if not failure:
                del self._pending[path]
                path.unlink(missing_ok=True)
                return
            if self._thread is not me:
                # It broke off because we stop: nobody's failure.
                return
            attempts = pending.attempts + 1
            if time.time() - pending.received > self._backoff.give_up:
                self._note("error", f"Storage commitment for {pending.requester} given up: {failure}")
                del self._pending[path]
                path.unlink(missing_ok=True)
                return
            wait = self._backoff.after(attempts)
            self._pending[path] = again = replace(pending, attempts=attempts, due=time.time() + wait)
            try:
                self._keep(path, again)
            except OSError as wrong:
                log.warning("%s cannot be written: %s", path, wrong)
        self._note(
            "warning", f"Storage commitment not reported to {pending.requester}: {failure}; next attempt in {wait:g} s"
        )


def _reason(reason: int) -> str:
    return f"{reason:04X} {explain_status('N-EVENT-REPORT', reason).name}"


def _counted(number: int) -> str:
    return f"{number} instance{'' if number == 1 else 's'}"
