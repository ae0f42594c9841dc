"""The debrief as data: everything that is told of an attempt once it is over.

It is whole in itself, names and words included: it is kept as JSON when its lab is gone, and shown from that. Times are
seconds since the phone rang (negative: before); ``seq`` is the number of the event that a line is about (0: none).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from sandbox.model.base import Model
from sandbox.model.verdict import Finding


class Lane(StrEnum):
    """Whose doing a line of the timeline is."""

    YOU = "you"
    DEPARTMENT = "department"
    PEOPLE = "people"


class TimelineEntry(Model):
    """A line of the debrief.

    ``group`` is one of fault, symptom, trace, recovery, investigation, change, check, hint, diagnosis, pin, note and
    ticket.
    """

    at: datetime
    elapsed_s: float
    group: str
    sentence: str
    seq: int
    lane: Lane = Lane.DEPARTMENT


class EvidenceView(Model):
    """A thing that gave the answer: since when it could be seen, and when the trainee looked (seconds; None: never).
    ``pinned`` says that the trainee held it for evidence."""

    text: str
    node: str
    seq: int
    available_s: float
    opened_s: float | None = None
    pinned: bool = False
    sentence: str = ""


class ScoreLine(Model):
    """One part of the score: ``points`` of at most ``of``, and why."""

    part: str
    title: str
    points: float
    of: int
    why: str
    seq: int = 0


class ScoreView(Model):
    """``points`` of 100, and the parts that make them up."""

    points: int
    sentence: str
    lines: tuple[ScoreLine, ...]


class DiagnosisPart(Model):
    """One question of the diagnosis in words: what was said (empty: nothing) and what was right."""

    part: str
    title: str
    said: str
    right: str
    was_right: bool


class HarmView(Model):
    """Something that went wrong for patients or staff. ``by_trainee`` False: the fault's doing, or what it was before
    anybody acted."""

    by_trainee: bool
    sentence: str
    seq: int
    elapsed_s: float


class GraphNode(Model):
    """``kind`` is fault, event, symptom, trace, ticket, change or recovery; ``count`` how often its like happened.
    ``layer`` counts from 0, causes before what they led to."""

    id: int
    kind: str
    sentence: str
    node: str
    count: int
    layer: int
    seq: int
    elapsed_s: float


class GraphEdge(Model):
    """``recorded``: the log names the one as the other's cause. Else it is known only from what the lesson says."""

    source: int
    target: int
    recorded: bool


class GraphView(Model):
    """What led to what, of bounded size. ``left_out`` counts kinds of events that there was no room for."""

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    left_out: int = 0


class MadeTest(Model):
    """A test or look of the trainee. Of the ``before`` causes that were plausible it left ``after``; ``tells`` is what
    a test of this kind tells, ``answer`` what this one said. ``repeats`` is the seq of a test that had said the same
    when nothing had changed in between (0: none)."""

    seq: int
    elapsed_s: float
    title: str
    node: str
    answer: str
    tells: str
    before: int
    after: int
    excluded: tuple[str, ...] = ()
    repeats: int = 0


class ValueView(Model):
    """The tests in order, and the cheapest that would have told most. ``left`` are the causes that no test excluded."""

    made: tuple[MadeTest, ...] = ()
    redundant: int = 0
    left: tuple[str, ...] = ()
    cheapest: str = ""
    shortest: tuple[str, ...] = ()


class PathStep(Model):
    """A step that an expert takes. ``kind`` is look, conclude, act, verify or tell. ``done_s`` is when the trainee did
    the like (None: not seen)."""

    kind: str
    what: str
    why: str = ""
    done_s: float | None = None
    seq: int = 0


class AccountView(Model):
    """The trainee's own account, written before anything was revealed. ``skipped`` says that they chose not to."""

    wrong: str = ""
    did: str = ""
    differently: str = ""
    skipped: bool = False


class Message(Model):
    """Something that was said in the ticket's thread. ``kind`` is ticket, asked, answered, updated or closed."""

    kind: str
    who: str
    text: str
    elapsed_s: float
    seq: int


class Impact(Model):
    """What the incident meant for patients. ``exams`` and ``patients`` are those that were held up, refused or lost;
    ``seconds`` from the first failure (or the call) to the recovery, None when it never came."""

    exams: tuple[str, ...] = ()
    patients: int = 0
    failures: int = 0
    seconds: float | None = None
    sentence: str = ""


class DebriefView(Model):
    """What happened, told afterwards."""

    solved: bool
    gave_up: bool
    sentence: str
    text: str
    faults: tuple[str, ...]
    scenario: str = ""
    title: str = ""
    site: str = ""
    seed: int = 0
    started_at: datetime | None = None
    diagnosis_right: dict[str, bool] = Field(default_factory=dict)
    right_diagnosis: dict[str, str] = Field(default_factory=dict)
    diagnosis: tuple[DiagnosisPart, ...] = ()
    said_evidence: str = ""
    solution: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    evidence: tuple[EvidenceView, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    hints_used: int = 0
    checks_used: int = 0
    elapsed_s: float = 0.0
    topics: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    score: ScoreView | None = None
    harm: tuple[HarmView, ...] = ()
    graph: GraphView = GraphView()
    tests: ValueView = ValueView()
    path: tuple[PathStep, ...] = ()
    impact: Impact = Impact()
    messages: tuple[Message, ...] = ()
    account: AccountView | None = None

    def moment(self, seq: int) -> int:
        """The ``seq`` of the line of the timeline that an event belongs to: its own, or the last before it. 0: none."""
        if not seq or not self.timeline:
            return 0
        return max((entry.seq for entry in self.timeline if entry.seq <= seq), default=self.timeline[0].seq)
