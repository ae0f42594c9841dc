"""The Flask application: who may ask, what web pages may read, and every error as a sentence.

Nothing is answered before the Host header and the token are right. Preflights of the given origins are, since browsers
send them without a token. Answers are not kept by caches, since they hold patients.
"""

from __future__ import annotations

import hmac
import logging
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from sandbox.archive.archive import Archive
from sandbox.dicomweb import frames, queries, rendered, retrieve, storing, wado_uri
from sandbox.dicomweb.options import WebOptions
from sandbox.dicomweb.problems import problem, status_of
from sandbox.dicomweb.service import Service
from sandbox.model.errors import SandboxError

log = logging.getLogger(__name__)

_METHODS = "GET, HEAD, POST, OPTIONS"
_HEADERS = "Accept, Authorization, Content-Type"
_EXPOSED = "Warning, Content-Location"
_PREFLIGHT_S = 600
_TRANSACTIONS = (queries, retrieve, frames, rendered, storing, wado_uri)
_WORDS = {
    404: ("There is no such resource.", "See PS3.18 10 for the paths of DICOMweb."),
    405: ("This resource does not take that method.", "Search and retrieve with GET, store with POST."),
    413: ("The upload is too large.", "Send it in several requests."),
}


def create_app(archive: Archive, options: WebOptions | None = None) -> Flask:
    """DICOMweb over ``archive``, which stays its owner's to close."""
    service = Service(archive, options or WebOptions())
    app = Flask("pacs-sandbox-dicomweb", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = service.options.largest_upload
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    _add_doors(app, service.options)
    _add_error_handlers(app)
    for transaction in _TRANSACTIONS:
        transaction.add_routes(app, service)
    return app


def _add_doors(app: Flask, options: WebOptions) -> None:
    @app.before_request
    def may_ask() -> Response | None:
        name = _name_of(request.host)
        if options.host_names and name not in options.host_names:
            return problem(421, "This request was meant for another host.", "Use the address that was printed.")
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": _METHODS})
        given = request.headers.get("Authorization", "")
        if options.token and not hmac.compare_digest(given.encode(), f"Bearer {options.token}".encode()):
            refused = problem(401, "The token is missing or wrong.", "Send it as Authorization: Bearer …")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        return None

    @app.after_request
    def finish(response: Response) -> Response:
        if response.status_code == 204:
            response.headers.pop("Content-Type", None)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        origin = request.headers.get("Origin", "")
        if options.origins:
            response.headers.add("Vary", "Origin")
        if origin and (origin in options.origins or "*" in options.origins):
            response.headers["Access-Control-Allow-Origin"] = origin if origin in options.origins else "*"
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = _METHODS
                response.headers["Access-Control-Allow-Headers"] = _HEADERS
                response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_S)
        log.info("%s %s %s → %d", request.remote_addr, request.method, quote(request.path), response.status_code)
        return response


def _add_error_handlers(app: Flask) -> None:
    @app.errorhandler(SandboxError)
    def refused(wrong: SandboxError) -> Response:
        return problem(status_of(wrong), wrong.sentence, wrong.mend)

    @app.errorhandler(HTTPException)
    def not_so(wrong: HTTPException) -> Response:
        status = wrong.code or 500
        return problem(status, *_WORDS.get(status, (str(wrong.description), "")))

    @app.errorhandler(Exception)
    def broken(wrong: Exception) -> Response:
        log.exception("%s %s failed", request.method, quote(request.path))
        return problem(500, f"This went wrong inside the archive: {type(wrong).__name__}.", "Look at its log.")


def _name_of(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
