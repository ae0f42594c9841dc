"""The pages, a blueprint a kind. A view function reads a request, calls one thing, renders one thing."""

from __future__ import annotations

from flask import Flask

from web.pages import (
    associations,
    catalogue,
    certificate,
    configuration,
    debrief,
    department,
    drill,
    exam,
    follow,
    headers,
    history,
    live,
    logs,
    negotiation,
    node,
    notebook,
    outside,
    path,
    progress,
    questions,
    queues,
    service,
    start,
    studies,
    terminal,
    thread,
    tools,
    tour,
    trainers,
    twins,
    viewer,
)

BLUEPRINTS = (
    start.pages,
    catalogue.pages,
    path.pages,
    progress.pages,
    certificate.pages,
    department.pages,
    drill.pages,
    exam.pages,
    questions.pages,
    debrief.pages,
    thread.pages,
    notebook.pages,
    live.pages,
    negotiation.pages,
    node.pages,
    configuration.pages,
    queues.pages,
    studies.pages,
    tools.pages,
    terminal.pages,
    outside.pages,
    tour.pages,
    trainers.pages,
    twins.pages,
    service.pages,
    associations.pages,
    viewer.pages,
    follow.pages,
    headers.pages,
    history.pages,
    logs.pages,
)


def register(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
