"""Refusals in words (RFC 9457): what is answered when a request cannot be served, and with which status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from flask import Response

from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError

PROBLEM = "application/problem+json"

STATUSES: Mapping[type[SandboxError], int] = {
    BadInputError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    UnavailableError: 503,
}


class HttpError(SandboxError):
    """A refusal whose status says more than its kind of error does."""

    def __init__(self, status: int, sentence: str, mend: str = "") -> None:
        super().__init__(sentence, mend)
        self.status = status


def not_acceptable(offered: str) -> HttpError:
    """406: nothing that the client accepts can be given."""
    return HttpError(406, "This cannot be given as any of the media types that are accepted.", f"Accept {offered}.")


def status_of(wrong: SandboxError) -> int:
    """The HTTP status of an error."""
    if isinstance(wrong, HttpError):
        return wrong.status
    return next((status for kind, status in STATUSES.items() if isinstance(wrong, kind)), 500)


def problem(status: int, sentence: str, mend: str = "") -> Response:
    """An answer that says what was wrong and what to do."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    if mend:
        told["mend"] = mend
    return Response(json.dumps(told), status, mimetype=PROBLEM)
