"""The logs of all nodes and of each: searched, followed, taken along as a text. Lines lead to their associations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context

from sandbox.lab.log_search import terms
from sandbox.model.history_view import DepartmentLogLine
from web.context import lab_client
from web.forms import filters, whole
from web.highlight import marked
from web.lab_client import LabClient
from web.pages.common import lab_page, node_page, wants_part

pages = Blueprint("logs", __name__, url_prefix="/labs/<lab_id>")
FILTERS = ("q", "node", "level", "association", "since", "until")
PAGE, FOLLOWED, A_TIME = 150, 150, 2000
"""Lines on a page, lines while following, and lines that a download gets at once."""


@pages.get("/logs")
def logs(lab_id: str) -> str:
    values = _found(lab_client(lab_id), _asked())
    if wants_part():
        return render_template("parts/log.html", lab_id=lab_id, place="logs.logs", **values)
    return lab_page(lab_id, "lab/logs.html", place="logs.logs", **values)


@pages.get("/nodes/<node>/log")
def node_log(lab_id: str, node: str) -> str:
    """One node's log."""
    values = _found(lab_client(lab_id), _asked() | {"node": node})
    if wants_part():
        return render_template("parts/log.html", lab_id=lab_id, place="logs.node_log", **values)
    return node_page(lab_id, node, "node/log.html", tab="log", place="logs.node_log", **values)


@pages.get("/logs/download")
def download(lab_id: str) -> Response:
    """All lines that the search finds, oldest first, as an administrator would take them from the machine."""
    asked = _asked()
    client = lab_client(lab_id)
    name = f"{lab_id}-{asked['node']}" if asked["node"].isascii() and asked["node"].isalnum() else lab_id
    headers = {"Content-Disposition": f'attachment; filename="{name}.log"'}
    written = _written(client, asked)
    first = next(written)  # what is wrong with the search is told before anything is sent
    lines = stream_with_context(chain((first,), written))
    return Response(lines, mimetype="text/plain; charset=utf-8", headers=headers)


def _asked() -> dict[str, str]:
    return filters(request.args, FILTERS)


def _found(client: LabClient, asked: dict[str, str]) -> dict[str, Any]:
    """Lines newest first, or oldest first while they are followed."""
    followed = request.args.get("order") == "follow"
    before = request.args.get("before", "")
    found = client.logs(
        **asked,
        limit=FOLLOWED if followed else PAGE,
        before=0 if followed else whole(before),
    )
    words = terms(asked["q"])
    return {
        "lines": found.lines if followed else tuple(reversed(found.lines)),
        "older": found.lines[0].seq if found.more and found.lines and not followed else 0,
        "before": before if whole(before) and not followed else "",
        "followed": followed,
        "asked": asked,
        "given": {name: value for name, value in asked.items() if value},
        "is_narrowed": any(value for name, value in asked.items() if name != "node"),
        "mark": lambda text: marked(text, words),
    }


def _written(client: LabClient, asked: dict[str, str]) -> Iterator[str]:
    """The lines of a download, a page after the other from the oldest on."""
    after = 0
    while True:
        # The first event is never a line of a log, so that what follows it is everything.
        found = client.logs(**asked, after=max(after, 1), limit=A_TIME)
        yield "".join(map(_line, found.lines))
        if not found.more or not found.lines:
            return
        after = found.lines[-1].seq


def _line(line: DepartmentLogLine) -> str:
    """One line of the file. A text of several lines stays one, so that nothing can pass for a line of its own."""
    at = line.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    text = " ".join(line.text.splitlines())
    return (
        f"{at} {line.node:<12} {line.level.upper():<7} {text}{f' [{line.association}]' if line.association else ''}\n"
    )
