"""The learning path: its stages, what each teaches, and where somebody stands."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_babel import gettext as _

from sandbox.model.errors import NotFoundError
from web.context import account, console

pages = Blueprint("path", __name__, url_prefix="/path")


@pages.get("/")
def path() -> str:
    return render_template("practice/path.html", seen=console().practice.overview(account()))


@pages.get("/<slug>")
def stage(slug: str) -> str:
    seen = console().practice.overview(account())
    for number, one in enumerate(seen.path, 1):
        if one.stage.slug == slug:
            return render_template("practice/stage.html", seen=seen, standing=one, number=number)
    raise NotFoundError(_("There is no such stage on the path."), _("Choose one from the path."))
