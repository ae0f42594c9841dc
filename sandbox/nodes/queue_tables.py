"""The tables of a send queue, the statements that every sent object costs, and the rows as values.

An object is a file to be sent; an entry is that object waiting for one destination.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from sandbox.dicom.contract import StoredObject

METADATA = MetaData()

OBJECTS = Table(
    "object",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("study_uid", String, nullable=False, index=True),
    Column("sop_instance", String, nullable=False),
    Column("sop_class", String, nullable=False),
    Column("transfer_syntax", String, nullable=False),
    Column("path", String, nullable=False),
    Column("owned", Boolean, nullable=False),
    Column("patient_name", String, nullable=False),
    Column("accession_number", String, nullable=False),
    Column("description", String, nullable=False),
    Column("calling_ae", String, nullable=False),
)

ENTRIES = Table(
    "entry",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("object_id", ForeignKey("object.id"), nullable=False, index=True),
    Column("destination", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("added", String, nullable=False),
    Column("due", Float, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("last_error", String, nullable=False),
    Column("cause", Integer),
    Column("actor", String, nullable=False),
    Index("entry_in_order", "destination", "dead", "priority", "id"),
    # Numbers are never used twice, so that a discard cannot hit an entry that came later.
    sqlite_autoincrement=True,
)

DESTINATIONS = Table(
    "destination",
    METADATA,
    Column("name", String, primary_key=True),
    Column("held_since", String),
    Column("held_reason", String, nullable=False, default=""),
    Column("sent", Integer, nullable=False, default=0),
)


@dataclass(frozen=True)
class QueueItem:
    """Something to be sent, and what a person needs to recognise it. ``owned``: the file is the queue's to delete."""

    object: StoredObject
    study_uid: str
    patient_name: str = ""
    accession_number: str = ""
    description: str = ""
    calling_ae: str = ""
    owned: bool = False


@dataclass(frozen=True)
class Entry:
    """A row: an item waiting for ``destination``, for the sake of event ``cause`` and on behalf of ``actor``."""

    id: int
    object_id: int
    destination: str
    item: QueueItem
    priority: int
    attempts: int
    added: datetime
    due: float
    dead: bool
    last_error: str
    cause: int | None
    actor: str


@dataclass(frozen=True)
class Tally:
    """How many entries a destination has, and since when."""

    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None
    next_due: float = 0.0


@dataclass(frozen=True)
class Destination:
    name: str
    held_since: datetime | None = None
    held_reason: str = ""
    sent: int = 0


# What every sent object costs is built once: putting a statement together takes longer than SQLite does.
HEAD = (
    select(ENTRIES, OBJECTS)
    .join(OBJECTS)
    .where(ENTRIES.c.destination == bindparam("to"), ~ENTRIES.c.dead, ENTRIES.c.due <= bindparam("now"))
    .order_by(ENTRIES.c.priority, ENTRIES.c.id)
    .limit(1)
)
ENTRY = select(ENTRIES, OBJECTS).join(OBJECTS)
_ORDER = (ENTRIES.c.dead, ENTRIES.c.priority, ENTRIES.c.id)
FOR_DESTINATION = ENTRY.where(ENTRIES.c.destination == bindparam("to")).order_by(*_ORDER).limit(bindparam("most"))
OF_STUDY = ENTRY.where(OBJECTS.c.study_uid == bindparam("study")).order_by(*_ORDER)
IS_THERE = select(ENTRIES.c.id).where(ENTRIES.c.id == bindparam("entry"))
HAS_STUDY = select(OBJECTS.c.id).where(OBJECTS.c.study_uid == bindparam("study")).limit(1)
STUDIES = select(OBJECTS.c.study_uid).distinct()
KEPT = select(DESTINATIONS)
_DEAD = func.sum(cast(ENTRIES.c.dead, Integer))
TALLIES = select(ENTRIES.c.destination, func.count() - _DEAD, _DEAD, func.min(ENTRIES.c.added)).group_by(
    ENTRIES.c.destination
)
DUE = select(ENTRIES.c.destination, func.min(ENTRIES.c.due)).where(~ENTRIES.c.dead).group_by(ENTRIES.c.destination)
NEXT_DUE = select(func.min(ENTRIES.c.due)).where(ENTRIES.c.destination == bindparam("to"), ~ENTRIES.c.dead)
"""Asked many times a second, so they are built once."""
REMOVE = delete(ENTRIES).where(ENTRIES.c.id == bindparam("entry"))
REMOVE_OBJECT = delete(OBJECTS).where(
    OBJECTS.c.id == bindparam("object"), ~select(ENTRIES.c.id).where(ENTRIES.c.object_id == OBJECTS.c.id).exists()
)
COUNT_SENT = (
    upsert(DESTINATIONS)
    .values(name=bindparam("to"), held_reason="", sent=1)
    .on_conflict_do_update(index_elements=["name"], set_={"sent": DESTINATIONS.c.sent + 1})
)
