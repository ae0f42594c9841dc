"""What a view function asks of its surroundings: the console, who is there, the lab of this page."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g

from web.accounts import Account
from web.lab_client import LabClient

if TYPE_CHECKING:
    from web.app import Console


def console() -> Console:
    return cast("Console", current_app.extensions["console"])


def account() -> Account:
    """Who is at the console; set before every request by web.auth."""
    return cast(Account, g.account)


def lab_client(lab_id: str) -> LabClient:
    """The way to a lab, if the person here may see it."""
    console().labs.attempt(account(), lab_id)
    return console().labs.client(lab_id).by(account().actor)
