"""Where one can go: the console's own pages above, a lab's pages at its side. A page that is to be found adds a line.

A line whose page is not there (an endpoint that is not registered) would be a broken link and fails at start.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request
from flask_babel import lazy_gettext as _


@dataclass(frozen=True)
class Place:
    """One link. ``within`` are the blueprints whose pages belong to it, so that it is marked as where one is; empty is
    the endpoint's own. ``drill`` places are there only while a lab has a drill."""

    endpoint: str
    title: str
    icon: str
    within: tuple[str, ...] = ()
    drill: bool = False

    @property
    def is_here(self) -> bool:
        if request.endpoint == self.endpoint:
            return True
        return bool(self.within) and request.blueprint in self.within


TOP: tuple[Place, ...] = (
    Place("start.start", _("Home"), "home-2"),
    Place("catalogue.catalogue", _("Catalogue"), "books", within=("catalogue",)),
    Place("path.path", _("Path"), "map-route", within=("path",)),
    Place("trainers.trainers", _("Trainers"), "target-arrow", within=("trainers", "negotiation", "twins")),
    Place("exam.intro", _("Exam"), "school", within=("exam", "questions")),
    Place("progress.progress", _("Progress"), "chart-bar", within=("progress", "certificate")),
)
LAB: tuple[Place, ...] = (
    Place("follow.search", _("Follow a study"), "route", within=("follow",)),
    Place("associations.associations", _("Associations"), "arrows-exchange", within=("associations",)),
    Place("logs.logs", _("Logs"), "file-text"),
    Place("history.history", _("History"), "history", within=("history",)),
    Place("service.network", _("Network"), "world"),
    Place("terminal.terminal", _("Terminal"), "terminal-2", within=("terminal",)),
    Place("outside.outside", _("Your own tools"), "plug", within=("outside",)),
)


def register(app: Flask) -> None:
    app.jinja_env.globals.update(top_places=TOP, lab_places=LAB)
