"""Each family of complaints is solved by clicking, in a real department: one drill of each, and between them all that
a trainee does: ask, follow, look, search, type, test, change, pin, diagnose, check, close, and read the debrief."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from sandbox.learning.topics import FAMILIES
from web.catalogue import read_scenarios

CHECKS_MS = 150_000
TRIED = {
    "it-will-not-send": "ct-images-missing-in-ed",
    "where-is-my-study": "nothing-from-friday-in-the-reading-room",
    "found-but-not-pulled": "nothing-comes-to-the-new-3d-station",
    "wrong-data": "the-disc-says-something-else-than-our-list",
    "who-is-this": "a-patient-in-the-archive-whom-nobody-registered",
}
"""Which drill a family is tried with, in the test of that name."""


def start(page: Page, console: str, title: str) -> None:
    page.goto(console + "/catalogue/")
    page.get_by_role("listitem").filter(has_text=title).get_by_role("button", name="drill").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("article", name="Ticket 1")).to_be_visible()


def confirm(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button").last.click()


def at(page: Page, node: str, tab: str) -> None:
    """Go to a page of a node by the links that are there."""
    page.get_by_role("navigation", name="This lab").get_by_role("link", name=node).click()
    page.get_by_role("navigation", name=node).get_by_role("link", name=tab).click()


def save_and_restart(page: Page, node: str) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Saved but not running")).to_be_visible()
    page.get_by_role("button", name=f"Restart {node} now").click()
    expect(page.get_by_role("heading", name="Saved but not running")).to_have_count(0)


def diagnose(page: Page, node: str, layer: str, fault: str) -> None:
    """Commit to a diagnosis, resting on whatever was pinned."""
    page.get_by_role("link", name="Drill", exact=True).click()
    page.get_by_role("tab", name="Diagnosis").click()
    page.get_by_label("Where is the cause?").select_option(node)
    page.get_by_label("In which layer?").select_option(layer)
    page.get_by_label("What is wrong?").select_option(fault)
    for pin in page.get_by_role("group", name="Which evidence").get_by_role("checkbox").all():
        pin.check()
    page.get_by_label("What shows it?").fill("I saw it in the log.")
    page.get_by_role("button", name="Commit my diagnosis").click()
    expect(page.get_by_text("Your diagnosis is on record.")).to_be_visible()


def check(page: Page) -> None:
    page.get_by_role("tab", name="Check").click()
    page.get_by_role("button", name="Check my fix").click()
    expect(page.get_by_text("tried for real")).to_be_visible()
    expect(page.get_by_role("heading", name="Solved", exact=True)).to_be_visible(timeout=CHECKS_MS)


def debrief(page: Page, account: str = "") -> None:
    """One's own account, or none, and then the debrief; all that was diagnosed was right."""
    page.get_by_role("link", name="Open the debrief").click()
    if account:
        page.get_by_label("What was wrong?").fill(account)
    page.get_by_role("button", name="Keep it and show me" if account else "Skip my account").click()
    expect(page.get_by_role("heading", name="How it went")).to_be_visible()
    expect(page.locator(".score-ring")).to_have_attribute("aria-label", re.compile(r"^\d+ of 100 points$"))
    expect(page.locator(".diagnosis-table .tone-good")).to_have_count(3)


def ticket(page: Page) -> Locator:
    return page.get_by_role("article", name="Ticket 1")


def told(page: Page, pattern: str) -> str:
    """What the ticket says there."""
    found = re.search(pattern, ticket(page).inner_text())
    assert found, f"the ticket does not tell {pattern}"
    return found.group(1)


def follow(page: Page, accession: str) -> None:
    page.get_by_label("Follow a study or patient").fill(accession)
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.locator(".follow-answer")).to_be_visible()


def test_every_family_that_has_drills_is_tried() -> None:
    drills = {drill.slug: drill.family for drill in read_scenarios()}
    assert set(drills.values()) <= set(FAMILIES)
    assert {family: drills[slug] for family, slug in TRIED.items()} == {family: family for family in drills.values()}
    assert all(f"test_{slug.replace('-', '_')}" in globals() for slug in TRIED.values())


