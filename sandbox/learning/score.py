"""The score: up to 100 points in a table of parts, each explained to the point. It never counts the time.

What is rewarded is what an administrator should do: mend by behaviour without harm, diagnose before mending, look
before acting, change little, tell people. What was left undone (no harm, few changes) earns points only where something
was done: in full on a solve, half where at least a part of the diagnosis was right. Hints cost on a solve only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.events.event import Event
from sandbox.events.kinds import (
    AccountWritten,
    AttemptClosed,
    CheckFinished,
    DiagnosisCommitted,
    HintRevealed,
    TicketAsked,
    TicketClosed,
    TicketUpdated,
)
from sandbox.learning.acts import Act, Done
from sandbox.learning.evidence import evidence_of, is_telling, pin_tells, pins_of
from sandbox.learning.harm import harm_of
from sandbox.learning.story import NOT_PEOPLE, Story
from sandbox.learning.tests_value import redundant
from sandbox.model.debrief_view import ScoreLine, ScoreView
from sandbox.model.verdict import Verdict

CLUES_ENOUGH = 2
"""So many clues seen before acting are enough: nobody needs to see all that would have told."""

NEEDLESS_COST = 2.0
REDUNDANT_COST = 1.0
FREE_REDUNDANT = 1
"""One test made again is a second look, and free."""


@dataclass(frozen=True)
class Judged:
    """What a part of the score is judged by."""

    events: Sequence[Event]
    done: Done
    story: Story


@dataclass(frozen=True)
class Earned:
    """Points as a share of the part's most (0 to 1), why, and the moment that it is about (0: none)."""

    share: float
    why: str
    seq: int = 0


@dataclass(frozen=True)
class Part:
    """One line of the table. ``of`` is its most."""

    title: str
    of: int
    judge: Callable[[Judged], Earned]


def score_of(events: Sequence[Event], done: Done, story: Story) -> ScoreView:
    """The whole table and its sum, rounded."""
    judged = Judged(events, done, story)
    lines = []
    for name, part in PARTS.items():
        earned = part.judge(judged)
        points = round(part.of * min(1.0, max(0.0, earned.share)), 1)
        lines.append(ScoreLine(part=name, title=part.title, points=points, of=part.of, why=earned.why, seq=earned.seq))
    points = round(sum(line.points for line in lines))
    return ScoreView(points=points, sentence=_sentence(points, lines, story), lines=tuple(lines))


def _sentence(points: int, lines: Sequence[ScoreLine], story: Story) -> str:
    most = max(lines, key=lambda line: line.of - line.points)
    if story.solved and points >= 90:
        return "As an expert would: found before it was touched, mended at its cause, and told."
    if story.solved:
        return f"Solved. Most is to be won at “{most.title.lower()}”."
    if points:
        return "Not solved this time, and what you found out counts all the same. The next run begins where this ends."
    return "You took a look at the answer, which is a way to learn, too. The same drill with another seed is yours now."


# --- parts -----------------------------------------------------------------------------------------------------------


def _solved(judged: Judged) -> Earned:
    story = judged.story
    closed = _last(judged.events, "attempt.check.finished")
    if story.solved:
        what = "Every claim holds, tried for real." if story.broken else "The caller had the true answer."
        return Earned(1.0, what, closed)
    claims = [finding for finding in story.findings if not finding.invariant]
    broken = [finding for finding in story.findings if finding.invariant and finding.verdict is Verdict.FAIL]
    hold = sum(finding.verdict is Verdict.PASS for finding in claims)
    if not claims:
        return Earned(0.0, "The fix was never checked.")
    if broken:
        return Earned(0.0, f"The last check found harm: {broken[0].sentence}", closed)
    why = f"{hold} of {len(claims)} claims held at the last check."
    return Earned(hold / len(claims) / 2, why + (" Half of what a solve earns." if hold else ""), closed)


def _diagnosis(part: str, question: str) -> Callable[[Judged], Earned]:
    def judge(judged: Judged) -> Earned:
        said = judged.story.committed
        seq = judged.done.diagnoses[-1].seq if judged.done.diagnoses else 0
        if said is None:
            return Earned(0.0, "No diagnosis was committed.", seq)
        sure = f", and you said: {_last_diagnosis(judged).confidence}" if _last_diagnosis(judged).confidence else ""
        if said.get(part) == judged.story.right.get(part):
            return Earned(1.0, f"Right about {question}{sure if part == 'fault' else ''}.", seq)
        told = f"Wrong about {question}{sure if part == 'fault' else ''}: the answer is beside yours above."
        return Earned(0.0, told, seq)

    return judge


