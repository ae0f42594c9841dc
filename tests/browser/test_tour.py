"""The guided tour by clicking: from the start page to the solved ticket in a real department. At each step what it
speaks of is framed and in sight, and the panel lies beside it and not upon it, on a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import THOROUGH, served, watched
from tests.browser.test_access import complaints
from tests.browser.test_drills import CHECKS_MS
from web.app import create_app
from web.catalogue import Catalogue, read_scenarios
from web.options import Options
from web.tour.steps import NODE, PEER, STEPS

SHOTS = os.environ.get("TOUR_SHOTS")
"""A folder for a picture of each step, for whoever wants to look at them."""

IN_SIGHT = """() => {
  const target = document.querySelector(".tour-target"), panel = document.querySelector(".tour");
  if (!target) return "nothing is framed";
  const box = target.getBoundingClientRect(), over = panel.getBoundingClientRect();
  if (!box.width || !box.height) return "what is framed is not shown";
  const right = Math.min(box.right, innerWidth), bottom = Math.min(box.bottom, innerHeight), top = Math.max(box.top, 0);
  const need = Math.min(box.height, 120);
  const beside = Math.min(right, over.left) - Math.max(box.left, 0) >= Math.min(box.width, 240);
  const free = beside ? bottom - top : Math.min(bottom, over.top) - top;
  return free >= need - 1 ? "" : `only ${Math.round(free)} of ${Math.round(need)} px are free of the panel`;
}"""


@pytest.fixture
def new_console(tmp_path: Path) -> Iterator[str]:
    """A console that nobody has used."""
    from sandbox.host.local import LocalHost

    host = LocalHost(tmp_path)
    app = create_app(Options(directory=tmp_path), host, Catalogue(read_scenarios))
    try:
        with served(app) as address:
            yield address
    finally:
        host.close()


@pytest.fixture(params=["desk", "phone"] if THOROUGH else ["desk"])
def toured(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = (1280, 800) if request.param == "desk" else (360, 740)
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    with watched(context) as page:
        yield page
    context.close()


def at_step(page: Page, number: int) -> None:
    """The panel shows the step, and what the step speaks of can be seen beside it."""
    panel = page.get_by_role("complementary", name=str(STEPS[number - 1].title))
    expect(panel).to_contain_text(f"step {number} of {len(STEPS)}", timeout=CHECKS_MS)
    expect(panel.get_by_role("link", name="Take me there")).to_have_count(0)
    page.wait_for_function(f"() => ({IN_SIGHT})() === ''")
    if SHOTS:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(SHOTS) / f"tour-{width}-{number}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def on(page: Page) -> None:
    page.get_by_role("complementary").get_by_role("button", name="Next").click()


def test_the_tour_ends_with_a_solved_ticket(toured: Page, new_console: str) -> None:
    page = toured
    page.goto(new_console)
    page.get_by_role("button", name="Take the five-minute tour").click()

    at_step(page, 1)
    assert not complaints(page)
    on(page)
    at_step(page, 2)
    on(page)
    at_step(page, 3)
    on(page)
    at_step(page, 4)
    page.get_by_label("Port", exact=True).fill("104")
    page.get_by_role("button", name="Test the port").click()
    expect(page.locator("#results .tone-good").first).to_be_visible()
    on(page)
    at_step(page, 5)
    page.get_by_label("Where is the cause?").select_option(NODE)
    page.get_by_label("In which layer?").select_option("network")
    page.get_by_label("What is wrong?").select_option("wrong-port")
    page.get_by_role("button", name="Commit my diagnosis").click()
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text(str(STEPS[5].title))
    panel.get_by_role("link", name="Take me there").click()
    at_step(page, 6)
    line = page.locator("tr", has=page.locator(f'input[value="{PEER}"]')).first
    line.get_by_label("Port").fill("104")
    page.get_by_role("button", name="Save", exact=True).click()
    at_step(page, 7)
    page.get_by_role("button", name=f"Restart {NODE} now").click()
    expect(panel).to_contain_text(str(STEPS[7].title))
    panel.get_by_role("link", name="Take me there").click()
    at_step(page, 8)
    page.get_by_role("button", name="Check my fix").click()
    at_step(page, 9)
    expect(page.get_by_role("heading", name="Solved", exact=True)).to_be_visible()
    assert not complaints(page)
    panel.get_by_role("button", name="Finish the tour").click()
    expect(page.get_by_role("complementary", name=str(STEPS[8].title))).to_have_count(0)
