"""Sittings: what somebody sat down to (an exam, a round at a trainer), kept from the beginning so that none is lost.

``document`` is the owner's own: a typed model as JSON. Nobody sees the sittings of others. A sitting may have come
from a file, so whatever its document names (a lab, for one) is asked for in the name of the person who is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import select, update

from sandbox.model.base import Model
from sandbox.model.errors import NotFoundError
from web.accounts import Account
from web.db.database import Database
from web.db.tables import Sitting

ModelT = TypeVar("ModelT", bound=Model)


class Sittings:
    """The sittings of one ``kind``."""

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._kind = kind

    def begin(self, account: Account, document: Mapping[str, Any]) -> int:
        """A new sitting; its number."""
        row = Sitting(
            user_id=account.id, kind=self._kind, started=datetime.now(UTC), score=None, document=dict(document)
        )
        with self._database.unit() as session:
            session.add(row)
        return row.id

    def get(self, account: Account, number: int) -> Sitting:
        """That sitting of ``account``. NotFoundError when it is somebody else's or none."""
        with self._database.unit() as session:
            found = session.get(Sitting, number)
        if found is None or found.kind != self._kind or found.user_id != account.id:
            raise NotFoundError(_("There is no such sitting."), _("Choose one from the list, or begin a new one."))
        return found

    def keep(self, number: int, document: Mapping[str, Any], *, score: int | None = None) -> None:
        """Write down how it stands. With ``score`` (0 to 100) it is finished, once and for all."""
        changes: dict[str, Any] = {"document": dict(document)}
        if score is not None:
            changes |= {"score": score, "finished": datetime.now(UTC)}
        with self._database.unit() as session:
            session.execute(update(Sitting).where(Sitting.id == number, Sitting.finished.is_(None)).values(**changes))

    def of(self, account: Account, limit: int = 50, *, unfinished: bool = False) -> tuple[Sitting, ...]:
        """The newest sittings of ``account``, or the newest of those that are not finished."""
        mine = Sitting.user_id.is_(None) if account.id is None else Sitting.user_id == account.id
        query = select(Sitting).where(mine, Sitting.kind == self._kind).order_by(Sitting.id.desc()).limit(limit)
        if unfinished:
            query = query.where(Sitting.finished.is_(None))
        with self._database.unit() as session:
            return tuple(session.scalars(query))


def document_of(sitting: Sitting, model: type[ModelT]) -> ModelT:
    """What was kept of a round. NotFoundError when a version kept it that kept other things."""
    try:
        return model.model_validate(sitting.document)
    except ValidationError as wrong:
        raise NotFoundError(
            _("This round was kept by another version and cannot be shown."), _("Begin a new one.")
        ) from wrong


def readable(sittings: Iterable[Sitting], model: type[ModelT]) -> list[tuple[Sitting, ModelT]]:
    """The sittings that can be read, each with its document; one that cannot must not hide the others."""
    found = []
    for sitting in sittings:
        try:
            found.append((sitting, document_of(sitting, model)))
        except NotFoundError:
            continue
    return found
