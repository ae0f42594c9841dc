"""A corrected image under the old UID: it is sent, everybody says success, and the wrong one remains."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from io import BytesIO

from pydantic import Field, field_validator
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword

from sandbox.archive.accidents import replace_files, rows_in
from sandbox.archive.part10 import part10_bytes
from sandbox.faults.data_value import CHANGEABLE
from sandbox.faults.fault import Undo
from sandbox.faults.on_modality import OnModality
from sandbox.model.errors import ConflictError, SandboxError
from sandbox.nodes.acquired import put_raw
from sandbox.nodes.department import Department


class DuplicateUID(OnModality):
    """``data.duplicate_uid``: on ``node`` the ``newest`` exams were corrected (turned by 180 degrees, and with
    ``values`` in the header) under the SOP Instance UIDs that they had, and are sent again.

    An archive keeps the first copy of an instance and answers 0000. Seen from outside: ``getscu`` from the archive
    brings other pixels than the modality has, under one SOP Instance UID; the archive's log says that the first one is
    kept. Mended by ``archive.delete`` of the wrong images and ``exam.send`` of the corrected ones; sending them again
    alone changes nothing. Needs an exam on the modality's disk.
    """

    kind = "data.duplicate_uid"
    symptoms = (
        "A corrected image was sent, and everybody still sees the wrong one.",
        "The archive says success and has logged that it has the image already, with other contents.",
    )

    newest: int = Field(1, ge=1, le=100)
    resend: bool = True
    values: dict[str, str] = Field(default_factory=dict)

    @field_validator("values")
    @classmethod
    def _known(cls, values: dict[str, str]) -> dict[str, str]:
        for keyword in values:
            if tag_for_keyword(keyword) is None:
                raise ValueError(f"DICOM has no attribute {keyword!r}")
            if dictionary_VR(keyword) not in CHANGEABLE:
                raise ValueError(f"{keyword} is no text")
        return values

    def explanation(self) -> str:
        return (
            f"On {self.node} images were corrected and kept their SOP Instance UIDs. To everybody else they were "
            "images that had come already: the first copy stayed, and the second was answered with success."
        )

    def break_it(self, department: Department) -> Undo:
        modality = department.modality(self.node)
        studies = modality.store.studies(limit=self.newest)
        if not studies:
            raise ConflictError(f"{self.node} has no exam on its disk.", "Scan somebody before the fault.")
        rows = rows_in(modality.store, [study.study_uid for study in studies])
        put_back = replace_files(modality.store, rows, partial(_corrected, values=self.values))
        if self.resend:
            for study in studies:
                for remote in modality.running.send_to:
                    with suppress(SandboxError):
                        modality.send(study.study_uid, remote)
        return put_back


def _corrected(data: bytes, values: Mapping[str, str]) -> bytes:
    """The same instance with its pixels turned by 180 degrees and other values."""
    image = dcmread(BytesIO(data))
    if "PixelData" in image and not image.file_meta.TransferSyntaxUID.is_compressed:
        pixels = image.pixel_array
        image.PixelData = pixels[..., ::-1, ::-1].tobytes().ljust(len(image.PixelData), b"\0")
    for keyword, value in values.items():
        put_raw(image, keyword, value)
    return part10_bytes(image)
