"""The pages, a blueprint a kind. A view function reads a request, calls one thing, renders one thing."""

from __future__ import annotations

from flask import Flask

from web.pages import (
    associations,
    configuration,
    department,
    drill,
    follow,
    headers,
    live,
    node,
    notebook,
    queues,
    service,
    start,
    studies,
    thread,
    tools,
    tour,
    viewer,
)

BLUEPRINTS = (
    start.pages,
    department.pages,
    drill.pages,
    thread.pages,
    notebook.pages,
    live.pages,
    node.pages,
    configuration.pages,
    queues.pages,
    studies.pages,
    tools.pages,
    tour.pages,
    service.pages,
    associations.pages,
    viewer.pages,
    follow.pages,
    headers.pages,
)


def register(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
