"""What goes round between outside implementations and ours, and how our own side sends it and gets it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, generate_uid

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer, StoreRequest, StoreStatus
from sandbox.dicom.datasets import decode_dataset
from tests.archive.support import CT, STUDY_GET, identifier, instance
from tests.peers.outside import HOST, At

NAME = "Grün^Jürgen"
PATIENT_ID = "P 7/1"
SIDE = 64


@dataclass(frozen=True)
class Exam:
    """A study as it is before it is sent, and its files."""

    study: str
    sent: tuple[Dataset, ...]
    files: tuple[Path, ...]

    def came_back(self, came: Sequence[Dataset]) -> None:
        """Each instance came, once, as it was."""
        found = {str(ds.SOPInstanceUID): ds for ds in came}
        assert sorted(found) == sorted(str(ds.SOPInstanceUID) for ds in self.sent)
        assert len(came) == len(self.sent)
        for ds in self.sent:
            same(ds, found[str(ds.SOPInstanceUID)])


def same(sent: Dataset, came: Dataset) -> None:
    for element in sent:
        if element.keyword != "PixelData":
            assert came[element.tag].value == element.value, element
    added = {element.keyword for element in came} - {element.keyword for element in sent}
    assert added == set()
    if sent.file_meta.TransferSyntaxUID == came.file_meta.TransferSyntaxUID:
        assert came.PixelData == sent.PixelData
    else:
        assert np.array_equal(came.pixel_array, sent.pixel_array)


def make_exam(folder: Path, syntax: UID = ExplicitVRLittleEndian) -> Exam:
    """Three CT slices of noise, with a sequence and a name beyond ASCII, encoded in ``syntax``."""
    study, series = generate_uid(), generate_uid()
    noise = np.random.default_rng(7)
    sent = tuple(_slice(study, series, number, noise, syntax) for number in (1, 2, 3))
    files = tuple(folder / f"{number}.dcm" for number, _ in enumerate(sent))
    for ds, file in zip(sent, files, strict=True):
        ds.save_as(file, enforce_file_format=True)
    return Exam(study, tuple(dcmread(file) for file in files), files)


def _slice(study: str, series: str, number: int, noise: np.random.Generator, syntax: UID) -> Dataset:
    ds = instance(
        SpecificCharacterSet="ISO_IR 192",
        PatientName=NAME,
        PatientID=PATIENT_ID,
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID=study,
        SeriesInstanceUID=series,
        InstanceNumber=str(number),
        Rows=SIDE,
        Columns=SIDE,
        BitsAllocated=16,
        BitsStored=12,
        HighBit=11,
    )
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "77477000", "SCT", "Computed tomography"
    ds.ProcedureCodeSequence = [item]
    del ds[0x7FE00010]
    ds.add_new(0x7FE00010, "OW", noise.integers(0, 4096, SIDE * SIDE, dtype="<u2").tobytes())
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    if syntax == RLELossless:
        ds.compress(RLELossless, generate_instance_uid=False)
    return ds


# Uncompressed first: dcmqrscp sends all of a SOP class on the first context that was accepted for it.
CONTEXTS = (
    *syntaxes.verification(),
    *syntaxes.storage_contexts((CT,), (ExplicitVRLittleEndian,)),
    *syntaxes.storage_contexts((CT,), (RLELossless,)),
    *syntaxes.storage_contexts((CT,), (ImplicitVRLittleEndian,)),
    *syntaxes.query_retrieve_find(),
    *syntaxes.query_retrieve_move(),
    *syntaxes.query_retrieve_get(),
)


def opened(ours: Requestor, at: At, roles: tuple[str, ...] = ()) -> Association:
    association = ours.associate(Peer(at.title, HOST, at.port), CONTEXTS, roles=roles)
    assert isinstance(association, Association), association
    return association


def sent_to(ours: Requestor, at: At, exam: Exam) -> None:
    with opened(ours, at) as association:
        for ds in exam.sent:
            outcome = association.store(ds)
            assert outcome.status == 0, outcome


def got_from(ours: Requestor, at: At, study: str) -> list[Dataset]:
    came: list[Dataset] = []

    def take(request: StoreRequest) -> StoreStatus:
        ds = decode_dataset(bytes(request.dataset), request.transfer_syntax)
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = UID(request.transfer_syntax)
        came.append(ds)
        return StoreStatus(0)

    with opened(ours, at, roles=(CT,)) as association:
        *_, last = association.get(STUDY_GET, identifier("STUDY", StudyInstanceUID=study), take)
    assert last.status == 0, last
    return came
