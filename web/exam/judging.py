"""Judging an incident when it is over: the department is checked as it is, the debrief is kept, the lab is ended.

A check takes as long as the department needs, so it goes on behind the page. Whatever fails costs nothing but what it
was to find out: an incident always comes to an end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.model.errors import NotFoundError, SandboxError
from sandbox.model.verdict import Verdict
from sandbox.model.view import AttemptState, AttemptView
from web.accounts import Account
from web.attempts import Attempts
from web.db.tables import Attempt
from web.exam.paper import IncidentItem, IncidentState
from web.lab_client import LabClient
from web.labs import Labs

PATIENCE_S = 300.0
"""How long a check that is under way already is waited for."""


class Judging:
    """Which incidents are being judged, by sitting and place."""

    def __init__(self, labs: Labs, attempts: Attempts) -> None:
        self._labs = labs
        self._attempts = attempts
        self._lock = threading.Lock()
        self._running: dict[tuple[int, int], threading.Thread] = {}

    def begin(
        self, sitting: int, place: int, item: IncidentItem, account: Account, done: Callable[[IncidentItem], None]
    ) -> None:
        """Judge ``item`` behind the page, and hand what came of it to ``done``. One at a time for each place."""
        key = (sitting, place)

        def work() -> None:
            try:
                done(self.judge(item, account))
            finally:
                with self._lock:
                    self._running.pop(key, None)

        with self._lock:
            if key in self._running:
                return
            thread = threading.Thread(target=work, name=f"judge-{sitting}-{place}", daemon=True)
            self._running[key] = thread
            thread.start()

    def wait(self, timeout_s: float) -> None:
        """Until nothing is being judged any more, or ``timeout_s`` is over. For tests and for the end of a console."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with self._lock:
                threads = list(self._running.values())
            if not threads:
                return
            threads[0].join(max(0.0, deadline - time.monotonic()))

    def judge(self, item: IncidentItem, account: Account) -> IncidentItem:
        """What came of the incident. Its lab is gone afterwards."""
        trouble = ""
        view: AttemptView | None = None
        try:
            # A paper may have been brought in from a file, which names whatever it likes.
            self._labs.attempt(account, item.lab)
        except NotFoundError as wrong:
            return item.model_copy(update={"state": IncidentState.ENDED, "trouble": wrong.sentence})
        try:
            view = _settled(self._labs.client(item.lab).by(account.actor))
            if view is not None:
                self._labs.note(item.lab, view)
        except SandboxError as wrong:
            trouble = str(wrong)
        try:
            self._labs.end(item.lab)
        except SandboxError as wrong:
            trouble = trouble or str(wrong)
        return self._judged(item, view, trouble)

    def _judged(self, item: IncidentItem, view: AttemptView | None, trouble: str) -> IncidentItem:
        kept = self._attempts.get(item.lab)
        solved = kept is not None and kept.state == AttemptState.SOLVED
        score = None if kept is None else kept.score
        findings = view.findings if view is not None else ()
        if view is None and is_behind(kept):
            # Its end was seen before the lab went, so nothing is missing that would have to be explained.
            told = self._attempts.debrief(kept.id) if kept is not None else None
            findings, trouble = told.findings if told is not None else (), ""
        return item.model_copy(
            update={
                "state": IncidentState.ENDED,
                "attempt": None if kept is None else kept.id,
                "solved": solved,
                "points": float(solved) if score is None else score / 100,
                "findings": findings,
                "trouble": trouble,
            }
        )


def is_behind(kept: Attempt | None) -> bool:
    """Whether what was kept of an incident tells its end: it is over, or its one check was made in vain."""
    return kept is not None and (kept.state != AttemptState.RUNNING or Verdict.FAIL in (kept.findings or {}).values())


def _settled(client: LabClient) -> AttemptView | None:
    """The attempt once it is over: checked, and given up where the check did not pass."""
    view = _at_rest(client)
    if view is not None and view.state is AttemptState.RUNNING and not _failed(view):
        client.command("attempt.check", {})
        view = _at_rest(client)
    if view is not None and view.state is AttemptState.RUNNING:
        client.command("attempt.give_up", {})
        view = client.attempt()
    return view


def _at_rest(client: LabClient) -> AttemptView | None:
    """The attempt when no check is under way any more."""
    deadline = time.monotonic() + PATIENCE_S
    view = client.attempt()
    while view is not None and view.checking and time.monotonic() < deadline:
        time.sleep(0.5)
        view = client.attempt()
    return view


def _failed(view: AttemptView) -> bool:
    """Whether it was checked already, and not everything passed: an exam has one check."""
    return any(finding.verdict is Verdict.FAIL for finding in view.findings)
