"""Errors as pages in words: what was wrong, what to do, a way on. A fragment asked for by htmx gets a fragment."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask, render_template, request
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError

log = logging.getLogger(__name__)

STATUSES: Mapping[type[SandboxError], int] = {
    BadInputError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    UnavailableError: 503,
}
WORDS: Mapping[int, tuple[str, str]] = {
    400: (_("The console could not understand this request."), _("Go back and try again.")),
    403: (_("This is not for your account."), _("Log in with another account.")),
    404: (_("There is no such page."), _("The address may be mistyped, or the lab it belonged to has ended.")),
    405: (_("This address takes another kind of request."), _("Go to the start page.")),
    413: (_("That is more than the console takes at once."), _("Send less.")),
    500: (
        _("Something in the console went wrong."),
        _("It was written to the console's log. Go back and try again; your labs are not touched."),
    ),
}


class HeldError(ConflictError):
    """Something else is to be ended first: ``address`` leads back to it, and ``way`` is what the link says."""

    def __init__(self, sentence: str, mend: str, *, way: str, address: str) -> None:
        super().__init__(sentence, mend)
        self.way = way
        self.address = address


def register(app: Flask) -> None:
    app.register_error_handler(SandboxError, _sandbox)
    app.register_error_handler(HeldError, _held)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(SecurityError, _host)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def page(status: int, sentence: str, mend: str, *, way: str = "", address: str = "") -> tuple[str, int]:
    template = "parts/error.html" if request.headers.get("HX-Request-Type") == "partial" else "error.html"
    return render_template(template, status=status, sentence=sentence, mend=mend, way=way, address=address), status


def _sandbox(wrong: SandboxError) -> tuple[str, int]:
    return page(STATUSES.get(type(wrong), 500), wrong.sentence, wrong.mend)


def _held(wrong: HeldError) -> tuple[str, int]:
    return page(STATUSES[ConflictError], wrong.sentence, wrong.mend, way=wrong.way, address=wrong.address)


def _csrf(_wrong: CSRFError) -> tuple[str, int]:
    return page(
        400, _("This form is from an earlier visit, so nothing was done."), _("Reload the page and send it again.")
    )


def _host(_wrong: SecurityError) -> tuple[str, int]:
    # Nothing of the page's frame: its links would need the very host name that is not trusted.
    return _(
        "This console does not answer under that name. Use the address that it printed when it started."
    ) + "\n", 400


def _http(wrong: HTTPException) -> tuple[str, int]:
    status = wrong.code or 500
    sentence, mend = WORDS.get(status, (wrong.name + ".", _("Go to the start page.")))
    return page(status, sentence, mend)


def _unforeseen(wrong: Exception) -> tuple[str, int]:
    log.error("%s %s", request.method, request.path, exc_info=wrong)
    return page(500, *WORDS[500])
