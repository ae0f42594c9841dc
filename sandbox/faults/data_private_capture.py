"""Slices as pictures: a scanner that exports secondary captures, with what matters in private elements."""

from __future__ import annotations

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import PrivateCapture


class DataPrivateCapture(OnModality):
    """``data.private_capture``: what ``node`` acquires is Secondary Capture, its geometry in private elements.

    Seen from outside: ``findscu`` at IMAGE level shows SOP Class 1.2.840.10008.5.1.4.1.1.7; ``dcmdump`` of a retrieved
    image has no Image Position. Mended by ``node.service_call`` about ``objects``, and by scanning or exporting again.
    """

    kind = "data.private_capture"
    symptoms = (
        "Images can be looked at one by one, and cannot be scrolled, measured or compared.",
        "They are Secondary Captures without positions, although a scanner made them.",
    )

    def explanation(self) -> str:
        return (
            f"{self.node} sent its images as Secondary Capture, with position and scale in private elements that only "
            "its maker's viewer reads. The images are not corrupt; what they are was left out of the standard part."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "data", "objects", PrivateCapture(where=self.where))
