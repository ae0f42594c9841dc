"""Hanging rules: which series goes where on the screen, decided by modality and descriptions, as workstations do.

The rules are data. Descriptions are free text, so a rule that matched yesterday may not match after an upgrade; then
the viewer says that none does, and what each rule looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Slot:
    """A place on the screen: the series whose description matches ``series`` (* and ? stand for others, case does not
    count), of the study itself or of the latest earlier study that has one. A prior that is not there leaves its place
    empty; without the others the rule does not match."""

    series: str
    prior: bool = False


@dataclass(frozen=True)
class HangingRule:
    """For studies of ``modality`` whose description matches ``study``: ``slots`` in reading order."""

    name: str
    modality: str
    study: str
    slots: tuple[Slot, ...]


RULES: tuple[HangingRule, ...] = (
    HangingRule("CT head with the prior", "CT", "*HEAD*", (Slot("HEAD*AXIAL"), Slot("HEAD*AXIAL", prior=True))),
    HangingRule("CT chest with the prior", "CT", "*CHEST*", (Slot("CHEST*AXIAL"), Slot("CHEST*AXIAL", prior=True))),
    HangingRule("CT abdomen with the prior", "CT", "*ABD*", (Slot("ABD*AXIAL"), Slot("ABD*AXIAL", prior=True))),
    HangingRule(
        "MR brain, three weightings",
        "MR",
        "*BRAIN*",
        (Slot("AX T1*"), Slot("AX T2 TSE*"), Slot("AX T2 FLAIR*"), Slot("AX T2 FLAIR*", prior=True)),
    ),
    HangingRule(
        "MR knee, three weightings",
        "MR",
        "*KNEE*",
        (Slot("SAG PD*"), Slot("SAG T1*"), Slot("SAG T2*"), Slot("SAG PD*", prior=True)),
    ),
    HangingRule(
        "MR spine, three weightings",
        "MR",
        "*SPINE*",
        (Slot("SAG T1*"), Slot("SAG T2*"), Slot("SAG STIR*"), Slot("SAG T2*", prior=True)),
    ),
    HangingRule(
        "Chest films with the prior",
        "DX",
        "*CHEST*",
        (Slot("*PA"), Slot("*LATERAL"), Slot("*PA", prior=True), Slot("*LATERAL", prior=True)),
    ),
    HangingRule("Hand films, two views", "DX", "*HAND*", (Slot("*PA"), Slot("*OBLIQUE"))),
    HangingRule("Knee films, two views", "DX", "*KNEE*", (Slot("*AP"), Slot("*LATERAL"))),
    HangingRule("Ultrasound", "US", "*", (Slot("*"),)),
)
"""In the order in which they are tried."""


@dataclass(frozen=True)
class Hung:
    """A series as hanging sees it. ``study`` is the study's description, ``prior`` whether it is an earlier study's."""

    modality: str
    study: str
    description: str
    prior: bool = False
    has_images: bool = True


@dataclass(frozen=True)
class Hanging:
    """What came of it: the rule (None: none matches), the layout, and which series (by its place in the list) stands in
    each slot, None for a prior that is not there while another is. ``tried`` are the rules for this modality and study
    that looked for series that are not here."""

    rule: HangingRule | None
    layout: str
    places: tuple[int | None, ...]
    tried: tuple[HangingRule, ...] = ()


def hang(series: Sequence[Hung], rules: Sequence[HangingRule] = RULES) -> Hanging:
    """Hang ``series``: those of the study first, then those of earlier studies, the latest first."""
    tried = []
    for rule in rules:
        of_study = [one for one in series if not one.prior and one.modality == rule.modality]
        if not any(_matches(rule.study, one.study) for one in of_study):
            continue
        places = tuple(_placed(slot, rule, series) for slot in rule.slots)
        filled = list(zip(places, rule.slots, strict=True))
        if all(place is not None or slot.prior for place, slot in filled):
            if all(place is None for place, slot in filled if slot.prior):
                # Nothing to compare with: the study has the screen to itself.
                places = tuple(place for place, slot in filled if not slot.prior)
            return Hanging(rule, _layout(len(places)), places)
        tried.append(rule)
    first = next((place for place, one in enumerate(series) if one.has_images and not one.prior), None)
    return Hanging(None, "1x1", (first,), tuple(tried))


def _placed(slot: Slot, rule: HangingRule, series: Sequence[Hung]) -> int | None:
    for place, one in enumerate(series):
        fits = one.prior is slot.prior and one.modality == rule.modality and one.has_images
        if fits and _matches(slot.series, one.description) and (not slot.prior or _matches(rule.study, one.study)):
            return place
    return None


def _layout(places: int) -> str:
    return {1: "1x1", 2: "1x2"}.get(places, "2x2")


def _matches(pattern: str, text: str) -> bool:
    return fnmatchcase(text.upper().strip(), pattern.upper())
