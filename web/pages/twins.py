"""The differential trainer: two departments with one complaint; look at both, say which is which, see what it cost."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.wrappers import Response

from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.generator.looks import COSTS_MIN, LOOKS
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError
from web.context import account, console, lab_client
from web.db.tables import Sitting
from web.sittings import Sittings
from web.trainers import twins
from web.trainers.twins import LETTERS, Round, Seen

pages = Blueprint("twins", __name__, url_prefix="/trainers/twins")
KIND = "twins"


@pages.get("/")
def trainer() -> str:
    rounds = [(sitting, _round(sitting)) for sitting in _sittings().of(account(), limit=20)]
    return render_template("trainers/twins.html", rounds=rounds)


@pages.post("/")
def begin() -> Response:
    """Start both departments, and end those of the round before."""
    _end_latest()
    given = request.form.get("seed", "")
    pair = twins.make(int(given) if given.isdigit() and len(given) < 10 else secrets.randbelow(1_000_000))
    who, labs, seed = account(), console().labs, secrets.randbelow(1_000_000)
    with ThreadPoolExecutor(len(pair.slugs)) as pool:
        a, b = pool.map(lambda slug: labs.start(who, slug, seed), pair.slugs)
    number = _sittings().begin(who, Round(pair=pair, labs=(a, b)).model_dump(mode="json"))
    return redirect(url_for(".play", number=number))


@pages.get("/<int:number>")
def play(number: int) -> str:
    one = _round(_sittings().get(account(), number))
    return render_template(
        "trainers/pair.html",
        number=number,
        one=one,
        letters=LETTERS,
        causes=CAUSES,
        costs=COSTS_MIN,
        ticket=None if one.is_over else _ticket(one),
    )


@pages.post("/<int:number>/look")
def look(number: int) -> Response:
    """Take one look at both departments."""
    one = _open(number)
    wanted = request.form.get("look", "")
    if wanted not in LOOKS:
        raise BadInputError(_("There is no such look."), _("Choose one from the list."))
    if wanted in one.look_left():
        one = one.model_copy(update={"seen": (*one.seen, _look(one, wanted))})
        _sittings().keep(number, one.model_dump(mode="json"))
    return redirect(url_for(".play", number=number, _anchor="seen"))


@pages.post("/<int:number>/answer")
def answer(number: int) -> Response:
    """Take the answer down; then take every look that is left, to show what would have told."""
    one = _open(number)
    said = request.form.get("said", "")
    if said not in one.pair.offered:
        raise BadInputError(_("Say which cause is department A's."), _("Choose one of the two."))
    everything = {seen.look: seen for seen in (*one.seen, *(_look(one, left) for left in one.look_left()))}
    one = one.model_copy(update={"said": said, "everything": tuple(everything[look] for look in LOOKS)})
    _sittings().keep(number, one.model_dump(mode="json"), score=one.score)
    return redirect(url_for(".play", number=number))


def _look(one: Round, wanted: str) -> Seen:
    a, b = (lab_client(lab_id).command("twin.look", {"look": wanted}).sentence for lab_id in one.labs)
    return Seen(look=wanted, a=a, b=b)


def _ticket(one: Round) -> tuple[str, str]:
    """Who calls, and the complaint: the same in both departments."""
    attempt = lab_client(one.labs[0]).attempt()
    if attempt is None or not attempt.tickets:
        return "", ""
    first = attempt.tickets[0]
    return f"{first.sender}, {first.role}", first.body


def _end_latest() -> None:
    for sitting in _sittings().of(account(), limit=1):
        for lab_id in _round(sitting).labs:
            with suppress(SandboxError):  # it was ended already
                console().labs.end(lab_id)


def _open(number: int) -> Round:
    one = _round(_sittings().get(account(), number))
    if one.is_over:
        raise ConflictError(_("This round is over."), _("Begin another one."))
    return one


def _sittings() -> Sittings:
    return Sittings(console().database, KIND)


def _round(sitting: Sitting) -> Round:
    try:
        return Round.model_validate(sitting.document)
    except ValidationError as wrong:
        raise NotFoundError(
            _("This round was kept by another version and cannot be shown."), _("Begin a new one.")
        ) from wrong
