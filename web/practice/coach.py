"""The coach of the guided mode: the lesson's hints as steps, what to look for in each, and where in the console.

Where to go is read from the words of the hint: what it says is to be looked at, and the node that it names nearest to
that. So a lesson needs no second text for its coach.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from sandbox.model.view import AttemptView, LabView, NodeView


@dataclass(frozen=True)
class Rung:
    """What a step of the ladder is about, and what to look for while doing it."""

    title: LazyString
    look_for: LazyString


RUNGS: tuple[Rung, ...] = (
    Rung(
        _("Find the place"),
        _("Between which two places does it stop? Everything before the gap works, so the cause is at the gap."),
    ),
    Rung(
        _("Compare"),
        _("Set what does not work beside something that does. What differs between the two is where to look next."),
    ),
    Rung(
        _("Understand"),
        _("Say in one sentence what is wrong, and commit it as your diagnosis before you change anything."),
    ),
    Rung(
        _("Mend, and prove it"),
        _("Change as little as possible, save, restart where it says so, then check: the check does what people do."),
    ),
)
BEYOND = Rung(_("One step further"), _("Do what it says, and look what changes."))


@dataclass(frozen=True)
class Spot:
    """A place of the console that a hint means. ``words`` are what it says then; ``needs`` and ``lacks`` are abilities
    that a node with this page has and has not; ``of_node`` whether the page is a node's at all."""

    words: str
    endpoint: str
    text: LazyString
    of_node: bool = True
    needs: str = ""
    lacks: str = ""

    def fits(self, node: NodeView) -> bool:
        """Whether ``node`` has the page."""
        return (not self.needs or self.needs in node.abilities) and self.lacks not in node.abilities


SPOTS: tuple[Spot, ...] = (
    Spot(r"\bassociation", "associations.associations", _("Associations, at the left"), of_node=False),
    Spot(r"\bfirewall|\bDNS\b|\bnetwork page|\bhosts? table", "service.network", _("Network, at the left"), False),
    Spot(r"\bqueue", "queues.queue", _("%(node)s, tab Queue"), needs="queue"),
    Spot(
        r"\bAE table|\bconfiguration|\bsetting|\brule|\baccepts?\b|\bSOP class",
        "configuration.configuration",
        _("%(node)s, tab Configuration"),
    ),
    Spot(r"\bsearch|\bC-FIND|\bC-ECHO|\bping|\bfind\b|\bC-MOVE", "tools.tools", _("%(node)s, tab Tools"), needs="echo"),
    Spot(r"\blog\b", "logs.node_log", _("%(node)s, tab Log")),
    Spot(r"\bstud(y|ies)\b|\bimages?\b|\bheader", "studies.studies", _("%(node)s, tab Studies"), lacks="route"),
    Spot(r"\bservice\b|\bvendor|\bbin\b|\bindex", "service.service", _("%(node)s, tab Service")),
)
MOST = 4
"""More places than this are no direction any more."""


@dataclass(frozen=True)
class Direction:
    """A place to go to now: the endpoint, the node if it is a node's page, and how one gets there in words."""

    endpoint: str
    node: str
    text: str


@dataclass(frozen=True)
class Step:
    """One step of the coach. ``text`` is the lesson's hint, as Markdown."""

    number: int
    title: LazyString
    look_for: LazyString
    text: str
    directions: tuple[Direction, ...]


def steps(attempt: AttemptView, lab: LabView) -> tuple[Step, ...]:
    """The steps that were asked for so far."""
    return tuple(
        Step(number, rung(number).title, rung(number).look_for, text, directions(text, lab.nodes))
        for number, text in enumerate(attempt.hints, 1)
    )


def rung(number: int) -> Rung:
    """What the step with this number (from 1) is about."""
    return RUNGS[number - 1] if number <= len(RUNGS) else BEYOND


def directions(text: str, nodes: Sequence[NodeView]) -> tuple[Direction, ...]:
    """The places of the console that ``text`` speaks of, sentence by sentence, the first ones only."""
    by_name = {node.name: node for node in nodes}
    found: dict[tuple[str, str], Direction] = {}
    for sentence in re.split(r"(?<=[.:;?!])\s+", text):
        for direction in _in(sentence, by_name):
            found.setdefault((direction.endpoint, direction.node), direction)
    return tuple(found.values())[:MOST]


def _in(sentence: str, nodes: Mapping[str, NodeView]) -> Iterator[Direction]:
    named = [(found.start(), nodes[found.group()]) for found in re.finditer(r"\b[A-Z][A-Z0-9]+\b", sentence)
             if found.group() in nodes]  # fmt: skip
    for spot in SPOTS:
        said = re.search(spot.words, sentence, re.IGNORECASE)
        if not said:
            continue
        if not spot.of_node:
            yield Direction(spot.endpoint, "", str(spot.text))
            continue
        fit = [(abs(at - said.start()), node) for at, node in named if spot.fits(node)]
        if fit:
            node = min(fit, key=lambda one: one[0])[1]
            yield Direction(spot.endpoint, node.name, str(spot.text % {"node": node.name}))
