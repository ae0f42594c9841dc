"""What the archive's tests are written with: small instances, and requests and queries as sandbox.dicom gives them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sandbox.archive.archive import Archive
from sandbox.dicom.contract import FindAnswer, Query, StoreRequest, StoreStatus
from sandbox.model.association import AssociationFacts, Side

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PATIENT_FIND, PATIENT_MOVE = "1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.1.2"
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{service}" for service in (1, 2, 3))

FACTS = AssociationFacts(
    id="a-1",
    node="ARCHIVE",
    side=Side.ACCEPTOR,
    called_ae="ARCHIVE",
    calling_ae="CT1",
    local="127.0.0.1:104",
    peer="127.0.0.1:40000",
)

_numbers = count(1)


def uid() -> str:
    """A UID that no other call in this run gave."""
    return f"1.2.826.0.1.3680043.8.498.7.{next(_numbers)}"


def instance(**elements: object) -> Dataset:
    """A small CT instance; keywords override or add elements, None leaves one out."""
    ds = Dataset()
    values: dict[str, object] = {
        "SOPClassUID": CT,
        "SOPInstanceUID": uid(),
        "StudyInstanceUID": uid(),
        "SeriesInstanceUID": uid(),
        "PatientName": "Doe^Jane",
        "PatientID": "P1",
        "StudyDate": "20260102",
        "StudyTime": "103000",
        "AccessionNumber": "A1",
        "StudyID": "S1",
        "Modality": "CT",
        "SeriesNumber": "1",
        "InstanceNumber": "1",
        "Rows": 2,
        "Columns": 2,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
    }
    for keyword, value in (values | elements).items():
        if value is not None:
            setattr(ds, keyword, value)
    ds.add_new(0x7FE00010, "OB", b"\1\2\3\4")
    return ds


def encoded(ds: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    buffer = io.BytesIO()
    target = DicomFileLike(buffer)
    target.is_little_endian = True
    target.is_implicit_VR = transfer_syntax == ImplicitVRLittleEndian
    write_dataset(target, ds)
    return buffer.getvalue()


def request(ds: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> StoreRequest:
    return StoreRequest(
        facts=FACTS,
        sop_class=str(ds.SOPClassUID),
        sop_instance=str(ds.SOPInstanceUID),
        transfer_syntax=transfer_syntax,
        dataset=encoded(ds, transfer_syntax),
    )


def store(archive: Archive, *datasets: Dataset) -> list[StoreStatus]:
    """Store each; every one must be answered 0000."""
    answers = [archive.store(request(ds)) for ds in datasets]
    assert all(answer.status == 0 for answer in answers), answers
    return answers


def identifier(level: str | None, **keys: object) -> Dataset:
    ds = Dataset()
    if level is not None:
        ds.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(ds, keyword, value)
    return ds


def ask(archive: Archive, level: str | None, *, model: str = STUDY_FIND, **keys: object) -> list[FindAnswer]:
    """The raw answers to a C-FIND."""
    return list(archive.find(Query(FACTS, model, identifier(level, **keys))))


def found(archive: Archive, level: str, *, model: str = STUDY_FIND, **keys: object) -> list[Dataset]:
    """The identifiers of the answers; each must be pending with all keys supported."""
    answers = ask(archive, level, model=model, **keys)
    assert all(answer.status == 0xFF00 and answer.identifier is not None for answer in answers), answers
    return [answer.identifier for answer in answers if answer.identifier is not None]


@dataclass
class Cancel:
    """Says "cancelled" after ``after`` questions."""

    after: int
    asked: int = field(default=0)

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.after


def pairs(answers: list[Dataset], keyword: str) -> Iterator[str]:
    return (str(answer[keyword].value) for answer in answers)
