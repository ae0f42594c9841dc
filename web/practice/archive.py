"""Progress in a file: what somebody practised, to carry to another machine or to keep. JSON that a person can read.

What comes in is somebody's file: it is validated whole before anything is written, and written in one transaction, so
that a broken file changes nothing. What is there already is not doubled, and the fuller record stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from flask_babel import gettext as _
from pydantic import AwareDatetime, Field, JsonValue, ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sandbox.model.base import Model
from sandbox.model.debrief_view import DebriefView
from sandbox.model.errors import BadInputError
from sandbox.model.view import AttemptState
from web.accounts import Account
from web.attempts import whose
from web.db.database import Database
from web.db.tables import Attempt, Sitting
from web.exam.training import KIND as QUESTIONS
from web.exam.training import Record
from web.practice.keeper import sittings_of
from web.practice.modes import Mode
from web.trainers.rounds import unanswered

FORMAT = "pacs-sandbox-progress"
VERSION = 1
LARGEST = 24_000_000
"""Bytes. A year of practice with every debrief is a few million."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]


class KeptAttempt(Model):
    """One attempt, as the console keeps it. ``lab`` is what makes it the same attempt elsewhere."""

    lab: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    scenario: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,99})?$")]
    title: Annotated[str, Field(max_length=120)]
    site: Slug
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    mode: Mode
    state: AttemptState
    started: AwareDatetime
    finished: AwareDatetime | None = None
    closed: AwareDatetime | None = None
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    findings: Annotated[dict[str, Annotated[str, Field(max_length=40)]], Field(max_length=100)] = Field(
        default_factory=dict
    )
    debrief: dict[str, JsonValue] | None = None


class KeptSitting(Model):
    """One exam, or one round at a trainer. ``document`` is its owner's."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,15}$")]
    started: AwareDatetime
    finished: AwareDatetime | None = None
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    document: dict[str, JsonValue]


class Archive(Model):
    """The whole file."""

    format: Literal["pacs-sandbox-progress"]
    version: Literal[1]
    exported: AwareDatetime
    attempts: Annotated[tuple[KeptAttempt, ...], Field(max_length=20_000)] = ()
    sittings: Annotated[tuple[KeptSitting, ...], Field(max_length=20_000)] = ()


@dataclass(frozen=True)
class Brought:
    """What came of an import. ``without_debrief`` are attempts whose debrief this version cannot read."""

    attempts: int = 0
    sittings: int = 0
    known: int = 0
    without_debrief: int = 0


def written(database: Database, account: Account, now: datetime) -> bytes:
    """The file with everything that ``account`` practised. A sitting that is not finished stays out of it: its document
    holds what is still to be found out, the causes of a round or the incidents of an exam; so do the slugs of
    that round's drills. The record of practised questions is never finished and goes along."""
    untold = unanswered(database, account)
    over = or_(Sitting.finished.is_not(None), Sitting.kind == QUESTIONS)
    with database.unit() as session:
        attempts = session.scalars(select(Attempt).where(whose(account)).order_by(Attempt.started, Attempt.id)).all()
        sittings = session.scalars(select(Sitting).where(sittings_of(account), over).order_by(Sitting.id)).all()
    archive = Archive(
        format=FORMAT,
        version=VERSION,
        exported=now,
        attempts=tuple(_attempt(row) for row in attempts if row.lab not in untold),
        sittings=tuple(_sitting(row) for row in sittings),
    )
    return json.dumps(archive.model_dump(mode="json"), ensure_ascii=False, indent=1).encode()


def _attempt(row: Attempt) -> KeptAttempt:
    return KeptAttempt(
        lab=row.lab,
        scenario=row.scenario,
        title=row.title,
        site=row.site,
        seed=row.seed,
        mode=Mode(row.mode),
        state=AttemptState(row.state),
        started=row.started,
        finished=row.finished,
        closed=row.closed,
        score=row.score,
        findings=row.findings or {},
        debrief=row.debrief,
    )


def _sitting(row: Sitting) -> KeptSitting:
    return KeptSitting(
        kind=row.kind, started=row.started, finished=row.finished, score=row.score, document=dict(row.document)
    )


