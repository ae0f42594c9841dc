"""A header value that is wrong: blank, missing, too long, malformed, or simply another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator
from pydicom.datadict import dictionary_VR, tag_for_keyword

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.acquired import TEXT_VRS
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Manner, ValueChanged

CHANGEABLE = TEXT_VRS | {"AE", "AS", "CS", "DA", "DS", "IS", "TM"}
"""Value representations that are text, and so can be written wrong."""

_WORDS: Mapping[Manner, str] = {
    Manner.BLANK: "was empty",
    Manner.MISSING: "was not there at all",
    Manner.SET: "was {value!r}",
    Manner.TOO_LONG: "was longer than its value representation allows",
    Manner.BACKSLASH: "had a backslash in it, which DICOM reads as two values",
    Manner.OLD_DATE: "was written with dots or colons, as ACR-NEMA did",
    Manner.PADDED: "began with a space",
    Manner.LOWER_CASE: "was in lower case",
}


class DataValue(OnModality):
    """``data.value``: what ``node`` acquires has a wrong ``keyword``, in a ``manner``: "blank", "missing", "set" (to
    ``value``), "too-long", "backslash", "old-date" (2024.01.31, 10:22:33), "padded" (a leading space) or "lower-case".

    Seen from outside: ``findscu`` by that key misses the exam or shows the odd value, ``dcmdump`` of a retrieved image
    shows it as it is; a receiver that checks values refuses it. Mended by ``node.service_call`` about ``headers``; what
    was archived meanwhile by ``archive.edit``.
    """

    kind = "data.value"
    symptoms = (
        "Exams of one scanner, or some of them, are not found by a search that should find them, or are refused.",
        "The header of such an image has a value that is blank, malformed or not the right one.",
    )

    keyword: str
    manner: Manner
    value: str = ""

    @model_validator(mode="after")
    def _can_be_wrong(self) -> Self:
        if tag_for_keyword(self.keyword) is None:
            raise ValueError(f"DICOM has no attribute {self.keyword!r}")
        if dictionary_VR(self.keyword) not in CHANGEABLE:
            raise ValueError(f"{self.keyword} is no text")
        if (self.manner is Manner.SET) != bool(self.value):
            raise ValueError('value goes with manner "set", and with no other')
        if self.manner is Manner.OLD_DATE and dictionary_VR(self.keyword) not in ("DA", "TM"):
            raise ValueError(f"{self.keyword} is neither a date nor a time")
        return self

    def explanation(self) -> str:
        how = _WORDS[self.manner].format(value=self.value)
        return (
            f"In the images of {self.node}, {self.keyword} {how}. Nobody who passes images on looks at such values; "
            "whoever searches, sorts or checks by them trips over it."
        )

    def break_it(self, department: Department) -> Undo:
        wrong = ValueChanged(keyword=self.keyword, manner=self.manner, value=self.value, where=self.where)
        return impair(department, self.node, "data", "headers", wrong)
