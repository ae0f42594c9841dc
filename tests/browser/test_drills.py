"""A trainee solves each drill by clicking, in a real department: ticket, investigation, mend, check, debrief."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

CHECKS_MS = 150_000


def start(page: Page, console: str, title: str) -> None:
    page.goto(console + "/catalogue/")
    page.get_by_role("listitem").filter(has_text=title).get_by_role("button", name="drill").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("article", name="Ticket 1")).to_be_visible()


def confirm(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button").last.click()


def save_and_restart(page: Page, node: str) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Saved but not running")).to_be_visible()
    page.get_by_role("button", name=f"Restart {node} now").click()
    expect(page.get_by_role("heading", name="Saved but not running")).to_have_count(0)


def diagnose(page: Page, node: str, layer: str, fault: str) -> None:
    page.get_by_role("link", name="Drill", exact=True).click()
    page.get_by_role("tab", name="Diagnosis").click()
    page.get_by_label("Where is the cause?").select_option(node)
    page.get_by_label("In which layer?").select_option(layer)
    page.get_by_label("What is wrong?").select_option(fault)
    page.get_by_label("What shows it?").fill("I saw it in the log.")
    page.get_by_role("button", name="Commit my diagnosis").click()
    expect(page.get_by_text("Your diagnosis is on record.")).to_be_visible()


def check(page: Page) -> None:
    page.get_by_role("tab", name="Check").click()
    page.get_by_role("button", name="Check my fix").click()
    expect(page.get_by_text("tried for real")).to_be_visible()
    expect(page.get_by_role("heading", name="Solved", exact=True)).to_be_visible(timeout=CHECKS_MS)
    page.get_by_role("link", name="Open the debrief").click()
    page.get_by_role("button", name="Skip my account").click()
    expect(page.get_by_role("heading", name="How it went")).to_be_visible()


def retrieve(page: Page, node: str, accession: str) -> None:
    """Find the exam that somebody is waiting for in the archive, and pull it to their workstation."""
    page.get_by_role("navigation", name="This lab").get_by_role("link", name=node).click()
    page.get_by_role("navigation", name=node).get_by_role("link", name="Tools").click()
    page.get_by_role("navigation", name="Tools").get_by_role("link", name="C-FIND").click()
    page.get_by_role("combobox", name="Whom").select_option("ARCHIVE")
    page.get_by_label("Key 3: value").fill(accession)
    page.get_by_role("button", name="Query", exact=True).click()
    page.get_by_role("button", name="Retrieve").click()
    expect(page.locator(".said.tone-good")).to_be_visible()


def right_answers(page: Page) -> int:
    return page.locator(".diagnosis-table .tone-good").count()


def test_ct_images_missing_in_ed(page: Page, real_console: str) -> None:
    start(page, real_console, "CT images do not come up in the emergency department")
    page.get_by_role("link", name="CT scanner, running").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CT1")

    page.get_by_role("navigation", name="CT1").get_by_role("link", name="Tools").click()
    result = page.locator("#results details").first
    page.get_by_role("combobox", name="Whom").select_option("ROUTER")
    page.get_by_role("button", name="Send C-ECHO").click()
    expect(result).to_contain_text("1/1/7")
    expect(result).to_contain_text("It did not work")
    result.get_by_role("link", name="See the association").click()
    expect(page.locator(".verdict")).to_contain_text("rejected")
    page.go_back()

    page.get_by_role("navigation", name="CT1").get_by_role("link", name="Configuration").click()
    line = page.locator("tr", has=page.locator('input[value="ROUTER"]')).first
    line.get_by_label("AE title").fill("ROUTER")
    save_and_restart(page, "CT1")

    page.get_by_role("navigation", name="CT1").get_by_role("link", name="Tools").click()
    page.get_by_role("combobox", name="Whom").select_option("ROUTER")
    page.get_by_role("button", name="Send C-ECHO").click()
    expect(result).to_contain_text("It worked")

    diagnose(page, "CT1", "association", "called-title-mistyped")
    check(page)
    assert right_answers(page) == 3
    page.goto(real_console)
    expect(page.get_by_text("Solved").first).to_be_visible()


def test_ed_lost_its_chest_films(page: Page, real_console: str) -> None:
    start(page, real_console, "The emergency department no longer gets its chest films")
    told = re.search(r"accession (\w+)", page.get_by_role("article", name="Ticket 1").inner_text())
    assert told
    page.get_by_role("navigation", name="This lab").get_by_role("link", name="ROUTER").click()
    page.get_by_role("navigation", name="ROUTER").get_by_role("link", name="Configuration").click()
    rule = page.get_by_role("group", name="plain-films-to-ed", exact=True)
    condition = rule.get_by_role("region", name="Conditions").locator("tbody tr").first
    expect(condition.get_by_label("Attribute")).to_have_value("Modality")
    condition.get_by_label("Value").fill("DX")
    save_and_restart(page, "ROUTER")
    retrieve(page, "WS2", told.group(1))
    diagnose(page, "ROUTER", "routing", "rule-does-not-match")
    check(page)
    assert right_answers(page) == 3


def test_nothing_from_friday_in_the_reading_room(page: Page, real_console: str) -> None:
    start(page, real_console, "Nothing from Friday afternoon in the reading room")
    page.get_by_role("navigation", name="This lab").get_by_role("link", name="ROUTER").click()
    page.get_by_role("navigation", name="ROUTER").get_by_role("link", name="Queue").click()
    held = page.locator("section.queue.held")
    expect(held).to_contain_text("On hold")
    held.get_by_role("button", name="Resume").click()
    expect(page.locator("section.queue.held")).to_have_count(0)
    diagnose(page, "ROUTER", "queue", "destination-held")
    check(page)
    assert right_answers(page) == 3
