"""Text in one character set that says it is in another: names with accents arrive as something else."""

from __future__ import annotations

from typing import Literal

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import TextMislabelled


class CharacterSet(OnModality):
    """``data.character_set``: ``node`` writes UTF-8 and declares ``declared`` (ISO_IR 100, or "": nothing at all).

    Only names beyond ASCII show it. Seen from outside: ``findscu`` of such a patient answers "MÃ¼ller" for "Müller",
    and a search for the right name finds nothing. Mended by ``node.service_call`` about ``headers``; what was archived
    meanwhile by ``archive.edit``.
    """

    kind = "data.character_set"
    symptoms = (
        "Names with accents or umlauts are garbled, those without are as ever.",
        "A search by the right name does not find those patients' new exams.",
    )

    declared: Literal["", "ISO_IR 100"] = "ISO_IR 100"

    def explanation(self) -> str:
        said = self.declared or "no character set at all"
        return (
            f"{self.node} wrote its text in UTF-8 and declared {said} in Specific Character Set (0008,0005). Every "
            "letter beyond ASCII was read as two others, by everybody who did what the header said."
        )

    def break_it(self, department: Department) -> Undo:
        wrong = TextMislabelled(declared=self.declared, where=self.where)
        return impair(department, self.node, "data", "headers", wrong)
