"""The live stream of a lab's page: new lines of the feed as HTML, and a word when a part should be drawn again.

The stream comes from the lab through the console, so that the lab's token stays here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context

from sandbox.model.errors import SandboxError
from sandbox.model.view import EventView
from web import feed
from web.context import account, console
from web.forms import whole
from web.live import Batch

STAYED_S, TURNED_AWAY_S = 2, 5
"""After how long a browser comes back whose stream broke off, and one for which there was no room to stay."""

pages = Blueprint("live", __name__, url_prefix="/labs/<lab_id>")


@pages.get("/events")
def events(lab_id: str) -> Response:
    """Server-sent events from the one after ``after`` (or after the Last-Event-ID of a browser that comes back).

    A stream holds a thread of the server for as long as somebody looks. When so many do that pages would have to wait
    for one, this answers with what is new and ends, and the browser asks again a few seconds later.
    """
    console().labs.attempt(account(), lab_id)
    after = whole(request.headers.get("Last-Event-ID", "")) or whole(request.args.get("after", ""))
    shown = request.args.get("feed", "none")
    lab, streams = console().labs.feed(lab_id), console().streams
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = Response(mimetype="text/event-stream", headers=headers)
    stays = streams.acquire(blocking=False)
    if stays:
        response.call_on_close(streams.release)
    batches, retry_s = (lab.watch(after), STAYED_S) if stays else (lab.missed(after), TURNED_AWAY_S)
    response.response = stream_with_context(_messages(batches, lab_id, shown, retry_s))
    return response


@pages.get("/ended")
def ended(lab_id: str) -> str:
    """What a page says whose lab has ended meanwhile, with the way on."""
    record = console().labs.attempt(account(), lab_id)
    kept = console().attempts.debrief(record.id) is not None
    return render_template("parts/ended.html", record=record, kept=kept)


def _messages(batches: Iterable[Batch], lab_id: str, shown: str, retry_s: int) -> Iterator[str]:
    # hx-sse reads the time to wait only from a message that has a name or data.
    yield f"retry: {retry_s * 1000}\n" + message("", event="stream-opened")
    try:
        yield from _told(batches, lab_id, shown)
    except SandboxError:
        return  # the lab starts again or has ended: the browser comes back and is answered accordingly


def _told(batches: Iterable[Batch], lab_id: str, shown: str) -> Iterator[str]:
    for batch in batches:
        if not batch:
            yield ": still here\n\n"
            continue
        if any(feed.changes_department(event) for event in batch):
            yield message("", event="department-changed")
        if any(event.kind == "node.logged" for event in batch):
            yield message("", event="log-changed")
        if any(event.kind.startswith(("association.", "dimse.")) for event in batch):
            yield message("", event="associations-changed")
        if any(event.kind.startswith(("attempt.", "ticket.")) for event in batch):
            yield message("", event="attempt-changed")
        yield message(_rows(batch, lab_id, shown), number=batch[-1].seq)


def message(data: str, *, event: str = "", number: int = 0) -> str:
    """One message (WHATWG HTML, 9.2.6). Without an event's name htmx puts its data into the feed."""
    lines = [f"event: {event}"] if event else []
    lines += [f"id: {number}"] if number else []
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    return "\n".join(lines) + "\n\n"


def _rows(batch: Iterable[EventView], lab_id: str, shown: str) -> str:
    if shown == "none":
        return ""
    found = feed.rows(batch, shown == "all")
    return render_template("parts/feed_rows.html", rows=found, lab_id=lab_id, fresh=True) if found else ""
