"""Queries that a node answers from its own store, with a line in its log: what was asked, and how much was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.archive.archive import Archive
from sandbox.dicom.contract import FindAnswer, Query
from sandbox.nodes.words import counted, query_in_words

if TYPE_CHECKING:
    from sandbox.nodes.node import Node


def answer_find(node: Node, store: Archive, query: Query, limit: int = 0) -> Iterator[FindAnswer]:
    """The answers of ``store`` to a C-FIND (PS3.4 C.4.1), the first ``limit`` of them if that is not 0."""
    matches, refused, cut = 0, False, False
    try:
        for answer in store.find(query):
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
