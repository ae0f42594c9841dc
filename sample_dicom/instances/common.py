"""What all images share: the modules of patient, study, series and equipment (PS3.3 C.7), and the file meta of PS3.10.

Data sets are built from tables of keyword and value, module by module, in the order of the standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from sample_dicom.station import Station
from sample_dicom.uids import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION, make_number, make_uid
from sandbox.model.patient import Order

Values = Mapping[str, Any]
"""DICOM keyword → value, in the form that pydicom takes."""

LOCAL_CODES = "99RIVERSIDE"
"""Coding scheme of the department's own procedure codes (PS3.3 8.2: private designators begin with 99)."""

OPERATORS = ("Marsh^Eleanor", "Quintero^Raúl", "Bielak^Katarzyna", "Achterberg^Joost", "Mbatha^Lindiwe")

# (value, scheme, meaning): SNOMED CT as PS3.16 lists it in context groups 4009 and 4031.
ANATOMY_CODES: Mapping[str, tuple[str, str, str]] = {
    "HEAD": ("69536005", "SCT", "Head"),
    "BRAIN": ("12738006", "SCT", "Brain"),
    "CHEST": ("51185008", "SCT", "Chest"),
    "ABDOMEN": ("818981001", "SCT", "Abdomen"),
    "KNEE": ("72696002", "SCT", "Knee"),
    "HAND": ("85562004", "SCT", "Hand"),
    "LSPINE": ("122496007", "SCT", "Lumbar spine"),
    "KIDNEY": ("64033007", "SCT", "Kidney"),
    "THYROID": ("69748006", "SCT", "Thyroid"),
}


@dataclass(frozen=True)
class Exam:
    """One acquisition of one order on one station, and the identity of everything that comes of it."""

    order: Order
    seed: int
    when: datetime
    station: Station
    study_uid: UID

    def uid(self, *parts: object) -> UID:
        """A UID that belongs to this examination alone."""
        return make_uid(self.study_uid, *parts)

    def generator(self, *parts: object) -> np.random.Generator:
        """Randomness that belongs to this examination alone."""
        return np.random.default_rng(make_number(1 << 62, self.study_uid, *parts))

    @property
    def age(self) -> int:
        """The patient's age in years on the day."""
        born, day = self.order.patient.birth_date, self.when.date()
        return max(0, day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


@dataclass(frozen=True)
class SeriesInfo:
    """What a series is called and when it began."""

    number: int
    description: str
    protocol: str
    began: datetime


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def put(ds: Dataset, values: Values) -> Dataset:
    """Set each keyword; a list of Datasets becomes a sequence."""
    for keyword, value in values.items():
        setattr(ds, keyword, Sequence(value) if isinstance(value, list) and _items(value) else value)
    return ds


def _items(value: list[Any]) -> bool:
    return all(isinstance(entry, Dataset) for entry in value)


def dicom_date(when: datetime) -> str:
    """DA."""
    return f"{when:%Y%m%d}"


def dicom_time(when: datetime) -> str:
    """TM, to the millisecond."""
    return f"{when:%H%M%S}.{when.microsecond // 1000:03d}"


def age_string(exam: Exam) -> str:
    """AS: months below two years, years above."""
    if exam.age >= 2:
        return f"{min(exam.age, 999):03d}Y"
    born, day = exam.order.patient.birth_date, exam.when.date()
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    return f"{max(0, months):03d}M"


class SeriesTemplate:
    """The header that all instances of a series share, encoded once and read back lazily for each of them.

    Setting a hundred elements costs pydicom some 2 ms an instance, reading them 0.2 ms; and no two instances share
    an element that somebody could change.
    """

    def __init__(self, exam: Exam, series: SeriesInfo, sop_class: UID, values: Values) -> None:
        self._exam, self._series, self._sop_class = exam, series, sop_class
        ds = put(Dataset(), _shared(exam, series, sop_class) | dict(values))
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = False, True
        write_dataset(buffer, ds)
        self._encoded = buffer.getvalue()

    def instance(self, number: int, taken: datetime, values: Values) -> Dataset:
        """The data set of one instance with its file meta; its pixels are still to be put."""
        ds = read_dataset(BytesIO(self._encoded), is_implicit_VR=False, is_little_endian=True)
        instance_uid = self._exam.uid("series", self._series.number, "instance", number)
        day, time = dicom_date(taken), dicom_time(taken)
        put(
            ds,
            {
                "InstanceCreationDate": day,
                "InstanceCreationTime": time,
                "SOPInstanceUID": instance_uid,
                "AcquisitionDate": day,
                "ContentDate": day,
                "AcquisitionTime": time,
                "ContentTime": time,
                "InstanceNumber": number,
            },
        )
        put(ds, values)
        ds.file_meta = file_meta(self._sop_class, instance_uid)
        return ds


def _shared(exam: Exam, series: SeriesInfo, sop_class: UID) -> dict[str, Any]:
    order, procedure, station = exam.order, exam.order.procedure, exam.station
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": sop_class,
        "StudyDate": dicom_date(exam.when),
        "SeriesDate": dicom_date(series.began),
        "StudyTime": dicom_time(exam.when),
        "SeriesTime": dicom_time(series.began),
        "AccessionNumber": order.accession_number,
        "Modality": procedure.modality,
        "Manufacturer": station.manufacturer,
        "InstitutionName": station.institution,
        "ReferringPhysicianName": order.referring_physician,
        "StationName": station.station_name or station.ae_title,
        "StudyDescription": procedure.description,
        "ProcedureCodeSequence": [code_item(procedure.code, LOCAL_CODES, procedure.description)],
        "SeriesDescription": series.description,
        "InstitutionalDepartmentName": station.department,
        "OperatorsName": OPERATORS[make_number(len(OPERATORS), exam.study_uid, "operator")],
        "ManufacturerModelName": station.model,
        "PatientName": order.patient.name,
        "PatientID": order.patient.patient_id,
        "PatientBirthDate": f"{order.patient.birth_date:%Y%m%d}",
        "PatientSex": order.patient.sex,
        "PatientAge": age_string(exam),
        "DeviceSerialNumber": f"{make_number(900_000, station.ae_title, station.model) + 100_000}",
        "SoftwareVersions": "4.2.1",
        "ProtocolName": series.protocol,
        "StudyInstanceUID": exam.study_uid,
        "SeriesInstanceUID": exam.uid("series", series.number),
        "StudyID": f"{make_number(90_000, exam.study_uid, 'study id') + 10_000}",
        "SeriesNumber": series.number,
        "AcquisitionNumber": 1,
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "RequestAttributesSequence": [request_item(exam)],
        "PerformedProcedureStepStartDate": dicom_date(exam.when),
        "PerformedProcedureStepStartTime": dicom_time(exam.when),
        "PerformedProcedureStepID": f"PPS{order.accession_number}"[:16],
        "PerformedProcedureStepDescription": procedure.description,
    }
    if procedure.laterality and procedure.modality != "DX":
        # DX says it for each image instead (PS3.3 C.8.11.2).
        values["Laterality"] = procedure.laterality if procedure.laterality in ("L", "R") else ""
    if order.patient.issuer:
        values["IssuerOfPatientID"] = order.patient.issuer
    if exam.when.tzinfo is not None:
        values["TimezoneOffsetFromUTC"] = f"{exam.when:%z}"[:5]
    return values


