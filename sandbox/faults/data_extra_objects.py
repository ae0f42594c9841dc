"""More than images: a scanner that sends dose reports, presentation states and key objects with every exam."""

from __future__ import annotations

from pydantic import Field

from sample_dicom.instances.documents import Document
from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import ExtraObjects


class DataExtraObjects(OnModality):
    """``data.extra_objects``: with every exam ``node`` sends ``documents``: "dose-report" (SR), "presentation-state"
    (GSPS), "key-objects" (KOS).

    Alone it does no harm; it is there for those on the way who drop what is no image. Seen from outside: ``findscu`` at
    SERIES level shows series of modality SR, PR or KO. Mended by ``node.service_call`` about ``objects``, if it is
    unwanted.
    """

    kind = "data.extra_objects"
    symptoms = (
        "Exams have more objects than images: reports, marks, key objects.",
        "Who does not take those objects has fewer instances than the scanner sent.",
    )

    documents: tuple[Document, ...] = Field((Document.DOSE_REPORT, Document.PRESENTATION_STATE), min_length=1)

    def explanation(self) -> str:
        what = ", ".join(self.documents)
        return (
            f"{self.node} sent with every exam: {what}. They are no images, and whoever passes on images only leaves "
            "them behind without a word."
        )

    def break_it(self, department: Department) -> Undo:
        wrong = ExtraObjects(documents=self.documents, where=self.where)
        return impair(department, self.node, "data", "objects", wrong)
