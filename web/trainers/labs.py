"""The trainer's own department: one whole lab in which nothing is broken, started when it is first needed and kept from
round to round."""

from __future__ import annotations

from sandbox.model.errors import SandboxError
from web.accounts import Account
from web.labs import Labs


def lab_for(labs: Labs, account: Account, used: str = "") -> str:
    """The lab ``used`` last if it still answers, else a new one; its id."""
    if used:
        try:
            labs.attempt(account, used)
            labs.client(used).lab()
        except SandboxError:
            pass  # it was ended since
        else:
            return used
    return labs.start(account, "")
