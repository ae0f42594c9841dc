"""What forms bring in: numbers of which anything may come."""

from __future__ import annotations

import pytest

from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn
from web.forms import for_header, own_path, port, whole


@pytest.mark.parametrize(("text", "number"), [("7", 7), (" 12 ", 12), ("0", 0), ("99999999999", 99_999_999_999)])
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "٣", "1" * 5000, "one", "1 2"])
def test_everything_else_is_none(text: str) -> None:
    assert whole(text, 4) == 4


def test_what_is_out_of_bounds_is_none() -> None:
    assert [whole(text, -1, least=2, most=4) for text in ("1", "2", "4", "5")] == [-1, 2, 4, -1]


@pytest.mark.parametrize(
    ("text", "number"),
    [("104", 104), (" 65535 ", 65535), ("000104", 104), ("0", 0), ("65536", 0), ("0000104999999", 0), ("0" * 4400, 0)],
)
def test_a_port_is_read_whole(text: str, number: int) -> None:
    assert port(text) == number


def test_a_header_takes_nothing_that_ends_it() -> None:
    assert for_header("/log\r\nSet-Cookie: a=b\x00é") == "/log??Set-Cookie: a=b??"


def test_a_raised_two_is_no_error_of_the_console(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    for address, form in (
        ("/drill/step", {"number": "²"}),
        ("/drill/diagnosis", {"pins": "²"}),
        ("/notebook/notes", {"note": "²", "text": "x"}),
        ("/notebook/pins", {"pin": "²", "seq": "²", "what": "log"}),
        ("/tickets/1/update", {"next_update_min": "²"}),
    ):
        assert visitor.post(f"{lab_path}{address}", form).status_code < 500, address
    assert visitor.post("/labs", {"scenario": "drill", "seed": "²"}).status_code == 400


def test_what_is_no_entry_of_a_queue_does_not_become_all_of_them(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    form = {"act": "discard", "destination": "ARCHIVE", "entry": "x"}
    visitor.post(f"{lab_path}/nodes/CT1/queue/", form)
    given = [one for one in lab.commands if one["command"] == "queue.discard"]
    assert all(one["params"].get("entry") is not None for one in given)
    assert given


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "/\\evil.example", "/\t/evil.example", "https://x", "x", "", "//["]
)
def test_a_way_back_is_a_path_of_this_console(elsewhere: str) -> None:
    assert own_path(elsewhere) == ""
    assert own_path("/labs/x/?q=a%20b#f") == "/labs/x/?q=a%20b#f"
