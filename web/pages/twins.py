"""The differential trainer: two departments with one complaint; look at both, say which is which, see what it cost."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.generator.looks import COSTS_MIN, LOOKS
from sandbox.model.errors import BadInputError, ConflictError, SandboxError
from web.context import account, console, lab_client
from web.errors import HeldError
from web.forms import whole
from web.sittings import Sittings, document_of, readable
from web.trainers import twins
from web.trainers.rounds import KIND, unanswered
from web.trainers.twins import LETTERS, Round, Seen

pages = Blueprint("twins", __name__, url_prefix="/trainers/twins")
TELLING = frozenset({"drill.hint", "drill.give_up"})
"""What tells the cause of a drill: of two twins it would tell both."""


@pages.before_app_request
def _hold_back() -> None:
    """Nothing tells the cause of a department as long as its round is not answered."""
    if request.endpoint not in TELLING:
        return
    number = unanswered(console().database, account()).get(str((request.view_args or {}).get("lab_id")))
    if number is not None:
        raise HeldError(
            _("This is one of two twins, and the round is still open: a hint or the solution would answer it."),
            _("Say which is which first; then everything is open here."),
            way=_("Back to the round"),
            address=url_for("twins.play", number=number),
        )


@pages.get("/")
def trainer() -> str:
    rounds = readable(_sittings().of(account(), limit=20), Round)
    return render_template("trainers/twins.html", rounds=rounds)


@pages.post("/")
def begin() -> Response:
    """Start both departments, and end those of the round before."""
    _end_latest()
    given = request.form.get("seed", "")
    pair = twins.make(whole(given, secrets.randbelow(1_000_000)))
    a, b = _started(pair.slugs)
    number = _sittings().begin(account(), Round(pair=pair, labs=(a, b)).model_dump(mode="json"))
    return redirect(url_for(".play", number=number))


@pages.get("/<int:number>")
def play(number: int) -> str:
    one = document_of(_sittings().get(account(), number), Round)
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


def _started(slugs: Sequence[str]) -> list[str]:
    """The ids of a lab for each slug, started together. When one does not come up, none is left running."""
    who, labs, seed = account(), console().labs, secrets.randbelow(1_000_000)
    with ThreadPoolExecutor(len(slugs)) as pool:
        starting = [pool.submit(labs.start, who, slug, seed) for slug in slugs]
    for failed in starting:
        if failed.exception() is not None:
            _end([started.result() for started in starting if started.exception() is None])
    return [started.result() for started in starting]


def _end_latest() -> None:
    for _sitting, one in readable(_sittings().of(account(), limit=1), Round):
        _end(one.labs)


def _end(lab_ids: Iterable[str]) -> None:
    for lab_id in lab_ids:
        with suppress(SandboxError):  # it was ended already, or is somebody else's: a round may come from a file
            console().labs.attempt(account(), lab_id)
            console().labs.end(lab_id)


@pages.post("/<int:number>/end")
def end(number: int) -> Response:
    """End both departments of a round; what was found out is kept."""
    _end(document_of(_sittings().get(account(), number), Round).labs)
    return redirect(url_for(".trainer"))


def _open(number: int) -> Round:
    one = document_of(_sittings().get(account(), number), Round)
    if one.is_over:
        raise ConflictError(_("This round is over."), _("Begin another one."))
    return one


def _sittings() -> Sittings:
    return Sittings(console().database, KIND)
