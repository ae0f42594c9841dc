"""A Chromium, a console on a real port, and a page that fails the test when the browser complains about anything.

Three consoles: one over real labs (sandbox.host.LocalHost), one over the stand-ins of tests/web for states that a real
department takes long to reach, and one in which every page has something to show (site.py).
Without Chromium these tests are skipped, but not where CI is set.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from waitress.server import create_server

from tests.browser.site import Site, begin_exam, prepare
from tests.lab.support import home_in
from tests.web.conftest import SCENARIO
from tests.web.stand_in import StandInHost
from web.app import create_app
from web.catalogue import Catalogue, read_scenarios
from web.options import Options

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The same engine; the first comes without windows and menus and draws with less work."""
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
THOROUGH = os.environ.get("PACS_SANDBOX_THOROUGH") == "1"
"""Every page in every look, and the tour on a phone too: some minutes more, before a release."""
THEMES = ("light", "dark") if THOROUGH else ("dark",)
"""In which what is no page of its own is looked at; test_access.py looks at every page in light and another look."""
PATIENCE_MS = 60_000  # a department that is slow on a busy machine is not a failure of the console


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed: apt-get install chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Chromium is not installed: apt-get install chromium"
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """``app`` on a free loopback port; its address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=32)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        app.extensions["console"].labs.close()  # ends the streams, which would outlive the server
        server.task_dispatcher.shutdown(timeout=5)
        server.close()
        app.extensions["console"].database.close()


@pytest.fixture(scope="session")
def real_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console whose labs are real."""
    from sandbox.host.local import LocalHost

    home = home_in(tmp_path_factory.mktemp("console"), tmp_path_factory)
    host = LocalHost(home, warm=False)
    app = create_app(Options(directory=home), host, Catalogue(read_scenarios))
    try:
        with served(app) as address:
            yield address
    finally:
        host.close()


@pytest.fixture(scope="session")
def stand_in_host() -> StandInHost:
    return StandInHost()


@pytest.fixture(scope="session")
def stand_in_console(tmp_path_factory: pytest.TempPathFactory, stand_in_host: StandInHost) -> Iterator[str]:
    """The address of a console whose labs are stand-ins."""
    options = Options(directory=tmp_path_factory.mktemp("stand-in"))
    app = create_app(options, stand_in_host, Catalogue(lambda: (SCENARIO,)), connect=stand_in_host.connect)
    with served(app) as address:
        yield address


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    host, catalogue = StandInHost(), Catalogue(lambda: (SCENARIO, *read_scenarios()))

    def console(name: str) -> Flask:
        return create_app(Options(directory=tmp_path_factory.mktemp(name)), host, catalogue, connect=host.connect)

    app, examining = console("site"), console("examining")
    with served(app) as address, served(examining) as in_exam:
        yield Site(address, in_exam, app, host, prepare(app, host) | begin_exam(examining))


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """A page; afterwards nothing may have been refused by the policy, thrown, or asked of another host."""
    complaints: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: complaints.append(f"thrown: {error}"))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    page.on(
        "request",
        lambda asked: (
            complaints.append(f"asked elsewhere: {asked.url}")
            if not asked.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
            else None
        ),
    )
    yield page
    assert not complaints


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    with watched(context) as page:
        yield page
    context.close()
