"""An association of a real department, opened and followed down to one data set element and one byte, by keyboard
alone; nothing serious for axe-core on the way."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind

from tests.browser.test_access import complaints, tab_to


def focused(page: Page) -> str:
    """What the focused element says, or is called."""
    return str(
        page.evaluate(
            "() => { const e = document.activeElement; return (e.getAttribute('aria-label') || e.textContent).trim(); }"
        )
    )


def ask(port: int) -> None:
    """Query the archive from outside, under the name of a workstation that it knows."""
    requestor = AE(ae_title="WS1")
    requestor.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
    association = requestor.associate("127.0.0.1", port, ae_title="ARCHIVE")
    assert association.is_established
    keys = Dataset()
    keys.QueryRetrieveLevel, keys.PatientName, keys.StudyInstanceUID, keys.AccessionNumber = "STUDY", "H*", "", ""
    for _ in association.send_c_find(keys, StudyRootQueryRetrieveInformationModelFind):
        pass
    association.release()


def test_from_the_list_to_a_data_set_element_and_its_bytes_by_keyboard(page: Page, real_console: str) -> None:
    page.goto(real_console)
    page.locator(".explore form").locator("button[type=submit]").first.click()
    expect(page.get_by_role("heading", name="The department", exact=True)).to_be_visible()
    lab = page.url.rstrip("/")
    page.goto(f"{lab}/nodes/ARCHIVE/")
    published = re.search(r"127\.0\.0\.1:(\d+)", page.locator("main").inner_text())
    assert published
    ask(int(published.group(1)))

    page.goto(f"{lab}/associations/?service=C-FIND&node=outside")
    row = page.locator("#associations tbody tr").first.get_by_role("link")
    row.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("WS1")
    expect(page.locator(".rung-line").last).to_contain_text("A-RELEASE")
    assert not complaints(page)

    # Down the ladder by the arrows, and the query opened beside it.
    page.locator(".rung-line").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "C-FIND-RQ" in focused(page)
    page.keyboard.press("Enter")
    looked = page.locator("#looked-at")
    expect(looked.get_by_role("heading", name="C-FIND-RQ")).to_be_focused()
    expect(looked.get_by_role("table", name="Data set")).to_contain_text("QueryRetrieveLevel")
    expect(page.locator(".rung-line[aria-current]")).to_contain_text("C-FIND-RQ")
    assert not complaints(page)

    # Into the data set, element by element.
    page.locator("#d-1 a").focus()
    page.keyboard.press("ArrowDown")
    assert focused(page) == "(0008,0052)"
    expect(page.locator("#d-2")).to_contain_text("STUDY")
    page.keyboard.press("Enter")
    assert page.url.endswith("#d-2")
    page.locator("#d-2 a").focus()
    page.keyboard.press("Escape")
    assert "C-FIND-RQ" in focused(page)

    # The table says the same as the ladder.
    page.get_by_role("button", name="Table", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Messages").get_by_role("link", name="C-FIND-RQ")).to_be_visible()
    assert not complaints(page)

    # And the first PDU, whose called title is marked among its bytes.
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="PDUs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="PDUs", exact=True)).to_be_visible()
    assert not complaints(page)
    tab_to(page, "A-ASSOCIATE-RQ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fields and items")).to_be_visible()
    tab_to(page, "PDU type")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert focused(page).startswith("Called AE title")
    page.keyboard.press("Enter")
    expect(page.locator(".piece-card h2")).to_have_text("Called AE title")
    expect(page.locator(".hex mark").first).to_contain_text("41 52 43 48 49 56")
    assert not complaints(page)


def test_logs_are_followed_and_searched_as_one_types(page: Page, real_console: str) -> None:
    page.goto(real_console)
    page.locator(".explore form").locator("button[type=submit]").first.click()
    expect(page.get_by_role("heading", name="The department", exact=True)).to_be_visible()
    lab = page.url.rstrip("/")
    page.goto(f"{lab}/logs")
    expect(page.locator(".log-lines")).to_contain_text("listens on")
    page.get_by_label("Search").fill("ARCHIVE listens")
    expect(page.locator(".found").first).to_be_visible()
    expect(page.locator(".log-lines li:not(.log-day)")).to_have_count(1)
    assert not complaints(page)
    page.goto(f"{lab}/history/")
    expect(page.locator(".history")).to_contain_text("is up")
    assert not complaints(page)
