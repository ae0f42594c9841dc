"""The calls of a drill: who calls when, with this run's names in the words, and the handing over when it is time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.drill.load import LoadedScenario
from sandbox.drill.record import Mail
from sandbox.drill.surface import Surface
from sandbox.events.event import SYSTEM
from sandbox.events.kinds import TicketReceived
from sandbox.events.log import EventLog
from sandbox.lab.site import Site


def calls(scenario: LoadedScenario, site: Site, surface: Surface, started: datetime) -> tuple[Mail, ...]:
    """Every call that the scenario has, none of them come in yet."""
    mail = []
    for number, ticket in enumerate(scenario.ticket, start=1):
        person = site.person(ticket.sender)
        mail.append(
            Mail(
                number=number,
                sender=person.name,
                sender_id=person.id,
                role=person.job,
                subject=surface.fill(ticket.subject),
                body=surface.fill(scenario.texts[ticket.text]),
                due_s=ticket.after_s,
                at=started + timedelta(seconds=ticket.after_s),
            )
        )
    return tuple(mail)


def handed_over(mail: tuple[Mail, ...], events: EventLog, now: datetime) -> tuple[Mail, ...]:
    """The mail with all that is due by ``now`` come in."""
    return tuple(_delivered(entry, events) if entry.at <= now and not entry.event else entry for entry in mail)


def _delivered(mail: Mail, events: EventLog) -> Mail:
    body = TicketReceived(ticket=mail.number, sender=mail.sender, subject=mail.subject)
    return mail.model_copy(update={"event": events.append(body, actor=SYSTEM).seq})


class Alarm:
    """Wakes somebody up at one moment, the one set last. Thread-safe as far as its owner holds a lock."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: threading.Timer | None = None

    def set(self, in_s: float) -> None:
        """Ring in ``in_s`` seconds, and not when it was to ring before."""
        self.stop()
        self._timer = threading.Timer(max(0.0, in_s), self._ring)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