def test_ct_images_missing_in_ed(page: Page, real_console: str) -> None:
    start(page, real_console, "CT images do not come up in the emergency department")
    page.get_by_role("link", name="CT scanner, running").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CT1")

    at(page, "CT1", "Tools")
    result = page.locator("#results details").first
    page.get_by_role("combobox", name="Whom").select_option("ROUTER")
    page.get_by_role("button", name="Send C-ECHO").click()
    expect(result).to_contain_text("1/1/7")
    expect(result).to_contain_text("It did not work")
    result.get_by_role("link", name="See the association").click()
    expect(page.locator(".verdict")).to_contain_text("rejected")
    page.locator("main").get_by_role("button", name=re.compile("^Pin")).first.click()
    expect(page.locator("main").get_by_role("button", name=re.compile("^Pinned")).first).to_be_visible()

    page.get_by_role("navigation", name="This lab").get_by_role("link", name="Logs").click()
    page.get_by_label("Search").fill("rejected")
    lines = page.locator("#log")
    expect(lines).to_contain_text("1/1/7")
    expect(lines.locator("mark").first).to_have_text("rejected")

    at(page, "CT1", "Configuration")
    line = page.locator("tr", has=page.locator('input[value="ROUTER"]')).first
    line.get_by_label("AE title").fill("ROUTER")
    save_and_restart(page, "CT1")

    at(page, "CT1", "Tools")
    page.get_by_role("combobox", name="Whom").select_option("ROUTER")
    page.get_by_role("button", name="Send C-ECHO").click()
    expect(result).to_contain_text("It worked")

    diagnose(page, "CT1", "association", "called-title-mistyped")
    check(page)
    debrief(page, "CT1 called ROUTER by a name that it does not have.")
    expect(page.get_by_text("CT1 called ROUTER by a name that it does not have.")).to_be_visible()
    page.goto(real_console)
    expect(page.get_by_text("Solved").first).to_be_visible()


def test_nothing_from_friday_in_the_reading_room(page: Page, real_console: str) -> None:
    start(page, real_console, "Nothing from Friday afternoon in the reading room")
    accession = told(page, r"\n[^\n]+, [^\n]+, (\w+)\n")
    ticket(page).get_by_role("button", name="Did anything change lately?").click()
    expect(ticket(page).get_by_role("log").get_by_role("listitem").filter(has_text="You")).to_have_count(1)

    follow(page, accession)
    expect(page.locator(".follow-notice")).to_contain_text("ROUTER")
    page.get_by_role("region", name="What waits").get_by_role("link", name="ROUTER to WS1").click()
    held = page.locator("section.queue.held")
    expect(held).to_contain_text("On hold")
    held.get_by_role("button", name="Resume").click()
    expect(page.locator("section.queue.held")).to_have_count(0)

    diagnose(page, "ROUTER", "queue", "destination-held")
    ticket(page).get_by_text("Close the ticket").first.click()
    ticket(page).get_by_label("What was it?").fill("The router's queue for the reading room was on hold since Friday.")
    ticket(page).get_by_label("What did you do?").fill("Resumed it, and counted what came.")
    ticket(page).get_by_role("button", name="Close the ticket").click()
    expect(ticket(page).get_by_text("This ticket is closed.")).to_be_visible(timeout=CHECKS_MS)
    expect(page.get_by_role("heading", name="Solved", exact=True)).to_be_visible(timeout=CHECKS_MS)
    debrief(page)


