"""After a drill by clicking: one's own account, the debrief, both reports; and all of it again when the lab is gone."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_drills import confirm, save_and_restart, start


def test_account_debrief_and_reports(page: Page, real_console: str, tmp_path: Path) -> None:
    start(page, real_console, "CT images do not come up in the emergency department")
    lab = re.sub(r"[?#].*", "", page.url).rstrip("/")
    page.goto(lab + "/debrief")
    expect(page.get_by_text("The drill still runs.")).to_be_visible()
    page.goto(lab + "/nodes/CT1/log")
    page.goto(lab + "/nodes/CT1/configuration/")
    line = page.locator("tr", has=page.locator('input[value="ROUTER"]')).first
    line.get_by_label("AE title").fill("ROUTER")
    save_and_restart(page, "CT1")
    page.goto(lab + "/")
    page.get_by_role("button", name=re.compile("^Give up")).click()
    confirm(page)
    page.get_by_role("link", name="Open the debrief").click()

    expect(page.get_by_role("heading", name="First, your own account")).to_be_visible()
    expect(page.get_by_text("What led to what")).to_have_count(0)
    page.get_by_label("What was wrong?").fill("CT1 called ROUTER by Müller's name.")
    page.get_by_label("What would you do differently?").fill("Read the log first.")
    page.get_by_role("button", name="Keep it and show me the debrief").click()

    expect(page.get_by_text("CT1 called ROUTER by Müller's name.")).to_be_visible()
    expect(page.locator(".score-ring")).to_have_attribute("aria-label", re.compile(r"\d+ of 100 points"))
    row = page.get_by_role("row").filter(has_text="Looked before acting")
    row.get_by_role("link", name="See the moment").click()
    expect(page.locator("li:target")).to_be_in_viewport()
    expect(page.locator(".graph .box").first).to_contain_text("Cause")
    expect(page.get_by_role("region", name="Tests and looks in order")).to_contain_text("The log on CT1")

    for name, begins in (("Report as PDF", b"%PDF-"), ("Report as Markdown", b"# Incident report")):
        with page.expect_download() as downloading:
            page.get_by_role("link", name=name).click()
        path = tmp_path / downloading.value.suggested_filename
        downloading.value.save_as(path)
        assert path.read_bytes().startswith(begins)
    assert "Read the log first." in path.read_text(encoding="utf-8")

    page.get_by_role("button", name="End this lab").click()
    confirm(page)
    expect(page.get_by_text("the lab has ended")).to_be_visible()
    page.goto(lab + "/debrief")
    expect(page).to_have_url(re.compile(r"/attempts/\d+/debrief$"))
    expect(page.get_by_text("CT1 called ROUTER by Müller's name.")).to_be_visible()
    expect(page.get_by_role("button", name="End this lab")).to_have_count(0)
