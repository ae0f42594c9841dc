"""The same images as other objects, and what comes beside images: whole, readable, and about what they say."""

from __future__ import annotations

import itertools
import random
from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from sample_dicom.instances.derived import captured, compressed, enhanced, is_localizer
from sample_dicom.instances.documents import Document, make_document
from sample_dicom.orders import make_order
from sample_dicom.procedures import procedure
from sample_dicom.studies import Station, make_study
from sandbox.archive.display import shown_frame
from sandbox.archive.part10 import part10_bytes

WHEN = datetime(2026, 1, 2, 3, 4, 5)


def study(modality: str, code: str, images: int) -> list[Dataset]:
    order = make_order(random.Random(1), modality, WHEN, procedure=procedure(code))
    return list(itertools.islice(make_study(order, seed=1, when=WHEN, station=Station(ae_title="X")), images))


def written(ds: Dataset) -> Dataset:
    """As it is read from a file."""
    return dcmread(BytesIO(part10_bytes(ds)))


@pytest.mark.parametrize(
    ("modality", "code", "sop_class"),
    [
        ("CT", "CTHEADWO", "1.2.840.10008.5.1.4.1.1.2.1"),
        ("MR", "MRBRAINWO", "1.2.840.10008.5.1.4.1.1.4.1"),
    ],
)
def test_a_series_becomes_one_object_with_the_same_frames(modality: str, code: str, sop_class: str) -> None:
    images = [image for image in study(modality, code, 5) if not is_localizer(image)]
    images = [image for image in images if image.SeriesInstanceUID == images[0].SeriesInstanceUID]
    made = written(enhanced(images))
    assert made.SOPClassUID == made.file_meta.MediaStorageSOPClassUID == sop_class
    assert made.NumberOfFrames == len(images) == len(made.PerFrameFunctionalGroupsSequence)
    assert bytes(made.PixelData) == b"".join(bytes(image.PixelData) for image in images)
    assert (made.StudyInstanceUID, made.PatientID) == (images[0].StudyInstanceUID, images[0].PatientID)
    for frame, image in zip(made.PerFrameFunctionalGroupsSequence, images, strict=True):
        assert frame.PlanePositionSequence[0].ImagePositionPatient == image.ImagePositionPatient
    for number, image in enumerate(images):
        assert np.array_equal(shown_frame(made, number), shown_frame(image)), "it looks as it did"


def test_a_capture_has_the_pixels_and_nothing_that_places_them() -> None:
    image = study("CT", "CTHEADWO", 3)[-1]
    made = written(captured(image))
    assert made.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert made.SOPInstanceUID != image.SOPInstanceUID
    assert bytes(made.PixelData) == bytes(image.PixelData)
    assert "ImagePositionPatient" not in made
    assert "PixelSpacing" not in made
    assert made[0x0021, 0x1001].value == [str(part) for part in image.ImagePositionPatient]


def test_compression_keeps_what_is_seen() -> None:
    still, slice_ = study("US", "USRENAL", 1)[0], study("CT", "CTHEADWO", 1)[0]
    jpeg, rle = written(compressed(still)), written(compressed(slice_))
    assert (jpeg.file_meta.TransferSyntaxUID, rle.file_meta.TransferSyntaxUID) == (JPEGBaseline8Bit, RLELossless)
    assert jpeg.LossyImageCompression == "01"
    assert len(jpeg.PixelData) < len(still.PixelData)
    assert np.array_equal(rle.pixel_array, written(slice_).pixel_array)
    difference = shown_frame(jpeg).astype(int) - shown_frame(still)
    assert abs(difference).mean() < 4
    assert written(compressed(still, lossy=False)).file_meta.TransferSyntaxUID == RLELossless
    assert still.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian, "the given image stays as it is"


@pytest.mark.parametrize("kind", Document)
def test_a_document_is_of_the_study_and_in_a_series_of_its_own(kind: Document) -> None:
    images = study("CT", "CTHEADWO", 3)
    made = written(make_document(kind, images))
    assert made.StudyInstanceUID == images[0].StudyInstanceUID
    assert made.PatientName == images[0].PatientName
    assert made.SeriesInstanceUID not in {image.SeriesInstanceUID for image in images}
    assert "PixelData" not in made
    referenced = {str(element.value) for element in made.iterall() if element.keyword == "ReferencedSOPInstanceUID"}
    assert referenced <= {str(image.SOPInstanceUID) for image in images}
    assert bool(referenced) is (kind is not Document.DOSE_REPORT)
