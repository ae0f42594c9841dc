"""What an attempt keeps on disk, so that a lab that was killed goes on where it was."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from sandbox.checks.memory import Memory
from sandbox.model.base import Model, explain_validation
from sandbox.model.files import write_whole
from sandbox.model.verdict import Finding
from sandbox.model.view import AttemptState

FILE_NAME = "attempt.json"


class Mail(Model):
    """A ticket with this run's names in it. ``due_s`` counts from the start; ``event`` is 0 until it has come."""

    number: int
    sender: str
    role: str
    subject: str
    body: str
    due_s: float
    at: datetime
    event: int = 0
    sender_id: str = ""


class Commitment(Model):
    """A diagnosis that the trainee committed to, and the event by which."""

    node: str
    layer: str
    fault: str
    evidence: str = ""
    pins: tuple[int, ...] = ()
    confidence: str = ""
    event: int

    @property
    def parts(self) -> dict[str, str]:
        return {"node": self.node, "layer": self.layer, "fault": self.fault}


class AttemptRecord(Model):
    """Everything about an attempt that is not in the event log, or would have to be searched for in it.

    ``found_before`` are the verdicts of the check before the last, by the name of the claim. ``lag_s`` is how far the
    lab's clock is ahead of the real one, in seconds.
    """

    scenario: str
    state: AttemptState = AttemptState.RUNNING
    memory: Memory
    mail: tuple[Mail, ...]
    hints: int = 0
    commitment: Commitment | None = None
    findings: tuple[Finding, ...] = ()
    found_before: dict[str, str] = Field(default_factory=dict)
    found_at: int = 0
    started_at: datetime
    lag_s: float = 0.0


def read_record(directory: Path) -> AttemptRecord | None:
    """The record of the attempt in this lab directory, or None when none was begun."""
    path = directory / FILE_NAME
    if not path.exists():
        return None
    try:
        return AttemptRecord.model_validate_json(path.read_bytes())
    except ValidationError as wrong:
        raise explain_validation(wrong, str(path)) from wrong


def write_record(directory: Path, record: AttemptRecord) -> None:
    """Replace it as a whole."""
    write_whole(directory / FILE_NAME, record.model_dump_json(indent=1))
