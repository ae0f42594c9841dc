"""The reference pages have a line for everything there is."""

from __future__ import annotations

from sandbox.checks.registry import checks
from sandbox.drill.layers import LAYERS
from sandbox.drill.reference import pages
from sandbox.faults.registry import faults
from sandbox.learning.topics import TOPICS


def test_every_fault_and_check_has_a_chapter_with_its_parameters() -> None:
    made = pages()
    for name, entries in (("faults.md", faults()), ("checks.md", checks())):
        for kind, entry in entries.items():
            assert f"\n## {kind}\n" in made[name]
            assert entry.__doc__, kind
            for field in entry.model_fields:
                assert f"| `{field}` |" in made[name]


def test_every_word_is_explained() -> None:
    page = pages()["scenario-words.md"]
    for word in (*LAYERS, *(topic.id for topic in TOPICS), "{typo:NODE}", "{patient}"):
        assert word in page
