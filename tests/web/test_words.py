"""Words and looks: every state has one, and values read as people write them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest

from sandbox.events.kinds import KINDS
from sandbox.model.verdict import Verdict
from sandbox.model.view import AttemptState, NodeState, QueueState
from web import feed, words


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (words.NODE_STATES, NodeState),
        (words.QUEUE_STATES, QueueState),
        (words.VERDICTS, Verdict),
        (words.ATTEMPT_STATES, AttemptState),
    ],
)
def test_every_state_has_a_word_a_tone_and_an_icon(table: dict[StrEnum, words.Look], states: type[StrEnum]) -> None:
    assert set(table) == set(states)
    looks = list(table.values())
    assert len({look.word for look in looks}) == len(looks)
    assert len({look.icon for look in looks}) == len(looks), "colour alone would tell them apart"


def test_every_filter_is_used() -> None:
    templates = (Path(words.__file__).parent / "templates").rglob("*.html")
    pages = "".join(path.read_text(encoding="utf-8") for path in templates)
    assert not [name for name in words.FILTERS if not re.search(rf"\|\s*{name}\b", pages)]


def test_kinds_named_in_the_feed_exist() -> None:
    assert set(KINDS) >= feed.DETAIL
    for prefix in feed.CHANGES:
        assert any(kind.startswith(prefix) for kind in KINDS), prefix


def test_a_labs_time_is_shown_as_it_is_in_any_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 11, 20, 17, 30)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        told = words.clock(at), words.day_clock(at), words.day(at), words.moment(at)
        zoned = words.moment(at.replace(tzinfo=UTC))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert told == ("17:30:00", "Fri 17:30:00", "Friday, 20 November", "2026-11-20 17:30:00")
    assert zoned == "2026-11-20 12:30:00"


def test_unknown_state_is_shown_by_its_own_word() -> None:
    assert words.look(words.OUTCOMES, "half-open").word == "Half open"


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (words.size, 999, "999 bytes"),
        (words.size, 533_000, "533.0 kB"),
        (words.duration, 45, "45 s"),
        (words.duration, 200, "3 min 20 s"),
        (words.duration, 3900, "1 h 05 min"),
        (words.dicom_date, "20260131", "2026-01-31"),
        (words.dicom_date, "2026.01.31", "2026.01.31"),
        (words.dicom_time, "0930", "09:30"),
        (words.person, "Horváth^Agnieszka^C", "Horváth, Agnieszka C"),
        (words.person, "Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        (words.person, "", ""),
        (words.initials, "Dr. Amir Haddad", "AH"),
        (words.initials, "", "?"),
        (words.uid_name, "1.2.840.10008.1.2.1", "Explicit VR Little Endian"),
        (words.uid_name, "1.2.3", "1.2.3"),
    ],
)
def test_values_in_words(function, value, text) -> None:  # type: ignore[no-untyped-def]
    assert function(value) == text


def test_markdown_neither_runs_nor_links_to_scripts() -> None:
    page = words.markdown("**b** <img src=x onerror=y> [x](javascript:alert(1)) ![p](http://a/b.png)")
    assert "<strong>b</strong>" in page
    assert "<img" not in page
    assert 'href="javascript' not in page
