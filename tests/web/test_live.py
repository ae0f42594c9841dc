"""Events reach the browser: shared between watchers, gathered, in order, and with the word what to draw again."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.model.view import AttemptState, EventView
from tests.web.conftest import Visitor
from tests.web.stand_in import EVENTS, HOSTILE, NOW, StandIn, StandInHost
from web import feed
from web.lab_client import _events
from web.live import MOST_MISSED, LabFeed
from web.pages.live import message


def event(seq: int, kind: str = "queue.failed", sentence: str = "x", **over: object) -> EventView:
    known = {"seq": seq, "at": NOW, "kind": kind, "node": "CT1", "actor": "system", "cause": None}
    return EventView.model_validate(known | {"sentence": sentence} | over)


class Source:
    """A lab whose stream gives what the test puts in. Counts how often it was connected to."""

    def __init__(self) -> None:
        self.connections = 0
        self.more = threading.Semaphore(0)
        self.sent: list[EventView] = []
        self.before: list[EventView] = []
        """What happened while nobody watched."""

    def give(self, *events: EventView) -> None:
        self.sent += events
        for _ in events:
            self.more.release()

    def lab(self):  # type: ignore[no-untyped-def]
        class View:
            last_event = self.before[-1].seq if self.before else 0

        return View()

    def events(self, *, after: int, limit: int) -> tuple[EventView, ...]:
        """As a lab does: the first ones after a number, and without one the newest (sandbox/lab/api/reads.py)."""
        later = [event for event in self.before if event.seq > after]
        return tuple(later[:limit] if after else later[-limit:])

    @contextmanager
    def stream(self, after: int) -> Iterator[Iterator[EventView | None]]:
        self.connections += 1

        def all_of_them() -> Iterator[EventView | None]:
            place = 0
            while True:
                if self.more.acquire(timeout=0.05):
                    yield self.sent[place]
                    place += 1
                else:
                    yield None

        yield all_of_them()


def test_two_watchers_share_one_stream() -> None:
    source = Source()
    shared = LabFeed(lambda: source)  # type: ignore[arg-type,return-value]
    one, other = shared.watch(0), shared.watch(0)
    found: dict[str, list[int]] = {"one": [], "other": []}

    def read(name: str, watch: Iterator[list[EventView]]) -> None:
        for batch in watch:
            found[name] += [event.seq for event in batch]
            if found[name][-1:] == [3]:
                return

    threads = [threading.Thread(target=read, args=each) for each in (("one", one), ("other", other))]
    for thread in threads:
        thread.start()
    while len(shared._watchers) < 2:
        threading.Event().wait(0.01)
    source.give(event(1), event(2), event(3))
    for thread in threads:
        thread.join(10)
    assert found == {"one": [1, 2, 3], "other": [1, 2, 3]}
    assert source.connections == 1
    one.close()
    other.close()
    assert not shared._watchers
    shared.close()


def test_what_was_missed_comes_first_and_nothing_twice() -> None:
    source = Source()
    source.before = [event(seq) for seq in (1, 2, 3, 4, 5)]
    shared = LabFeed(lambda: source)  # type: ignore[arg-type,return-value]
    watch = shared.watch(3)
    assert [one.seq for one in next(watch)] == [4, 5]
    source.give(event(5), event(6))
    assert [one.seq for one in next(watch)] == [6]
    watch.close()
    shared.close()


def numbers(batches: Iterator[list[EventView]], until: int) -> list[int]:
    found: list[int] = []
    while found[-1:] != [until]:
        batch = next(batches)
        assert batch, f"silence after {found[-1:]}"
        found += [event.seq for event in batch]
    return found


def test_all_that_was_missed_comes_before_what_happens_now() -> None:
    source = Source()
    source.before = [event(seq) for seq in range(1, 1204)]
    shared = LabFeed(lambda: source)  # type: ignore[arg-type,return-value]
    watch = shared.watch(3)
    assert numbers(watch, 1203) == list(range(4, 1204))
    source.give(event(1203), event(1204))
    assert numbers(watch, 1204) == [1204]
    watch.close()
    assert [one.seq for batch in shared.missed(3) for one in batch] == list(range(4, 1204))
    shared.close()


def test_who_was_away_for_long_is_told_of_the_newest() -> None:
    source = Source()
    source.before = [event(seq) for seq in range(1, MOST_MISSED + 101)]
    shared = LabFeed(lambda: source)  # type: ignore[arg-type,return-value]
    assert [one.seq for batch in shared.missed(3) for one in batch] == list(range(101, MOST_MISSED + 101))


def test_stream_carries_rows_and_words(visitor: Visitor, lab_path: str) -> None:
    answer = visitor.client.get(f"{lab_path}/events?after=0&feed=main", buffered=False)
    text = ""
    for chunk in answer.response:
        text += chunk.decode() if isinstance(chunk, bytes) else chunk
        if "id: 3" in text and text.endswith("\n\n"):
            break
    answer.close()
    assert answer.mimetype == "text/event-stream"
    assert "event: department-changed" in text
    assert "could not send to ROUTER" in text
    assert HOSTILE not in text
    assert "stored an image" not in text


def test_when_too_many_watch_one_is_told_what_is_new_and_comes_back(visitor: Visitor, lab_path: str) -> None:
    streams = visitor.client.application.extensions["console"].streams
    for _ in range(visitor.client.application.extensions["console"].options.streams):
        assert streams.acquire(blocking=False)
    ends = visitor.client.get(f"{lab_path}/events?after=0&feed=main")
    assert ends.text.startswith("retry: 5000\nevent: stream-opened\ndata: \n\n"), "hx-sse skips what says nothing"
    assert "could not send to ROUTER" in ends.text
    assert "id: 3" in ends.text, "the browser goes on from there"
    ends.close()
    assert not streams.acquire(blocking=False), "what had no place gave none back"
    streams.release()
    for _ in range(2):
        stays = visitor.client.get(f"{lab_path}/events?after=0&feed=main", buffered=False)
        assert next(iter(stays.response)).startswith((b"retry: 2000\n", "retry: 2000\n"))  # type: ignore[arg-type]
        assert not streams.acquire(blocking=False)
        stays.close()


def places(visitor: Visitor) -> int:
    """How many streams there is room for at the moment."""
    streams = visitor.client.application.extensions["console"].streams
    found = 0
    while streams.acquire(blocking=False):
        found += 1
    for _ in range(found):
        streams.release()
    return found


def test_of_a_lab_that_has_ended_there_is_no_stream_and_no_feed(
    visitor: Visitor, lab_path: str, host: StandInHost
) -> None:
    room, labs = places(visitor), visitor.client.application.extensions["console"].labs
    assert labs.feed(lab_path.rpartition("/")[2])
    host.labs.clear()
    for _ in range(2):
        answer = visitor.get(f"{lab_path}/events?after=0&feed=main")
        assert answer.status_code == 404
        assert not labs._feeds
        assert not labs._clients
    assert places(visitor) == room


def test_a_stream_whose_lab_ends_is_over_without_a_word(visitor: Visitor, lab_path: str, host: StandInHost) -> None:
    room, labs = places(visitor), visitor.client.application.extensions["console"].labs
    watching = visitor.client.get(f"{lab_path}/events?after=0&feed=main", buffered=False)
    before_the_first_word = visitor.client.get(f"{lab_path}/events?after=0&feed=main", buffered=False)
    chunks = iter(watching.response)
    while b"id: 3" not in (chunk if isinstance(chunk := next(chunks), bytes) else chunk.encode()):
        pass
    assert places(visitor) == room - 2
    host.labs.clear()
    assert b"id:" not in b"".join(before_the_first_word.response)  # type: ignore[arg-type]
    for _ in chunks:
        pass
    watching.close()
    before_the_first_word.close()
    assert places(visitor) == room
    assert not labs._feeds


def test_only_the_head_of_a_stream_keeps_no_place(visitor: Visitor, lab_path: str) -> None:
    room = places(visitor)
    visitor.client.head(f"{lab_path}/events?after=0").close()
    assert places(visitor) == room


def test_a_page_whose_lab_has_ended_leads_to_its_debrief_or_to_the_start(
    visitor: Visitor, lab_path: str, lab: StandIn
) -> None:
    told = visitor.get(f"{lab_path}/ended", part=True).text
    assert "This lab has ended." in told
    assert 'href="/"' in told
    lab.state = AttemptState.SOLVED
    visitor.post(f"{lab_path}/end")
    assert re.search(r'href="/attempts/\d+/debrief"', visitor.get(f"{lab_path}/ended", part=True).text)


def test_message_keeps_every_line_of_its_data() -> None:
    assert message("a\nb", number=4) == "id: 4\ndata: a\ndata: b\n\n"
    assert message("", event="x") == "event: x\ndata: \n\n"


def test_client_reads_the_labs_stream() -> None:
    lines = [": beat", "id: 1", "event: x", f"data: {EVENTS[0].model_dump_json()}", "", ""]
    assert list(_events(iter(lines))) == [None, EVENTS[0]]


def test_what_a_node_has_told_is_not_told_again_by_its_command() -> None:
    told = [event(2, "queue.resumed", "It runs.", cause=1), event(3, "command.finished", "It runs.", cause=1)]
    assert [row.event.kind for row in feed.rows(told)] == ["queue.resumed"]
    again = event(5, "command.finished", "It runs.", cause=4)
    assert len(feed.rows([*told, again])) == 2, "another command that says the same is another line"


def test_both_ends_of_an_association_are_one_line() -> None:
    twice = [event(seq, "association.rejected", "Rejected.", association="a-1") for seq in (1, 2)]
    assert len(feed.rows(twice)) == 1
    assert len(feed.rows([event(1), event(2)])) == 2
    assert [row.event.seq for row in feed.rows([event(1), event(2)])] == [2, 1]
