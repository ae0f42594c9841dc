"""The terminal and the tools by keyboard, in a real department; nothing serious for axe-core on their pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import THEMES, watched
from tests.browser.test_access import complaints


@pytest.fixture(scope="module")
def department(browser: Browser, real_console: str) -> str:
    """The address of a department without a drill."""
    page = browser.new_page()
    page.goto(f"{real_console}/")
    token = page.locator("input[name=csrf_token]").first.get_attribute("value")
    answer = page.request.post(
        f"{real_console}/labs",
        form={"csrf_token": str(token), "scenario": "", "site": "riverside", "seed": "5"},
        max_redirects=0,
    )
    page.close()
    where = answer.headers["location"]
    return (where if where.startswith("http") else f"{real_console}{where}").rstrip("/")


def line(page: Page, text: str) -> None:
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#term-input")).not_to_have_attribute("readonly", "", timeout=60_000)


def test_a_terminal_by_keyboard_alone(page: Page, department: str) -> None:
    page.goto(f"{department}/terminal/?node=CT1")
    log = page.get_by_role("log")
    expect(page.locator("#term-input")).to_be_focused()

    line(page, "echoscu -v -aet CT1 -aec ROUTER router 104")
    expect(log).to_contain_text("I: Received Echo Response (Success)")
    expect(log.get_by_role("link", name="See the association")).to_be_visible()
    line(page, "echoscu router 104")
    expect(log).to_contain_text("F: Reason: Called AE Title Not Recognized")
    expect(log).to_contain_text("Exit status 1")

    page.keyboard.type("cat log/no")
    page.keyboard.press("Tab")
    expect(page.locator("#term-input")).to_have_value("cat log/node.log ")
    page.keyboard.press("Control+c")
    expect(page.locator("#term-input")).to_have_value("")

    page.keyboard.press("ArrowUp")
    expect(page.locator("#term-input")).to_have_value("echoscu router 104")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#term-input")).to_have_value("echoscu -v -aet CT1 -aec ROUTER router 104")
    page.keyboard.press("Control+c")

    page.keyboard.type("nc -vz -w 50 router 999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop", exact=True).last).to_be_visible()
    page.keyboard.press("Control+c")
    expect(log).to_contain_text("^C", timeout=60_000)

    line(page, "cd images")
    expect(page.locator("[data-term-prompt]")).to_have_text("CT1:/images")
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("I: Received Echo Response (Success)")
    expect(page.locator("[data-term-prompt]")).to_have_text("CT1:/images")
    page.keyboard.press("Control+l")
    expect(page.get_by_role("log")).to_be_empty()

    page.keyboard.type("ls")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator("#term-input")).not_to_be_focused()


def test_the_key_that_excludes_is_found_by_keyboard(page: Page, department: str) -> None:
    page.goto(f"{department}/nodes/WS1/tools/?tool=find")
    page.get_by_label("Key 1: value").fill("*")
    page.get_by_label("Key 2: value").fill("NOBODY-HAS-THIS")
    page.get_by_role("button", name="Leave out one key at a time").press("Enter")
    results = page.locator("#results")
    expect(results).to_contain_text("0 matches with all keys; without PatientID there are")
    page.get_by_role("button", name="Add a key").press("Enter")
    expect(page.get_by_label("Key 5: keyword")).to_be_focused()
    page.get_by_role("button", name="Remove key 2").press("Enter")
    expect(page.locator("[data-key-row]")).to_have_count(4)
    page.get_by_label("Key 1: value").press("Enter")
    expect(results).to_contain_text("matches.")
    expect(results.locator("details")).to_have_count(2)


@pytest.mark.parametrize("theme", THEMES)
def test_their_pages_are_accessible_and_fit_a_phone(browser: Browser, department: str, theme: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    with watched(context) as page:
        for path in (
            "/terminal/?node=CT1",
            "/nodes/CT1/tools/?tool=store",
            "/nodes/WS1/tools/?tool=find",
            "/tools/?tool=dcmtk",
            "/tools/?tool=back&ae=MYTOOL",
            "/tools/?tool=python",
            "/tools/?tool=wireshark",
        ):
            page.goto(department + path)
            if "terminal" in path:
                line(page, "echoscu -v router 104")
            if "tool=find" in path:
                page.get_by_role("button", name=re.compile("^Query$")).last.click()
                expect(page.locator("#results details").first).to_be_visible()
            wrong: list[Any] = complaints(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wrong or wide > 360:
                found[path] = (wrong, wide)
    context.close()
    assert not found
