"""What a mode forbids, enforced before any page of a lab is answered: an exam has no hints, one check, and an end.

When an exam's check has not passed, or its time is over and it was checked, the attempt ends there and the debrief
tells the rest. Time over: what the department is like at that moment is what is checked, so nothing is done in it any
more.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, flash, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import ConflictError
from sandbox.model.verdict import Verdict
from sandbox.model.view import AttemptState, AttemptView
from web.context import account, console, lab_client
from web.db.tables import Attempt
from web.pages import thread
from web.pages.common import onward
from web.practice import coach, modes, screen
from web.practice.modes import Mode

LOOKED_AT = frozenset({"department.department", "drill.state"})
"""Pages that show how an exam stands, and so settle it first."""
ALWAYS = frozenset({"start.end"})


def register(app: Flask) -> None:
    app.before_request(_guard)
    screen.register(app)
    app.jinja_env.globals.update(modes=modes.MODES, rules_of=modes.rules_of, coach_steps=coach.steps, rung=coach.rung)
    app.jinja_env.globals.update(exam_seconds_left=exam_seconds_left, is_new_here=is_new_here)


def is_new_here() -> bool:
    """Whether this is the first lab that somebody has, so that the screens are to be explained."""
    return len(console().attempts.of(account(), limit=2)) < 2


def exam_seconds_left(record: Attempt, minutes: int) -> int | None:
    """How long an exam has still to go; None where there is no limit."""
    end = modes.ends_at(record.mode, record.started, minutes)
    return None if end is None else max(0, round((end - datetime.now(UTC)).total_seconds()))


def _guard() -> Response | None:
    lab_id = (request.view_args or {}).get("lab_id")
    if not isinstance(lab_id, str) or request.endpoint is None or request.endpoint in ALWAYS:
        return None
    changes = request.method == "POST"
    if not changes and request.endpoint not in LOOKED_AT:
        return None
    record = console().labs.attempt(account(), lab_id)
    if not record.scenario or record.closed is not None or record.state != AttemptState.RUNNING:
        return None
    if request.endpoint == "drill.hint" and not modes.rules_of(record.mode).hints:
        raise ConflictError(_("There are no hints in an exam."), _("Work it out, or give up to see the solution."))
    if record.mode == Mode.EXAM:
        return _exam(lab_id, record, changes)
    return None


def _exam(lab_id: str, record: Attempt, changes: bool) -> Response | None:
    """Settle an exam that is due, and turn away what comes too late."""
    client = lab_client(lab_id)
    attempt = client.attempt()
    if attempt is None or attempt.state is not AttemptState.RUNNING:
        return None
    late = exam_seconds_left(record, attempt.expected_minutes) == 0
    checking = console().checking.is_running(lab_id) or attempt.checking
    if not checking and _not_passed(attempt):
        client.command("attempt.give_up", {})
        ended = client.attempt()
        if ended is not None:
            console().labs.note(lab_id, ended)
        if changes:
            flash(_("The exam is over: it was checked, and not everything passed."), "bad")
    elif not checking and late:
        console().checking.start(lab_id, client)
        if changes:
            flash(_("The time is over. The department is checked as it is now."), "warn")
    elif not checking:
        return None
    elif changes:
        flash(_("A check is under way; nothing is changed until it is done."), "warn")
    if not changes:
        return None
    if request.endpoint == "thread.close":
        thread.keep_closing(lab_id, attempt, (request.view_args or {})["number"])
    return onward(url_for("department.department", lab_id=lab_id))


def _not_passed(attempt: AttemptView) -> bool:
    """Whether the one check was made. What could not be told is nobody's fault and may be tried again."""
    return any(finding.verdict is Verdict.FAIL for finding in attempt.findings)
