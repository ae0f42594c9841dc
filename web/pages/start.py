"""Home: what runs, what is due, what is next, and the ways to everything; starting and ending labs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from sandbox.model.errors import BadInputError
from web.catalogue import hospitals
from web.context import account, console
from web.exam import closed_book
from web.forms import whole
from web.labs import LARGEST_SEED
from web.practice.modes import mode_of
from web.trainers import rounds

pages = Blueprint("start", __name__)
SHOWN = 8


@dataclass(frozen=True)
class Way:
    """A way onward from home, for whoever does not know the words of the menu yet."""

    endpoint: str
    title: LazyString
    icon: str
    about: LazyString


WAYS: tuple[Way, ...] = (
    Way("catalogue.catalogue", _("Catalogue"), "books", _("Every drill, by complaint, topic and difficulty.")),
    Way("path.path", _("Learning path"), "map-route", _("The order that teaches best, with what to read before.")),
    Way("progress.progress", _("Progress"), "chart-bar", _("What you can do, topic by topic, and what to do next.")),
    Way("exam.intro", _("Exam simulation"), "stopwatch", _("A timed mix of questions and incidents.")),
    Way("questions.questions", _("Questions"), "help-circle", _("One at a time, each explained, with its reference.")),
    Way("trainers.trainers", _("Trainers"), "target-arrow", _("Predict what is accepted; tell two causes apart.")),
    Way("certificate.certificate", _("Certificate"), "certificate", _("What you have done, to print.")),
)
"""What home offers."""


@pages.get("/")
def start() -> str:
    labs = console().labs.of(account())
    seen = console().practice.overview(account())
    return render_template(
        "start.html",
        seen=seen,
        kept={one.id for one in seen.history if one.kept},
        outcomes={one.id: one.outcome for one in seen.history},
        hospitals=hospitals(),
        running=[row.attempt for row in labs if row.running],
        past=[row.attempt for row in labs if not row.running][:SHOWN],
        # A department that is one of two twins is gone on with at the trainer, not as a drill.
        rounds=rounds.newest(console().database, account(), SHOWN),
        ways=WAYS,
    )


@pages.post("/labs")
def begin() -> Response:
    asked = request.form
    closed_book.hold_lesson(asked.get("scenario", ""))
    seed, mode = _seed(asked.get("seed", "")), mode_of(asked.get("mode", ""))
    lab_id = console().labs.start(account(), asked.get("scenario", ""), seed, asked.get("site", ""), mode)
    return redirect(url_for("department.department", lab_id=lab_id))


@pages.post("/labs/<lab_id>/end")
def end(lab_id: str) -> Response:
    record = console().labs.attempt(account(), lab_id)
    console().labs.end(lab_id)
    flash(gettext("%(title)s: the lab has ended.", title=record.title), "good")
    return redirect(url_for("start.start"))


@pages.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


def _seed(text: str) -> int | None:
    if not text.strip():
        return None
    seed = whole(text, -1)
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInputError(
            gettext("The seed is not a number from 0 to 2147483647."), gettext("Leave it empty for a fresh department.")
        )
    return seed
