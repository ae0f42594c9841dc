"""The console's app factory: options, database, labs and blueprints put together. No page is made here."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask, url_for
from werkzeug.routing import IntegerConverter

from web import auth, desk, errors, i18n, nav, pages, security, words
from web.attempts import Attempts
from web.auth.throttle import Throttle
from web.catalogue import Catalogue
from web.checking import Checking
from web.db.database import Database
from web.lab_client import LabClient
from web.labs import Host, Labs, Running, connect
from web.options import Options
from web.practice import guard
from web.practice.keeper import Practice


class _Number(IntegerConverter):
    """Whole numbers in addresses, no longer than a database can hold: a longer one names nothing and is a 404."""

    regex = r"\d{1,18}"


@dataclass(frozen=True)
class Console:
    """What the views work with; ``web.context.console()`` hands it to them."""

    options: Options
    database: Database
    attempts: Attempts
    catalogue: Catalogue
    labs: Labs
    throttle: Throttle
    checking: Checking
    practice: Practice
    streams: threading.BoundedSemaphore


def create_app(
    options: Options,
    host: Host,
    catalogue: Catalogue,
    *,
    connect: Callable[[Running], LabClient] = connect,
) -> Flask:
    """The console as a WSGI application. ``connect`` makes the client for a lab (tests answer without sockets)."""
    options.directory.mkdir(parents=True, exist_ok=True)
    database = Database(options.database_url)
    attempts = Attempts(database)
    labs = Labs(host, attempts, catalogue, connect)
    practice = Practice(database, attempts, catalogue)
    app = Flask(__name__)
    app.url_map.converters["int"] = _Number
    app.config.update(
        SECRET_KEY=_secret_key(options.directory / "console.key"),
        SESSION_COOKIE_NAME="pacs_sandbox",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=options.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        SEND_FILE_MAX_AGE_DEFAULT=security.FILES_S,
        MAX_CONTENT_LENGTH=1_000_000,
        WTF_CSRF_TIME_LIMIT=None,
    )
    streams = threading.BoundedSemaphore(options.streams)
    app.extensions["console"] = Console(
        options, database, attempts, catalogue, labs, Throttle(), Checking(), practice, streams
    )
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals.update(words.TABLES, look=words.look, asset=_assets(Path(app.static_folder or "static")))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    i18n.register(app)
    nav.register(app)
    desk.register(app)
    security.protect(app, options.hosts)
    errors.register(app)
    auth.register(app)
    guard.register(app)
    pages.register(app)
    return app


def _assets(folder: Path) -> Callable[[str], str]:
    """Addresses of static files that change with their content, so that browsers may keep them."""
    known: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in known:
            known[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:10]
        return url_for("static", filename=name, v=known[name])

    return asset


def _secret_key(path: Path) -> bytes:
    """The key that signs session cookies, made once per console and readable by its owner alone."""
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return path.read_bytes()
