"""Questions and the exam in a browser: by keyboard alone, kept as one goes, the clock heard, nothing left for axe."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import Kind
from tests.browser.conftest import THEMES, served, watched
from tests.browser.test_access import complaints
from tests.web.conftest import SCENARIO
from tests.web.stand_in import StandInHost
from web.accounts import LOCAL
from web.app import create_app
from web.catalogue import Catalogue
from web.exam.invigilator import Exams
from web.exam.paper import IncidentItem, QuestionItem
from web.options import Options


class Console:
    """A console over stand-in labs: its address, and the exams of the one person who is at it."""

    def __init__(self, address: str, app: Flask) -> None:
        self.address = address
        self._app = app

    @property
    def exams(self) -> Exams:
        found = self._app.extensions["exams"]
        assert isinstance(found, Exams)
        return found

    def begin(self, *, timed: bool = True) -> int:
        """A short exam that was begun; one that is open is handed in first."""
        self.leave()
        with self._app.test_request_context():
            return self.exams.begin(LOCAL, "short", "both", timed=timed, seed=3)

    def leave(self) -> None:
        """Hand in the exam that is open, if any: while one is, the books are closed."""
        with self._app.test_request_context():
            before = self.exams.open(LOCAL)
            if before is not None:
                self.exams.submit(LOCAL, before.number)

    def places(self, number: int) -> dict[str, int]:
        """A place of each kind that was drawn."""
        with self._app.test_request_context():
            items = self.exams.get(LOCAL, number).paper.items
        return {_kind(item): place for place, item in reversed(list(enumerate(items, 1)))}


def _kind(item: QuestionItem | IncidentItem) -> str:
    return "incident" if isinstance(item, IncidentItem) else question_bank()[item.question].kind.value


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    host = StandInHost()
    options = Options(directory=tmp_path_factory.mktemp("exam"))
    app = create_app(options, host, Catalogue(lambda: (SCENARIO,)), connect=host.connect)
    with served(app) as address:
        yield Console(address, app)
        app.extensions["exams"].judging.wait(30)


def test_a_question_is_practised_by_keyboard_alone(page: Page, console: Console) -> None:
    page.goto(f"{console.address}/questions/wrong-name-called")
    while page.evaluate("document.activeElement.type") != "radio":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#outcome")).to_be_focused()
    expect(page.get_by_text("Right answer").or_(page.get_by_text("Your answer")).first).to_be_visible()
    expect(page.get_by_text("PS3.8 9.3.4")).to_be_visible()
    page.get_by_role("link", name="Next question").press("Enter")
    expect(page.get_by_role("button", name="Answer", exact=True)).to_be_visible()


def test_an_exam_is_sat_and_handed_in_by_keyboard(page: Page, console: Console) -> None:
    number = console.begin()
    page.goto(f"{console.address}/exam/{number}/{console.places(number)['single']}")
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#saved")).to_contain_text("Saved at")
    chosen = page.locator("input[type=radio]:checked").get_attribute("value")
    page.reload()
    expect(page.locator("input[type=radio]:checked")).to_have_value(chosen or "")
    page.get_by_role("button", name="Mark for later").press("Enter")
    expect(page.get_by_role("button", name="Marked for later")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Overview and handing in").press("Enter")
    expect(page.get_by_text("10 places are open")).to_be_visible()
    page.get_by_role("button", name="Hand in").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Hand in").press("Enter")
    expect(page.get_by_role("heading", name="Result", exact=True)).to_be_visible()
    expect(page.get_by_text("of 10 questions were right")).to_be_visible()


def test_an_order_gives_every_place_once(page: Page, console: Console) -> None:
    order = next(question for question in question_bank().values() if question.kind is Kind.ORDER)
    page.goto(f"{console.address}/questions/{order.id}")
    selects = page.locator("[data-order] select")
    for place in range(selects.count()):
        selects.nth(place).select_option(str(place + 1))
    selects.nth(0).select_option("3")
    assert [selects.nth(place).input_value() for place in range(3)] == ["3", "2", "1"]


def test_the_clock_is_heard_and_can_be_hidden(page: Page, console: Console) -> None:
    number = console.begin()
    page.clock.install()
    page.goto(f"{console.address}/exam/{number}/1")
    timer = page.get_by_role("timer")
    expect(timer).to_contain_text(re.compile(r"(19|20):\d\d"))
    page.clock.fast_forward(15 * 60_000 + 2_000)
    expect(page.locator("[data-say]")).to_have_text("Five minutes left.")
    page.clock.fast_forward(4 * 60_000)
    expect(page.locator("[data-say]")).to_have_text("One minute left.")
    page.get_by_role("button", name="Hide the time").click()
    expect(timer).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Show the time")).to_be_visible()
    expect(timer).to_be_hidden()


def test_an_incident_is_taken_from_the_exam_and_ended(page: Page, console: Console) -> None:
    number = console.begin(timed=False)
    page.goto(f"{console.address}/exam/{number}/{console.places(number)['incident']}")
    expect(page.get_by_text("Untimed practice")).to_be_visible()
    page.get_by_role("button", name="Take the call").click()
    page.get_by_role("link", name="Back to the exam").click()
    page.get_by_role("button", name="End this incident").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(page.get_by_text("being judged").or_(page.get_by_text("has ended"))).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_and_nothing_is_too_wide(browser: Browser, console: Console, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    wrong: dict[str, object] = {}
    console.leave()
    match = next(question for question in question_bank().values() if question.kind is Kind.MATCH)
    with watched(context) as page:

        def look(where: str) -> None:
            if found := complaints(page):
                wrong[where] = found
            page.set_viewport_size({"width": 320, "height": 900})
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > 320:
                wrong[f"{where}, narrow"] = f"{wide} wide"
            page.set_viewport_size({"width": 1280, "height": 900})

        def look_at(*paths: str) -> None:
            for path in paths:
                page.goto(console.address + path)
                look(path)

        look_at("/exam/", "/questions/", f"/questions/{match.id}")
        page.goto(f"{console.address}/questions/wrong-name-called")
        page.locator("input[type=radio]").first.check()
        page.get_by_role("button", name="Answer", exact=True).click()
        look("explained")
        number = console.begin()
        exam = f"/exam/{number}"
        look_at("/exam/", *(f"{exam}/{place}" for place in console.places(number).values()), f"{exam}/")
        page.goto(f"{console.address}{exam}/")
        page.get_by_role("button", name="Hand in").click()
        page.get_by_role("dialog").get_by_role("button", name="Hand in").click()
        expect(page.get_by_text("of 10 questions were right")).to_be_visible()
        look("result")
    context.close()
    assert not wrong
