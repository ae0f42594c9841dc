"""What a screen reader is told of the main screens: landmarks, headings in order, a name for everything that can be
worked, and live regions that say what is new once and no more. What people see of new and lost things is told, too."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.model.view import CommandResult
from tests.browser.conftest import served, watched
from tests.browser.site import Site
from tests.web.stand_in import StandInHost
from web.app import create_app
from web.catalogue import Catalogue, read_scenarios
from web.options import Options

SCREENS = {
    "/": ('heading "Running now" [level=2]', 'navigation "Where to go"'),
    "/catalogue/?difficulty=1": ('searchbox "Search"', 'combobox "Complaint"', "status: "),
    "{lab}/": (
        'navigation "What to do next"',
        'article "Ticket 1"',
        'log "What was said on ticket 1"',
        'tab "Check" [selected]',
        'tabpanel "Check"',
        'button "Check again"',
        'searchbox "Follow a study or patient"',
    ),
    "{lab}/associations/a-1": ('region "What came of it"', 'navigation "On this page"', 'link "Capture (.pcap)"'),
    "{lab}/nodes/CT1/tools/?tool=echo": ('navigation "Tools"', 'region "Results"', 'combobox "Whom"'),
    "{lab}/nodes/ARCHIVE/studies/1.2.3/view": ('slider "', 'button "Invert"'),
    "{lab}/terminal/?node=CT1": ('log "Output"', 'textbox "Command, in CT1:'),
    "{told}/debrief": ('navigation "On this page"', 'img "', 'region "Score, part by part"'),
    "{sitting}/{single}": ("radio ", "status"),
}
"""What must be there, as Playwright writes the tree that assistive technology gets."""
WORKED = "button|link|textbox|searchbox|combobox|checkbox|radio|tab|slider|spinbutton|switch|img|dialog"
NAMELESS = re.compile(rf"^\s*- ({WORKED})( \[[^\]]*\])*:?$")
HEADINGS = """() => [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")]
  .filter((one) => one.checkVisibility()).map((one) => [Number(one.tagName[1]), one.textContent.trim()])"""


def tree(page: Page) -> list[str]:
    return page.locator("body").aria_snapshot().splitlines()


@pytest.mark.parametrize("path", SCREENS)
def test_a_screen_is_told_in_order(page: Page, site: Site, path: str) -> None:
    page.goto(site.at(path))
    expect(page.locator("main")).to_be_visible()
    for wanted in SCREENS[path]:
        assert any(line.strip().startswith(f"- {wanted}") or f'"{wanted}' in line for line in tree(page)), wanted
    lines = tree(page)
    assert not [line for line in lines if NAMELESS.match(line)]

    landmarks = Counter(
        found.group(1)
        for line in lines
        if (found := re.match(r'^\s*- ((banner|main|navigation|complementary|search)\b( "[^"]*")?)', line))
    )
    assert landmarks["main"] == landmarks["banner"] == 1
    assert not [name for name, times in landmarks.items() if times > 1]
    assert "navigation" not in landmarks, "navigations are told apart by their names"

    headings = page.evaluate(HEADINGS)
    assert [level for level, _ in headings].count(1) == 1
    assert headings[0][0] == 1
    assert all(after <= before + 1 for (before, _), (after, _) in pairwise(headings)), headings
    assert all(text for _, text in headings)


def test_what_a_tool_says_is_heard_and_its_seconds_are_not(page: Page, site: Site) -> None:
    site.lab("lab").result = CommandResult(ok=True, sentence="It answers.")
    page.goto(site.at("{lab}/nodes/CT1/tools/?tool=echo"))
    results = page.locator("#results")
    assert results.get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="Send C-ECHO").last.click()
    expect(results).to_contain_text("It answers.")
    expect(page.locator("[data-seconds]")).to_have_attribute("aria-hidden", "true")


def test_a_check_is_heard_by_its_count_and_new_events_are_not_read_out(page: Page, site: Site) -> None:
    page.goto(site.at("{lab}/"))
    said = page.locator("#check-said")
    assert said.get_attribute("role") == "status"
    page.get_by_role("button", name=re.compile("^Check (my fix|again)")).click()
    expect(said).to_have_text(re.compile(r"^\d+ of \d+ (checks done|hold\.)$"))
    for quiet in ("#check", "#feed", "#feed-rows", "#map-live"):
        assert page.locator(f"{quiet}[aria-live]").count() == 0
    assert page.locator("#feed [role=log], #feed [role=status]").count() == 0


EMPTY = {
    "/": "Take the five-minute tour",
    "/progress/": "",
    "/trainers/negotiation/": "No round yet.",
    "/trainers/twins/": "No round yet.",
    "/catalogue/?q=no-drill-has-this": "Show everything",
    "/certificate/": "",
    "/exam/": "",
}
"""Pages of a console that nobody has used, and what they say to do."""


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_page_says_what_to_do_next(page: Page, tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    options, host = Options(directory=tmp_path_factory.mktemp("new")), StandInHost()
    app = create_app(options, host, Catalogue(read_scenarios), connect=host.connect)
    with served(app) as address:
        page.goto(address + path)
        main = page.get_by_role("main")
        expect(main).to_contain_text(EMPTY[path])
        assert main.get_by_role("link").count() + main.get_by_role("button").count() > 0


def test_a_lab_that_has_ended_says_what_to_do(page: Page, site: Site) -> None:
    for path in ("/", "/nodes/CT1/tools/", "/terminal/"):
        answer = page.goto(site.at("{ended}" + path))
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("This lab has ended.")
        expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()


def test_a_page_without_its_console_says_so_and_goes_on(page: Page, site: Site) -> None:
    page.goto(site.at("{explored}/"))
    heading = page.get_by_role("heading", name="The department", exact=True)
    notice = page.get_by_role("status").filter(has_text="The console does not answer.")
    expect(heading).to_be_visible()
    expect(notice).to_have_count(0)
    page.context.set_offline(True)
    expect(notice).to_be_visible()
    expect(heading).to_be_visible()
    page.context.set_offline(False)
    expect(notice).to_have_count(0)


def test_a_page_whose_lab_ends_says_so_once_and_asks_no_more(
    page: Page, stand_in_console: str, stand_in_host: StandInHost
) -> None:
    page.clock.install()
    page.goto(stand_in_console + "/catalogue/")
    form = page.locator("form[action='/labs']", has=page.locator("input[name=scenario][value='drill']"))
    with page.expect_response(lambda said: "/events?" in said.url and said.status == 200):
        form.locator("button[value=drill]").click()
    notice = page.get_by_role("status").filter(has_text="This lab has ended.")
    expect(notice).to_have_count(0)
    with page.expect_response(lambda said: "/events?" in said.url and said.status == 404):
        del stand_in_host.labs[page.url.split("/labs/")[1].partition("/")[0]]
    expect(notice).to_be_visible()
    with page.expect_response(lambda said: said.status == 404):
        page.evaluate("htmx.trigger(document.body, 'department-changed')")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(120_000)
    assert not [url for url in asked if "/events?" in url or url.endswith("/ended")]
    expect(page.get_by_text("The console does not answer.")).to_be_hidden()
    expect(page.get_by_text("This lab has ended.")).to_have_count(1)
    notice.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def without_clipboard(page: Page) -> None:
    """As on a console that one reaches over plain http from another machine (W3C Clipboard API, 3: secure contexts)."""
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })")


def test_lines_are_copied_where_there_is_no_clipboard_and_said_to_be_in_the_pages_language(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(locale="de")
    with watched(context) as page:
        without_clipboard(page)
        page.goto(site.at("{lab}/tools"))
        button = page.locator("[data-copy]").first
        button.click()
        expect(button).to_have_text("Kopiert")
        expect(button).to_be_focused()
        button.click()
        expect(button).to_have_text("Kopieren")
        wanted = button.get_attribute("data-copy")
        page.goto(site.at("{lab}/terminal/?node=CT1"))
        page.locator("#term-input").press("ControlOrMeta+v")
        expect(page.locator("#term-input")).to_have_value(str(wanted))
    context.close()


def test_a_terminal_is_copied_where_there_is_no_clipboard(page: Page, site: Site) -> None:
    without_clipboard(page)
    page.goto(site.at("{lab}/terminal/?node=CT1"))
    page.locator("#term-input").fill("echoscu router 104")
    page.locator("#term-input").press("Enter")
    expect(page.locator("[data-term-log]")).to_contain_text("echoscu router 104")
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.locator("#term-input").press("ControlOrMeta+v")
    expect(page.locator("#term-input")).to_have_value(re.compile("echoscu router 104"))


def test_where_nothing_can_be_copied_there_is_no_button_for_it(page: Page, site: Site) -> None:
    without_clipboard(page)
    page.add_init_script("document.queryCommandSupported = () => false")
    page.goto(site.at("{lab}/tools"))
    expect(page.locator(".own-line").first).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.goto(site.at("{lab}/terminal/?node=CT1"))
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    expect(page.get_by_role("button", name="Copy all")).to_have_count(0)
