"""Storage commitment as a modality asks for it (PS3.4 J.3): who has taken charge of what it has sent.

What was delivered over one association is asked for in one transaction; the report comes on an association that the
archive opens. An instance that the archive does not have yet (a router may still hold it) is asked for again, as is one
of which no report came. One thread sleeps until something is due.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydicom.uid import generate_uid

from sandbox.archive.commitment import (
    CLASS_INSTANCE_CONFLICT,
    CLASS_NOT_SUPPORTED,
    REQUEST,
    Reference,
    Report,
    read_report,
    request_dataset,
)
from sandbox.dicom.contract import NormalizedAnswer, NormalizedRequest, StoredObject
from sandbox.dicom.explain import explain_status
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.syntaxes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, storage_commitment
from sandbox.events import kinds
from sandbox.events.log import because, current
from sandbox.model.config import RetryPolicy
from sandbox.nodes.commitment_rows import CommitmentRow, CommitmentRows, CommitmentState

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

log = logging.getLogger(__name__)

UNKNOWN_TRANSACTION = 0x0115
_FOR_GOOD = frozenset({CLASS_INSTANCE_CONFLICT, CLASS_NOT_SUPPORTED})
_AT_A_TIME = 1000
_SETTLES_S = 30.0
"""An instance is asked for when the association over which it went is closed; after so long if that was never told,
because this process ended in between."""
_REPORT_WITHIN_S = 600.0
_STOP_S = 0.5


class Commitments:
    """Asks the AE-table line that ``remote`` names, or nobody while it names none. ``retry`` says how it is tried
    again, ``report_within_s`` how long a report may take."""

    def __init__(
        self,
        node: Node,
        *,
        remote: Callable[[], str],
        retry: Callable[[], RetryPolicy],
        report_within_s: float = _REPORT_WITHIN_S,
    ) -> None:
        self._node = node
        self._remote = remote
        self._retry = retry
        self.report_within_s = report_within_s
        self._rows = CommitmentRows(node.context.directory / "commitment.sqlite")
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending: list[threading.Thread] = []

    # --- what was sent -------------------------------------------------------------------------------------------

    def sent(self, item: StoredObject) -> None:
        """An instance was answered with success by where it went."""
        if self._remote():
            context = current()
            due = time.time() + _SETTLES_S
            try:
                self._rows.sent(item.sop_instance, item.sop_class, due, context.cause, context.actor)
            except sqlite3.Error:
                # It has arrived all the same, and must not be sent again for this.
                log.exception("%s cannot note what is to be committed", self._node.name)

    def delivered(self, items: Sequence[StoredObject]) -> None:
        """These went over an association that is closed now: time to ask."""
        if items and self._remote():
            self._rows.hurry([item.sop_instance for item in items], time.time())
            with self._changed:
                self._changed.notify_all()

    def states(self) -> dict[str, CommitmentState]:
        """What is known of every instance that was sent."""
        return {row.sop_instance: row.state for row in self._rows.all()}

    def is_finished(self, sop_instances: Sequence[str]) -> bool:
        """Whether nothing is waited for of these."""
        states = self.states()
        return all(
            states.get(one) in (None, CommitmentState.COMMITTED, CommitmentState.FAILED) for one in sop_instances
        )

    def forget(self, sop_instances: Sequence[str]) -> None:
        """Ask for these no more."""
        self._rows.forget(sop_instances)

    # --- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask for what is due, if commitment is wanted."""
        if not self._remote():
            return
        with self._changed:
            self._thread = threading.Thread(target=self._run, name=f"{self._node.name}-commitment", daemon=True)
            self._thread.start()

    def halt(self) -> None:
        """Tell the thread to end; what breaks off from now on is nobody's failure."""
        with self._changed:
            if self._thread is not None:
                self._ending.append(self._thread)
            self._thread = None
            self._changed.notify_all()

    def stop(self) -> None:
        """End, and wait for it."""
        self.halt()
        while self._ending:
            self._ending.pop().join(_STOP_S)

    def close(self) -> None:
        """Stop, and let go of the file."""
        self.stop()
        self._rows.close()

    # --- asking --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        me = threading.current_thread()
        while self._wait(me):
            try:
                rows = self._rows.due(time.time(), _AT_A_TIME)
                # What has one cause goes into one transaction, so that the log tells why.
                first = rows[0] if rows else None
                if first is not None:
                    together = [row for row in rows if (row.cause, row.actor) == (first.cause, first.actor)]
                    with because(first.cause, first.actor):
                        self._ask(me, together)
            except Exception:
                log.exception("%s cannot ask for storage commitment", self._node.name)
                with self._changed:
                    self._changed.wait_for(lambda: self._thread is not me, self._retry().maximum_s)

    def _wait(self, me: threading.Thread) -> bool:
        """Sleep until something is due; False at the end."""
        with self._changed:
            while self._thread is me:
                due = self._rows.next_due()
                if due is not None and due <= time.time():
                    return True
                self._changed.wait(None if due is None else due - time.time())
        return False

    def _ask(self, me: threading.Thread, rows: Sequence[CommitmentRow]) -> None:
        name = self._remote()
        transaction_uid = str(generate_uid(prefix=None))
        now = time.time()
        # Written before it is said: the report may be here before the answer to the request.
        requested = [
            replace(
                row,
                state=CommitmentState.REQUESTED,
                transaction_uid=transaction_uid,
                attempts=row.attempts + 1,
                due=now + self.report_within_s,
            )
            for row in rows
        ]
        self._rows.replace(requested)
        self._node.context.events.append(
            kinds.CommitmentRequested(peer=name, transaction_uid=transaction_uid, instances=len(rows)),
            node=self._node.name,
        )
        self._node.log("info", f"Storage commitment of {_counted(len(rows))} asked of {name}")
        failure = self._request(name, transaction_uid, rows)
        if failure and self._thread is me:
            self._node.log("warning", f"Storage commitment cannot be asked of {name}: {failure.rstrip('.')}")
        if failure:
            self._rows.replace([self._again(row) for row in self._rows.of_transaction(transaction_uid)])

    def _request(self, name: str, transaction_uid: str, rows: Sequence[CommitmentRow]) -> str:
        """Ask; empty when the request was accepted, else why not."""
        peer = self._node.caller.peer(name)
        if peer is None:
            return f"there is no {name} in the AE table"
        opened = self._node.caller.requestor.associate(peer, storage_commitment())
        if isinstance(opened, AssociationFailure):
            return opened.sentence
        # Some report at once, on the association on which they were asked.
        opened.answer_events(self.report)
        with opened:
            references = [Reference(row.sop_class, row.sop_instance) for row in rows]
            outcome = opened.n_action(
                STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, REQUEST, request_dataset(transaction_uid, references)
            )
        if outcome.succeeded or outcome.is_warning:
            return ""
        if outcome.status is None:
            return outcome.failure
        comment = f" ({outcome.comment})" if outcome.comment else ""
        return f"it answered {outcome.status:04X} {explain_status('N-ACTION', outcome.status).name}{comment}"

    def _again(self, row: CommitmentRow, reason: int = 0) -> CommitmentRow:
        """The instance to be asked for again later, or given up."""
        policy = self._retry()
        if reason in _FOR_GOOD or row.attempts >= policy.attempts:
            return replace(row, state=CommitmentState.FAILED, reason=reason)
        wait = min(policy.maximum_s, policy.first_s * policy.factor ** min(row.attempts - 1, 60))
        return replace(row, state=CommitmentState.WAITING, reason=reason, due=time.time() + max(wait, 0.0))

    # --- being told ----------------------------------------------------------------------------------------------

    def report(self, request: NormalizedRequest) -> NormalizedAnswer:
        """N-EVENT-REPORT: what became of a transaction."""
        try:
            report = read_report(request.dataset)
        except ValueError as wrong:
            return NormalizedAnswer(UNKNOWN_TRANSACTION, comment=str(wrong))
        rows = {row.sop_instance: row for row in self._rows.of_transaction(report.transaction_uid)}
        if not rows:
            return NormalizedAnswer(UNKNOWN_TRANSACTION, comment="This transaction is not known here")
        reasons = {reference.sop_instance: reason for reference, reason in report.failed}
        changed = [
            replace(rows[reference.sop_instance], state=CommitmentState.COMMITTED, reason=0)
            for reference in report.committed
            if reference.sop_instance in rows
        ]
        changed += [self._again(rows[uid], reason) for uid, reason in reasons.items() if uid in rows]
        self._rows.replace(changed)
        self._tell(report, reasons)
        with self._changed:
            self._changed.notify_all()
        return NormalizedAnswer(0x0000)

    def _tell(self, report: Report, reasons: dict[str, int]) -> None:
        peer = self._remote()
        distinct = tuple(sorted(set(reasons.values())))
        self._node.context.events.append(
            kinds.CommitmentReported(
                peer=peer,
                transaction_uid=report.transaction_uid,
                committed=len(report.committed),
                failed=len(reasons),
                reasons=distinct,
            ),
            node=self._node.name,
        )
        said = f"Storage commitment by {peer}: {_counted(len(report.committed))} committed"
        if reasons:
            words = ", ".join(f"{reason:04X} {explain_status('N-EVENT-REPORT', reason).name}" for reason in distinct)
            said += f", {len(reasons)} not ({words})"
        self._node.log("warning" if reasons else "info", said)


def _counted(number: int) -> str:
    return f"{number} instance{'' if number == 1 else 's'}"
