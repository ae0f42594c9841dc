"""Searching the logs of all nodes: by words, node, level, association and time, a page at a time.

A node's log lines are events; what is for later is left out as everywhere while a drill runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.events.event import Event
from sandbox.events.kinds import NodeLogged
from sandbox.model.history_view import DepartmentLogLine, LogLines

LEVELS: tuple[str, ...] = ("info", "warning", "error")
"""From the least to the most serious."""

_TERM = re.compile(r'"([^"]+)"?|(\S+)')


@dataclass(frozen=True)
class LogQuery:
    """What is looked for; what is empty is not looked at. ``text``: all its words must be in the line, those between
    quotation marks together. ``level`` and what is more serious. ``since`` and ``until`` are the department's time."""

    text: str = ""
    node: str = ""
    level: str = ""
    association: str = ""
    since: datetime | None = None
    until: datetime | None = None


def terms(text: str) -> tuple[str, ...]:
    """The words and quoted phrases of a search, in small letters."""
    return tuple((phrase or word).lower() for phrase, word in _TERM.findall(text))


def search(events: Sequence[Event], query: LogQuery, *, after: int, before: int, limit: int, hidden: bool) -> LogLines:
    """The newest ``limit`` lines before the event ``before`` (0: of all), or those that follow ``after`` if it is
    given. Without ``hidden`` what is for later is shown as well."""
    wanted = _wanted(query)
    levels = LEVELS[LEVELS.index(query.level) :] if query.level in LEVELS else LEVELS
    chosen: Iterable[Event] = events[after:] if after else reversed(events[: before - 1] if before else events)
    found: list[DepartmentLogLine] = []
    for event in chosen:
        body = event.body
        if not isinstance(body, NodeLogged) or (hidden and event.is_for_later):
            continue
        if query.since is not None and event.at < query.since:
            if not after:
                break
            continue
        if query.until is not None and event.at > query.until:
            continue
        if query.node and event.node != query.node:
            continue
        if query.association and body.association != query.association:
            continue
        if (query.level and body.level not in levels) or not wanted(body.text):
            continue
        if len(found) == limit:
            return LogLines(lines=tuple(found if after else reversed(found)), more=True)
        found.append(
            DepartmentLogLine(
                seq=event.seq,
                at=event.at,
                level=body.level,
                text=body.text,
                association=body.association,
                node=event.node,
            )
        )
    return LogLines(lines=tuple(found if after else reversed(found)))


def _wanted(query: LogQuery) -> Callable[[str], bool]:
    words = terms(query.text)
    if not words:
        return lambda text: True
    return lambda text: all(word in text.lower() for word in words)
