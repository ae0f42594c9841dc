"""The labs of this console: starting, finding, reaching and ending them, and who may.

Labs run wherever the lab host places them; the attempts table remembers them after they are gone.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flask_babel import gettext as _

from sandbox.drill.generator.made import is_made
from sandbox.model.errors import NotFoundError, SandboxError, UnavailableError
from sandbox.model.view import AttemptView
from web.accounts import Account
from web.attempts import Attempts
from web.catalogue import DEFAULT_SITE, Catalogue, hospitals
from web.db.tables import Attempt
from web.lab_client import LabClient
from web.live import LabFeed
from web.practice.modes import Mode

LARGEST_SEED = 2**31 - 1


class Running(Protocol):
    """What a lab host says of a lab."""

    @property
    def id(self) -> str: ...
    @property
    def api(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def trouble(self) -> str: ...


class Host(Protocol):
    """The part of a lab host that the console needs (sandbox.host)."""

    def start(self, site: str, scenario: str, seed: int, *, lab_id: str) -> Running: ...
    def get(self, lab_id: str) -> Running: ...
    def list(self) -> Sequence[Running]: ...
    def end(self, lab_id: str, delete: bool = False) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class LabRow:
    """A lab on the start page: what was started, and whether it runs at the moment."""

    attempt: Attempt
    running: bool


def connect(running: Running) -> LabClient:
    return LabClient(running.api, running.token)


class Labs:
    """Starts, reaches and ends labs. Clients and feeds are made once per lab and dropped when its address changes."""

    def __init__(
        self,
        host: Host,
        attempts: Attempts,
        catalogue: Catalogue,
        connect: Callable[[Running], LabClient] = connect,
    ) -> None:
        self._host = host
        self._attempts = attempts
        self._catalogue = catalogue
        self._connect = connect
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[str, LabClient]] = {}
        self._feeds: dict[str, LabFeed] = {}

    def start(
        self, account: Account, scenario: str, seed: int | None = None, site: str = "", mode: Mode = Mode.DRILL
    ) -> str:
        """Start a lab for ``account`` and return its id. Without ``scenario`` nothing is broken in it, and ``site`` is
        the department; NotFoundError when there is none of that name. Without ``seed`` it is one with which this
        person has not had this lesson."""
        drill = self._catalogue.drill(scenario) if scenario else None
        site = drill.site if drill else site or DEFAULT_SITE
        if site not in (hospital.slug for hospital in hospitals()):
            raise NotFoundError(
                _("There is no department “%(site)s”.", site=site), _("Choose one from the start page.")
            )
        seed = self._fresh_seed(account, scenario) if seed is None else seed
        # A drill that is made says in its slug which cause it is; the address of its lab is to say nothing.
        name = "department" if is_made(scenario) else scenario[:40].rstrip("-") or "department"
        lab_id = f"{name}-{secrets.token_hex(4)}"
        running = self._host.start(site, scenario, seed, lab_id=lab_id)
        title = drill.title if drill else _("A look around the department")
        self._attempts.add(
            lab=running.id, account=account, site=site, scenario=scenario, title=title, seed=seed, mode=mode
        )
        return running.id

    def _fresh_seed(self, account: Account, scenario: str) -> int:
        known = self._attempts.seeds(account, scenario)
        while (seed := secrets.randbelow(LARGEST_SEED)) in known:
            pass
        return seed

    def attempt(self, account: Account, lab_id: str) -> Attempt:
        """The attempt behind a lab, if ``account`` may see it. To others a lab that is not theirs does not exist."""
        found = self._attempts.get(lab_id)
        if found is None or not (account.sees_all or found.user_id == account.id):
            raise NotFoundError(_("There is no such lab."), _("Choose one from the start page, or start a new one."))
        return found

    def client(self, lab_id: str) -> LabClient:
        """The way to a running lab. NotFoundError when it was ended or its process is gone for good."""
        try:
            running = self._host.get(lab_id)
        except NotFoundError:
            self._forget(lab_id)
            self._attempts.close(lab_id)
            raise NotFoundError(
                _("This lab has ended."),
                _("Its record is kept on the start page; start a new one to practise again."),
            ) from None
        if running.state == "failed":
            sentence = _("This lab stopped working. %(trouble)s", trouble=running.trouble).strip()
            raise UnavailableError(sentence, _("Start a new one."))
        if not running.api:
            raise UnavailableError(_("This lab is starting."), _("Reload the page in a few seconds."))
        with self._lock:
            api, client = self._clients.get(lab_id, ("", None))
            if client is None or api != running.api:
                if client is not None:
                    client.close()
                client = self._connect(running)
                self._clients[lab_id] = (running.api, client)
            return client

    def feed(self, lab_id: str) -> LabFeed:
        """The lab's events, shared by every browser that watches it. Errors as ``client``: a lab that is gone has no
        feed."""
        self.client(lab_id)
        with self._lock:
            if lab_id not in self._feeds:
                self._feeds[lab_id] = LabFeed(lambda: self.client(lab_id))
            return self._feeds[lab_id]

    def of(self, account: Account) -> tuple[LabRow, ...]:
        """The labs of ``account``, running ones first, then by age."""
        running = {lab.id for lab in self._host.list()}
        rows = [
            LabRow(attempt, attempt.lab in running and attempt.closed is None) for attempt in self._attempts.of(account)
        ]
        return tuple(sorted(rows, key=lambda row: not row.running))

    def note(self, lab_id: str, view: AttemptView) -> None:
        """Remember how the drill stands, for the start page."""
        self._attempts.note(lab_id, view.state.value, {f.id: f.verdict.value for f in view.findings})
        if view.debrief is not None:
            self._attempts.keep(lab_id, view.debrief)

    def end(self, lab_id: str) -> None:
        """End the lab's process and remove its directory. Of a drill that is over, the debrief is kept."""
        self._note_the_end(lab_id)
        try:
            self._host.end(lab_id, delete=True)
        except NotFoundError:
            pass  # it had gone by itself; that is what was wanted
        finally:
            self._forget(lab_id)
            self._attempts.close(lab_id)

    def _forget(self, lab_id: str) -> None:
        """End the streams of a lab that is gone, and the way to it."""
        with self._lock:
            feed = self._feeds.pop(lab_id, None)
            _api, client = self._clients.pop(lab_id, ("", None))
        if feed is not None:
            feed.close()
        if client is not None:
            client.close()

    def _note_the_end(self, lab_id: str) -> None:
        """A drill may have been solved, or checked in vain, where no page of ours saw it."""
        try:
            view = self.client(lab_id).attempt()
        except SandboxError:
            return  # a lab that does not answer is ended all the same
        if view is not None and (view.debrief is not None or view.findings):
            self.note(lab_id, view)

    def close(self) -> None:
        """End everything, when the console ends."""
        with self._lock:
            feeds, clients = list(self._feeds.values()), list(self._clients.values())
            self._feeds.clear()
            self._clients.clear()
        for feed in feeds:
            feed.close()
        for _api, client in clients:
            client.close()
        self._host.close()
