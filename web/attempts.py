"""What the console remembers of the labs that were started: by whom, which drill, how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import select, update

from web.accounts import Account
from web.db.database import Database
from web.db.tables import Attempt


class Attempts:
    """The attempts of this console, newest first wherever there are several."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, lab: str, account: Account, site: str, scenario: str, title: str, seed: int) -> None:
        row = Attempt(
            lab=lab,
            user_id=account.id,
            site=site,
            scenario=scenario,
            title=title,
            seed=seed,
            started=datetime.now(UTC),
            state="running",
            findings={},
        )
        with self._database.unit() as session:
            session.add(row)

    def get(self, lab: str) -> Attempt | None:
        with self._database.unit() as session:
            return session.scalar(select(Attempt).where(Attempt.lab == lab))

    def of(self, account: Account, limit: int = 200) -> tuple[Attempt, ...]:
        """The attempts ``account`` made (on loopback: all that were made without a login)."""
        query = select(Attempt).where(
            Attempt.user_id.is_(None) if account.id is None else Attempt.user_id == account.id
        )
        with self._database.unit() as session:
            return tuple(session.scalars(query.order_by(Attempt.started.desc()).limit(limit)))

    def note(self, lab: str, state: str, findings: Mapping[str, str]) -> None:
        """Remember how the drill in ``lab`` stands."""
        with self._database.unit() as session:
            session.execute(update(Attempt).where(Attempt.lab == lab).values(state=state, findings=dict(findings)))

    def close(self, lab: str) -> None:
        with self._database.unit() as session:
            session.execute(update(Attempt).where(Attempt.lab == lab).values(closed=datetime.now(UTC)))
