"""The way to a lab: whatever goes wrong on it is an error with a sentence, in a page as in a thread of the console."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest

from sandbox.model.errors import BadInputError, UnavailableError
from tests.web.stand_in import TOKEN, StandIn, api
from web.lab_client import LabClient


def client() -> LabClient:
    return LabClient("http://127.0.0.1:1", TOKEN, httpx.WSGITransport(app=api(StandIn())))


@pytest.mark.parametrize(
    "ask",
    [
        lambda lab: lab.logs(q="a" * 66_000),
        lambda lab: lab.node("a" * 66_000),
        lambda lab: lab.command("node.restart", {"node": float("nan")}),
        lambda lab: lab.terminal_words("CT1", "\ud800", "/"),
    ],
    ids=["a long search", "a long name", "no number", "half a character"],
)
def test_what_cannot_be_sent_is_bad_input(ask: Callable[[LabClient], object]) -> None:
    with pytest.raises(BadInputError, match="cannot be asked of a lab"):
        ask(client())


def _stream(lab: LabClient) -> None:
    with lab.stream(1) as events:
        list(events)


@pytest.mark.parametrize("ask", [LabClient.lab, _stream, lambda lab: lab.command("node.restart", {})])
def test_a_client_that_another_thread_closed_is_a_lab_that_does_not_answer(ask: Callable[[LabClient], object]) -> None:
    mine = client()
    held = mine.by("trainee")
    mine.close()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            ask(held)
        except BaseException as wrong:
            raised.append(wrong)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert [type(one) for one in raised] == [UnavailableError]
    assert str(raised[0]).startswith("This lab does not answer.")


def test_what_goes_wrong_with_the_reader_of_a_stream_is_its_own() -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b":\n\n")

    lab = LabClient("http://127.0.0.1:1", TOKEN, httpx.MockTransport(handle))
    with pytest.raises(RuntimeError, match="mine"), lab.stream(1):
        raise RuntimeError("mine")


def test_an_account_may_have_a_name_that_is_not_ascii() -> None:
    stand_in = StandIn()
    lab = LabClient("http://127.0.0.1:1", TOKEN, httpx.WSGITransport(app=api(stand_in)))
    lab.by("trainee:josé").lab()
    lab.by("trainee:anna.b-c_d").lab()
    assert stand_in.seen_actors == ["trainee:jos%C3%A9", "trainee:anna.b-c_d"]
