"""What scanners and reading rooms make beside images: dose report, presentation state, key object selection.

Each takes the images that it is about, and stands in their study in a series of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Several
from enum import StrEnum
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    XRayRadiationDoseSRStorage,
)

from sample_dicom.instances.common import code_item, file_meta
from sample_dicom.uids import make_uid

_COPIED = (
    "SpecificCharacterSet",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "Manufacturer",
    "InstitutionName",
    "ReferringPhysicianName",
    "StationName",
    "StudyDescription",
    "ManufacturerModelName",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "StudyInstanceUID",
    "StudyID",
)


class Document(StrEnum):
    """A kind of object that comes beside images."""

    DOSE_REPORT = "dose-report"
    PRESENTATION_STATE = "presentation-state"
    KEY_OBJECTS = "key-objects"


def make_document(kind: Document, images: Several[Dataset]) -> Dataset:
    """An object of that kind about ``images``, with file meta, in Explicit VR Little Endian."""
    return _MADE[kind](images)


def _dose_report(images: Several[Dataset]) -> Dataset:
    """X-Ray Radiation Dose SR (PS3.3 A.35.8) with the root of TID 10011: who was exposed, to how much in all."""
    ds = _begun(images, XRayRadiationDoseSRStorage, "SR", 991, "Dose Report")
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.PerformedProcedureCodeSequence = Sequence([])
    ds.ReferencedRequestSequence = Sequence([])
    ds.ReferencedPerformedProcedureStepSequence = Sequence([])
    dose = _content("NUM", "CONTAINS", code_item("113813", "DCM", "CT Dose Length Product Total"))
    value = _item(NumericValue=f"{112.5 + len(images):.1f}")
    value.MeasurementUnitsCodeSequence = Sequence([code_item("mGy.cm", "UCUM", "mGy.cm")])
    dose.MeasuredValueSequence = Sequence([value])
    procedure = _content("CODE", "HAS CONCEPT MOD", code_item("121058", "DCM", "Procedure reported"))
    procedure.ConceptCodeSequence = Sequence([code_item("77477000", "SCT", "Computed Tomography X-Ray")])
    return _tree(ds, code_item("113701", "DCM", "X-Ray Radiation Dose Report"), "10011", [procedure, dose])


def _key_objects(images: Several[Dataset]) -> Dataset:
    """Key Object Selection (PS3.3 A.35.4, TID 2010): the images that somebody wants looked at."""
    ds = _begun(images, KeyObjectSelectionDocumentStorage, "KO", 993, "For Referring Provider")
    ds.ReferencedPerformedProcedureStepSequence = Sequence([])
    ds.CurrentRequestedProcedureEvidenceSequence = Sequence([_evidence(images[:1])])
    chosen = _item(RelationshipType="CONTAINS", ValueType="IMAGE")
    chosen.ReferencedSOPSequence = Sequence([_reference(images[0])])
    return _tree(ds, code_item("113002", "DCM", "For Referring Provider"), "2010", [chosen])


def _presentation_state(images: Several[Dataset]) -> Dataset:
    """Grayscale Softcopy Presentation State (PS3.3 A.33.1) with a mark and a word on the first image."""
    image = images[0]
    ds = _begun(images, GrayscaleSoftcopyPresentationStateStorage, "PR", 992, "Marks")
    ds.PresentationCreationDate, ds.PresentationCreationTime = image.ContentDate, image.ContentTime
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "MARKS", "Marks of the technologist", ""
    ds.PresentationLUTShape = "IDENTITY"
    ds.ReferencedSeriesSequence = _evidence(images[:1], "ReferencedImageSequence").ReferencedSeriesSequence
    area = _item(
        DisplayedAreaTopLeftHandCorner=[1, 1],
        DisplayedAreaBottomRightHandCorner=[image.Columns, image.Rows],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
    )
    ds.DisplayedAreaSelectionSequence = Sequence([area])
    ds.GraphicLayerSequence = Sequence([_item(GraphicLayer="MARKS", GraphicLayerOrder=1)])
    text = _item(
        AnchorPointAnnotationUnits="PIXEL",
        UnformattedTextValue="LOOK HERE",
        AnchorPoint=[image.Columns / 2, image.Rows / 2],
        AnchorPointVisibility="Y",
    )
    mark = _item(GraphicLayer="MARKS")
    mark.TextObjectSequence = Sequence([text])
    ds.GraphicAnnotationSequence = Sequence([mark])
    return ds


def _begun(images: Several[Dataset], sop_class: UID, modality: str, series: int, description: str) -> Dataset:
    image, ds = images[0], Dataset()
    for keyword in _COPIED:
        if keyword in image:
            ds.add(image[keyword])
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = make_uid("document", modality, image.SOPInstanceUID)
    ds.SeriesInstanceUID = make_uid("documents", modality, image.StudyInstanceUID)
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = modality, series, 1
    ds.SeriesDescription = description
    for keyword in ("SeriesDate", "ContentDate", "InstanceCreationDate"):
        setattr(ds, keyword, image.ContentDate)
    for keyword in ("SeriesTime", "ContentTime", "InstanceCreationTime"):
        setattr(ds, keyword, image.ContentTime)
    ds.file_meta = file_meta(sop_class, ds.SOPInstanceUID)
    return ds


def _tree(ds: Dataset, title: Dataset, template: str, content: list[Dataset]) -> Dataset:
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Sequence([title])
    ds.ContentTemplateSequence = Sequence([_item(MappingResource="DCMR", TemplateIdentifier=template)])
    ds.ContentSequence = Sequence(content)
    return ds


def _content(kind: str, relation: str, name: Dataset) -> Dataset:
    item = _item(RelationshipType=relation, ValueType=kind)
    item.ConceptNameCodeSequence = Sequence([name])
    return item


def _evidence(images: Several[Dataset], listed_as: str = "ReferencedSOPSequence") -> Dataset:
    """Hierarchical SOP Instance Reference Macro (PS3.3 C.17.2.1); presentation states call the list otherwise."""
    study, listed = _item(StudyInstanceUID=images[0].StudyInstanceUID), []
    for uid in dict.fromkeys(str(image.SeriesInstanceUID) for image in images):
        series = _item(SeriesInstanceUID=uid)
        references = [_reference(image) for image in images if str(image.SeriesInstanceUID) == uid]
        setattr(series, listed_as, Sequence(references))
        listed.append(series)
    study.ReferencedSeriesSequence = Sequence(listed)
    return study


def _reference(image: Dataset) -> Dataset:
    return _item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


_MADE: Mapping[Document, Callable[[Several[Dataset]], Dataset]] = {
    Document.DOSE_REPORT: _dose_report,
    Document.PRESENTATION_STATE: _presentation_state,
    Document.KEY_OBJECTS: _key_objects,
}
