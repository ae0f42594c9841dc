"""Moments as a scenario file writes them: "friday 16:20", "yesterday 22:05", "today 07:30", "-25 min", "-3 h", "-2 d".

They lie in the past of the moment they are read at, so that a scenario may start on any day.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from sandbox.model.errors import BadInputError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_BACK = re.compile(r"-\s*(\d+(?:\.\d+)?)\s*(min|h|d)")
_DAY = re.compile(r"([a-z]+)\s+(\d{1,2}:\d{2})")
_MEND = 'Write it like "friday 16:20", "yesterday 22:05", "today 07:30", "-25 min", "-3 h" or "-2 d".'


def before(text: str, now: datetime) -> datetime:
    """The moment that ``text`` names: a weekday is the latest such day and time not after ``now``. Empty is now."""
    wanted = text.strip().lower()
    if not wanted:
        return now
    back = _BACK.fullmatch(wanted)
    if back:
        return now - float(back[1]) * UNITS[back[2]]
    day = _DAY.fullmatch(wanted)
    if not day:
        raise BadInputError(f"{text!r} is no moment.", _MEND)
    moment = datetime.combine(now.date(), _clock_time(day[2], text))
    if day[1] == "today":
        return moment
    if day[1] == "yesterday":
        return moment - timedelta(days=1)
    if day[1] not in WEEKDAYS:
        raise BadInputError(f"{text!r} is no moment.", _MEND)
    moment -= timedelta(days=(moment.weekday() - WEEKDAYS.index(day[1])) % 7)
    return moment if moment <= now else moment - timedelta(days=7)


def after(text: str, now: datetime) -> datetime:
    """The first moment of that weekday and time ("monday 07:40") from the day of ``now`` on. Empty is now."""
    if not text.strip():
        return now
    moment = before(text, now)
    return moment if moment.date() == now.date() else moment + timedelta(days=7)


def _clock_time(clock: str, text: str) -> time:
    hours, _, minutes = clock.partition(":")
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        raise BadInputError(f"{text!r} is no moment.", _MEND) from None
