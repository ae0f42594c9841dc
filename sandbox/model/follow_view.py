"""What following a study shows: where it is and where it is not, what waits, what carried it, what was refused.

Only what an administrator of the department could find out: stores, queues, bins, and the events that people may see.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sandbox.model.base import Model
from sandbox.model.view import QueueState, StudySummary


class Presence(StrEnum):
    """How much of a study a node has. ``passing``: nothing for good, but something in its queues."""

    WHOLE = "whole"
    PART = "part"
    PASSING = "passing"
    NONE = "none"


class Share(Model):
    """One node's part of a study: ``instances`` of ``of`` on its disk, ``waiting`` and ``dead`` in its queues (each
    instance once, however many destinations it waits for). ``sentence`` says the same."""

    node: str
    role: str
    presence: Presence
    instances: int = 0
    of: int = 0
    waiting: int = 0
    dead: int = 0
    sentence: str


class SeriesShare(Model):
    """One SOP class of one series, and how many instances of it each node has on its disk, by the node's name."""

    series_uid: str
    modality: str = ""
    number: int | None = None
    description: str = ""
    sop_class: str
    sop_class_name: str
    instances: int
    on: dict[str, int]
    sample: dict[str, str]
    """One of its SOP instances on each node, to look at."""


class Disagreement(Model):
    """A value that copies of one study tell differently: by node."""

    name: str
    values: dict[str, str]


class Waiting(Model):
    """What of the study is in one queue. ``since`` is when the oldest of it was queued, ``attempts`` the most."""

    node: str
    destination: str
    state: QueueState
    waiting: int
    dead: int
    since: datetime
    attempts: int
    last_error: str = ""
    retry_in_s: float | None = None
    held_reason: str = ""
    sentence: str


class Routing(Model):
    """A decision of a router about the study. ``not_to`` are the destinations that its rules know and that this
    decision did not choose."""

    node: str
    at: datetime
    rules: tuple[str, ...]
    destinations: tuple[str, ...]
    not_to: tuple[str, ...] = ()
    sentence: str
    seq: int


class Carried(Model):
    """An association on which the study's instances were stored, or were to be. ``refusals`` tell statuses and how
    often each came."""

    association: str
    at: datetime
    source: str
    target: str
    calling_ae: str
    called_ae: str
    stored: int
    refused: int
    refusals: tuple[str, ...] = ()
    outcome: str


class TakenOut(Model):
    """An entry of an archive's journal that took instances of the study out of sight."""

    node: str
    entry: int
    kind: str
    at: datetime
    by: str
    reason: str
    instances: int
    in_bin: int
    undone: bool
    sentence: str


class Commitment(Model):
    """What a node knows of the storage commitment of what it has sent (PS3.4 J), instances by state."""

    node: str
    states: dict[str, int]
    sentence: str


class Hop(Model):
    """A step of the way. ``count`` events alike are told as one, the last of them at ``until``."""

    at: datetime
    until: datetime
    node: str
    kind: str
    sentence: str
    count: int = 1
    association: str = ""
    good: bool | None = None
    seq: int


class Followed(Model):
    """A study at one glance: its shares node by node. ``where`` says it in a sentence."""

    study: StudySummary
    shares: tuple[Share, ...]
    where: str


class FollowedStudy(Followed):
    """A study hop by hop. ``instances`` is how many the department knows of, wherever they are. ``sentences`` are what
    is to be noticed, the most pressing first."""

    instances: int
    sentences: tuple[str, ...]
    series: tuple[SeriesShare, ...]
    disagreements: tuple[Disagreement, ...]
    waiting: tuple[Waiting, ...]
    routing: tuple[Routing, ...]
    carried: tuple[Carried, ...]
    taken_out: tuple[TakenOut, ...]
    commitment: tuple[Commitment, ...]
    hops: tuple[Hop, ...]


class Search(Model):
    """The studies that match what was looked for, the newest first. ``more`` says that there are others."""

    q: str
    studies: tuple[Followed, ...]
    more: bool = False
