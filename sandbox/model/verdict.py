"""What a check says: pass, fail or could-not-tell, with evidence and one sentence a trainee understands."""

from __future__ import annotations

from enum import StrEnum

from sandbox.model.base import Model


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    COULD_NOT_TELL = "could-not-tell"


class Finding(Model):
    """The outcome of one check or invariant. ``evidence`` lists event numbers, ``facts`` short statements."""

    id: str
    check: str
    verdict: Verdict
    sentence: str
    invariant: bool = False
    evidence: tuple[int, ...] = ()
    facts: tuple[str, ...] = ()
    duration_s: float = 0.0
