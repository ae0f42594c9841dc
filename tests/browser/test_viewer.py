"""The viewer by keys, by fingers and by what it says when an image cannot be shown; the map's motion; following."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import watched
from tests.browser.test_access import complaints


@pytest.fixture(scope="module")
def lab(browser: Browser, stand_in_console: str) -> str:
    """The address of a department without a drill."""
    page = browser.new_page()
    page.goto(stand_in_console)
    page.locator(".explore form").locator("button[type=submit]").first.click()
    expect(page.get_by_role("heading", name="The department", exact=True)).to_be_visible()
    address = page.url.rstrip("/")
    page.close()
    return address


def viewer(page: Page, lab: str) -> Locator:
    """The viewer, its first view focused and drawn."""
    page.goto(lab + "/nodes/ARCHIVE/studies/1.2.3/view")
    view = page.locator(".pv-view").first
    expect(view.locator("[data-corner=bl]")).to_contain_text("Image 1 of 2")
    expect(view.locator("[data-corner=br]")).to_contain_text("HU")
    view.focus()
    return view


def test_it_is_scrolled_windowed_zoomed_and_measured_by_keys(page: Page, lab: str) -> None:
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/frames/" in one.url else None)
    view = viewer(page, lab)
    corner, place = view.locator("[data-corner=br]"), view.locator("[data-corner=bl]")
    page.keyboard.press("ArrowDown")
    expect(place).to_have_text("Image 2 of 2, frame 2 of 2")
    expect(page.locator("#viewer-words")).to_have_text("2 / 2")
    page.keyboard.press("Home")
    expect(page.locator("#viewer-words")).to_have_text("1 / 2")
    page.keyboard.press("1")
    expect(page.get_by_label("Level")).to_have_value("40")
    expect(corner).to_contain_text("L 40 W 80")
    page.keyboard.press("w")
    expect(page.get_by_label("Level")).to_have_value("44")
    page.keyboard.press("d")
    expect(page.get_by_label("Width")).to_have_value("76")
    page.keyboard.press("+")
    expect(corner).to_contain_text("zoom 120 %")
    page.keyboard.press("i")
    expect(corner).to_contain_text("inverted")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("r")
    expect(corner).to_contain_text("zoom 100 %")
    expect(page.get_by_label("Level")).to_have_value("")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-words")).to_have_text("0.3 mm, measured in the patient")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    expect(page.locator(".pv-view")).to_have_count(2)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the viewer")).to_be_visible()
    assert complaints(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert any("center=40&width=80" in one for one in asked)


def test_an_image_that_cannot_be_shown_says_why(page: Page, lab: str) -> None:
    view = viewer(page, lab)
    page.keyboard.press(".")
    wrong = view.locator("[data-wrong]")
    expect(wrong).to_contain_text("The image cannot be shown: its pixel data are damaged. Retrieve it again.")
    expect(view).to_have_attribute("aria-label", re.compile("View 1: CT DAMAGED"))
    page.keyboard.press(",")
    expect(wrong).to_be_hidden()
    assert page.get_by_role("link", name="DAMAGED").get_attribute("aria-current") is None


def test_tools_layouts_cine_and_tags_by_their_buttons(page: Page, lab: str) -> None:
    view = viewer(page, lab)
    page.get_by_role("button", name="Brain").click()
    expect(page.get_by_label("Width")).to_have_value("80")
    page.get_by_role("button", name="As stored").click()
    expect(page.get_by_label("Width")).to_have_value("")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#viewer-words")).to_have_text("2 / 2")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Tags").click()
    expect(page.get_by_role("region", name="Data elements of this image")).to_contain_text("PatientID")
    page.get_by_label("Search the tags").fill("nothing like that")
    expect(page.locator("[data-tags-here]")).to_contain_text("No element matches")
    page.get_by_role("button", name="Four views").click()
    expect(page.locator(".pv-view")).to_have_count(4)
    page.get_by_role("button", name="Zoom", exact=True).click()
    box: Any = view.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(view.locator("[data-corner=br]")).not_to_contain_text("zoom 100 %")
    page.mouse.wheel(0, 120)
    expect(view.locator("[data-corner=bl]")).to_contain_text("Image 2 of 2")
    assert complaints(page) == []


FINGERS = """([selector, moves]) => {
  const element = document.querySelector(selector), box = element.getBoundingClientRect();
  const send = (kind, id, x, y) => element.dispatchEvent(new PointerEvent(kind, {pointerId: id, pointerType: 'touch',
    isPrimary: id === 11, bubbles: true, clientX: box.left + x, clientY: box.top + y}));
  for (const [kind, id, x, y] of moves) send('pointer' + kind, id, x, y);
}"""


def fingers(page: Page, *moves: tuple[str, int, int, int]) -> None:
    """Touch the first view: down, move or up of a finger, in pixels from its corner."""
    page.evaluate(FINGERS, [".pv-view", [list(move) for move in moves]])


def test_one_finger_scrolls_two_window_and_a_pinch_zooms(browser: Browser, lab: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    with watched(context) as page:
        view = viewer(page, lab)
        fingers(page, ("down", 11, 100, 100), ("move", 11, 100, 125), ("up", 11, 100, 125))
        expect(view.locator("[data-corner=bl]")).to_contain_text("Image 2 of 2")
        pair = (("down", 11, 100, 100), ("down", 12, 160, 100))
        both = (("move", 11, 130, 100), ("move", 12, 190, 100), ("move", 11, 150, 100), ("move", 12, 210, 100))
        fingers(page, *pair, *both, ("up", 11, 150, 100), ("up", 12, 210, 100))
        expect(view.locator("[data-corner=br]")).not_to_contain_text("as stored")
        fingers(page, *pair, ("move", 12, 240, 100), ("move", 12, 300, 100), ("up", 11, 100, 100), ("up", 12, 300, 100))
        expect(view.locator("[data-corner=br]")).not_to_contain_text("zoom 100 %")
    context.close()


def test_the_map_moves_only_where_the_reader_allows_it(browser: Browser, lab: str) -> None:
    for motion, moves in (("no-preference", True), ("reduce", False)):
        context = browser.new_context(reduced_motion=motion)  # type: ignore[arg-type]
        with watched(context) as page:
            page.goto(lab + "/")
            pulse = page.locator(".pulse").first
            expect(pulse).to_have_css("visibility", "visible" if moves else "hidden")
            button = page.locator("[data-map-motion]:is(button)")
            if not moves:
                expect(button).to_be_hidden()
                continue
            button.click()
            expect(pulse).to_have_css("visibility", "hidden")
            page.reload()
            expect(page.locator(".pulse").first).to_have_css("visibility", "hidden")
            expect(button).to_have_attribute("aria-pressed", "true")
        context.close()


def test_lines_of_the_map_are_reached_and_heard_by_keyboard(page: Page, lab: str) -> None:
    page.goto(lab + "/")
    line = page.get_by_role("link", name="From ROUTER to WS2 by rule ct-to-ed, films. Flows.")
    line.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ROUTER")


def test_a_study_is_found_followed_and_its_copies_compared(page: Page, lab: str) -> None:
    page.goto(lab + "/")
    page.get_by_label("Follow a study or patient").fill("A1")
    page.keyboard.press("Enter")
    expect(page.locator(".follow-answer")).to_contain_text("In part on ARCHIVE (8 of 12).")
    expect(page.locator("svg a.node.has-part")).to_have_count(1)
    page.locator(".follow-grid").get_by_role("link", name="Header of an image").first.click()
    page.get_by_label("On", exact=True).select_option("ARCHIVE")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".follow-answer")).to_contain_text("3 elements differ")
    page.locator("summary", has_text="that are the same").click()
    expect(page.locator(".header-same")).to_contain_text("PatientID")
    page.go_back()
    page.get_by_label("Search", exact=True).fill("Step")
    expect(page.locator("#header-lines")).to_contain_text("StepDescription")
    expect(page.locator("#header-lines")).not_to_contain_text("PatientID")
