"""A lab's directory: what lies where, and the record (lab.json) from which a later process goes on.

lab.json        the record: site, seed, scenario, published ports, API token and port
lab.lock        held by the process that runs the lab
events.jsonl    the event log; it only grows
nodes/<name>/   each node's own files; background.json beside them
network.json    what has changed on the network since the site was declared
authority/      the department's certificate authority, once something asks for it
start/          the snapshot that a reset returns to
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from sandbox.lab.site import Site
from sandbox.model.base import Model, explain_validation
from sandbox.model.errors import NotFoundError
from sandbox.model.files import write_whole

PRIVATE = 0o600
"""The mode of files that hold the token."""


class LabRecord(Model):
    """What a lab is, kept for the next process. ``ports`` are the real ports of its nodes, ``api_port`` that of its API
    (0 until it has one); both are taken again if they are free. The site is kept whole, so that a changed site file
    does not change a lab that is under way."""

    id: str
    site: Site
    scenario: str = ""
    seed: int
    created: datetime
    token: str
    api_port: int = 0
    ports: dict[str, int] = Field(default_factory=dict)

    @staticmethod
    def new(site: Site, *, seed: int, scenario: str = "", lab_id: str = "") -> LabRecord:
        """The record of a lab that begins now."""
        return LabRecord(
            id=lab_id or new_lab_id(),
            site=site,
            scenario=scenario,
            seed=seed,
            created=datetime.now().astimezone(),
            token=secrets.token_urlsafe(32),
        )


def new_lab_id() -> str:
    """A short name that no other lab has."""
    return f"lab-{secrets.token_hex(5)}"


class LabDirectory:
    """The paths of one lab, and its record on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.lock_file = self.path / "lab.lock"
        self.record_file = self.path / "lab.json"
        self.events_file = self.path / "events.jsonl"
        self.network_file = self.path / "network.json"
        self.capture = self.path / "capture"
        self.nodes = self.path / "nodes"
        self.background_file = self.nodes / "background.json"
        self.authority = self.path / "authority"
        self.start = self.path / "start"

    @property
    def is_filled(self) -> bool:
        """Whether the nodes' files have been put in place."""
        return self.nodes.is_dir()

    @property
    def has_snapshot(self) -> bool:
        return self.start.is_dir()

    def read_record(self) -> LabRecord | None:
        """The record, or None when no lab has lived here."""
        if not self.record_file.exists():
            return None
        try:
            return LabRecord.model_validate_json(self.record_file.read_bytes())
        except ValidationError as wrong:
            raise explain_validation(wrong, str(self.record_file)) from wrong

    def record(self) -> LabRecord:
        """The record, or NotFoundError."""
        found = self.read_record()
        if found is None:
            raise NotFoundError(f"There is no lab in {self.path}.", "Start one with `pacs-sandbox lab run`.")
        return found

    def write_record(self, record: LabRecord) -> None:
        """Replace the record as a whole. It holds the token, so only the owner may read it."""
        write_whole(self.record_file, record.model_dump_json(indent=1), mode=PRIVATE)


def read_json(path: Path) -> object:
    """The JSON in a file, or None when there is no such file or it holds none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
