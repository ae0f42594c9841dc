"""The API as a Flask application: who may ask, what is asked, and the answer as JSON, image, capture or stream.

Every request needs the lab's token, but for /health; the Host header must be the lab's own address, so that no web page
can reach a lab through a name of its own (DNS rebinding). Bad input is answered with a sentence and a mend.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from flask import Flask, Response, jsonify, request
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import HTTPException

from sandbox.lab.api.evidence import EvidenceNotes
from sandbox.lab.api.openapi import REFUSALS, openapi_document
from sandbox.lab.api.reads import LONGEST_ACTOR
from sandbox.lab.api.routes import ROUTES, Media, Route
from sandbox.lab.api.stream import Streams, follow
from sandbox.lab.lab import Lab
from sandbox.model.base import explain_validation
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError

log = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
"""Bytes of the largest request body."""

DEEPEST = 40
"""How deep the JSON of a request may be nested."""

MOST_STREAMS = 16
ACTOR_HEADER = "X-Actor"
"""Names who reads, for the debrief, with percent signs for what is not ASCII. Commands name their actor themselves."""

STATUSES: Mapping[type[SandboxError], int] = {
    BadInputError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    UnavailableError: 503,
}

NAMES = ("127.0.0.1", "localhost", "[::1]")


def create_app(lab: Lab, token: str, port: Callable[[], int]) -> Flask:
    """The API of ``lab``. ``port`` tells the port it is served on, once it is known."""
    app = Flask("pacs-sandbox-lab", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.strict_slashes = True
    streams, notes = Streams(MOST_STREAMS), EvidenceNotes(lab)

    @app.before_request
    def may_ask() -> Response | None:
        name, _, asked_port = request.host.rpartition(":")
        if name not in NAMES or asked_port != str(port()):
            return _refuse(421, "This request was meant for another host.", "Use the address that the lab has printed.")
        given = request.headers.get("Authorization", "")
        if request.path != "/health" and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return _refuse(401, "The token is missing or wrong.", "Send the lab's token: Authorization: Bearer …")
        return None

    @app.after_request
    def never_keep(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @app.errorhandler(SandboxError)
    def refused(wrong: SandboxError) -> Response:
        return _refuse(STATUSES.get(type(wrong), 400), wrong.sentence, wrong.mend)

    @app.errorhandler(HTTPException)
    def not_so(wrong: HTTPException) -> Response:
        status = wrong.code or 500
        return _refuse(status, REFUSALS.get(status, str(wrong.description)), "See /openapi.json for what there is.")

    @app.errorhandler(Exception)
    def broken(wrong: Exception) -> Response:
        if lab.is_between:
            return _refuse(409, "The lab is being reset.", "Try again in a second.")
        log.exception("%s %s failed", request.method, request.path)
        return _refuse(500, f"This went wrong inside the sandbox: {wrong}.", "Please report it with the lab's log.")

    for route in ROUTES:
        app.add_url_rule(
            route.path, f"{route.method} {route.path}", _view(lab, route, streams, notes), methods=[route.method]
        )
    return app


def _view(lab: Lab, route: Route, streams: Streams, notes: EvidenceNotes) -> Callable[..., Response]:
    handler = route.handler
    if handler is None:
        return _stream(lab, route, streams) if route.media is Media.EVENTS else lambda: jsonify(_document())
    adapter = TypeAdapter(route.answer) if route.media is Media.JSON else None

    def view(**path: Any) -> Response:
        asked = _body(route) if route.method == "POST" else _query(route)
        answer = handler(lab, asked, **path)
        if route.evidence:
            for node in (path.get("name", ""),) if route.nodes is None else route.nodes(asked, answer):
                notes.note(
                    route.evidence,
                    node=str(node),
                    association=str(path.get("association_id", "")),
                    actor=unquote(request.headers.get(ACTOR_HEADER, "person"))[:LONGEST_ACTOR],
                )
        content = answer if adapter is None else adapter.dump_json(answer, by_alias=True)
        return Response(content, mimetype=route.media.value)

    return view


def _stream(lab: Lab, route: Route, streams: Streams) -> Callable[[], Response]:
    def view() -> Response:
        asked: Any = _query(route)
        after = asked.after if asked.after is not None else request.headers.get("Last-Event-ID", type=int)
        start = len(lab.events) if after is None else max(0, after)
        is_gone = request.environ.get("waitress.client_disconnected", lambda: False)
        streams.take()
        response = Response(follow(lab, start, is_gone), mimetype=Media.EVENTS.value)
        response.call_on_close(streams.give_back)
        response.headers["X-Accel-Buffering"] = "no"
        return response

    return view


def _document() -> dict[str, Any]:
    return openapi_document(request.host_url.rstrip("/"))


def _query(route: Route) -> Any:
    return _validated(route, {key: value for key, value in request.args.items() if value != ""})


def _body(route: Route) -> Any:
    if not request.is_json:
        raise BadInputError("The body must be JSON.", "Send Content-Type: application/json.")
    try:
        document = request.get_json()
    except RecursionError:
        raise BadInputError("The JSON is nested too deeply.", f"At most {DEEPEST} levels are taken.") from None
    if not isinstance(document, dict):
        raise BadInputError("The body must be a JSON object.", 'Send {"command": …, "params": {…}}.')
    if _is_deeper_than(document, DEEPEST):
        raise BadInputError("The JSON is nested too deeply.", f"At most {DEEPEST} levels are taken.")
    return _validated(route, document)


def _validated(route: Route, raw: dict[str, Any]) -> Any:
    try:
        return route.takes.model_validate(raw)
    except ValidationError as wrong:
        raise explain_validation(wrong, route.path) from wrong


def _is_deeper_than(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper_than(each, levels - 1) for each in inner if isinstance(each, dict | list))


def _refuse(status: int, sentence: str, mend: str = "") -> Response:
    response = jsonify(sentence=sentence, mend=mend)
    response.status_code = status
    return response
