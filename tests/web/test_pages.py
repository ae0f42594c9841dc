"""Every page is there, says what it must, escapes what comes from patients, and keeps to the policy."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from flask import Flask

from sandbox.model.view import AttemptState, CommandResult
from tests.web.conftest import Visitor
from tests.web.stand_in import HOSTILE, StandIn, StandInHost

PAGES = (
    "/",
    "/associations/",
    "/associations/a-1",
    "/associations/a-1/messages",
    "/associations/a-1/messages/2",
    "/associations/a-1/pdus",
    "/associations/a-1/pdus/1",
    "/associations/a-1/pdus/1?piece=9",
    "/logs",
    "/logs?q=rejected&order=follow",
    "/history/",
    "/tools",
    "/map",
    "/side",
    "/next",
    "/drill/check",
    "/nodes/ROUTER/",
    "/nodes/ROUTER/configuration/",
    "/nodes/CT1/log",
    "/nodes/CT1/queue/?destination=ROUTER",
    "/nodes/ARCHIVE/studies/",
    "/nodes/ARCHIVE/studies/1.2.3",
    "/nodes/ARCHIVE/studies/1.2.3/view",
    "/nodes/ARCHIVE/instances/1.2.3.4/header",
    "/nodes/ARCHIVE/instances/1.2.3.4/tags",
    "/nodes/ARCHIVE/instances/1.2.3.4/compare?with_node=CT1",
    "/follow/",
    "/follow/?q=nobody",
    "/follow/1.2.3",
    "/follow/1.2.3/map",
    "/nodes/CT1/tools/",
    "/nodes/CT1/service",
    "/nodes/ARCHIVE/service",
    "/network",
)
VOID = {"meta", "link", "input", "img", "br", "use", "path", "rect", "circle"}


class Markup(HTMLParser):
    """Reads a page: what could run, what is nested wrongly, which ids are there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.unlabelled: list[str] = []
        self.labels: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "script" and "src" not in known:
            self.inline.append("script")
        self.inline += [name for name in known if name.startswith("on") or name == "style"]
        self.ids += [known["id"] or ""] if "id" in known else []
        if tag == "label" and known.get("for"):
            self.labels.add(str(known["for"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [known["id"] or ""] if "id" in known else []

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


def read(page: str) -> Markup:
    markup = Markup()
    markup.feed(page)
    return markup


@pytest.mark.parametrize("path", PAGES)
def test_page_is_sound_and_escapes_hostile_names(visitor: Visitor, lab_path: str, path: str) -> None:
    page = visitor.page(lab_path + path)
    assert "<script>alert" not in page
    markup = read(page)
    assert not markup.inline, "inline script or style would be refused by the policy"
    assert not markup.unbalanced
    assert len(markup.ids) == len(set(markup.ids)), "an id is there twice"


@pytest.mark.parametrize("path", ["/nodes/ARCHIVE/studies/", "/nodes/ARCHIVE/studies/1.2.3/view"])
def test_hostile_name_is_shown_as_text(visitor: Visitor, lab_path: str, path: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in visitor.page(lab_path + path)


def test_markdown_of_tickets_and_hints_has_no_html(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/")
    assert "<strong>CT1</strong>" in page
    assert HOSTILE not in page


def test_catalogue_names_the_symptom_and_how_long_it_takes(visitor: Visitor) -> None:
    page = visitor.page("/catalogue/")
    for words in ("CT images do not come up", "It won&#39;t send", "Introductory", "10 min", "negotiation"):
        assert words in page
    assert "Riverside Community Hospital" in page
    assert "Running now" not in visitor.page("/")


def test_somebody_may_look_around_each_hospital_and_no_other(visitor: Visitor, host: StandInHost) -> None:
    assert visitor.post("/labs", {"site": "lakeside", "seed": "3"}).status_code == 302
    assert host.asked == [("lakeside", "", 3)]
    refused = visitor.post("/labs", {"site": "../secret"})
    assert refused.status_code == 404
    assert len(host.asked) == 1


def test_starting_a_drill_asks_the_host_and_shows_it_running(
    visitor: Visitor, host: StandInHost, lab_path: str
) -> None:
    assert host.asked == [("riverside", "drill", 7)]
    page = visitor.page("/")
    assert "Running now" in page
    assert lab_path in page


def test_a_lab_of_an_earlier_console_can_be_continued_and_one_that_was_ended_cannot(
    visitor: Visitor, host: StandInHost, lab_path: str
) -> None:
    kept = dict(host.labs)
    host.labs.clear()  # as after a restart of the console: nothing runs, the directory is there
    page = visitor.page("/")
    assert f'href="{lab_path}/"' in page
    assert "Continue" in page
    host.labs.update(kept)
    visitor.post(f"{lab_path}/end")
    assert "Continue" not in visitor.page("/")


def test_a_look_around_has_no_drill_panels(visitor: Visitor) -> None:
    path = visitor.post("/labs", {"scenario": ""}).headers["Location"]
    page = visitor.page(path)
    assert "Check my fix" not in page
    assert "Nothing is broken here" in page


def test_drill_page_has_ticket_map_feed_and_panels(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/")
    for words in ("Rosalind Pike", "RP", "Check my fix", "Your diagnosis", "Hints", "What happens", "<svg"):
        assert words in page
    assert "CT1 could not send to ROUTER." in page
    assert "ROUTER stored an image." not in page, "detail belongs to the full feed"
    assert "ROUTER stored an image." in visitor.page(lab_path + "/?feed=all")


def test_map_says_every_state_in_words_too(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/map")
    for words in (
        "CT1 title, running. Queue on hold for ROUTER. 3 images wait.",
        "From ROUTER to WS2 by rule ct-to-ed, films. Flows. 4 images sent in the last 15 minutes. Last at 09:30:00.",
        "Failed",
        "Stopped",
        "1 given up",
    ):
        assert words in page
    assert "ct-to-ed, films" in page, "two rules to one destination are one line"


def test_debrief_is_shown_when_it_is_over(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.state = AttemptState.SOLVED
    page = visitor.page(lab_path + "/")
    assert "Solved" in page
    assert f'href="{lab_path}/debrief"' in page
    assert "mistyped" not in page, "the trainee's own account comes before anything is revealed"
    assert "Give up" not in page
    assert "Solved" in visitor.page("/")


def test_association_is_told_in_words(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/associations/a-1")
    for words in ("called AE title not recognized", "Abstract syntax not supported", "A700", "Out of resources"):
        assert words in page


def test_filters_answer_with_a_part(visitor: Visitor, lab_path: str) -> None:
    part = visitor.get(lab_path + "/nodes/ARCHIVE/studies/?q=nobody", part=True).text
    assert "<html" not in part
    assert "No study matches" in part
    errors = visitor.get(lab_path + "/nodes/CT1/log?level=error", part=True).text
    assert "rejected" in errors
    assert "started" not in errors


def test_frames_come_through_the_console(visitor: Visitor, lab_path: str) -> None:
    path = lab_path + "/nodes/ARCHIVE/instances/1.2.3.4/frames/1.png"
    answer = visitor.get(path + "?center=40&width=80")
    assert answer.mimetype == "image/png"
    assert visitor.get(path + "?center=x&width=80").status_code == 400


def test_capture_is_a_download(visitor: Visitor, lab_path: str) -> None:
    answer = visitor.get(lab_path + "/associations/capture.pcap?association=a-1")
    assert answer.headers["Content-Disposition"].endswith('-a-1.pcap"')


def test_tool_result_is_told_with_table_and_association(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.result = CommandResult(
        ok=False,
        sentence="Rejected.",
        facts=(HOSTILE,),
        columns=("PatientName", "StudyInstanceUID"),
        rows=((HOSTILE, "1.2.3"),),
        association="a-1",
    )
    part = visitor.post(lab_path + "/nodes/CT1/tools/", {"tool": "find", "remote": "ARCHIVE"}, part=True).text
    assert "It did not work" in part
    assert "<script>" not in part
    assert f"{lab_path}/associations/a-1" in part
    assert f"{lab_path}/nodes/CT1/studies/1.2.3/retrieve" in part
    whole = visitor.post(lab_path + "/nodes/CT1/tools/", {"tool": "find", "remote": "ARCHIVE"}).text
    assert "<html" in whole
    assert "Rejected." in whole


def test_errors_are_pages_in_words(visitor: Visitor, host: StandInHost, lab_path: str) -> None:
    for path in ("/nowhere", "/labs/gone/", lab_path + "/nodes/NOPE/", lab_path + "/associations/none"):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert "Go to the start page" in answer.text
    host.labs.clear()
    answer = visitor.get(lab_path + "/")
    assert answer.status_code == 404
    assert "This lab has ended." in answer.text
    part = visitor.get(lab_path + "/map", part=True)
    assert "<html" not in part.text


def test_a_fault_of_our_own_is_a_page_without_its_details(visitor: Visitor, app, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(app.extensions["console"].catalogue, "drills", lambda: 1 / 0)
    answer = visitor.get("/")
    assert answer.status_code == 500
    assert "Something in the console went wrong." in answer.text
    assert "ZeroDivision" not in answer.text


def test_each_address_has_one_view(app: Flask) -> None:
    served = Counter((rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ())
    assert not [each for each, views in served.items() if views > 1 and each[1] != "OPTIONS"]


def test_icons_used_are_in_the_sprite(app) -> None:  # type: ignore[no-untyped-def]
    from pathlib import Path

    from web import feed, words

    root = Path(app.root_path)
    sprite = (root / "static/vendor/tabler-icons-3.51.0/sprite.svg").read_text()
    known = set(re.findall(r'symbol id="([^"]+)"', sprite))
    templates = "".join(path.read_text() for path in (root / "templates").rglob("*.html"))
    used = (
        set(re.findall(r'icon\("([a-z0-9-]+)"', templates)) | set(feed.ICONS.values()) | set(words.ROLE_ICONS.values())
    )
    used |= {
        row.icon
        for table in words.TABLES.values()
        if isinstance(table, dict)
        for row in table.values()
        if hasattr(row, "icon")
    }
    assert used <= known


@pytest.mark.parametrize(
    "address", ["/exam/{}/", "/trainers/negotiation/{}", "/trainers/twins/{}", "/attempts/{}/debrief"]
)
def test_a_number_too_long_for_the_database_names_nothing(visitor: Visitor, address: str) -> None:
    assert visitor.get(address.format("9" * 20)).status_code == 404
    assert visitor.get(address.format("9" * 18)).status_code != 500
