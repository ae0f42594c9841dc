"""Nothing serious for axe-core on any page, light and dark; nothing wider than a phone; the keyboard is enough."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.model.debrief_view import AccountView
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState, CommandResult
from tests.browser.conftest import watched
from tests.web.stand_in import HOSTILE, StandInHost

AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = (
    "{console}/",
    "{console}/catalogue/",
    "{console}/catalogue/?q=nobody",
    "{console}/path/",
    "{console}/progress/",
    "{console}/nowhere",
    "{lab}/",
    "{lab}/?feed=all",
    "{lab}/notebook/",
    "{lab}/associations/",
    "{lab}/associations/a-1",
    "{lab}/associations/a-1/messages",
    "{lab}/associations/a-1/messages/2",
    "{lab}/associations/a-1/pdus",
    "{lab}/associations/a-1/pdus/1?piece=9",
    "{lab}/logs",
    "{lab}/history/",
    "{lab}/tools",
    "{lab}/nodes/ROUTER/",
    "{lab}/nodes/ROUTER/configuration/",
    "{lab}/nodes/CT1/log",
    "{lab}/nodes/CT1/queue/?destination=ROUTER",
    "{lab}/nodes/ARCHIVE/studies/",
    "{lab}/nodes/ARCHIVE/studies/?q=nobody",
    "{lab}/nodes/ARCHIVE/studies/1.2.3",
    "{lab}/nodes/ARCHIVE/studies/1.2.3/view",
    "{lab}/nodes/ARCHIVE/instances/1.2.3.4/header",
    "{lab}/nodes/ARCHIVE/instances/1.2.3.4/compare?with_node=CT1",
    "{lab}/follow/",
    "{lab}/follow/?q=nobody",
    "{lab}/follow/1.2.3",
    "{lab}/nodes/CT1/tools/",
    "{solved}/",
    "{solved}/debrief",
    "{told}/debrief",
    "{explored}/",
)


@pytest.fixture(scope="module")
def places(browser: Browser, stand_in_console: str, stand_in_host: StandInHost) -> dict[str, str]:
    """A running drill with changes saved, a solved one, and a department without a drill."""
    found = {"console": stand_in_console}
    page = browser.new_page()
    for name, scenario in (("lab", "drill"), ("solved", "drill"), ("told", "drill"), ("explored", "")):
        page.goto(stand_in_console + "/catalogue/")
        form = page.locator("form[action='/labs']", has=page.locator(f"input[name=scenario][value='{scenario}']"))
        start = form.locator("button[value=drill]") if scenario else page.locator(".explore form button").first
        start.click()
        expect(page.get_by_role("heading", name="The department", exact=True)).to_be_visible()
        found[name] = page.url.rstrip("/")
    page.close()
    findings = tuple(
        Finding(id=verdict.value, check="x", verdict=verdict, sentence=HOSTILE, invariant=True, facts=("a", "b"))
        for verdict in Verdict
    )
    running, solved = (stand_in_host.labs[found[name].rpartition("/")[2]] for name in ("lab", "solved"))
    running.findings = findings
    running.execute("node.config.save", {"set": {"remotes.WS2.port": 105}})
    solved.state = AttemptState.SOLVED
    told = stand_in_host.labs[found["told"].rpartition("/")[2]]
    told.state, told.account = AttemptState.SOLVED, AccountView(wrong=HOSTILE)
    return found


def complaints(page: Page) -> list[dict[str, Any]]:
    page.evaluate(AXE)  # not as a script element, which the policy would rightly refuse
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        {"rule": one["id"], "impact": one["impact"], "where": [node["html"][:160] for node in one["nodes"][:4]]}
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, places: dict[str, str], theme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    with watched(context) as page:
        for path in PAGES:
            page.goto(path.format(**places))
            assert page.locator("html").get_attribute("data-bs-theme") == theme
            for details in page.locator("details:not([open]) > summary").all():
                if details.is_visible():
                    details.click()
            wrong = complaints(page)
            if wrong:
                found[path] = wrong
    context.close()
    assert not found


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_its_window(browser: Browser, places: dict[str, str], width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    wide = {}
    for path in PAGES:
        page.goto(path.format(**places))
        actual = page.evaluate("document.documentElement.scrollWidth")
        if actual > width:
            wide[path] = actual
    context.close()
    assert not wide


def test_results_and_the_dialog_are_accessible_too(
    page: Page, places: dict[str, str], stand_in_host: StandInHost
) -> None:
    lab = stand_in_host.labs[places["lab"].rpartition("/")[2]]
    lab.result = CommandResult(
        ok=False, sentence="Rejected.", facts=("1/1/7",), columns=("A",), rows=(("b",),), association="a-1"
    )
    page.goto(places["lab"] + "/nodes/CT1/tools/")
    page.get_by_role("button", name="Send C-ECHO").click()
    expect(page.get_by_text("It did not work")).to_be_attached()
    assert not complaints(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not complaints(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [one["command"] for one in lab.commands] == ["tool.echo"]


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until what is focused has ``name``, as somebody without a mouse does."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement;"
            " return (e.getAttribute('aria-label') || e.innerText || e.textContent || '').trim(); }"
        )
        if focused.startswith(name):
            outline = page.evaluate(
                "() => { const e = document.activeElement; const s = getComputedStyle(e);"
                " return s.outlineStyle !== 'none' || s.boxShadow !== 'none' || !!e.closest('svg'); }"
            )
            assert outline, f"{name} shows no focus"
            return
    raise AssertionError(f"{name!r} was not reached by Tab")


def test_a_drill_is_started_and_walked_by_keyboard_alone(page: Page, stand_in_console: str) -> None:
    page.goto(stand_in_console + "/catalogue/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The department", exact=True)).to_be_visible()
    tab_to(page, "List")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="What is configured to flow")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, "CT1 CT1:104")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("CT1")
    tab_to(page, "Restart")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent.trim()") == "Restart"


def test_theme_and_contrast_are_chosen_and_kept(page: Page, stand_in_console: str) -> None:
    page.goto(stand_in_console)
    page.locator("summary", has_text="Appearance and language").click()
    page.get_by_role("button", name="Dark").click()
    page.get_by_role("button", name="High contrast").click()
    page.reload()
    root = page.locator("html")
    assert (root.get_attribute("data-bs-theme"), root.get_attribute("data-contrast")) == ("dark", "more")
    assert not complaints(page)
    page.locator("summary", has_text="Appearance and language").click()
    for name in ("Dark", "High contrast"):
        assert page.get_by_role("button", name=name).get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark")).to_be_hidden()


def test_a_console_that_does_not_answer_says_so_and_goes_on(page: Page, stand_in_console: str) -> None:
    page.goto(stand_in_console)
    page.route("**/health", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('offline'))")
    notice = page.get_by_text("The console does not answer.")
    expect(notice).to_be_visible()
    page.unroute("**/health")
    expect(notice).to_be_hidden()


def test_lines_are_added_in_place_and_edits_are_not_lost(page: Page, places: dict[str, str]) -> None:
    page.goto(places["explored"] + "/nodes/ROUTER/configuration/")
    page.get_by_label("DIMSE timeout").fill("12")
    page.get_by_role("button", name="Add AE").click()
    expect(page.locator("#f-remotes-2-name")).to_be_focused()
    expect(page.get_by_label("DIMSE timeout")).to_have_value("12")
    page.get_by_role("button", name="Remove line 3").click()
    expect(page.locator("#f-remotes-2-name")).to_have_count(0)


def test_without_scripts_a_drill_can_still_be_worked(browser: Browser, stand_in_console: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stand_in_console + "/catalogue/")
    page.get_by_role("button", name=re.compile("^Drill")).first.click()
    expect(page.get_by_role("heading", name="The department", exact=True)).to_be_visible()
    page.get_by_role("navigation", name="This lab").get_by_role("link", name="ROUTER").click()
    page.get_by_role("link", name="Configuration").click()
    page.get_by_role("button", name="Add AE").click()
    expect(page.locator("#f-remotes-2-name")).to_be_visible()
    page.get_by_role("link", name="Tools", exact=True).click()
    page.get_by_role("button", name="Send C-ECHO").click()
    expect(page.locator(".result")).to_contain_text("Done.")
    context.close()
