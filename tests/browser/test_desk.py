"""A drill by keyboard alone: ask, pin, write down, diagnose, mend, close. And what tabs and drawer are to axe-core."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sandbox.model.errors import ConflictError
from tests.browser.conftest import THEMES, watched
from tests.browser.test_access import complaints
from tests.browser.test_drills import CHECKS_MS, save_and_restart, start
from tests.web.stand_in import StandIn, StandInHost


def press(thing: Locator, key: str = "Enter") -> None:
    """Give it the focus, as Tab would, and press a key on it."""
    thing.focus()
    expect(thing).to_be_focused()
    thing.press(key)


def test_a_drill_by_keyboard_from_question_to_closed_ticket(page: Page, real_console: str) -> None:
    start(page, real_console, "CT images do not come up in the emergency department")
    ticket = page.get_by_role("article", name="Ticket 1")
    talk = ticket.get_by_role("log")

    press(ticket.get_by_role("button", name="What exactly do you see?"))
    expect(talk).to_contain_text("The list on our screen")
    ticket.get_by_role("combobox", name="Ask").select_option(label="Dana Whitlock, CT technologist")
    press(ticket.get_by_role("button", name="Can you try once more?"))
    tried = talk.get_by_role("listitem").filter(has_text="I have pressed “send” again.")
    expect(tried).to_contain_text("red arrow", ignore_case=True)

    press(tried.get_by_role("button", name=re.compile("^Pin")))
    expect(tried.get_by_role("button", name=re.compile("^Pinned"))).to_be_focused()
    expect(page.get_by_role("navigation", name="What to do next")).to_contain_text("Look, done")

    page.get_by_role("heading", level=1).click()
    page.keyboard.press("n")
    expect(page.get_by_label("A new note")).to_be_focused()
    page.keyboard.type("CT1 says **no** at once.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary", name="Notebook")
    expect(drawer.get_by_text("CT1 says no at once.")).to_be_visible()
    expect(drawer.get_by_text("Evidence 1", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()

    check_tab = page.get_by_role("tab", name="Check")
    press(check_tab, "ArrowRight")
    expect(page.get_by_role("tab", name="Diagnosis")).to_be_focused()
    page.get_by_label("Where is the cause?").select_option("CT1")
    page.get_by_label("In which layer?").select_option("association")
    page.get_by_label("What is wrong?").select_option("called-title-mistyped")
    press(page.get_by_role("group", name="Which evidence").get_by_role("checkbox").first, " ")
    press(page.get_by_label("Sure", exact=True), " ")
    press(page.get_by_role("button", name="Commit my diagnosis"))
    expect(page.get_by_text("Your diagnosis is on record.")).to_be_visible()
    expect(page.get_by_role("tab", name="Diagnosis")).to_have_attribute("aria-selected", "true")

    page.get_by_role("navigation", name="This lab").get_by_role("link", name="CT1").press("Enter")
    page.get_by_role("navigation", name="CT1").get_by_role("link", name="Configuration").press("Enter")
    line = page.locator("tr", has=page.locator('input[value="ROUTER"]')).first
    line.get_by_label("AE title").fill("ROUTER")
    save_and_restart(page, "CT1")
    page.get_by_role("link", name="Drill", exact=True).press("Enter")

    ticket.get_by_text("Close the ticket").first.press("Enter")
    ticket.get_by_label("What was it?").fill("CT1 called ROUTER by a name that it does not have.")
    ticket.get_by_label("What did you do?").fill("Corrected the AE title on CT1 and restarted it.")
    press(ticket.get_by_role("button", name="Close the ticket"))
    expect(ticket.get_by_text("This ticket is closed.")).to_be_visible(timeout=CHECKS_MS)
    expect(talk).to_contain_text("I have tried it.")


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_in_tabs_and_drawer(browser: Browser, stand_in_console: str, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    found = {}
    with watched(context) as page:
        page.goto(stand_in_console + "/catalogue/")
        form = page.locator("form[action='/labs']", has=page.locator("input[name=scenario][value='drill']"))
        form.locator("button[value=drill]").click()
        expect(page.get_by_role("tab", name="Check")).to_be_visible()
        for name in ("Check", "Diagnosis", "Hints", "What happens"):
            page.get_by_role("tab", name=name).click()
            if wrong := complaints(page):
                found[name] = wrong
        page.keyboard.press("n")
        expect(page.get_by_label("A new note")).to_be_focused()
        if wrong := complaints(page):
            found["drawer"] = wrong
    context.close()
    assert not found


def test_the_key_can_be_switched_off(page: Page, stand_in_console: str, stand_in_host: StandInHost) -> None:
    begin(page, stand_in_console, stand_in_host)
    page.keyboard.press("n")
    drawer = page.get_by_role("complementary", name="Notebook")
    drawer.get_by_label("Open with the key n").uncheck()
    page.get_by_role("button", name="Close the notebook").click()
    page.keyboard.press("n")
    expect(drawer).to_be_hidden()
    page.get_by_role("link", name="Notebook").first.click()
    expect(drawer).to_be_visible()


def begin(page: Page, console: str, host: StandInHost) -> StandIn:
    """A drill over a stand-in; its lab."""
    page.goto(console + "/catalogue/")
    form = page.locator("form[action='/labs']", has=page.locator("input[name=scenario][value='drill']"))
    form.locator("button[value=drill]").click()
    expect(page.get_by_role("tab", name="Check")).to_be_visible()
    return host.labs[page.url.split("/labs/")[1].partition("/")[0]]


def test_what_was_pinned_since_is_in_the_drawer_when_it_opens_again(
    page: Page, stand_in_console: str, stand_in_host: StandInHost
) -> None:
    lab = begin(page, stand_in_console, stand_in_host)
    drawer = page.get_by_role("complementary", name="Notebook")
    page.keyboard.press("n")
    expect(drawer.get_by_text("Evidence 1", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    view = lab.attempt()
    lab.attempt = lambda: view.model_copy(  # type: ignore[method-assign]
        update={"pins": (*view.pins, view.pins[0].model_copy(update={"number": 2, "text": "Refused at the door."}))}
    )
    page.keyboard.press("n")
    expect(drawer.get_by_text("Refused at the door.")).to_be_visible()


def test_a_half_written_note_outlives_what_is_done_beside_it(
    page: Page, stand_in_console: str, stand_in_host: StandInHost
) -> None:
    lab = begin(page, stand_in_console, stand_in_host)
    drawer = page.get_by_role("complementary", name="Notebook")
    page.keyboard.press("n")
    note = page.get_by_label("A new note")
    expect(note).to_be_focused()
    page.keyboard.type("CT1 says ")
    drawer.get_by_text("Change").click()
    drawer.get_by_label("Note 1", exact=True).fill("It is not CT1.")
    press(drawer.get_by_role("button", name="Let go of evidence 1"))
    press(drawer.get_by_role("button", name="Remove note 1"))
    expect(drawer.get_by_role("status")).to_contain_text("Note 1 is taken out.")
    expect(note).to_have_value("CT1 says ")
    expect(drawer.get_by_label("Note 1", exact=True)).to_have_value("It is not CT1.")

    lab.refuse = ConflictError("The drill is over.", "Look at the debrief.")
    press(drawer.get_by_role("button", name="Write it down"))
    expect(drawer.get_by_role("alert")).to_have_text("The drill is over. Look at the debrief.")
    expect(note).to_have_value("CT1 says ")
    press(drawer.get_by_role("button", name="Write it down"))
    expect(note).to_have_value("")
    expect(note).to_be_focused()
    assert lab.commands[-1]["params"] == {"text": "CT1 says "}
