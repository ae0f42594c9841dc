"""Rounds of the negotiation trainer: two conformance statements, what one proposes to the other, and the comparison of
what somebody predicted with what an association really agreed on (PS3.8 9.3.2 and 9.3.3).

Pure values from a seed. Nothing in here knows the answer: it comes from the association.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _
from pydantic import Field
from pydicom.uid import UID

from sandbox.model.base import Model
from sandbox.model.view import AssociationView

CALLERS = ("CT1", "MR1", "DX1", "US1")
CALLED = "ROUTER"
ACCEPTED, NO_CLASS, NO_SYNTAX, REFUSED = "accepted", "3", "4", "refused"
"""A prediction is "accepted:" with the UID of the transfer syntax, or why not."""

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BASELINE = "1.2.840.10008.1.2.4.50"
LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K_LOSSLESS = "1.2.840.10008.1.2.4.90"
J2K = "1.2.840.10008.1.2.4.91"
RLE = "1.2.840.10008.1.2.5"
PLAIN = (IMPLICIT, EXPLICIT)
PACKED = (BASELINE, LOSSLESS, JPEG_LS, J2K_LOSSLESS, J2K, RLE)

STORAGE = "1.2.840.10008.5.1.4.1.1."
CLASSES: Mapping[str, tuple[str, ...]] = {
    "CT1": (f"{STORAGE}2", f"{STORAGE}2.1", f"{STORAGE}7", f"{STORAGE}88.67", f"{STORAGE}11.1"),
    "MR1": (f"{STORAGE}4", f"{STORAGE}4.1", f"{STORAGE}7", f"{STORAGE}66", f"{STORAGE}88.59"),
    "DX1": (f"{STORAGE}1.1", f"{STORAGE}1", f"{STORAGE}7", f"{STORAGE}88.67", f"{STORAGE}11.1"),
    "US1": (f"{STORAGE}6.1", f"{STORAGE}3.1", f"{STORAGE}7", f"{STORAGE}88.33", f"{STORAGE}88.59"),
}
"""What each caller may make: its images first, then what comes with them (captures, dose, marks, key images)."""

WITH_PIXELS = frozenset(f"{STORAGE}{end}" for end in ("2", "2.1", "4", "4.1", "1", "1.1", "3.1", "6.1", "7"))
"""Classes whose objects may be compressed; proposing JPEG for a report would be nonsense."""


@dataclass(frozen=True)
class Level:
    """How hard a round is. ``contexts`` is how many are proposed, of how many ``classes``; ``syntaxes`` how many
    transfer syntaxes a context offers at most; ``titles`` says that the whole association may be refused."""

    number: int
    title: str
    about: str
    contexts: int
    classes: int
    syntaxes: int
    titles: bool = False


LEVELS: tuple[Level, ...] = (
    Level(
        1, _("Yes or no"), _("Three contexts. Is the class taken, and is there a transfer syntax both know?"), 3, 2, 1
    ),
    Level(
        2,
        _("Which one?"),
        _("Five contexts with several transfer syntaxes. Of those both know, one is chosen: whose order counts?"),
        contexts=5,
        classes=3,
        syntaxes=2,
    ),
    Level(
        3,
        _("As it is in the field"),
        _("Eight contexts: compression, the same class proposed twice, classes that only look alike."),
        contexts=8,
        classes=4,
        syntaxes=3,
    ),
    Level(
        4,
        _("The whole request"),
        _("As before, and the AE titles have their say first: the association itself may be refused."),
        contexts=6,
        classes=3,
        syntaxes=3,
        titles=True,
    ),
)


class Line(Model):
    """One proposed context."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]

    @property
    def class_name(self) -> str:
        return UID(self.abstract_syntax).name


class Verdict(Model):
    """What was predicted for one context, what happened, and how the acceptor's answer is to be read."""

    predicted: str
    happened: str
    result_text: str = ""

    @property
    def is_right(self) -> bool:
        return self.predicted == self.happened


class Round(Model):
    """One round. ``takes`` and ``prefers`` are the acceptor's SOP classes and transfer syntaxes, the preferred first.
    ``lab`` is where it is sent; ``verdicts`` and ``association`` are there once it was."""

    level: int
    seed: int
    lab: str
    caller: str
    called: str = CALLED
    lines: tuple[Line, ...]
    takes: tuple[str, ...]
    prefers: tuple[str, ...]
    calling_ae: str
    called_ae: str
    listed: bool = True
    checks_called: bool = True
    lets_in_unlisted: bool = False
    predicted_refusal: str = ""
    refusal: str = ""
    sentence: str = ""
    verdicts: tuple[Verdict, ...] = Field(())
    association: str = ""
    sent_at: datetime | None = None

    @property
    def asks_for_titles(self) -> bool:
        return level_of(self.level).titles

    @property
    def right(self) -> int:
        """How many answers were right; the association itself counts as one where it is asked for."""
        contexts = sum(verdict.is_right for verdict in self.verdicts)
        return contexts + int(self.asks_for_titles and self.predicted_refusal == self.refusal)

    @property
    def asked(self) -> int:
        return len(self.verdicts) + int(self.asks_for_titles)

    @property
    def score(self) -> int:
        return round(100 * self.right / self.asked) if self.asked else 0


