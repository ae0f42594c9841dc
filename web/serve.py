"""Serving the console: the lab host of this machine, the app on waitress, an announced address, and a clean end."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from flask_babel import gettext as _
from waitress.server import create_server

from sandbox.host.local import LocalHost
from sandbox.model.errors import ConflictError, UnavailableError
from web import accounts
from web.app import Console, create_app
from web.catalogue import Catalogue, read_scenarios
from web.db.database import Database
from web.options import Options, from_environment

NO_ACCOUNT = (
    "Others could reach this console, and nobody has an account on it.",
    "Make one first: pacs-sandbox user add NAME. Or leave out --host: on this machine alone no login is needed.",
)


def _say(text: str) -> None:
    """To standard output, at once: whoever started the console may read it through a pipe."""
    print(text, flush=True)


def serve(options: Options, announce: Callable[[str], None] = _say) -> None:
    """Run the console until SIGTERM or SIGINT, then end every lab. ``announce`` is told the address once it answers.

    Refuses to be reachable from elsewhere while there is no account (ConflictError), and says which port is taken.
    """
    options = from_environment(options)
    if options.exposed:
        _somebody_has_an_account(options)
    listener = _listen(options)
    # Waitress warns whenever a request waits for a thread; streams make that ordinary.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    host = LocalHost(options.directory)
    try:
        app = create_app(options, host, Catalogue(read_scenarios))
        console: Console = app.extensions["console"]
        server = create_server(
            app, sockets=[listener], threads=options.threads, ident=None, clear_untrusted_proxy_headers=True
        )
        with _signals():
            announce(f"PACS Sandbox is at {address(options, listener)}")
            with contextlib.suppress(_Ended, KeyboardInterrupt):
                server.run()
        console.labs.close()  # ends the streams too, for which the server's threads wait
        server.task_dispatcher.shutdown(timeout=2)
        console.database.close()
    finally:
        listener.close()
        host.close()


def _somebody_has_an_account(options: Options) -> None:
    database = Database(options.database_url)
    try:
        if not accounts.count_users(database):
            raise ConflictError(*NO_ACCOUNT)
    finally:
        database.close()


def address(options: Options, listener: socket.socket) -> str:
    """The address to open in a browser."""
    port = listener.getsockname()[1]
    if options.published_on_loopback:
        return f"http://127.0.0.1:{port}/"
    name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(options.host, options.host)  # noqa: S104
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


class _Ended(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Ends the server's loop."""


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """While inside, SIGTERM and SIGINT end the server (only the main thread may take signals)."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _Ended

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host.strip("[]"), options.port))
    except OSError as taken:
        listener.close()
        raise UnavailableError(
            _(
                "The console cannot listen on %(host)s, port %(port)s: %(reason)s.",
                host=options.host,
                port=options.port,
                reason=taken.strerror,
            ),
            _("Another console may be running there. Choose another port with --port."),
        ) from taken
    return listener
