"""A debrief as a lab tells it, with something hostile in it: for the stand-in lab, and for what the console keeps."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.model.debrief_view import (
    AccountView,
    DebriefView,
    DiagnosisPart,
    EvidenceView,
    GraphEdge,
    GraphNode,
    GraphView,
    HarmView,
    Impact,
    Lane,
    MadeTest,
    Message,
    PathStep,
    ScoreLine,
    ScoreView,
    TimelineEntry,
    ValueView,
)
from sandbox.model.verdict import Finding, Verdict

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>^\"'&"
GROUPS = (
    ("fault", Lane.DEPARTMENT),
    ("symptom", Lane.DEPARTMENT),
    ("ticket", Lane.PEOPLE),
    ("investigation", Lane.YOU),
    ("hint", Lane.YOU),
    ("pin", Lane.YOU),
    ("note", Lane.YOU),
    ("diagnosis", Lane.YOU),
    ("change", Lane.YOU),
    ("recovery", Lane.DEPARTMENT),
    ("check", Lane.YOU),
)


def told(*, solved: bool = True, account: AccountView | None = None) -> DebriefView:
    """The debrief of the stand-in's drill."""
    return DebriefView(
        solved=solved,
        gave_up=not solved,
        sentence="CT1 called ROUTER by a wrong name.",
        text="It was **mistyped**.\n\n## What to take to work\n\n- Copy titles, do not *type* them.\n",
        faults=("A typo in the AE table.",),
        scenario="drill",
        title="CT images do not come up",
        site="Riverside",
        seed=7,
        started_at=NOW,
        right_diagnosis={"node": "CT1", "fault": "A typo"},
        diagnosis_right={"node": True, "fault": False},
        diagnosis=(
            DiagnosisPart(part="node", title="Where", said="CT1", right="CT1", was_right=True),
            DiagnosisPart(part="fault", title="What", said="A port", right="A typo", was_right=False),
        ),
        said_evidence=f"1/1/7 {HOSTILE}",
        solution=("Correct it.",),
        findings=(Finding(id="ct", check="A CT arrives.", verdict=Verdict.PASS, sentence="It came."),),
        evidence=(
            EvidenceView(
                text=f"CT1's log {HOSTILE}",
                node="CT1",
                seq=2,
                available_s=250.0,
                opened_s=692.0,
                sentence="It was there at 04:10; you looked at 11:32.",
            ),
        ),
        timeline=tuple(
            TimelineEntry(
                at=NOW,
                elapsed_s=(number - 3) * 40.0,
                group=group,
                lane=lane,
                sentence=f"{group} happened {HOSTILE}.",
                seq=number,
            )
            for number, (group, lane) in enumerate(GROUPS, 1)
        ),
        elapsed_s=400.0,
        score=ScoreView(
            points=62,
            sentence="Solved.",
            lines=(
                ScoreLine(part="solved", title="Solved", points=30, of=30, why="Every claim holds.", seq=11),
                ScoreLine(part="looked", title="Looked", points=5.5, of=10, why=f"One clue {HOSTILE}.", seq=2),
                ScoreLine(part="closed", title="Closed", points=0, of=5, why="No closing message."),
            ),
        ),
        harm=(HarmView(by_trainee=True, sentence=f"3 images were thrown away {HOSTILE}.", seq=9, elapsed_s=240.0),),
        graph=GraphView(
            nodes=(
                GraphNode(id=0, kind="fault", sentence=HOSTILE, node="", count=1, layer=0, seq=1, elapsed_s=-80),
                GraphNode(id=1, kind="symptom", sentence="Rejected", node="CT1", count=4, layer=1, seq=2, elapsed_s=0),
                GraphNode(id=2, kind="symptom", sentence="Waits", node="CT1", count=1, layer=1, seq=2, elapsed_s=0),
            ),
            edges=(
                GraphEdge(source=0, target=1, recorded=False),
                GraphEdge(source=1, target=2, recorded=True),
            ),
            left_out=2,
        ),
        tests=ValueView(
            made=(
                MadeTest(
                    seq=4,
                    elapsed_s=40,
                    title="a C-ECHO from CT1",
                    node="CT1",
                    answer=HOSTILE,
                    tells="whether an association is accepted",
                    before=7,
                    after=1,
                    excluded=("A port", "A rule"),
                ),
                MadeTest(
                    seq=5, elapsed_s=80, title="a C-ECHO", node="CT1", answer="", tells="", before=1, after=1, repeats=4
                ),
            ),
            redundant=1,
            left=("A typo", "A title"),
            cheapest="The log on CT1 leaves 1.",
            shortest=("the queue of CT1",),
        ),
        path=(
            PathStep(kind="look", what="Follow the patient.", why="Where does it stop?", done_s=40.0, seq=4),
            PathStep(kind="tell", what="Tell the caller."),
        ),
        impact=Impact(exams=("A1",), patients=1, failures=3, seconds=1500.0, sentence="1 exam was held up."),
        messages=(
            Message(kind="ticket", who="Rosalind Pike", text="No CT", elapsed_s=0, seq=3),
            Message(kind="asked", who="Müller 山田", text=HOSTILE, elapsed_s=9, seq=3),
        ),
        account=account,
    )