REFUSALS: Mapping[str, str] = {
    "": _("It is accepted"),
    "1/1/3": _("Rejected 1/1/3: calling AE title not recognised"),
    "1/1/7": _("Rejected 1/1/7: called AE title not recognised"),
}


def level_of(number: int) -> Level:
    return next((level for level in LEVELS if level.number == number), LEVELS[0])


def make(level: Level, seed: int, lab: str) -> Round:
    """A round from its seed. Both sides keep to the standard: the default transfer syntax is proposed for every class
    and known to the acceptor (PS3.5 10.1), so that it is the further contexts that fail for want of a syntax."""
    chance = random.Random(f"negotiation/{level.number}/{seed}")  # noqa: S311 - a lesson, not a secret
    caller = chance.choice(CALLERS)
    classes = [CLASSES[caller][0], *chance.sample(CLASSES[caller][1:], level.classes - 1)]
    prefers = [IMPLICIT, *chance.sample((EXPLICIT, *PACKED), chance.randint(1, 1 + level.syntaxes))]
    chance.shuffle(prefers)
    lines = [
        Line(
            abstract_syntax=one,
            transfer_syntaxes=tuple(chance.sample(PLAIN, 2)) if chance.random() < 0.6 else (IMPLICIT,),
        )
        for one in classes
    ]
    while len(lines) < level.contexts:
        abstract = chance.choice(classes)
        pool = (EXPLICIT, *PACKED, *prefers) if abstract in WITH_PIXELS else (EXPLICIT, DEFLATED)
        offer = dict.fromkeys(chance.choices(pool, k=level.syntaxes))
        line = Line(abstract_syntax=abstract, transfer_syntaxes=tuple(offer)[: chance.randint(1, level.syntaxes)])
        if line not in lines:
            lines.append(line)
    chance.shuffle(lines)
    refused = chance.sample(classes, max(1, level.classes // 3))
    takes = [one for one in classes if one not in refused]
    takes += [one for one in (f"{STORAGE}481.1", f"{STORAGE}20", f"{STORAGE}104.1") if chance.random() < 0.5]
    chance.shuffle(takes)
    wrong = chance.choice(("", "", "calling", "called", "called")) if level.titles else ""
    return Round(
        level=level.number,
        seed=seed,
        lab=lab,
        caller=caller,
        lines=tuple(lines),
        takes=tuple(takes),
        prefers=tuple(prefers),
        calling_ae=f"{caller}_NEW" if wrong == "calling" else caller,
        called_ae=f"{CALLED}2" if wrong == "called" else CALLED,
        listed=wrong != "calling",
        checks_called=not level.titles or chance.random() < 0.6,
        lets_in_unlisted=level.titles and chance.random() < 0.4,
    )


def compared(one: Round, predicted: tuple[str, ...], refusal: str, happened: AssociationView) -> Round:
    """The round with what came of it. A refused association has no contexts: predictions for them count as right only
    where the refusal was foreseen."""
    rejection = next((code for code in REFUSALS if code and f"({code})" in happened.sentence), "")
    is_refused = happened.outcome in ("rejected", "aborted", "failed")
    views = {context.id: context for context in happened.contexts}
    verdicts = []
    for place in range(len(one.lines)):
        view = views.get(2 * place + 1)
        if is_refused or view is None or view.result is None:
            said, text = REFUSED, ""
        elif view.result == 0:
            said, text = f"{ACCEPTED}:{_uid_of(view.accepted_transfer, one.lines[place])}", view.result_text
        else:
            said, text = str(view.result), view.result_text
        foreseen = REFUSED if refusal else predicted[place]
        verdicts.append(Verdict(predicted=foreseen, happened=said, result_text=text))
    return one.model_copy(
        update={
            "predicted_refusal": refusal,
            "refusal": rejection if is_refused else "",
            "sentence": happened.sentence,
            "verdicts": tuple(verdicts),
            "association": happened.id,
            "sent_at": happened.at,
        }
    )


def choices(line: Line) -> tuple[str, ...]:
    """What can be predicted for a context."""
    return (*(f"{ACCEPTED}:{uid}" for uid in line.transfer_syntaxes), NO_CLASS, NO_SYNTAX)


def _uid_of(name: str, line: Line) -> str:
    """The UID behind the name that a view gives of the accepted transfer syntax."""
    return next((uid for uid in line.transfer_syntaxes if UID(uid).name == name or uid == name), name)
