"""Looks: what an administrator can look at while an exam is missed, and what each look shows in a broken lab.

A look's answer is put into few words, the same for the same cause on every seed, so that the answers of two causes can
be compared. The fewest looks that tell one cause from all the others are found by trying.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import combinations

from sandbox.checks.memory import NotedExam
from sandbox.drill.generator.ways import ExamWay
from sandbox.model.view import CommandResult, NodeState, QueueState
from sandbox.nodes.department import Department
from sandbox.nodes.node import Node

Look = Callable[[Department, ExamWay, NotedExam], str]

THREE_NUMBERS = re.compile(r"\b(\d/\d/\d)\b")
IN_WORDS = (
    ("refused", re.compile(r"refused|nothing listens", re.IGNORECASE)),
    ("timed out", re.compile(r"timed? ?out|nothing came back", re.IGNORECASE)),
    (
        "unknown host",
        re.compile(r"unknown host|not known|does not resolve|no such name|into an address", re.IGNORECASE),
    ),
)


def answer_in_words(text: str) -> str:
    """The kind of failure that a sentence tells: the three numbers of a rejection, or one of a few words."""
    numbers = THREE_NUMBERS.search(text)
    if numbers:
        return f"rejected {numbers[1]}"
    return next((word for word, pattern in IN_WORDS if pattern.search(text)), "failed" if text else "well")


def _queue(node: Node, destination: str) -> str:
    views = () if node.queue is None else node.queue.views()
    view = next((view for view in views if view.destination == destination), None)
    if view is None or not view.waiting:
        return "nothing waits"
    if view.state is QueueState.HELD:
        return "held, and it waits"
    return f"it waits: {answer_in_words(view.last_error)}"


def _tried(result: CommandResult) -> str:
    return "well" if result.ok else answer_in_words(" ".join((result.sentence, *result.facts)))


def _has(node: Node, exam: NotedExam) -> str:
    study = None if node.store is None else node.store.study(exam.study_uid)
    return "it is there" if study is not None else "it is not there"


def _router_log(department: Department, where: ExamWay, exam: NotedExam) -> str:
    routed = [
        event.body
        for event in department.events.since()
        if event.kind == "study.routed" and getattr(event.body, "study_uid", "") == exam.study_uid
    ]
    if not routed:
        return "it never came"
    sent_to = {name for body in routed for name in getattr(body, "destinations", ())}
    return "sent to where it is missed" if where.place.name in sent_to else "sent on, but not there"


def _runs(node: Node) -> str:
    return "runs" if node.state is NodeState.RUNNING else "does not run"


def _router_knows(department: Department, where: ExamWay) -> str:
    """Whether the caller's own title stands in the router's AE table, as somebody sees who compares the two."""
    title = department.node(where.modality.name).running.ae_title
    listed = department.node(where.router.name).running.remote_by_title(title)
    sites = str(where.modality.config["ae_title"])
    return ("listed" if listed else "not listed") + ("" if title == sites else ", and it is another title than usual")


LOOKS: Mapping[str, Look] = {
    "the queue of {modality} for {router}": lambda d, w, e: _queue(d.node(w.modality.name), w.router.name),
    "the queue of {router} for {place}": lambda d, w, e: _queue(d.node(w.router.name), w.place.name),
    "a search for the exam at {place}": lambda d, w, e: _has(d.node(w.place.name), e),
    "a search for the exam at {elsewhere}": lambda d, w, e: _has(d.node(w.elsewhere.name), e),
    "{router}'s log for the exam": _router_log,
    "a C-ECHO from {modality} to {router}": lambda d, w, e: _tried(d.node(w.modality.name).tools.echo(w.router.name)),
    "a C-ECHO from {router} to {place}": lambda d, w, e: _tried(d.node(w.router.name).tools.echo(w.place.name)),
    "a C-ECHO from {other} to {router}": lambda d, w, e: _tried(d.node(w.other.name).tools.echo(w.router.name)),
    "the state of {place}": lambda d, w, e: _runs(d.node(w.place.name)),
    "{modality}'s AE title beside {router}'s AE table": lambda d, w, e: _router_knows(d, w),
}
"""Every look by its words; names in braces are those of the way."""

COSTS_MIN: Mapping[str, int] = {
    "the queue of {modality} for {router}": 1,
    "the queue of {router} for {place}": 1,
    "a search for the exam at {place}": 2,
    "a search for the exam at {elsewhere}": 2,
    "{router}'s log for the exam": 4,
    "a C-ECHO from {modality} to {router}": 3,
    "a C-ECHO from {router} to {place}": 2,
    "a C-ECHO from {other} to {router}": 3,
    "the state of {place}": 2,
    "{modality}'s AE title beside {router}'s AE table": 6,
}
"""What a look costs an administrator at a desk, in minutes: what is on a screen is cheap, what needs a walk to a room
or a comparison letter by letter is not."""


def words_of(look: str, where: ExamWay) -> str:
    """A look in words, with the names of this way."""
    names = {part: getattr(where, part).name for part in ("modality", "router", "place", "other", "elsewhere")}
    return look.format(**names)


def look_at_all(department: Department, where: ExamWay, exam: NotedExam) -> dict[str, str]:
    """What every look shows now."""
    return {name: look(department, where, exam) for name, look in LOOKS.items()}


def fewest_looks(shown: Mapping[str, str], others: Mapping[str, Mapping[str, str]]) -> tuple[str, ...] | None:
    """The fewest looks after which no other cause is left, or None when even all of them do not tell.

    ``others`` are what the other causes of the same complaint show, by name. Of several sets of one size it is the
    first in the order of ``LOOKS``, which is that of somebody who follows the exam.
    """
    for size in range(len(LOOKS) + 1):
        for chosen in combinations(LOOKS, size):
            if all(any(shown[look] != other[look] for look in chosen) for other in others.values()):
                return chosen
    return None
