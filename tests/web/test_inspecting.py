"""The inspector's pages, the logs and the history: parts for htmx, links that lead somewhere, bytes that are marked,
and text from peers that stays text."""

from __future__ import annotations

import re

import pytest

from sandbox.model.errors import BadInputError
from tests.web.conftest import Visitor
from tests.web.stand_in import HOSTILE, StandIn
from tests.web.stand_in_inspection import REQUEST, STEPS
from web.hexdump import hex_lines
from web.highlight import marked


def test_entries_that_decide_lead_to_their_field(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/associations/a-1")
    assert f'href="{lab_path}/nodes/CT1/configuration/#f-remotes-0-ae_title"' in page
    assert 'id="f-remotes-0-ae_title"' in visitor.page(lab_path + "/nodes/CT1/configuration/")
    assert "saved, not running: ROUTER" in page
    assert f'href="{lab_path}/network"' in page
    for words in ("PS3.8 9.3.4", "rejected permanently", "any length", "16.4 kB"):
        assert words in page


def test_messages_come_a_page_at_a_time(visitor: Visitor, lab_path: str) -> None:
    path = lab_path + "/associations/a-1/messages"
    page = visitor.page(lab_path + "/associations/a-1")
    assert f"1 to 40 of {STEPS}" in page
    part = visitor.get(path + "?after=40", part=True).text
    assert "<html" not in part
    assert f"41 to 80 of {STEPS}" in part
    assert f"{path}/41" in part
    assert f"81 to {STEPS} of {STEPS}" in visitor.page(path + "?after=80")
    for nonsense in ("nonsense", "-1", "٣", "1" * 5000):
        assert f"1 to 40 of {STEPS}" in visitor.page(f"{path}?after={nonsense}")


def test_a_message_is_a_part_and_a_page(visitor: Visitor, lab_path: str) -> None:
    path = lab_path + "/associations/a-1/messages/2"
    part = visitor.get(path, part=True).text
    assert "<html" not in part
    for words in ("A700", "Out of resources", "(0010,0010)", "PatientName", "undefined", "There is more"):
        assert words in part
    assert f'href="{lab_path}/associations/a-1/messages/1"' in part
    assert "&lt;script&gt;alert(1)" in part
    assert f"Message 2 of {STEPS}" in visitor.page(path)


def test_the_bytes_of_the_chosen_field_are_marked(visitor: Visitor, lab_path: str) -> None:
    path = lab_path + "/associations/a-1/pdus/1"
    assert "<mark>" not in visitor.page(path)
    page = visitor.page(path)
    number = next(
        found.group(1) for found in re.finditer(r'id="p-(\d+)".*?piece-name">([^<]+)<', page) if "Called" in found[2]
    )
    part = visitor.get(f"{path}?piece={number}", part=True).text
    assert "<html" not in part
    shown = " ".join(re.findall(r"<td>(.*?)</td>", part, re.S))
    assert " ".join(re.findall(r"<mark>([0-9A-F ]+)</mark>", shown)) == REQUEST[10:26].hex(" ").upper()
    assert "<mark>" not in visitor.page(path + "?piece=9999")


def test_what_is_not_there_is_a_page_in_words(visitor: Visitor, lab_path: str) -> None:
    for path in ("/associations/none/messages", "/associations/none/pdus/1", "/associations/a-1/messages/x"):
        assert visitor.get(lab_path + path).status_code == 404


def test_logs_are_searched_marked_and_linked(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/logs?q=rejected")
    assert '<mark class="found">rejected</mark>' in page
    assert "CT1 started" not in page
    assert f'href="{lab_path}/associations/a-1"' in page
    assert f'href="{lab_path}/nodes/CT1/log"' in page
    assert "No line matches." in visitor.get(lab_path + "/logs?q=nothing+of+it", part=True).text
    newest = visitor.page(lab_path + "/logs")
    assert newest.index("two\nlines") < newest.index("CT1 started")
    followed = visitor.page(lab_path + "/logs?order=follow")
    assert followed.index("CT1 started") < followed.index("two\nlines")
    assert "data-follow" in followed
    assert "before=5" in newest
    assert "log-changed" not in visitor.page(lab_path + "/logs?before=5").partition('id="log"')[2].partition(">")[0]


def test_a_bad_line_can_be_pinned_and_a_good_one_needs_no_pin(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/logs")
    pinned = re.findall(r'name="seq" value="(\d+)"', page)
    assert pinned in ([], ["8", "7"])


def test_a_search_is_cut_at_what_a_lab_takes(visitor: Visitor, lab_path: str) -> None:
    for path in ("/logs", "/nodes/CT1/log", "/associations/"):
        page = visitor.page(f"{lab_path}{path}?q={'a' * 66_000}")
        assert f'value="{"a" * 200}"' in page
    assert visitor.get(f"{lab_path}/nodes/{'a' * 66_000}/log").status_code in (400, 404)


def test_logs_are_taken_along_as_text(visitor: Visitor, lab_path: str) -> None:
    answer = visitor.get(lab_path + "/logs/download?node=CT1")
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].endswith('-CT1.log"')
    lines = answer.text.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} CT1 +INFO +CT1 started", lines[0])
    assert lines[1].endswith("[a-1]")
    assert HOSTILE in lines[1], "a text file is no page and needs no escaping"
    whole = visitor.get(lab_path + "/logs/download").text
    assert "two lines" in whole, "a text of two lines cannot pass for two"


def test_the_history_tells_old_and_new_and_what_waits(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/history/")
    for words in ("saved, not running", "by you", "Put this back", "remotes.ROUTER.ae_title", "removed"):
        assert words in page
    assert f'href="{lab_path}/nodes/CT1/configuration/#f-remotes-0-ae_title"' in page
    assert "data-confirm" in page
    assert "<script>alert" not in page
    assert "before=11" in page
    part = visitor.get(lab_path + "/history/?node=CT1", part=True).text
    assert "<html" not in part


def test_a_value_is_put_back_as_anybody_would_save_it(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    answer = visitor.post(
        lab_path + "/history/12/back", {"path": "remotes.ROUTER.ae_title", "node": "CT1"}, token_from=lab_path + "/"
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/history/?node=CT1")
    (given,) = [one for one in lab.commands if one["command"] == "node.config.save"]
    assert given["params"] == {"node": "CT1", "set": {"remotes.ROUTER.ae_title": "ROUTER"}}


@pytest.mark.parametrize(("seq", "path"), [(12, "remotes.WS3"), (11, "x"), (99, "remotes.ROUTER.ae_title")])
def test_what_cannot_be_put_back_is_told_and_nothing_is_saved(
    visitor: Visitor, lab: StandIn, lab_path: str, seq: int, path: str
) -> None:
    answer = visitor.post(f"{lab_path}/history/{seq}/back", {"path": path})
    assert answer.status_code in (302, 404)
    assert not [one for one in lab.commands if one["command"] == "node.config.save"]


def test_a_refusal_to_put_back_is_told_on_the_next_page(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    lab.refuse = BadInputError("There is no setting like that.", "Look at the form.")
    visitor.post(lab_path + "/history/12/back", {"path": "remotes.ROUTER.ae_title", "node": ""})
    assert "There is no setting like that." in visitor.page(lab_path + "/history/")


def test_marks_are_ours_and_everything_else_is_escaped() -> None:
    assert marked("<b>Rejected</b> & rejected", ("rejected",)) == (
        '&lt;b&gt;<mark class="found">Rejected</mark>&lt;/b&gt; &amp; <mark class="found">rejected</mark>'
    )
    assert marked("a<b", ()) == "a&lt;b"
    assert marked("a.c abc", ("a.c",)) == '<mark class="found">a.c</mark> abc'
    assert "<script" not in marked(HOSTILE, ("script", "<"))


def test_bytes_stand_sixteen_to_a_line() -> None:
    first, second = hex_lines(bytes(range(60, 80)), 32, range(46, 50))
    assert (first.offset, second.offset) == ("000020", "000030")
    assert [run.text for run in first.text if run.is_marked] == ["JK"]
    assert [run.text for run in second.cells] == ["4C 4D", "4E 4F"]
    assert [run.is_marked for run in second.cells] == [True, False]
    assert hex_lines(b"", 0, range(0)) == ()