def test_nothing_comes_to_the_new_3d_station(page: Page, real_console: str) -> None:
    start(page, real_console, "Nothing comes to the new 3D station")
    accession = told(page, r"accession (\w+)")
    page.get_by_role("navigation", name="This lab").get_by_role("link", name="ARCHIVE").click()
    archive = page.locator(".head-meta .mono").first.inner_text()
    page.get_by_role("navigation", name="This lab").get_by_role("link", name="WS3D").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("WS3D")
    title = page.locator(".head-meta .mono").first.inner_text()
    page.get_by_role("navigation", name="WS3D").get_by_role("link", name="Terminal").click()
    page.locator("#term-input").fill(f"echoscu -aet {title} -aec {archive} archive 11112")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Reason: Calling AE Title Not Recognized")

    at(page, "ARCHIVE", "Configuration")
    page.get_by_role("button", name="Add AE").click()
    line = page.locator("tr.new")
    line.get_by_label("Name").fill("WS3D")
    line.get_by_label("AE title").fill(title)
    line.get_by_label("Host").fill("ws3d.lakeside.example")
    line.get_by_label("Port").fill("104")
    save_and_restart(page, "ARCHIVE")

    at(page, "WS3D", "Tools")
    page.get_by_role("navigation", name="Tools").get_by_role("link", name="C-FIND").click()
    page.get_by_role("combobox", name="Whom").select_option("ARCHIVE")
    page.get_by_label("Key 3: value").fill(accession)
    page.get_by_role("button", name="Query", exact=True).click()
    page.get_by_role("button", name="Retrieve").click()
    expect(page.locator(".said.tone-good")).to_be_visible()

    diagnose(page, "ARCHIVE", "association", "not-in-ae-table")
    check(page)
    debrief(page)


def test_the_disc_says_something_else_than_our_list(page: Page, real_console: str) -> None:
    start(page, real_console, "The disc does not say what our list says")
    accession = told(page, r"accession (\w+)")
    follow(page, accession)
    study = page.locator(".follow-uid").inner_text()
    page.get_by_role("link", name=re.compile("^Header of an image of .* on ARCHIVE$")).first.click()
    page.get_by_label("On", exact=True).select_option("CT1")
    page.get_by_role("button", name="Compare").click()
    row = page.get_by_role("region", name="What differs").get_by_role("row").filter(has_text="PatientName")
    name = row.get_by_role("cell").last.inner_text()
    page.locator("main").get_by_role("button", name=re.compile("^Pin")).first.click()
    expect(page.locator("main").get_by_role("button", name=re.compile("^Pinned")).first).to_be_visible()

    at(page, "ARCHIVE", "Service")
    form = page.get_by_role("region", name="Edit demographics")
    form.get_by_label("Study").fill(study)
    form.get_by_label("Values").fill(f"PatientName={name}")
    form.get_by_label("Reason").fill("The name that the scanner and the request have; the files were overwritten.")
    form.get_by_role("button", name="Edit demographics").click()
    expect(form.locator(".result")).to_contain_text("It worked")

    diagnose(page, "ARCHIVE", "storage", "index-and-files-differ")
    check(page)
    debrief(page)


def test_a_patient_in_the_archive_whom_nobody_registered(page: Page, real_console: str) -> None:
    start(page, real_console, "A patient in the archive whom nobody registered")
    stranger = told(page, r"The name is\s+([A-Z0-9 ]+),")
    at(page, "ARCHIVE", "Studies")
    page.get_by_label("Search").fill(stranger)
    page.get_by_role("table").get_by_role("link", name=re.compile(re.escape(stranger), re.IGNORECASE)).first.click()
    study = page.locator(".uid").first.inner_text()

    at(page, "ARCHIVE", "Configuration")
    page.get_by_label("Accept unlisted callers").uncheck()
    save_and_restart(page, "ARCHIVE")
    at(page, "ARCHIVE", "Service")
    form = page.get_by_role("region", name="Reject", exact=True)
    form.get_by_label("Study").fill(study)
    form.get_by_label("Code").select_option("113037")
    form.get_by_label("Reason").fill("Nobody's images: stored by a program that is in no AE table.")
    form.get_by_role("button", name="Reject").click()
    expect(form.locator(".result")).to_contain_text("It worked")

    diagnose(page, "ARCHIVE", "security", "unlisted-callers-accepted")
    check(page)
    debrief(page)
