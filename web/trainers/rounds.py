"""Which rounds of the differential trainer are not answered yet, by their departments: until then nothing may tell what
is wrong in them.
"""

from __future__ import annotations

from collections.abc import Mapping

from web.accounts import Account
from web.db.database import Database
from web.sittings import Sittings, readable
from web.trainers.twins import Round

KIND = "twins"


def unanswered(database: Database, account: Account) -> Mapping[str, int]:
    """The number of its round for each lab of ``account`` that is one of two twins, as long as nobody said which."""
    sittings = Sittings(database, KIND).of(account, unfinished=True)
    return {lab: sitting.id for sitting, one in readable(sittings, Round) for lab in one.labs}
