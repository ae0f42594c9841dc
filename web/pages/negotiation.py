"""The negotiation trainer: a round is made, predicted, sent for real and compared."""

from __future__ import annotations

import secrets

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from web.context import account, console, lab_client
from web.forms import whole
from web.sittings import Sittings, document_of, readable
from web.trainers import negotiation
from web.trainers.labs import lab_for
from web.trainers.negotiation import Round

pages = Blueprint("negotiation", __name__, url_prefix="/trainers/negotiation")
KIND = "negotiation"


@pages.get("/")
def trainer() -> str:
    """What it is about, the levels, and the rounds so far."""
    return render_template(
        "trainers/negotiation.html",
        levels=negotiation.LEVELS,
        rounds=readable(_sittings().of(account(), limit=20), Round),
    )


@pages.post("/")
def begin() -> Response:
    level = negotiation.level_of(whole(request.form.get("level", ""), 1))
    latest = next((one.lab for _sitting, one in readable(_sittings().of(account(), limit=1), Round)), "")
    lab_id = lab_for(console().labs, account(), latest)
    made = negotiation.make(level, whole(request.form.get("seed", ""), secrets.randbelow(1_000_000)), lab_id)
    number = _sittings().begin(account(), made.model_dump(mode="json"))
    return redirect(url_for(".play", number=number))


@pages.get("/<int:number>")
def play(number: int) -> str:
    one = document_of(_sittings().get(account(), number), Round)
    return _page(number, one, ("",) * len(one.lines))


@pages.post("/<int:number>")
def send(number: int) -> Response | str | tuple[str, int]:
    """Take down what was predicted, then really ask for the association."""
    one = document_of(_sittings().get(account(), number), Round)
    if one.association:
        raise ConflictError(_("This round was sent already."), _("Begin another one."))
    predicted = tuple(request.form.get(f"context-{place}", "") for place in range(len(one.lines)))
    refusal = request.form.get("refusal", "") if one.asks_for_titles else ""
    if refusal not in negotiation.REFUSALS:
        raise BadInputError(_("That is no answer to this question."), _("Reload the page and choose again."))
    open_places = [place for place, line in enumerate(one.lines) if predicted[place] not in negotiation.choices(line)]
    if open_places and not refusal:
        return _page(number, one, predicted, refusal, missing=open_places), 400
    try:
        one = _sent(one, predicted, refusal)
    except NotFoundError:
        # The trainer's department was ended meanwhile: the round is the same in another one.
        one = _sent(one.model_copy(update={"lab": lab_for(console().labs, account())}), predicted, refusal)
    _sittings().keep(number, one.model_dump(mode="json"), score=one.score)
    return redirect(url_for(".play", number=number))


def _sent(one: Round, predicted: tuple[str, ...], refusal: str) -> Round:
    lab = lab_client(one.lab)
    settings = {
        "storage_classes": list(one.takes),
        "transfer_syntaxes": list(one.prefers),
        "check_called_ae": one.checks_called,
        "accept_unlisted_callers": one.lets_in_unlisted,
    }
    lab.command("node.config.save", {"node": one.called, "set": settings})
    lab.command("node.restart", {"node": one.called})
    titles = {"calling_ae": one.calling_ae, "called_ae": one.called_ae}
    contexts = [line.model_dump(mode="json") for line in one.lines]
    result = lab.command("tool.propose", {"node": one.caller, "remote": one.called, "contexts": contexts, **titles})
    return negotiation.compared(one, predicted, refusal, lab.association(result.association))


def _page(
    number: int, one: Round, predicted: tuple[str, ...], refusal: str = "", missing: list[int] | None = None
) -> str:
    return render_template(
        "trainers/round.html",
        number=number,
        one=one,
        level=negotiation.level_of(one.level),
        predicted=predicted,
        refusal=refusal,
        refusals=negotiation.REFUSALS,
        choices=[negotiation.choices(line) for line in one.lines],
        missing=missing or [],
    )


def _sittings() -> Sittings:
    return Sittings(console().database, KIND)