def _diagnosed_first(judged: Judged) -> Earned:
    done, story = judged.done, judged.story
    best, when = 0, 0
    for event in done.diagnoses:
        if isinstance(event.body, DiagnosisCommitted) and done.before_fix(event.seq):
            body = event.body
            right = story.right_parts({"node": body.node, "layer": body.layer, "fault": body.fault})
            if right > best or not when:
                best, when = max(best, right), event.seq
    if not when:
        late = done.diagnoses[0].seq if done.diagnoses else 0
        return Earned(0.0, "No diagnosis before the first change." if done.first_fix else "No diagnosis.", late)
    parts = len(story.right)
    return Earned(best / max(1, parts), f"{best} of {parts} parts were right before anything was changed.", when)


def _looked_first(judged: Judged) -> Earned:
    clues = list(evidence_of(judged.events, judged.story))
    fix = judged.done.first_fix
    limit = None if fix is None else judged.story.elapsed(next(e.at for e in judged.events if e.seq == fix))
    seen = [clue for clue in clues if clue.opened_s is not None and (limit is None or clue.opened_s <= limit)]
    if not clues:
        looked = [act for act in judged.done.acts if judged.done.before_fix(act.seq)]
        share = 1.0 if looked else 0.0
        return Earned(share, "You looked before you acted." if looked else "Nothing was looked at.")
    need = min(CLUES_ENOUGH, len(clues))
    when = "" if fix is None else " before the first change"
    if not seen:
        return Earned(0.0, f"None of what tells was opened{when}.", clues[0].seq)
    why = f"{len(seen)} of {len(clues)} things that tell were opened{when}."
    return Earned(len(seen) / need, why, seen[0].seq)


def _pinned(judged: Judged) -> Earned:
    pins = pins_of(judged.events)
    # What the diagnosis rests on is what counts; a notebook may hold more.
    rests_on = _last_diagnosis(judged).pins
    pins = tuple(pin for pin in pins if getattr(pin.body, "pin", 0) in rests_on) or pins
    telling = [event for clue in judged.story.clues for event in judged.events if is_telling(event, clue)]
    good = [pin for pin in pins if pin_tells(pin, telling)]
    if not pins:
        return Earned(0.0, "Nothing was pinned. Pin what shows it: a diagnosis rests on evidence.")
    if not good:
        return Earned(0.0, "What was pinned does not tell this cause.", pins[0].seq)
    extra = len(pins) - len(good)
    share = 1.0 if extra <= len(good) else len(good) * 2 / (len(pins) + len(good))
    return Earned(share, f"{len(good)} of {len(pins)} pins really tell.", good[0].seq)


def _no_harm(judged: Judged) -> Earned:
    harm = [line for line in harm_of(judged.events, judged.done, judged.story) if line.by_trainee]
    if harm:
        more = f" And {len(harm) - 1} more." if len(harm) > 1 else ""
        return Earned(0.5 * _undone(judged) if len(harm) == 1 else 0.0, harm[0].sentence + more, harm[0].seq)
    return _left_undone(judged, "Nothing was harmed on the way.")


def _economy(judged: Judged) -> Earned:
    part = PARTS["economy"].of
    needless = needless_changes(judged.done, judged.story)
    again = redundant(judged.done)
    cost = NEEDLESS_COST * len(needless) + REDUNDANT_COST * max(0, len(again) - FREE_REDUNDANT)
    if not cost:
        what = "No needless change." if judged.story.broken else "Nothing was changed that was not broken."
        if again:
            what += " One test was made twice, which is free."
        return _left_undone(judged, what)
    told = [
        f"{len(needless)} change{'s' if len(needless) != 1 else ''} that no good solution needs" if needless else "",
        f"{len(again)} test{'s' if len(again) != 1 else ''} made again with nothing changed" if again else "",
    ]
    first = min(act.seq for act in (*needless, *again))
    return Earned(_undone(judged) * max(0.0, 1 - cost / part), f"{' and '.join(t for t in told if t)}.", first)


def _hints(judged: Judged) -> Earned:
    rungs = max(len(judged.story.hints), 1)
    read = [event for event in judged.events if isinstance(event.body, HintRevealed)]
    if not judged.story.solved:
        return Earned(0.0, "Counts on a solve only; hints cost nothing else.", read[0].seq if read else 0)
    if not read:
        return Earned(1.0, "Found without hints.")
    # The further up the ladder, the more is given away: the first rung costs a tenth, the last four.
    cost = sum(range(1, len(read) + 1)) / sum(range(1, rungs + 1))
    return Earned(1 - cost, f"{len(read)} of {rungs} hints read; the first ones cost least.", read[0].seq)


def _acknowledged(judged: Judged) -> Earned:
    for event in _said_in_time(judged):
        if isinstance(event.body, TicketAsked | TicketUpdated | TicketClosed) and event.actor not in NOT_PEOPLE:
            return Earned(1.0, "The caller heard from you.", event.seq)
    return Earned(0.0, "Nobody who called heard from you. A question or one line is enough.")


