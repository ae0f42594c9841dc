"""What is closed to somebody who is in an exam: the lessons of its paper with all that is known of them, and answers
that are explained. Which these are is the paper's rule (``Paper.forbids``); the pages ask here before they answer, and
whoever is turned away is told why and led back to the exam.
"""

from __future__ import annotations

from typing import cast

from flask import current_app, request, url_for
from flask_babel import gettext as _

from web.context import account, console
from web.errors import HeldError
from web.exam.invigilator import Exam, Exams

ALWAYS = frozenset({"start.end"})
"""A lab may be ended at any time: that tells nothing."""


def hold_lesson(scenario: str, lab: str = "") -> None:
    """HeldError when whoever is here sits an exam with ``scenario`` in it; ``lab`` is where it was begun, which may be
    the exam's own."""
    exam = exams().forbids(account(), scenario=scenario, lab=lab)
    if exam is not None:
        raise _held(exam, _("You are in an exam, and this lesson belongs to it: it stays closed until you hand it in."))


def hold_answers() -> None:
    """HeldError when whoever is here sits an exam: nothing explains questions to them meanwhile."""
    exam = exams().forbids(account(), answers=True)
    if exam is not None:
        raise _held(exam, _("You are in an exam: answers and their explanations stay closed until you hand it in."))


def hold_file() -> None:
    """HeldError when whoever is here sits an exam and a file of their progress would hold a debrief of its lessons."""
    exam = exams().open(account())
    kept = [one for one in console().attempts.practised(account()) if one.kept] if exam is not None else []
    if exam is not None and any(exam.paper.forbids(scenario=one.scenario, lab=one.lab) for one in kept):
        raise _held(exam, _("You are in an exam, and the file would hold the debrief of a lesson that belongs to it."))


def before_a_lab() -> None:
    """Before any page of a lab: one that was begun before the exam is not gone on with."""
    lab_id = (request.view_args or {}).get("lab_id")
    if isinstance(lab_id, str) and request.endpoint not in ALWAYS:
        hold_lesson("", lab_id)


def exams() -> Exams:
    """The exams of this console."""
    return cast(Exams, current_app.extensions["exams"])


def _held(exam: Exam, sentence: str) -> HeldError:
    return HeldError(
        sentence,
        _("Go on with the exam, or hand it in first."),
        way=_("Back to the exam"),
        address=url_for("exam.overview", number=exam.number),
    )
