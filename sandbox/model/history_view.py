"""What the pages of logs and of the configuration's history show: lines of all nodes' logs, and who changed what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from sandbox.model.base import Model
from sandbox.model.config_path import Change
from sandbox.model.view import LogLine


class DepartmentLogLine(LogLine):
    """A line of a node's log, with the node it is of."""

    node: str


class LogLines(Model):
    """Lines, oldest first. ``more`` tells that there are others that match, before the first of them (or behind the
    last, where what follows was asked for)."""

    lines: tuple[DepartmentLogLine, ...]
    more: bool = False


class ChangeKind(StrEnum):
    """What was changed."""

    CONFIGURATION = "configuration"
    NETWORK = "network"
    STATE = "state"
    SERVICE = "service"
    ARCHIVE = "archive"
    LAB = "lab"


class Undo(Model):
    """What puts a change back: the parameters of node.config.save."""

    set: dict[str, Any] = Field(default_factory=dict)
    add: dict[str, Any] = Field(default_factory=dict)
    remove: tuple[str, ...] = ()


class ChangeLine(Change):
    """One setting before and after, as the history shows it.

    ``waits`` tells that it is saved and does not run yet; ``is_back`` that the saved value is the earlier one again,
    by a change that is shown. ``undo`` is what puts the earlier value back, if anything does; ``whole`` names a table's
    line that came or went.
    """

    title: str = ""
    field: str = ""
    whole: str = ""
    waits: bool = False
    is_back: bool = False
    undo: Undo | None = None


class HistoryEntry(Model):
    """Something that somebody changed. ``seq`` is its event; ``node`` is empty for the department as a whole, ``who``
    is the actor. ``for_later`` marks what was hidden while the drill ran."""

    seq: int
    at: datetime
    kind: ChangeKind
    node: str = ""
    who: str
    sentence: str
    changes: tuple[ChangeLine, ...] = ()
    for_later: bool = False


class History(Model):
    """A page of the history, newest first. ``waiting`` are the nodes whose saved configuration is not the one that
    runs."""

    entries: tuple[HistoryEntry, ...]
    more: bool = False
    waiting: tuple[str, ...] = ()
