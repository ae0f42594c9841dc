"""The same images as other objects, as changed scanners make them: enhanced multi-frame, secondary capture, compressed.

Each function takes data sets as sample_dicom.studies makes them and leaves them as they are; what it makes is as whole
as the standard asks of that SOP class, but for what a function says it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from copy import deepcopy
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    JPEGBaseline8Bit,
    MRImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from sample_dicom.instances.common import file_meta, put
from sample_dicom.uids import make_uid

ENHANCED: dict[str, UID] = {
    str(CTImageStorage): EnhancedCTImageStorage,
    str(MRImageStorage): EnhancedMRImageStorage,
}
"""The multi-frame SOP class that takes the place of each single-frame one (PS3.3 A.36, A.38)."""

_PER_FRAME = ("ImagePositionPatient", "SliceLocation", "AcquisitionTime", "AcquisitionDate", "InstanceNumber")
_SHARED = (
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "ImageOrientationPatient",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
)
_GEOMETRY = (
    *_PER_FRAME[:2],
    *_SHARED[:7],
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "PatientPosition",
)


def is_localizer(image: Dataset) -> bool:
    """Whether it is a scout, which stays a single image on every scanner."""
    return "LOCALIZER" in image.get("ImageType", ())


def enhanced(images: Several[Dataset]) -> Dataset:
    """One series of CT or MR images as one enhanced multi-frame object, frame by frame in their order.

    Geometry, values and window are in functional groups (PS3.3 C.7.6.16); physics macros that displays do not need are
    left out.
    """
    first = images[0]
    made = deepcopy(first)
    made.SOPClassUID = ENHANCED[str(first.SOPClassUID)]
    made.SOPInstanceUID = make_uid("enhanced", first.SeriesInstanceUID)
    made.file_meta = file_meta(made.SOPClassUID, made.SOPInstanceUID)
    shared = _shared_groups(first)
    for keyword in (*_PER_FRAME, *_SHARED):
        if keyword in made:
            delattr(made, keyword)
    organization = make_uid("dimensions", first.SeriesInstanceUID)
    put(
        made,
        {
            "InstanceNumber": 1,
            "NumberOfFrames": len(images),
            "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
            "ContentQualification": "RESEARCH",
            "PixelPresentation": "MONOCHROME",
            "VolumetricProperties": "VOLUME",
            "VolumeBasedCalculationTechnique": "NONE",
            "PresentationLUTShape": "IDENTITY",
            "AcquisitionDateTime": f"{first.AcquisitionDate}{first.AcquisitionTime}",
            "DimensionOrganizationSequence": [_item(DimensionOrganizationUID=organization)],
            "DimensionIndexSequence": [
                _item(
                    DimensionOrganizationUID=organization,
                    DimensionIndexPointer=0x00209057,
                    FunctionalGroupPointer=0x00209111,
                )
            ],
            "SharedFunctionalGroupsSequence": [shared],
            "PerFrameFunctionalGroupsSequence": [_frame(number, image) for number, image in enumerate(images, 1)],
        },
    )
    made.PixelData = b"".join(bytes(image.PixelData) for image in images)
    made["PixelData"].VR = first["PixelData"].VR
    return made


def _shared_groups(image: Dataset) -> Dataset:
    def copied(*keywords: str) -> Dataset:
        return _item(**{keyword: image[keyword].value for keyword in keywords if keyword in image})

    groups = Dataset()
    kind = "CT" if str(image.SOPClassUID) == CTImageStorage else "MR"
    frame_type = _item(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    return put(
        groups,
        {
            f"{kind}ImageFrameTypeSequence": [frame_type],
            "PixelMeasuresSequence": [copied("PixelSpacing", "SliceThickness", "SpacingBetweenSlices")],
            "PlaneOrientationSequence": [copied("ImageOrientationPatient")],
            "PixelValueTransformationSequence": [
                put(
                    _item(RescaleIntercept=0, RescaleSlope=1, RescaleType="US"),
                    {
                        keyword: image[keyword].value
                        for keyword in ("RescaleIntercept", "RescaleSlope", "RescaleType")
                        if keyword in image
                    },
                )
            ],
            "FrameVOILUTSequence": [copied("WindowCenter", "WindowWidth")],
        },
    )


def _frame(number: int, image: Dataset) -> Dataset:
    content = _item(
        FrameAcquisitionNumber=number,
        StackID="1",
        InStackPositionNumber=number,
        DimensionIndexValues=[number],
        FrameReferenceDateTime=f"{image.AcquisitionDate}{image.AcquisitionTime}",
    )
    groups = _item()
    values: dict[str, Any] = {"FrameContentSequence": [content]}
    if "ImagePositionPatient" in image:
        values["PlanePositionSequence"] = [_item(ImagePositionPatient=image.ImagePositionPatient)]
    return put(groups, values)


def captured(image: Dataset, creator: str = "RIVERSIDE TOMO 1.0") -> Dataset:
    """The image as a Secondary Capture (PS3.3 A.8.1): its pixels are the same; what made it a slice is only in private
    elements, which nobody but their maker reads."""
    made = deepcopy(image)
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = make_uid("captured", image.SOPInstanceUID)
    made.file_meta = file_meta(made.SOPClassUID, made.SOPInstanceUID)
    block = made.private_block(0x0021, creator, create=True)
    for offset, keyword in enumerate(_GEOMETRY, 1):
        if keyword in made:
            block.add_new(offset, "LO", "\\".join(str(part) for part in _listed(made[keyword].value)))
            delattr(made, keyword)
    made.ConversionType = "WSD"
    made.ImageType = ["DERIVED", "SECONDARY"]
    return made


def compressed(image: Dataset, *, lossy: bool = True) -> Dataset:
    """The image in JPEG Baseline (eight-bit greyscale images only), or else in RLE Lossless. Its UIDs stay."""
    made = deepcopy(image)
    if not lossy or image.BitsAllocated != 8 or image.SamplesPerPixel != 1:
        made.compress(RLELossless, generate_instance_uid=False)
        return made
    frames = np.frombuffer(image.PixelData, "u1")[: image.get("NumberOfFrames", 1) * image.Rows * image.Columns]
    coded = [_jpeg(frame) for frame in frames.reshape(-1, image.Rows, image.Columns)]
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    made.PixelData = encapsulate(coded)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    made.LossyImageCompression = "01"
    made.LossyImageCompressionRatio = f"{frames.size / sum(map(len, coded)):.1f}"
    made.LossyImageCompressionMethod = "ISO_10918_1"
    return made


def _jpeg(frame: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | int | float) else list(value)


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, Sequence(value) if keyword.endswith("Sequence") else value)
    return item
