"""Every page of the console as those meet it who see, hear or reach less: nothing serious for axe-core in light, in
dark and in high contrast, nothing wider than a phone, and the keyboard is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.model.view import CommandResult
from tests.browser.conftest import THOROUGH, served, watched
from tests.browser.site import NO_PAGES, PAGES, Site, addresses, endpoints
from tests.web.conftest import SCENARIO
from tests.web.stand_in import StandInHost
from web import accounts
from web.app import create_app
from web.catalogue import Catalogue
from web.options import Options

AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
LOOKS = {"light": ("light", None), "dark": ("dark", None), "more": ("light", "more"), "dark, more": ("dark", "more")}
"""Theme and contrast of the page's root, as theme.js sets them. Only colours differ between them."""
WIDTHS = (320, 390, 1280)


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """A window that goes from page to page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def complaints(page: Page, rules: list[str] | None = None) -> list[dict[str, Any]]:
    """What axe-core finds serious; of these ``rules`` alone, if they are given."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE)  # not as a script element, which the policy would rightly refuse
    # Only what is wrong is worked out in full, which is a third of the work.
    found = page.evaluate(
        "async (rules) => (await axe.run(document,"
        " {runOnly: rules, resultTypes: ['violations'], preload: false})).violations",
        rules or RULES,
    )
    return [
        {"rule": one["id"], "impact": one["impact"], "where": [node["html"][:160] for node in one["nodes"][:4]]}
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def dressed(page: Page, theme: str, contrast: str | None) -> None:
    """Show the page in a look, at once: colours on their way from one to the other are neither."""
    page.evaluate(
        "([theme, contrast]) => { const root = document.documentElement, sheet = new CSSStyleSheet();"
        " sheet.replaceSync('* { transition: none !important }'); document.adoptedStyleSheets = [sheet];"
        " root.dataset.bsTheme = theme;"
        " if (contrast) root.dataset.contrast = contrast; else delete root.dataset.contrast; }",
        [theme, contrast],
    )


def looks_of(number: int) -> dict[str, tuple[str, str | None]]:
    """The looks in which the page of that ``number`` is looked at: light, and by turns one of the others, since all
    pages take their colours from the same few variables. All of them where it is to be thorough."""
    if THOROUGH:
        return LOOKS
    others = list(LOOKS)[1:]
    other = others[number % len(others)]
    return {"light": LOOKS["light"], other: LOOKS[other]}


def looked_at(page: Page, number: int = 0) -> dict[str, Any]:
    """What is wrong with this page in its looks, folds opened."""
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    found = {}
    for look, (theme, contrast) in looks_of(number).items():
        dressed(page, theme, contrast)
        if wrong := complaints(page, None if look == "light" else COLOURS):
            found[look] = wrong
    return found


def test_no_page_is_forgotten(site: Site) -> None:
    assert not set(PAGES) & set(NO_PAGES)
    assert endpoints(site.app) == set(PAGES) | set(NO_PAGES)


@pytest.mark.parametrize("path", addresses())
def test_a_page_is_accessible_and_fits(reader: Page, site: Site, path: str) -> None:
    reader.set_viewport_size({"width": WIDTHS[0], "height": 900})
    answer = reader.goto(site.at(path))
    assert answer
    assert answer.status == (404 if path == "/nowhere" else 200)
    wide = {}
    for width in WIDTHS:
        reader.set_viewport_size({"width": width, "height": 900})
        actual = reader.evaluate("document.documentElement.scrollWidth")
        if actual > width:
            wide[width] = actual
    assert not wide
    assert not looked_at(reader, addresses().index(path))


def test_the_tours_panel_is_accessible_and_fits(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    with watched(context) as page:
        page.goto(site.address)
        page.get_by_role("button", name="Take the five-minute tour").click()
        expect(page.get_by_role("complementary", name="The phone rings")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.set_viewport_size({"width": 1280, "height": 900})
        assert not looked_at(page)
    context.close()


def test_the_login_is_accessible_and_fits(browser: Browser, tmp_path: Path) -> None:
    options = Options(directory=tmp_path, host="0.0.0.0")
    host = StandInHost()
    app = create_app(options, host, Catalogue(lambda: (SCENARIO,)), connect=host.connect)
    accounts.add_user(app.extensions["console"].database, "anna", "correct horse", "trainee")
    context = browser.new_context(viewport={"width": 320, "height": 640})
    with served(app) as address, watched(context) as page:
        page.goto(address)
        expect(page.get_by_label("Password")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert not looked_at(page)
    context.close()


def test_results_and_the_dialog_are_accessible_too(page: Page, site: Site) -> None:
    lab = site.lab("lab")
    lab.commands.clear()
    lab.result = CommandResult(
        ok=False, sentence="Rejected.", facts=("1/1/7",), columns=("A",), rows=(("b",),), association="a-1"
    )
    page.goto(site.at("{lab}/nodes/CT1/tools/"))
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


def test_lines_are_added_in_place_and_edits_are_not_lost(page: Page, site: Site) -> None:
    page.goto(site.at("{explored}/nodes/ROUTER/configuration/"))
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
