"""A description that an upgrade changed: nothing is malformed, and everything that went by the old words is lost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Manner, ValueChanged


class ChangedDescription(OnModality):
    """``data.changed_description``: since an upgrade ``node`` writes ``value`` as ``keyword``.

    Seen from outside: ``findscu`` at STUDY or SERIES level shows other words than for exams of before. Whatever goes by
    those words (a routing rule, a hanging protocol) does not match any more. Mended where they are matched (a rule of
    the router), or by ``node.service_call`` about ``headers``.
    """

    kind = "data.changed_description"
    symptoms = (
        "New exams of one scanner have other descriptions than the same exams had before.",
        "Rules that match on the description do nothing for them, and no error is written.",
    )

    keyword: Literal["SeriesDescription", "StudyDescription", "ProtocolName", "BodyPartExamined"] = "SeriesDescription"
    value: str = Field(min_length=1, max_length=64)

    def explanation(self) -> str:
        return (
            f"An upgrade of {self.node} changed {self.keyword} to {self.value!r}. The images are sound; but "
            "descriptions are free text, and what was set up to match the old words did not match the new ones."
        )

    def break_it(self, department: Department) -> Undo:
        wrong = ValueChanged(keyword=self.keyword, manner=Manner.SET, value=self.value, where=self.where)
        return impair(department, self.node, "data", "headers", wrong)
