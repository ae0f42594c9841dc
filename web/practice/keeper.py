"""Practice and the console's database: a person's overview, their cards, and letting go of all of it.

Cards are made of the attempts and written down for whoever reads the table alone; where the two differ the attempts
are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from web.accounts import Account
from web.attempts import Attempts
from web.catalogue import Catalogue
from web.db.database import Database
from web.db.tables import Attempt, PracticeCard, Sitting
from web.practice.overview import Overview, overview
from web.practice.path import Stage, read_stages
from web.practice.record import Practised
from web.practice.schedule import Spaced, cards

Clock = Callable[[], datetime]


class Practice:
    """What everybody practised on this console. ``clock`` gives the moment that due lessons are judged by."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        catalogue: Catalogue,
        stages: Callable[[], tuple[Stage, ...]] = read_stages,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._catalogue = catalogue
        self._read_stages = stages
        self._stages: tuple[Stage, ...] | None = None
        self._clock = clock

    @property
    def now(self) -> datetime:
        return self._clock()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The learning path, read once."""
        if self._stages is None:
            self._stages = self._read_stages()
        return self._stages

    def overview(self, account: Account) -> Overview:
        """Where ``account`` stands now."""
        history = self.history(account)
        self.remember(account, history)
        return overview(self._catalogue.drills(), self.stages, history, self._clock())

    def history(self, account: Account) -> tuple[Practised, ...]:
        """All that ``account`` practised, the oldest first, each with the number of hints that its lesson has."""
        rungs = {drill.slug: drill.rungs for drill in self._catalogue.drills()}
        return tuple(replace(one, rungs=rungs.get(one.scenario, 0)) for one in self._attempts.practised(account))

    def remember(self, account: Account, history: Sequence[Practised]) -> None:
        """Bring the table of cards in line with what was practised."""
        wanted = cards(history)
        with self._database.unit() as session:
            kept = {row.subject: row for row in session.scalars(select(PracticeCard).where(_cards_of(account)))}
            for subject, card in wanted.items():
                if subject not in kept or kept[subject].state != card.state:
                    _put(session, account, kept.get(subject), card)
            for subject in kept.keys() - wanted.keys():
                session.delete(kept[subject])

    def sittings(self, account: Account, kind: str = "exam") -> tuple[Sitting, ...]:
        """The sittings of ``kind`` that are over, the newest first."""
        query = select(Sitting).where(sittings_of(account), Sitting.kind == kind, Sitting.finished.is_not(None))
        with self._database.unit() as session:
            return tuple(session.scalars(query.order_by(Sitting.finished.desc())))

    def forget(self, account: Account, keep: Sequence[str] = ()) -> int:
        """Delete what ``account`` practised: attempts, cards and sittings. Labs in ``keep`` are running and stay on
        record. Returns how many attempts went."""
        with self._database.unit() as session:
            mine = delete(Attempt).where(_own(Attempt.user_id, account), Attempt.lab.not_in(keep))
            gone = session.connection().execute(mine).rowcount
            session.execute(delete(PracticeCard).where(_cards_of(account)))
            session.execute(delete(Sitting).where(sittings_of(account)))
        return gone


def _put(session: Session, account: Account, row: PracticeCard | None, card: Spaced) -> None:
    if row is None:
        session.add(PracticeCard(user_id=account.id, subject=card.subject, due=card.due, state=card.state))
    else:
        row.due, row.state = card.due, card.state


def _own(column: InstrumentedAttribute[int | None], account: Account) -> ColumnElement[bool]:
    return column.is_(None) if account.id is None else column == account.id


def _cards_of(account: Account) -> ColumnElement[bool]:
    return _own(PracticeCard.user_id, account)


def sittings_of(account: Account) -> ColumnElement[bool]:
    """The sittings that are ``account``'s own."""
    return _own(Sitting.user_id, account)