def read(data: bytes) -> Archive:
    """The file's content. BadInputError says what is wrong with it, in words."""
    mend = _("Choose a file that was exported on a Progress page.")
    if not data.strip():
        raise BadInputError(_("The file is empty."), mend)
    if len(data) > LARGEST:
        raise BadInputError(_("The file is larger than %(size)s MB.", size=LARGEST // 1_000_000), mend)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as wrong:
        raise BadInputError(_("This is no progress file: it cannot be read as JSON."), mend) from wrong
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadInputError(_("This is no progress file of PACS Sandbox."), mend)
    if isinstance(found.get("version"), int) and found["version"] > VERSION:
        raise BadInputError(
            _("The file was written by a newer PACS Sandbox."), _("Bring this console up to date, then import it.")
        )
    try:
        return Archive.model_validate_json(data)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise BadInputError(
            _("The file is damaged at %(where)s: %(what)s.", where=where, what=first["msg"]),
            _("Nothing was brought in. Export it again where it came from."),
        ) from wrong


def bring_in(database: Database, account: Account, archive: Archive, now: datetime) -> Brought:
    """Merge ``archive`` into what ``account`` has, all of it or nothing."""
    added = known = bare = sittings = 0
    with database.unit() as session:
        here = {row.lab: row for row in session.scalars(select(Attempt).where(whose(account)))}
        others = set(session.scalars(select(Attempt.lab).where(Attempt.lab.in_([one.lab for one in archive.attempts]))))
        for one in archive.attempts:
            debrief = _readable(one.debrief)
            bare += one.debrief is not None and debrief is None
            lab = one.lab if one.lab in here or one.lab not in others else _own_name(one.lab, account)
            row = here.get(lab)
            if row is None:
                here[lab] = _fill(Attempt(lab=lab, user_id=account.id), one, debrief, now)
                session.add(here[lab])
                added += 1
            else:
                known += 1
                if row.finished is None and row.closed is not None and one.finished is not None:
                    _fill(row, one, debrief, now)
        for sitting in archive.sittings:
            sittings += _bring_sitting(session, account, sitting)
    return Brought(added, sittings, known, bare)


def _readable(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if document is None:
        return None
    try:
        return DebriefView.model_validate(document).model_dump(mode="json")
    except ValidationError:
        return None


def _own_name(lab: str, account: Account) -> str:
    """Somebody else on this console has the attempt of that name: a name that is the same at every import."""
    mark = hashlib.sha256(f"{lab} {account.id}".encode()).hexdigest()[:10]
    return f"{lab[:50].rstrip('-')}-{mark}"


def _fill(row: Attempt, one: KeptAttempt, debrief: dict[str, Any] | None, now: datetime) -> Attempt:
    row.site, row.scenario, row.title, row.seed = one.site, one.scenario, one.title, one.seed
    row.mode, row.state, row.score, row.findings = one.mode.value, one.state.value, one.score, dict(one.findings)
    row.started, row.finished = one.started, one.finished
    row.closed = one.closed or one.finished or now  # its lab is not here
    row.debrief = debrief
    return row


def _bring_sitting(session: Session, account: Account, one: KeptSitting) -> bool:
    """Whether it was new. The record of practised questions is one for each person and is merged."""
    mine = select(Sitting).where(sittings_of(account), Sitting.kind == one.kind)
    if one.kind == QUESTIONS:
        row = session.scalars(mine.order_by(Sitting.id.desc())).first()
        if row is not None:
            row.document = _merged(row.document, one.document)
            return False
    elif one.finished is None:
        return False  # an exam that was not handed in where it was begun is not gone on with here
    elif any(row.started == one.started for row in session.scalars(mine)):
        return False
    session.add(
        Sitting(
            user_id=account.id,
            kind=one.kind,
            started=one.started.astimezone(UTC),
            finished=one.finished,
            score=one.score,
            document=dict(one.document),
        )
    )
    session.flush()
    return True


def _merged(here: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Of each question the later word. What cannot be read changes nothing."""
    try:
        ours, theirs = Record.model_validate(here).known, Record.model_validate(there).known
    except ValidationError:
        return dict(here)
    known = dict(ours)
    for question, one in theirs.items():
        if question not in known or one.at > known[question].at:
            known[question] = one
    ordered = sorted(known.items(), key=lambda item: item[1].at)
    return Record(known=dict(ordered)).model_dump(mode="json")
