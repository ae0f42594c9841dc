"""Practising alone by keyboard: a drill is found by its filters, begun with the coach and taken step by step; progress
is carried away and brought back; every page of it is accessible and no wider than a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.learning.topics import TOPICS
from tests.browser.conftest import THEMES, served, watched
from tests.browser.test_access import complaints, tab_to
from tests.web.stand_in import StandInHost
from web.app import create_app
from web.catalogue import Catalogue, read_scenarios
from web.db.tables import Attempt
from web.options import Options

PAGES = (
    "/",
    "/catalogue/",
    "/catalogue/?state=due",
    "/path/",
    "/path/objects",
    "/progress/",
    "/certificate/?name=Anna",
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console with every drill, stand-in labs, and somebody who has practised some."""
    host, catalogue = StandInHost(), Catalogue(read_scenarios)
    app = create_app(Options(directory=tmp_path_factory.mktemp("practice")), host, catalogue, connect=host.connect)
    with app.extensions["console"].database.unit() as session:
        for number, drill in enumerate(catalogue.drills()[1:12]):
            for again in range(1 + number % 3):
                started = datetime.now(UTC) - timedelta(days=30 - number - again)
                session.add(
                    Attempt(
                        lab=f"lab-{number}-{again}", user_id=None, site=drill.site, scenario=drill.slug,
                        title=drill.title, seed=again, started=started, state="solved" if number % 4 else "given-up",
                        findings={}, mode=("guided", "drill", "exam")[again], score=60 + 3 * number,
                        finished=started + timedelta(minutes=10), closed=started + timedelta(minutes=20),
                    )
                )  # fmt: skip
    with served(app) as address:
        yield address


def test_a_drill_is_found_and_begun_with_the_coach_by_keyboard(page: Page, console: str) -> None:
    page.goto(console + "/catalogue/")
    total = page.locator(".drills > li").count()
    page.get_by_label("Search").focus()
    page.keyboard.type("ultrasound")
    expect(page.get_by_role("status")).to_contain_text(f"of {total} drills")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "f-family"
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("q=ultrasound&family=it-will-not-send"))
    expect(page.get_by_label("Complaint")).to_have_value("it-will-not-send")
    expect(page.locator(".drills > li")).to_have_count(1)
    expect(page.get_by_label("Complaint")).to_be_focused()
    tab_to(page, "Start guided")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your coach")).to_be_visible()
    tab_to(page, "Next step")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#hints$"))


def test_filters_work_without_scripts_and_their_address_is_shared(browser: Browser, console: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(console + "/catalogue/")
    page.get_by_label("Difficulty").select_option("4")
    page.get_by_label("Search").fill("lakeside")
    page.get_by_role("button", name="Show", exact=True).click()
    found = page.locator(".drills > li").count()
    assert 0 < found < 10
    address = page.url
    page.goto(console)
    page.goto(address)
    assert page.locator(".drills > li").count() == found
    expect(page.get_by_label("Difficulty")).to_have_value("4")
    context.close()


def test_progress_is_told_by_a_picture_and_by_its_list(page: Page, console: str) -> None:
    page.goto(console + "/progress/")
    for topic in TOPICS:
        expect(page.locator(".topic-picture .topic-name", has_text=topic.title).first).to_be_visible()
    page.get_by_role("button", name="List").first.click()
    expect(page.locator(".topic-picture").first).to_be_hidden()
    rows = page.locator(".topic-map tbody tr")
    expect(rows).to_have_count(len(TOPICS))


def test_progress_is_carried_away_deleted_and_brought_back(page: Page, console: str, tmp_path: Path) -> None:
    page.goto(console + "/progress/")
    before = page.locator(".progress-facts").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export my progress").click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    page.get_by_label("I want everything deleted").check()
    page.get_by_role("button", name="Delete my progress").click()
    expect(page.get_by_text("You begin anew")).to_be_visible()
    page.goto(console + "/progress/")
    page.get_by_label("A progress file").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("were brought in")).to_be_visible()
    assert page.locator(".progress-facts").inner_text() == before


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious(browser: Browser, console: str, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    found = {}
    with watched(context) as page:
        for path in PAGES:
            page.goto(console + path)
            if wrong := complaints(page):
                found[path] = wrong
    context.close()
    assert not found


def test_no_page_is_wider_than_a_phone(browser: Browser, console: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 800})
    page = context.new_page()
    wide = {}
    for path in PAGES:
        page.goto(console + path)
        actual = page.evaluate("document.documentElement.scrollWidth")
        if actual > 320:
            wide[path] = actual
    context.close()
    assert not wide