def request_item(exam: Exam) -> Dataset:
    """What was asked for: an item of the Request Attributes Sequence (PS3.3 10.6)."""
    order = exam.order
    item = Dataset()
    return put(
        item,
        {
            "AccessionNumber": order.accession_number,
            "RequestedProcedureDescription": order.procedure.description,
            "RequestedProcedureCodeSequence": [
                code_item(order.procedure.code, LOCAL_CODES, order.procedure.description)
            ],
            "ScheduledProcedureStepDescription": order.procedure.description,
            "ScheduledProcedureStepID": f"SPS{order.accession_number}"[:16],
            "RequestedProcedureID": f"RP{order.accession_number}"[:16],
        },
    )


def file_meta(sop_class: UID, instance_uid: UID) -> FileMetaDataset:
    """The file meta information (PS3.10 7.1) of an explicit VR little endian file."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    return meta


def body_part(exam: Exam) -> Values:
    """Where in the body, as a string and as a code."""
    part = exam.order.procedure.body_part
    code = ANATOMY_CODES.get(part)
    return {"BodyPartExamined": part} | ({"AnatomicRegionSequence": [code_item(*code)]} if code else {})


def pixel_module(rows: int, columns: int, *, bits: int) -> Values:
    """The Image Pixel module (PS3.3 C.7.6.3) of an unsigned grey image, but for the pixels."""
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 8 if bits <= 8 else 16,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
    }


def put_pixels(ds: Dataset, pixels: NDArray[Any], *, bits: int) -> None:
    """The pixels of one frame or many, cut to what the bits can hold."""
    kind = np.dtype("u1") if bits <= 8 else np.dtype("<u2")
    data = np.clip(np.rint(pixels), 0, (1 << bits) - 1).astype(kind).tobytes()
    ds.add_new("PixelData", "OB" if bits <= 8 else "OW", data + b"\0" * (len(data) % 2))
