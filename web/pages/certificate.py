"""The certificate of completion: what was actually done, to print and to keep."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from sandbox.model.errors import BadInputError
from web.certificate_pdf import certificate_pdf, passed, summary
from web.context import account, console
from web.practice.certificate import Certificate, clean_name
from web.practice.certificate import certificate as made_of
from web.practice.screen import certificate_statement

pages = Blueprint("certificate", __name__, url_prefix="/certificate")


@pages.get("/")
def certificate() -> str:
    return render_template(
        "practice/certificate.html",
        made=_made(),
        summary=summary,
        passed=passed,
        statement=certificate_statement(),
    )


@pages.get("/certificate.pdf")
def pdf() -> Response:
    return _download(certificate_pdf(_named()), "application/pdf", "pdf")


@pages.get("/certificate.json")
def contents() -> Response:
    """What the digest is of."""
    return _download(_named().document(), "application/json", "json")


def _made() -> Certificate:
    name = request.args.get("name", "") or (account().name if account().id is not None else "")
    practice = console().practice
    exams = [
        (one.finished, one.score) for one in practice.sittings(account()) if one.finished and one.score is not None
    ]
    return made_of(practice.overview(account()), exams, clean_name(name))


def _named() -> Certificate:
    made = _made()
    if not made.name:
        raise BadInputError(_("The certificate has no name on it."), _("Write your name on its page first."))
    if made.is_empty:
        raise BadInputError(_("There is nothing to certify yet."), _("Solve a drill first."))
    return made


def _download(data: bytes, kind: str, ending: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="pacs-sandbox-certificate.{ending}"'}
    return Response(data, mimetype=kind, headers=headers)
