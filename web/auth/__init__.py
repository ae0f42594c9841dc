"""Who is at the console. On loopback the one person there needs no login; elsewhere nobody passes without one."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from web import accounts
from web.accounts import LOCAL
from web.context import console
from web.forms import own_path
from web.pages.common import onward, wants_part

pages = Blueprint("auth", __name__)
OPEN = frozenset({"auth.login", "auth.enter", "static", "start.health", "language.choose"})


def register(app: Flask) -> None:
    app.register_blueprint(pages)
    app.before_request(_who)


def _who() -> Response | None:
    if not console().options.exposed:
        g.account = LOCAL
        return None
    user_id = session.get("user")
    g.account = accounts.account(console().database, user_id) if isinstance(user_id, int) else None
    if g.account is None and request.endpoint not in OPEN:
        return onward(url_for("auth.login", next=_back()))
    return None


def _back() -> str | None:
    """Where to go on after the login: the page somebody was on, also where only a part of it was asked for."""
    if wants_part():
        return "/" + request.headers.get("HX-Current-URL", "").partition("//")[2].partition("/")[2]
    return request.full_path if request.method == "GET" else None


@pages.get("/login")
def login() -> str | Response:
    if g.account is not None:
        return redirect(url_for("start.start"))
    return render_template("login.html", onward=own_path(request.args.get("next", "")), name="", trouble="")


@pages.post("/login")
def enter() -> Response | tuple[str, int]:
    name = request.form.get("name", "")[:64]
    wanted = own_path(request.form.get("next", ""))
    keys = (f"name:{name.strip().lower()}", f"address:{request.remote_addr}")
    throttle = console().throttle
    wait = throttle.wait(*keys)
    if wait > 0:
        trouble = _("There were too many attempts. Wait %(count)s seconds, then try again.", count=round(wait) + 1)
        return render_template("login.html", onward=wanted, name=name, trouble=trouble), 429
    found = accounts.check_login(console().database, name, request.form.get("password", ""))
    if found is None:
        throttle.failed(*keys)
        trouble = _("This user name and password do not go together.")
        return render_template("login.html", onward=wanted, name=name, trouble=trouble), 401
    throttle.succeeded(*keys)
    session.clear()
    session.permanent = True
    session["user"] = found.id
    return redirect(wanted or url_for("start.start"))


@pages.post("/logout")
def logout() -> Response:
    session.clear()
    flash(_("You are logged out."), "good")
    return redirect(url_for("auth.login"))
