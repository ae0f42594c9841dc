"""What the console remembers of the labs that were started: by whom, which drill, how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import defer

from sandbox.model.debrief_view import AccountView, DebriefView
from web.accounts import Account
from web.db.database import Database
from web.db.tables import Attempt
from web.practice.modes import Mode, mode_of
from web.practice.record import Practised


class Attempts:
    """The attempts of this console, newest first wherever there are several."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        lab: str,
        account: Account,
        site: str,
        scenario: str,
        title: str,
        seed: int,
        mode: Mode = Mode.DRILL,
    ) -> None:
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
            mode=mode.value,
        )
        with self._database.unit() as session:
            session.add(row)

    def get(self, lab: str) -> Attempt | None:
        with self._database.unit() as session:
            return session.scalar(select(Attempt).where(Attempt.lab == lab))

    def of(self, account: Account, limit: int = 200) -> tuple[Attempt, ...]:
        """The attempts ``account`` made (on loopback: all that were made without a login), without their debriefs."""
        query = select(Attempt).where(whose(account)).options(defer(Attempt.debrief, raiseload=True))
        with self._database.unit() as session:
            return tuple(session.scalars(query.order_by(Attempt.started.desc()).limit(limit)))

    def practised(self, account: Account, scenario: str = "") -> tuple[Practised, ...]:
        """All that ``account`` practised, or practised of one lesson, the oldest first."""
        a = Attempt
        query = select(
            a.lab, a.scenario, a.title, a.site, a.seed, a.mode, a.state, a.started, a.finished, a.score, a.closed,
            a.debrief["hints_used"].as_integer(), a.debrief["sentence"].as_string(), a.id,
        ).where(whose(account), a.scenario == scenario if scenario else a.scenario != "")  # fmt: skip
        with self._database.unit() as session:
            rows = session.execute(query.order_by(a.started, a.id)).all()
        return tuple(
            Practised(
                lab=row[0],
                scenario=row[1],
                title=row[2],
                site=row[3],
                seed=row[4],
                mode=mode_of(row[5]),
                state=row[6],
                started=row[7],
                finished=row[8],
                score=row[9],
                closed=row[10] is not None,
                hints=row[11] or 0,
                kept=row[12] is not None,
                id=row[13],
            )
            for row in rows
        )

    def seeds(self, account: Account, scenario: str) -> frozenset[int]:
        """The seeds with which ``account`` has had this lesson."""
        query = select(Attempt.seed).where(whose(account), Attempt.scenario == scenario)
        with self._database.unit() as session:
            return frozenset(session.scalars(query))

    def note(self, lab: str, state: str, findings: Mapping[str, str]) -> None:
        """Remember how the drill in ``lab`` stands, and when it ended."""
        row = update(Attempt).where(Attempt.lab == lab)
        with self._database.unit() as session:
            session.execute(row.values(state=state, findings=dict(findings)))
            if state != "running":
                session.execute(row.where(Attempt.finished.is_(None)).values(finished=datetime.now(UTC)))

    def by_id(self, attempt_id: int) -> Attempt | None:
        """An attempt by the number that its own page is known by, without its debrief."""
        query = select(Attempt).where(Attempt.id == attempt_id).options(defer(Attempt.debrief, raiseload=True))
        with self._database.unit() as session:
            return session.scalar(query)

    def keep(self, lab: str, debrief: DebriefView) -> None:
        """Keep the whole debrief and its score: the lab may go now. An account that was written stays. What was done
        with the coach has no score, since the coach's steps are free."""
        with self._database.unit() as session:
            row = session.scalar(select(Attempt).where(Attempt.lab == lab))
            if row is None:
                return
            before = row.debrief or {}
            if debrief.account is None and before.get("account"):
                debrief = debrief.model_copy(update={"account": AccountView.model_validate(before["account"])})
            row.debrief = debrief.model_dump(mode="json")
            free = debrief.score is None or mode_of(row.mode) is Mode.GUIDED
            row.score = None if free or debrief.score is None else debrief.score.points
            row.finished = row.finished or datetime.now(UTC)

    def debrief(self, attempt_id: int) -> DebriefView | None:
        """What was kept of an attempt; None when nothing was, or a version kept it that this one cannot read."""
        with self._database.unit() as session:
            document = session.scalar(select(Attempt.debrief).where(Attempt.id == attempt_id))
        try:
            return None if document is None else DebriefView.model_validate(document)
        except ValidationError:
            return None

    def write_account(self, attempt_id: int, account: AccountView) -> None:
        """Put the trainee's own account into what was kept."""
        with self._database.unit() as session:
            row = session.get(Attempt, attempt_id)
            if row is not None and row.debrief is not None:
                row.debrief = {**row.debrief, "account": account.model_dump(mode="json")}

    def close(self, lab: str) -> None:
        """Remember when its lab ended; whoever still asks for it changes nothing of that."""
        row = update(Attempt).where(Attempt.lab == lab, Attempt.closed.is_(None))
        with self._database.unit() as session:
            session.execute(row.values(closed=datetime.now(UTC)))


def whose(account: Account) -> ColumnElement[bool]:
    """The rows that are ``account``'s own."""
    return Attempt.user_id.is_(None) if account.id is None else Attempt.user_id == account.id
