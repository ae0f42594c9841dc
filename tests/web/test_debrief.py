"""The debrief: nothing is revealed before one's own account; it is the same with the lab and long after it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from sandbox.learning.report import incident_report, markdown
from sandbox.model.debrief_view import AccountView, DebriefView
from sandbox.model.view import AttemptState
from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn
from tests.web.test_pages import Markup
from tests.web.told import HOSTILE, told
from web import debrief_picture, words
from web.report_pdf import report_pdf

SECRETS = ("mistyped", "A typo in the AE table", "62 of 100 points", "Follow the patient", "thrown away")
ACCOUNT = {"wrong": "Müller's title was wrong.", "did": "I mended it.", "differently": "Look at the log first."}


@pytest.fixture
def over(lab: StandIn, lab_path: str) -> str:
    """The address of the debrief of a drill that was solved."""
    lab.state = AttemptState.SOLVED
    return lab_path + "/debrief"


def number_of(app: Flask, lab_path: str) -> int:
    record = app.extensions["console"].attempts.get(lab_path.rpartition("/")[2])
    assert record is not None
    return int(record.id)


def ended(visitor: Visitor, lab_path: str) -> None:
    assert visitor.post(lab_path + "/end").status_code == 302


def sound(page: str) -> None:
    markup = Markup()
    markup.feed(page)
    assert "<script>alert" not in page
    assert " style=" not in page
    assert len(markup.ids) == len(set(markup.ids))


def test_while_the_drill_runs_there_is_none(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/debrief")
    assert "The drill still runs." in page
    assert visitor.get(lab_path + "/debrief/report.pdf").status_code == 409


def test_ones_own_account_comes_first(visitor: Visitor, over: str, lab: StandIn) -> None:
    page = visitor.page(over)
    assert "First, your own account" in page
    for secret in SECRETS:
        assert secret not in page
    assert visitor.get(over + "/report.md").status_code == 409
    visitor.post(over + "/account", ACCOUNT, token_from=over)
    assert lab.commands[-1]["command"] == "attempt.account"
    page = visitor.page(over)
    for words_ in (*SECRETS, "Müller&#39;s title was wrong.", "It was there at 04:10; you looked at 11:32."):
        assert words_ in page
    sound(page)


def test_an_empty_account_is_asked_for_again_and_may_be_skipped(visitor: Visitor, over: str, lab: StandIn) -> None:
    visitor.post(over + "/account", {"wrong": "  "}, token_from=over)
    page = visitor.page(over)
    assert "Your account is empty." in page
    assert lab.account is None
    visitor.post(over + "/account", {"skip": "yes"}, token_from=over)
    assert "You chose not to write one." in visitor.page(over)


def test_it_is_kept_when_the_lab_is_gone(app: Flask, visitor: Visitor, over: str, lab_path: str) -> None:
    visitor.post(over + "/account", ACCOUNT, token_from=over)
    number = number_of(app, lab_path)
    ended(visitor, lab_path)
    answer = visitor.get(over)
    assert answer.headers["Location"] == f"/attempts/{number}/debrief"
    page = visitor.page(f"/attempts/{number}/debrief")
    for words_ in (*SECRETS, "I mended it.", "Again, with a fresh department"):
        assert words_ in page
    assert "End this lab" not in page
    sound(page)
    record = app.extensions["console"].attempts.by_id(number)
    assert record.score == 62
    assert record.finished is not None


def test_an_end_that_no_page_saw_is_kept_and_the_account_written_later(
    app: Flask, visitor: Visitor, lab: StandIn, lab_path: str
) -> None:
    lab.state = AttemptState.GIVEN_UP  # from the command line, say
    ended(visitor, lab_path)
    path = f"/attempts/{number_of(app, lab_path)}/debrief"
    assert "First, your own account" in visitor.page(path)
    visitor.post(path + "/account", ACCOUNT, token_from=path)
    page = visitor.page(path)
    assert "I mended it." in page
    assert "Given up" in page
    report = visitor.get(path + "/report.md")
    assert report.status_code == 200
    assert "I mended it." in report.text


def test_of_a_lab_that_ended_in_the_middle_there_is_none(app: Flask, visitor: Visitor, lab_path: str) -> None:
    number = number_of(app, lab_path)
    ended(visitor, lab_path)
    answer = visitor.get(f"/attempts/{number}/debrief")
    assert answer.status_code == 404
    assert "No debrief of this attempt was kept." in answer.text
    assert visitor.get(lab_path + "/debrief").status_code == 404
    assert visitor.get("/attempts/4711/debrief").status_code == 404


def test_what_another_version_kept_is_not_a_broken_page(app: Flask, visitor: Visitor, over: str, lab_path: str) -> None:
    visitor.page(over)
    number = number_of(app, lab_path)
    console = app.extensions["console"]
    from web.db.tables import Attempt

    with console.database.unit() as session:
        session.get(Attempt, number).debrief = {"from": "another version"}
    assert visitor.get(f"/attempts/{number}/debrief").status_code == 404


def test_the_reports_are_downloads(visitor: Visitor, over: str) -> None:
    visitor.post(over + "/account", ACCOUNT, token_from=over)
    pdf = visitor.get(over + "/report.pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF-")
    assert "attachment" in pdf.headers["Content-Disposition"]
    text = visitor.get(over + "/report.md")
    assert text.mimetype == "text/markdown"
    assert "Müller's title was wrong." in text.text
    assert visitor.get(over + "/report.exe").status_code == 404


def debrief() -> DebriefView:
    return told(account=AccountView(**ACCOUNT))


def test_the_pdf_says_what_the_markdown_says(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(report_pdf(incident_report(debrief())))
    out = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    flat = " ".join(out.split())
    for said in (
        "Incident report: CT images do not come up",
        "Müller's title was wrong.",
        "1 exam was held up.",
        "A typo in the AE table.",
        "Copy titles, do not type them.",
        "Look at the log first.",
        "Rosalind Pike",
        "It was there at 04:10; you looked at 11:32.",
        "Some letters are not in this document's type",
    ):
        assert said in flat, said


def test_letters_of_europe_are_right_and_others_do_no_harm(tmp_path: Path) -> None:
    names = "Müller Łukasz Ωμέγα Жанна"
    report = incident_report(debrief().model_copy(update={"title": names}))
    pdf = report_pdf(report)
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    if shutil.which("pdftotext"):
        path = tmp_path / "report.pdf"
        path.write_bytes(pdf)
        out = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
        assert names in " ".join(out.split())


def test_markdown_is_not_made_by_what_people_write() -> None:
    text = markdown(incident_report(debrief().model_copy(update={"said_evidence": f"# a | b *c* {HOSTILE}"})))
    assert r"\# a \| b \*c\*" in text
    assert "<script>" not in text


def test_pictures_stay_within_their_frame() -> None:
    lanes = debrief_picture.lanes(debrief())
    assert {spot.group for spot in lanes.spots} == {entry.group for entry in debrief().timeline}
    assert all(0 <= spot.x <= lanes.width and 0 <= spot.y <= lanes.height for spot in lanes.spots)
    assert all((spot.x < lanes.call_x) == (spot.group in ("fault", "symptom")) for spot in lanes.spots)
    graph = debrief_picture.graph(debrief())
    assert len(graph.boxes) == 3
    assert len(graph.arrows) == 2
    assert all(box.x >= 0 and box.x + debrief_picture.BOX_WIDTH <= graph.width for box in graph.boxes)
    assert all(box.y + debrief_picture.BOX_HEIGHT <= graph.height for box in graph.boxes)
    empty = debrief().model_copy(update={"timeline": (), "graph": type(debrief().graph)()})
    assert debrief_picture.graph(empty).boxes == ()
    assert debrief_picture.lanes(empty).spots == ()


def test_every_kind_that_a_debrief_tells_has_a_word_and_an_icon() -> None:
    from sandbox.learning.graph import LAYERS
    from sandbox.learning.timeline import ACTS, GROUPS
    from sandbox.model.debrief_view import Lane

    groups = {group for group, _ in GROUPS.values()} | set(ACTS.values()) | {"symptom", "trace", "recovery"}
    assert groups <= set(words.TIMELINE_GROUPS)
    assert set(LAYERS) == set(words.GRAPH_KINDS)
    assert set(words.LANES) == set(Lane)
    assert set(words.PATH_KINDS) == {"look", "conclude", "act", "verify", "tell"}