def _updated(judged: Judged) -> Earned:
    updates = [event for event in _said_in_time(judged) if isinstance(event.body, TicketUpdated)]
    if not updates:
        return Earned(0.0, "No update: what is affected, what is known, what is not, when they hear again.")
    body = updates[-1].body
    parts = sum(bool(getattr(body, name).strip()) for name in ("impact", "known", "unknown"))  # a TicketUpdated
    return Earned((1 + parts) / 4, f"An update with {parts} of 3: impact, known, unknown.", updates[-1].seq)


def _closed(judged: Judged) -> Earned:
    closings = [event for event in judged.events if isinstance(event.body, TicketClosed)]
    counted = [event for event in closings if _closes_in_time(judged, event)]
    if closings and not counted:
        why = "The closing message came when what was wrong had been told. Close before you read it."
        return Earned(0.0, why, closings[0].seq)
    if not closings:
        return Earned(0.0, "No closing message: the cause, what was done, how you know that it works.")
    closings = counted
    body = closings[-1].body
    said = [name for name in ("cause", "done", "verified") if getattr(body, name).strip()]
    return Earned(len(said) / 3, f"Closed with {', '.join(said) or 'nothing said'}.", closings[-1].seq)


PARTS: Mapping[str, Part] = {
    "solved": Part("Solved, by what the department does", 30, _solved),
    "where": Part("Diagnosis: where", 5, _diagnosis("node", "the system")),
    "layer": Part("Diagnosis: in which layer", 4, _diagnosis("layer", "the layer")),
    "what": Part("Diagnosis: what", 6, _diagnosis("fault", "the cause")),
    "first": Part("Diagnosed before the first change", 5, _diagnosed_first),
    "looked": Part("Looked before acting", 10, _looked_first),
    "pinned": Part("Evidence that tells", 5, _pinned),
    "harm": Part("No harm on the way", 10, _no_harm),
    "economy": Part("Few changes, no test twice", 8, _economy),
    "hints": Part("Found by oneself", 7, _hints),
    "acknowledged": Part("The caller heard from you", 2, _acknowledged),
    "updated": Part("An update while they waited", 3, _updated),
    "closed": Part("A closing message", 5, _closed),
}
"""The parts and their most, 100 together."""


# --- what several parts need -----------------------------------------------------------------------------------------


def needless_changes(done: Done, story: Story) -> tuple[Act, ...]:
    """Changes on nodes, or of kinds, that are in no good solution. Where nothing was broken, every change is one."""
    if not story.broken:
        return done.fixes
    nodes = {step.node for way in story.ways for step in way} | {story.right.get("node", "")}
    kinds = {step.command for way in story.ways for step in way}
    return tuple(act for act in done.fixes if act.node not in nodes or (act.name not in kinds and not act.node))


def _said_in_time(judged: Judged) -> list[Event]:
    """What was there before the drill ended, with the closing message that ended it: the same command wrote both."""
    ended = next((event for event in judged.events if isinstance(event.body, AttemptClosed)), None)
    return [
        event
        for event in judged.events
        if ended is None or event.seq < ended.seq or (event.cause is not None and event.cause == ended.cause)
    ]


def _closes_in_time(judged: Judged, closing: Event) -> bool:
    """A ticket is closed while the drill runs, or after it was solved and before the debrief told what was wrong."""
    if not judged.story.solved:
        return closing in _said_in_time(judged)
    told = next((event.seq for event in judged.events if isinstance(event.body, AccountWritten)), None)
    return told is None or closing.seq < told


def _undone(judged: Judged) -> float:
    """How much what was left undone counts."""
    if judged.story.solved:
        return 1.0
    return 0.5 if judged.story.right_parts(judged.story.committed) else 0.0


def _left_undone(judged: Judged, why: str) -> Earned:
    share = _undone(judged)
    if share == 1.0:
        return Earned(1.0, why)
    if share:
        return Earned(share, f"{why} Half, since it is not solved.")
    return Earned(0.0, "Counts once a part of the diagnosis is right, and in full on a solve.")


NOTHING_SAID = DiagnosisCommitted(node="", layer="", fault="")


def _last_diagnosis(judged: Judged) -> DiagnosisCommitted:
    """The diagnosis that stands at the end."""
    bodies = [event.body for event in judged.done.diagnoses if isinstance(event.body, DiagnosisCommitted)]
    return bodies[-1] if bodies else NOTHING_SAID


def _last(events: Sequence[Event], kind: str) -> int:
    found = [event.seq for event in events if event.kind == kind and isinstance(event.body, CheckFinished)]
    return found[-1] if found else 0
