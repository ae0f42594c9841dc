"""Who may log in: accounts with scrypt-hashed passwords, and the check of a login that takes as long for a name that
does not exist as for one that does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from sandbox.model.errors import BadInputError, ConflictError
from web.db.database import Database
from web.db.tables import User

METHOD = "scrypt:32768:8:1"
SHORTEST_PASSWORD = 10
_NOBODY = (
    "scrypt:32768:8:1$" + "0" * 16 + "$" + "0" * 128
)  # no password has this hash; checking it takes the usual time


class Role(StrEnum):
    TRAINEE = "trainee"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


@dataclass(frozen=True)
class Account:
    """Who is at the console. ``id`` None is the one person of a console on loopback, who needs no login."""

    id: int | None
    name: str
    role: Role

    @property
    def sees_all(self) -> bool:
        """Whether the account may open the labs of others."""
        return self.role is not Role.TRAINEE

    @property
    def actor(self) -> str:
        """Who this is in a lab's event log."""
        return "trainee" if self.id is None else f"{self.role}:{self.name}"


LOCAL = Account(None, "trainee", Role.ADMIN)


def add_user(db: Database, name: str, password: str, role: str = Role.TRAINEE) -> Account:
    """Create an account. Names are compared without regard to case and kept in small letters."""
    name = name.strip().lower()
    if not name or len(name) > 64 or not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
        raise BadInputError(
            _("%(name)r cannot be a user name.", name=name),
            _("Use letters, digits, dots, hyphens and underscores, at most 64."),
        )
    if len(password) < SHORTEST_PASSWORD:
        raise BadInputError(
            _("The password is too short."), _("Use %(count)s characters or more.", count=SHORTEST_PASSWORD)
        )
    if role not in list(Role):
        raise BadInputError(
            _("There is no role %(role)r.", role=role), _("Choose one of %(roles)s.", roles=", ".join(Role))
        )
    hashed = generate_password_hash(password, METHOD)
    user = User(name=name, password=hashed, role=role, created=datetime.now(UTC))
    try:
        with db.unit() as session:
            session.add(user)
    except IntegrityError as taken:
        raise ConflictError(_("There is already a user %(name)s.", name=name), _("Choose another name.")) from taken
    return Account(user.id, user.name, Role(user.role))


def count_users(db: Database) -> int:
    with db.unit() as session:
        return session.scalar(select(func.count(User.id))) or 0


def check_login(db: Database, name: str, password: str) -> Account | None:
    """The account with this name and password, or None."""
    with db.unit() as session:
        user = session.scalar(select(User).where(User.name == name.strip().lower()))
    if not check_password_hash(user.password if user else _NOBODY, password) or user is None:
        return None
    return Account(user.id, user.name, Role(user.role))


def account(db: Database, user_id: int) -> Account | None:
    with db.unit() as session:
        user = session.get(User, user_id)
    return Account(user.id, user.name, Role(user.role)) if user else None
