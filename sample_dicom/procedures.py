"""The department's procedure catalogue: what can be ordered on each kind of modality.

``anatomy`` of a procedure names the protocol in sample_dicom.protocols that acquires it.
"""

from __future__ import annotations

from sandbox.model.errors import NotFoundError
from sandbox.model.patient import Procedure


def _line(
    code: str, description: str, body_part: str, anatomy: str, laterality: str = "", weight: int = 3
) -> Procedure:
    return Procedure(
        code=code,
        modality=code[:2],
        description=description,
        body_part=body_part,
        anatomy=anatomy,
        laterality=laterality,
        weight=weight,
    )


PROCEDURES: tuple[Procedure, ...] = (
    _line("CTHEADWO", "CT HEAD W/O CONTRAST", "HEAD", "head_ct", weight=6),
    _line("CTHEADW", "CT HEAD W CONTRAST", "HEAD", "head_ct_contrast", weight=1),
    _line("CTCHESTPE", "CT CHEST PE PROTOCOL", "CHEST", "chest_ct_pe", weight=4),
    _line("CTCHESTWO", "CT CHEST W/O CONTRAST", "CHEST", "chest_ct"),
    _line("CTABDPELW", "CT ABDOMEN PELVIS W CONTRAST", "ABDOMEN", "abdomen_ct_contrast", weight=5),
    _line("CTABDWO", "CT ABDOMEN W/O CONTRAST", "ABDOMEN", "abdomen_ct"),
    _line("MRBRAINWO", "MR BRAIN W/O CONTRAST", "BRAIN", "brain_mr", weight=5),
    _line("MRKNEEL", "MR KNEE LEFT W/O CONTRAST", "KNEE", "knee_mr", "L"),
    _line("MRKNEER", "MR KNEE RIGHT W/O CONTRAST", "KNEE", "knee_mr", "R"),
    _line("MRLSPINE", "MR LUMBAR SPINE W/O CONTRAST", "LSPINE", "lspine_mr"),
    _line("DXCHEST2V", "XR CHEST 2 VIEWS", "CHEST", "chest_dx", weight=8),
    _line("DXHANDL", "XR HAND LEFT 2 VIEWS", "HAND", "hand_dx", "L"),
    _line("DXHANDR", "XR HAND RIGHT 2 VIEWS", "HAND", "hand_dx", "R"),
    _line("DXKNEEL", "XR KNEE LEFT 2 VIEWS", "KNEE", "knee_dx", "L"),
    _line("DXKNEER", "XR KNEE RIGHT 2 VIEWS", "KNEE", "knee_dx", "R"),
    _line("USABDCOMP", "US ABDOMEN COMPLETE", "ABDOMEN", "abdomen_us", weight=5),
    _line("USRENAL", "US RENAL", "ABDOMEN", "renal_us"),
    _line("USTHYROID", "US THYROID", "THYROID", "thyroid_us"),
)

_BY_CODE = {entry.code: entry for entry in PROCEDURES}


def procedures_for(modality: str) -> tuple[Procedure, ...]:
    """The procedures that a modality of this kind (CT, MR, DX, US) can be asked to do, in catalogue order."""
    return tuple(entry for entry in PROCEDURES if entry.modality == modality)


def procedure(code: str) -> Procedure:
    """The catalogue line with this code."""
    if code not in _BY_CODE:
        raise NotFoundError(
            f"There is no procedure {code!r} in the catalogue.", f"Choose one of {', '.join(_BY_CODE)}."
        )
    return _BY_CODE[code]
