"""The trainee's desk on any page of a lab: what is pinned, and the notebook as a Markdown file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import Flask, g
from flask_babel import gettext as _

from sandbox.model.desk_view import DeskView, NoteView, PinView
from sandbox.model.view import AttemptView
from web.context import account, console, lab_client

PIN_FIELDS = ("what", "node", "association", "seq", "text")


def register(app: Flask) -> None:
    app.jinja_env.globals.update(desk_of=desk_of, pinned=pinned, pages_of=in_order)


def desk_of(lab_id: str) -> DeskView | None:
    """The desk of this lab's drill, asked for once a request; None where there is no drill."""
    known: dict[str, DeskView | None] = g.setdefault("desks", {})
    if lab_id not in known:
        has_drill = bool(console().labs.attempt(account(), lab_id).scenario)
        known[lab_id] = lab_client(lab_id).desk() if has_drill else None
    return known[lab_id]


def forget(lab_id: str) -> None:
    """Ask for the desk anew: something on it was changed in this request."""
    g.setdefault("desks", {}).pop(lab_id, None)


def pinned(desk: DeskView, pin: Mapping[str, Any]) -> PinView | None:
    """The pin that holds just this, if it is pinned."""
    wanted = _key(pin)
    return next((held for held in desk.pins if _key(held.model_dump()) == wanted), None)


def _key(pin: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(" ".join(str(pin.get(field) or ("0" if field == "seq" else "")).split()) for field in PIN_FIELDS)


def in_order(desk: DeskView) -> list[NoteView | PinView]:
    """Notes and pins as they came."""
    return sorted((*desk.notes, *desk.pins), key=lambda entry: entry.at)


def as_markdown(attempt: AttemptView) -> str:
    """The notebook as a file: the tickets it is about, notes and evidence in order, the diagnoses."""
    return "\n".join(_lines(attempt)).rstrip() + "\n"


def _lines(attempt: AttemptView) -> Iterator[str]:
    yield f"# {attempt.title}"
    yield ""
    for ticket in attempt.tickets:
        told = _("Ticket %(number)s, %(sender)s (%(role)s): %(subject)s", **_words(ticket))
        yield f"- {_time(ticket.at)} {_line(told)}"
    yield ""
    yield f"## {_('Notes and evidence')}"
    yield ""
    for entry in in_order(DeskView(running=False, notes=attempt.notes, pins=attempt.pins)):
        if isinstance(entry, NoteView):
            yield f"### {_time(entry.at)} {_('Note %(number)s', number=entry.number)}"
            yield ""
            yield entry.text
        else:
            yield f"### {_time(entry.at)} {_('Evidence %(number)s', number=entry.number)}"
            yield ""
            yield f"> {_line(entry.text)}"
            yield ""
            source = ", ".join(part for part in (entry.what, entry.node, entry.association) if part)
            yield f"{_('From')}: {source}"
            if entry.points_to:
                yield f"\n{_('Points to')}: {_line(entry.points_to)}"
        yield ""
    if attempt.diagnoses:
        yield f"## {_('Diagnoses')}"
        yield ""
    for said in attempt.diagnoses:
        pins = ", ".join(str(pin) for pin in said.pins)
        yield f"- {_time(said.at)} {said.node}, {said.layer}, {said.fault}. {_line(said.evidence)}".rstrip()
        if pins:
            yield f"  {_('Evidence')}: {pins}"


def _words(ticket: Any) -> dict[str, Any]:
    return {"number": ticket.number, "sender": ticket.sender, "role": ticket.role, "subject": ticket.subject}


def _line(text: str) -> str:
    return " ".join(text.split())


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
