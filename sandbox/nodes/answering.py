"""Queries that a node answers from its own store, with a line in its log: what was asked, and how much was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sandbox.archive.archive import Archive
from sandbox.dicom.contract import FindAnswer, Query
from sandbox.nodes.words import counted, query_in_words

if TYPE_CHECKING:
    from sandbox.nodes.node import Node


def answer_find(
    node: Node, store: Archive, query: Query, limit: int = 0, *, as_written: bool = False
) -> Iterator[FindAnswer]:
    """The answers of ``store`` to a C-FIND (PS3.4 C.4.1), the first ``limit`` of them if that is not 0.

    With ``as_written`` a patient's name matches only letter by letter, case and accents included.
    """
    matches, refused, cut = 0, False, False
    try:
        for answer in _as_written(store, query) if as_written else store.find(query):
            if not answer.is_match:
                refused = True
            else:
                if limit and matches == limit:
                    cut = True
                    break
                matches += 1
            yield answer
    finally:
        asked = f"Query from {query.facts.calling_ae}: {query_in_words(query.identifier)}"
        # Why it was refused stands in the line of the answer itself, which every node writes.
        told = "refused" if refused else counted(matches, "match", "matches")
        ended = "; there are more, but that is the most that is given" if cut else ""
        node.log("warning" if cut else "info", f"{asked} → {told}{ended}", query.facts.id)


def _as_written(store: Archive, query: Query) -> Iterator[FindAnswer]:
    """The answers without those whose patient's name matches only when case and accents do not count."""
    wanted = str(query.identifier.get("PatientName", "") or "")
    # As data sets, since the names in them are looked at.
    for answer in store.find(replace(query, asked=query.identifier, transfer_syntax="")):
        name = "" if answer.identifier is None else str(answer.identifier.get("PatientName", "") or "")
        if not wanted or not answer.is_match or fnmatchcase(name, wanted):
            yield answer
