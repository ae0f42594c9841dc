"""What every answer and request of the console must satisfy: headers, content security policy, host names, CSRF.

The policy allows nothing but the console's own files: no inline script or style, no other origin.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import SecurityError

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the CSS kit draws its arrows and ticks from data URLs
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
FILES_S = 3600  # how long a browser may keep the console's own files; their addresses change with their content


def protect(app: Flask, hosts: Collection[str]) -> None:
    """Put the guards on ``app``. CSRF is checked on every POST, also those of htmx. ``hosts`` are the names it answers
    to (empty: any); werkzeug's own list of trusted hosts cannot hold an IPv6 address."""

    @app.before_request
    def _host() -> None:
        if hosts and urlsplit(f"//{request.host}").hostname not in hosts:
            raise SecurityError

    CSRFProtect(app)

    @app.after_request
    def _headers(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if request.endpoint != "static":
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer
