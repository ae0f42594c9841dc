"""The rounds of the differential trainer by their departments, and which of them are not answered yet: until then
nothing may tell what is wrong in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from web.accounts import Account
from web.db.database import Database
from web.db.tables import Sitting
from web.sittings import Sittings, readable
from web.trainers.twins import Round

KIND = "twins"


def newest(database: Database, account: Account, limit: int) -> Mapping[str, int]:
    """The number of its round for each lab of ``account`` that is one of two twins, of the newest rounds."""
    return _by_lab(Sittings(database, KIND).of(account, limit))


def unanswered(database: Database, account: Account) -> Mapping[str, int]:
    """The same of the rounds of which nobody has said yet which is which."""
    return _by_lab(Sittings(database, KIND).of(account, unfinished=True))


def _by_lab(sittings: Iterable[Sitting]) -> Mapping[str, int]:
    return {lab: sitting.id for sitting, one in readable(sittings, Round) for lab in one.labs}
