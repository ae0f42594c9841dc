"""The catalogue: every drill, found by complaint, topic, difficulty, hospital, state and words; and looking around."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from web.catalogue import hospitals
from web.context import account, console
from web.practice import filters

pages = Blueprint("catalogue", __name__, url_prefix="/catalogue")


@pages.get("/")
def catalogue() -> str:
    seen = console().practice.overview(account())
    result = filters.find(tuple(seen.standings.values()), filters.asked(request.args))
    return render_template("practice/catalogue.html", result=result, hospitals=hospitals())
