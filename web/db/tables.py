"""The tables of the console's database. Migrations in web/db/migrations make them; this file says what they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone; this puts it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    pass


class User(Base):
    """Somebody who may log in. ``role`` is trainee, instructor or admin; ``password`` a scrypt hash with its salt."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password: Mapped[str] = mapped_column(String(256))
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(Moment)


class Attempt(Base):
    """One lab that somebody started. ``scenario`` is empty for a look around; ``closed`` is set when the lab is ended.

    ``findings`` is the last verdict of every check by its id, so that the start page needs no lab to tell it. ``mode``
    is guided, drill or exam. ``finished``, ``score`` (0 to 100) and ``debrief`` (a DebriefView as JSON) are there once
    the drill is over, and outlive its lab.
    """

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    lab: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    site: Mapped[str] = mapped_column(String(64))
    scenario: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(120))
    seed: Mapped[int] = mapped_column(Integer)
    started: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(16))
    findings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    closed: Mapped[datetime | None] = mapped_column(Moment)
    mode: Mapped[str] = mapped_column(String(16), default="drill", server_default="drill")
    score: Mapped[int | None] = mapped_column(Integer)
    finished: Mapped[datetime | None] = mapped_column(Moment)
    debrief: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class PracticeCard(Base):
    """When somebody is to practise ``subject`` again. ``state`` is what the scheduler knows of it."""

    __tablename__ = "cards"
    __table_args__ = (UniqueConstraint("user_id", "subject", name="one_card_a_subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(String(100))
    due: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[dict[str, Any]] = mapped_column(JSON)


class Sitting(Base):
    """One sitting of an exam simulation or one round at a trainer (``kind``). ``document`` is what its owner keeps of
    it, as JSON of a typed model; ``score`` is 0 to 100 once it is finished."""

    __tablename__ = "sittings"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    started: Mapped[datetime] = mapped_column(Moment)
    finished: Mapped[datetime | None] = mapped_column(Moment)
    score: Mapped[int | None] = mapped_column(Integer)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
