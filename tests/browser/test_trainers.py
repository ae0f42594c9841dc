"""The trainers over real departments: what is predicted is sent, and two causes of one complaint are told apart."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def test_a_prediction_is_compared_with_a_real_association(page: Page, real_console: str) -> None:
    page.goto(f"{real_console}/trainers/")
    page.get_by_role("link", name="Practise negotiation").click()
    page.get_by_role("button", name=re.compile(r"Begin a round ?: Yes or no")).click()
    expect(page.get_by_role("heading", name="What will they agree on?")).to_be_visible()
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("alert")).to_contain_text("3 contexts have no answer yet.")
    for place in range(3):
        page.get_by_label(f"Your answer to context {2 * place + 1}").select_option(index=1)
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("heading", name="What they agreed on")).to_be_visible()
    expect(page.locator(".outcome")).to_have_count(3)
    page.get_by_role("link", name="See the association that was sent").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ROUTER")
    expect(page.get_by_role("heading", name="Presentation contexts")).to_be_visible()


def test_twins_are_told_apart_by_looking(page: Page, real_console: str) -> None:
    page.goto(f"{real_console}/trainers/twins/")
    page.get_by_role("button", name="Begin a round").click()
    expect(page.get_by_role("heading", name="The complaint, in both departments")).to_be_visible()
    page.get_by_role("button", name="the queue of", exact=False).first.click()
    expect(page.get_by_role("table")).to_contain_text("1 min")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="That is my answer").click()
    expect(page.get_by_role("heading", name="What there is to see")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(10)
    expect(page.get_by_text("The cheapest look that tells them apart was")).to_be_visible()
