"""Which SOP classes a C-GET asks to receive: an association has room for 128 contexts, there are more classes."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import uid

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.syntaxes import COMPRESSED, UNCOMPRESSED

GET_CLASSES: tuple[str, ...] = tuple(
    str(known)
    for known in (
        uid.CTImageStorage,
        uid.EnhancedCTImageStorage,
        uid.MRImageStorage,
        uid.EnhancedMRImageStorage,
        uid.ComputedRadiographyImageStorage,
        uid.DigitalXRayImageStorageForPresentation,
        uid.DigitalXRayImageStorageForProcessing,
        uid.DigitalMammographyXRayImageStorageForPresentation,
        uid.BreastTomosynthesisImageStorage,
        uid.UltrasoundImageStorage,
        uid.UltrasoundMultiFrameImageStorage,
        uid.XRayAngiographicImageStorage,
        uid.XRayRadiofluoroscopicImageStorage,
        uid.NuclearMedicineImageStorage,
        uid.PositronEmissionTomographyImageStorage,
        uid.SecondaryCaptureImageStorage,
        uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
        uid.BasicTextSRStorage,
        uid.EnhancedSRStorage,
        uid.ComprehensiveSRStorage,
        uid.XRayRadiationDoseSRStorage,
        uid.KeyObjectSelectionDocumentStorage,
        uid.GrayscaleSoftcopyPresentationStateStorage,
        uid.EncapsulatedPDFStorage,
        uid.SegmentationStorage,
        uid.RTStructureSetStorage,
        uid.RTPlanStorage,
        uid.RTDoseStorage,
    )
)


def contexts_for(sop_classes: Iterable[str]) -> tuple[SupportedContext, ...]:
    """Two contexts a class, uncompressed and compressed, so that what is stored compressed can come as it is."""
    return tuple(
        SupportedContext(sop_class, syntaxes) for sop_class in sop_classes for syntaxes in (UNCOMPRESSED, COMPRESSED)
    )
