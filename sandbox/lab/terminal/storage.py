"""DICOM files of a terminal as objects that can be sent, and the letters by which dcmtk calls kinds of images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydicom import uid

from sandbox.archive.part10 import NotPart10Error, read_meta
from sandbox.dicom.contract import StoredObject

_PREFIXES: Mapping[str, str] = {
    str(uid.CTImageStorage): "CT",
    str(uid.EnhancedCTImageStorage): "CTe",
    str(uid.MRImageStorage): "MR",
    str(uid.EnhancedMRImageStorage): "MRe",
    str(uid.ComputedRadiographyImageStorage): "CR",
    str(uid.DigitalXRayImageStorageForPresentation): "DX",
    str(uid.DigitalXRayImageStorageForProcessing): "DXp",
    str(uid.DigitalMammographyXRayImageStorageForPresentation): "MG",
    str(uid.UltrasoundImageStorage): "US",
    str(uid.UltrasoundMultiFrameImageStorage): "USm",
    str(uid.SecondaryCaptureImageStorage): "SC",
    str(uid.XRayRadiationDoseSRStorage): "SRr",
    str(uid.BasicTextSRStorage): "SRt",
    str(uid.KeyObjectSelectionDocumentStorage): "KO",
    str(uid.GrayscaleSoftcopyPresentationStateStorage): "PSg",
    str(uid.EncapsulatedPDFStorage): "PDF",
}


def prefix_of(sop_class: str) -> str:
    """How dcmtk begins the name of a file of this SOP class: "CT"; UNKNOWN for what is not in the table."""
    return _PREFIXES.get(sop_class, "UNKNOWN")


def object_of(path: Path) -> StoredObject:
    """A Part 10 file as something to be sent. ValueError when it is none."""
    with path.open("rb") as file:
        try:
            meta = read_meta(file.read(4096))
        except NotPart10Error as wrong:
            raise ValueError(str(wrong)) from wrong
    return StoredObject(path, meta.sop_class, meta.sop_instance, meta.transfer_syntax)
