"""The console's languages: which there are, which one a person reads, and how strings are marked.

Templates write ``{{ _("…") }}`` with named values, ``{{ _("%(count)s images", count=n) }}``; Python writes
``gettext`` in a request and ``lazy_gettext`` in tables. What is not in a catalogue is shown in English.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Flask, redirect, request, session, url_for
from flask_babel import Babel, get_locale
from werkzeug.wrappers import Response

from web.forms import own_path

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""By their codes, each under its own name. English is what the strings are written in."""

pages = Blueprint("language", __name__)


def register(app: Flask) -> None:
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    Babel(app, locale_selector=_chosen)
    app.jinja_env.globals.update(languages=LANGUAGES, language=language)
    app.register_blueprint(pages)


def language() -> str:
    """The code of the language that this request is answered in."""
    locale = get_locale()
    return str(locale.language) if locale is not None else "en"


@pages.post("/language")
def choose() -> Response:
    """Remember a language for this browser, and go back to where somebody was."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session["language"] = wanted
    return redirect(own_path(request.form.get("next", "")) or url_for("start.start"))


def _chosen() -> str:
    """What somebody chose here, else what their browser asks for."""
    kept = session.get("language")
    if isinstance(kept, str) and kept in LANGUAGES:
        return kept
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"
