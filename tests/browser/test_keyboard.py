"""From the home page to a solved drill with keys alone: menus, filters, nodes of the map, dialogs, tabs, the debrief.
Nothing here moves the focus but Tab, the arrows and what the pages do themselves."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.test_access import tab_to
from tests.browser.test_drills import CHECKS_MS

TITLE = "Nothing from Friday afternoon in the reading room"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def test_a_drill_is_solved_from_home_by_keyboard_alone(page: Page, real_console: str) -> None:
    page.goto(real_console)
    tab_to(page, "Catalogue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Catalogue")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.type") != "search":
        page.keyboard.press("Tab")
    page.keyboard.type("friday afternoon")
    expect(page.locator(".drills > li")).to_have_count(1)
    while page.evaluate("document.activeElement.value") != "drill":  # the mode that is advised stands first
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)

    tab_to(page, "Menu")
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Console")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Console")).to_be_hidden()
    assert focused(page) == "Menu"

    tab_to(page, "What exactly do you see?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_role("listitem").filter(has_text="You").first).to_be_visible()
    tab_to(page, "ROUTER ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ROUTER")
    tab_to(page, "Restart")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert focused(page) == "Restart"
    tab_to(page, "Queue")
    page.keyboard.press("Enter")
    expect(page.locator("section.queue.held")).to_be_visible()
    tab_to(page, "Resume")
    page.keyboard.press("Enter")
    expect(page.locator("section.queue.held")).to_have_count(0)

    tab_to(page, "Drill")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    tab_to(page, "Check")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "Diagnosis"
    expect(page.get_by_role("tabpanel", name="Diagnosis")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tabpanel", name="Check")).to_be_visible()
    tab_to(page, "Check my fix")
    page.keyboard.press("Enter")
    expect(page.locator("#check-said")).to_have_text(re.compile(r"\d of \d"))
    expect(page.get_by_role("heading", name="Solved", exact=True)).to_be_visible(timeout=CHECKS_MS)
    tab_to(page, "Open the debrief")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="First, your own account")).to_be_visible()
    tab_to(page, "Skip my account")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How it went")).to_be_visible()
