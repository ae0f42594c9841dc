"""Progress: what was practised, how strong each topic is, what is due; carrying it away and bringing it back."""

from __future__ import annotations

from flask import Blueprint, render_template

from web.context import account, console

pages = Blueprint("progress", __name__, url_prefix="/progress")


@pages.get("/")
def progress() -> str:
    return render_template("practice/progress.html", seen=console().practice.overview(account()))
