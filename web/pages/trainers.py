"""The trainers there are: one skill at a time, beside the drills, in which many are needed at once."""

from __future__ import annotations

from flask import Blueprint, render_template

pages = Blueprint("trainers", __name__, url_prefix="/trainers")


@pages.get("/")
def trainers() -> str:
    return render_template("trainers/trainers.html")
