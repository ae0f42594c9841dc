"""The department's protocols: how each anatomy of the catalogue is acquired."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sample_dicom.instances.planes import Plane
from sample_dicom.phantoms import abdomen_us, body_ct, chest_dx, head, knee_mr, limb_dx, lspine_mr, thyroid_us, torso
from sample_dicom.protocol import CTProtocol, DXProtocol, DXView, MRProtocol, MRSeries, Protocol, USProtocol
from sandbox.model.errors import NotFoundError
from sandbox.model.patient import Procedure

OMNIPAQUE = "IOHEXOL 300 MG I/ML"

PA = ("399348003", "SCT", "postero-anterior")
AP = ("399067008", "SCT", "antero-posterior")
LATERAL = ("399173006", "SCT", "left lateral")
OBLIQUE = ("399135003", "SCT", "oblique axial projection")
MEDIO_LATERAL = ("399352003", "SCT", "medio-lateral")

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "head_ct": CTProtocol(
            "HEAD", head.ct, 240.0, head.RANGE, (40, 80), "J40s", kvp=120, current=300, noise=3.6, table_height=150.0
        ),
        "head_ct_contrast": CTProtocol(
            "HEAD W", head.ct_contrast, 240.0, head.RANGE, (50, 100), "J40s", 120, 300, 3.6, OMNIPAQUE, 150.0
        ),
        "chest_ct": CTProtocol("CHEST", body_ct.plain, 400.0, torso.CHEST_SPAN, (40, 400), "I41f", 120, 180, 10.0),
        "chest_ct_pe": CTProtocol(
            "CHEST PE", body_ct.pulmonary, 400.0, torso.CHEST_SPAN, (80, 600), "I31f", 100, 220, 12.0, OMNIPAQUE
        ),
        "abdomen_ct": CTProtocol(
            "ABDOMEN", body_ct.plain, 400.0, torso.ABDOMEN_SPAN, (40, 360), "I30f", 120, 210, 10.0
        ),
        "abdomen_ct_contrast": CTProtocol(
            "ABD PELVIS", body_ct.portal, 400.0, torso.ABDOMEN_SPAN, (60, 380), "I30f", 120, 210, 9.0, OMNIPAQUE
        ),
        "brain_mr": MRProtocol(
            "BRAIN",
            head.mr,
            230.0,
            (-56.0, 72.0),
            Plane.AXIAL,
            "HEAD 16CH",
            (
                MRSeries("AX T1 SE", 0, ("SE",), ("NONE",), tr=520.0, te=9.0, flip=90, train=1),
                MRSeries("AX T2 TSE", 1, ("SE",), ("SK", "SP"), tr=4600.0, te=98.0, flip=150, train=15),
                MRSeries(
                    "AX T2 FLAIR", 2, ("SE", "IR"), ("SK", "SP"), tr=9000.0, te=86.0, flip=150, train=16, ti=2500.0
                ),
            ),
        ),
        "knee_mr": MRProtocol(
            "KNEE",
            knee_mr.mr,
            knee_mr.FOV,
            knee_mr.SPAN,
            Plane.SAGITTAL,
            "KNEE",
            (
                MRSeries(
                    "SAG PD FS", 0, ("SE",), ("SK", "SP"), tr=3100.0, te=34.0, flip=150, train=7, fat_suppressed=True
                ),
                MRSeries("SAG T1", 1, ("SE",), ("NONE",), tr=610.0, te=11.0, flip=90, train=1),
                MRSeries("SAG T2 TSE", 2, ("SE",), ("SK", "SP"), tr=3900.0, te=88.0, flip=150, train=13),
            ),
            centre=(0.0, 0.0, -420.0),
        ),
        "lspine_mr": MRProtocol(
            "LUMBAR SPINE",
            lspine_mr.mr,
            lspine_mr.FOV,
            lspine_mr.SPAN,
            Plane.SAGITTAL,
            "SPINE",
            (
                MRSeries("SAG T1 TSE", 0, ("SE",), ("SK", "SP"), tr=560.0, te=10.0, flip=150, train=3),
                MRSeries("SAG T2 TSE", 1, ("SE",), ("SK", "SP"), tr=3800.0, te=105.0, flip=150, train=19),
                MRSeries("SAG STIR", 2, ("SE", "IR"), ("SK", "SP"), tr=4200.0, te=42.0, flip=150, train=11, ti=160.0),
            ),
        ),
        "chest_dx": DXProtocol(
            "CHEST",
            chest_dx.chest,
            chest_dx.HEIGHT,
            chest_dx.WIDTH,
            (
                DXView("PA", "PA", "PA", PA, ("L", "F"), kvp=125, exposure=2),
                DXView("LATERAL", "LATERAL", "LL", LATERAL, ("P", "F"), kvp=125, exposure=6),
            ),
            grid=True,
        ),
        "hand_dx": DXProtocol(
            "HAND",
            limb_dx.hand,
            limb_dx.HAND_HEIGHT,
            limb_dx.HAND_WIDTH,
            (
                DXView("PA", "PA", "PA", PA, ("L", "H"), kvp=50, exposure=3),
                DXView("OBLIQUE", "OBLIQUE", "", OBLIQUE, ("L", "H"), kvp=52, exposure=3),
            ),
            grid=False,
        ),
        "knee_dx": DXProtocol(
            "KNEE",
            limb_dx.knee,
            limb_dx.KNEE_HEIGHT,
            limb_dx.KNEE_WIDTH,
            (
                DXView("AP", "AP", "AP", AP, ("L", "F"), kvp=63, exposure=6),
                DXView("LATERAL", "LATERAL", "LL", MEDIO_LATERAL, ("P", "F"), kvp=63, exposure=6),
            ),
            grid=False,
        ),
        "abdomen_us": USProtocol(
            "ABDOMEN", abdomen_us.abdomen, abdomen_us.ABDOMEN_VIEWS, "C5-1", "convex", 3.5, abdomen_us.DEPTH
        ),
        "renal_us": USProtocol(
            "RENAL", abdomen_us.abdomen, abdomen_us.RENAL_VIEWS, "C5-1", "convex", 3.5, abdomen_us.DEPTH
        ),
        "thyroid_us": USProtocol(
            "THYROID", thyroid_us.thyroid, thyroid_us.VIEWS, "L12-5", "linear", 10.0, thyroid_us.DEPTH
        ),
    }
)


def protocol_for(procedure: Procedure) -> Protocol:
    """The protocol that acquires a procedure of the catalogue."""
    if procedure.anatomy not in PROTOCOLS:
        raise NotFoundError(
            f"No protocol images the anatomy {procedure.anatomy!r}.", f"Choose one of {', '.join(PROTOCOLS)}."
        )
    return PROTOCOLS[procedure.anatomy]
