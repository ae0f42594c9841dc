"""The value of each test that was made: which of the plausible causes it could tell apart when it was made.

A test narrows what is plausible only where it met the trouble: on a node that the cause or its traces are on, and with
an answer that fits. The same test with the same answer and nothing changed in between told nothing new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sandbox.learning.acts import Act, ActKind, Done
from sandbox.learning.marks import MARKS, TELLS, Mark, Tells, same_answer, tells
from sandbox.learning.story import Story
from sandbox.model.debrief_view import MadeTest, ValueView

SHORTEST = "## The shortest way"
"""The heading under which a generated drill tells the fewest looks, which were found by trying in a lab."""

HOUSE_WIDE = frozenset({"ask", "open.follow", "open.history"})
"""What is asked of the whole house and not of a node."""


def value_of_tests(done: Done, story: Story) -> ValueView:
    """Every test and look in order, until the diagnosis no longer matters: the end of the attempt."""
    left = dict(story.choices)
    true = MARKS.get(story.right.get("fault", ""))
    scene = {story.right.get("node", "")} | {clue.node for clue in story.clues}
    said: dict[str, Act] = {}
    made: list[MadeTest] = []
    for act in done.acts:
        if act.kind is ActKind.CHANGE:
            said.clear()
            continue
        kind = tells(act.name)
        before = len(left)
        excluded: Mapping[str, str] = {}
        if kind is not None and true is not None and _meets(act, kind, true, scene):
            excluded = {value: text for value, text in left.items() if not same_answer(kind, true, MARKS.get(value))}
        repeated = _repeats(act, said)
        left = {value: text for value, text in left.items() if value not in excluded}
        made.append(
            MadeTest(
                seq=act.seq,
                elapsed_s=story.elapsed(act.event.at),
                title=_title(act, kind),
                node=act.node,
                answer=act.answer,
                tells=kind.what if kind else "",
                before=before,
                after=len(left),
                excluded=tuple(excluded.values()),
                repeats=repeated,
            )
        )
    return ValueView(
        made=tuple(made),
        redundant=sum(test.repeats > 0 for test in made),
        left=tuple(left.values()),
        cheapest=_cheapest(story, true),
        shortest=shortest_way(story.text),
    )


def redundant(done: Done) -> tuple[Act, ...]:
    """Tests that had been made before, with the same answer and nothing changed in between."""
    said: dict[str, Act] = {}
    found = []
    for act in done.acts:
        if act.kind is ActKind.CHANGE:
            said.clear()
        elif _repeats(act, said):
            found.append(act)
    return tuple(found)


def _repeats(act: Act, said: dict[str, Act]) -> int:
    """The seq of the test that had said the same, and notes this one. Looks and questions are free."""
    if act.kind is not ActKind.TEST:
        return 0
    earlier = said.get(act.key)
    said[act.key] = act
    return earlier.seq if earlier is not None and _plain(earlier.answer) == _plain(act.answer) else 0


def _plain(answer: str) -> str:
    """An answer without its numbers of milliseconds."""
    return re.sub(r"[\d.]+ ?(ms|s)\b", "", answer)


def _title(act: Act, kind: Tells | None) -> str:
    what = kind.title if kind else act.name.replace("open.", "a look at the ").replace(".", " ")
    if "line" in act.params:
        return f"“{act.params['line']}”{' on ' + act.node if act.node else ''}"
    target = next((str(act.params[name]) for name in ("remote", "host", "to") if act.params.get(name)), "")
    if act.kind is ActKind.LOOK:
        return f"{what}{' on ' + act.node if act.node else ''}"
    return f"{what}{' from ' + act.node if act.node else ''}{' to ' + target if target else ''}"


def _meets(act: Act, kind: Tells, true: Mark, scene: set[str]) -> bool:
    """Whether the test was made where the trouble is, and its answer is the one that the trouble gives."""
    if act.kind is ActKind.ASK or (act.kind is ActKind.LOOK and not act.node):
        return True  # it is about the whole house
    where = {act.node, str(act.params.get("remote", "")), str(act.params.get("destination", ""))}
    if not where & scene and not act.params.get("association"):
        return False
    if act.kind is ActKind.LOOK or act.ok is None:
        return True
    # One that went well where the trouble shows (or badly where it does not) met something else.
    return act.ok is not (true in kind.shows)


def _cheapest(story: Story, true: Mark | None) -> str:
    """The test of least effort among those that leave the fewest causes, where the trouble is."""
    if true is None or len(story.choices) < 2:
        return ""
    alike = {
        name: sum(same_answer(kind, true, MARKS.get(value)) for value in story.choices) for name, kind in TELLS.items()
    }
    name = min(
        alike, key=lambda name: (alike[name], true not in TELLS[name].shows, TELLS[name].cost, "open." not in name)
    )
    if alike[name] == len(story.choices):
        return ""
    node = story.clues[0].node if story.clues else story.right.get("node", "")
    where = "" if name in HOUSE_WIDE else f" {'on' if name.startswith('open.') else 'from or to'} {node}"
    of, left, row = len(story.choices), alike[name], TELLS[name]
    if left * 2 > of:
        return (
            f"No single test tells these {of} causes apart, since {left} of them look alike. "
            f"After {row.title}{where}, compare and ask."
        )
    return f"Of {of} plausible causes, {row.title}{where} leaves {left}: it tells {row.what}."


def shortest_way(text: str) -> tuple[str, ...]:
    """The fewest looks that a generated drill states in its debrief, none where it states none."""
    _, found, after = text.partition(SHORTEST)
    lines: Sequence[str] = after.splitlines() if found else ()
    return tuple(match[1] for line in lines if (match := re.match(r"\d+\. (.+)", line)))
