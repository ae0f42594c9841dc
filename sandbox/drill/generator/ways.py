"""The ways an exam takes in a site: from a modality over a router to where somebody waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.lab.site import Site, SiteNode
from sandbox.model.errors import BadInputError

SITE_WIDE = ("archive", "workstation")
"""Roles at which somebody misses an exam."""


@dataclass(frozen=True)
class ExamWay:
    """Exams of ``modality`` go to ``router``, whose rule ``rule`` sends them to ``place``, where somebody waits.

    ``other`` is another modality on the same router and ``elsewhere`` another place that its rules serve: what must go
    on working while this way is broken.
    """

    site: Site
    modality: SiteNode
    router: SiteNode
    place: SiteNode
    rule: str
    other: SiteNode
    elsewhere: SiteNode

    @property
    def slug(self) -> str:
        """ "ct1-to-ws1"."""
        return f"{self.modality.name}-to-{self.place.name}".lower()

    def line(self, node: SiteNode, peer: SiteNode) -> Mapping[str, Any]:
        """What ``node``'s AE table says of ``peer`` in the healthy site."""
        return next(row for row in node.config["remotes"] if row["name"] == peer.name)


def ways_of(site: Site) -> tuple[ExamWay, ...]:
    """Every way of the site by a rule that takes exams of all kinds. BadInputError when there is none."""
    nodes = {node.name: node for node in site.nodes}
    found = []
    for router in (node for node in site.nodes if node.role == "router"):
        senders = [
            node for node in site.nodes if node.role == "modality" and router.name in node.config.get("send_to", ())
        ]
        rules = {
            destination: rule["name"]
            for rule in router.config.get("rules", ())
            if not (rule.get("conditions") or rule.get("calling_ae") or rule.get("hours"))
            for destination in rule["destinations"]
            if nodes[destination].role in SITE_WIDE
        }
        for modality in senders:
            others = [node for node in senders if node is not modality]
            for place, rule in rules.items():
                elsewhere = [name for name in rules if name != place]
                if others and elsewhere:
                    other, away = others[0], nodes[elsewhere[0]]
                    found.append(ExamWay(site, modality, router, nodes[place], rule, other, away))
    if not found:
        raise BadInputError(
            f"{site.title} has no way of exams to break.",
            "A router with two destinations for every exam and two modalities are needed.",
        )
    return tuple(found)
