"""How fast a server answers on the wire: associations, echoes and stores per second, ours against stock pynetdicom."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer, SupportedContext, Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler
from sandbox.dicom.syntaxes import VERIFICATION
from tests.bench.servers import AE_TITLE, Serve, running, serve_ours, serve_stock

SERVERS: dict[str, Serve] = {"ours": serve_ours, "pynetdicom": serve_stock}
CONTEXTS = (
    SupportedContext(VERIFICATION, (ExplicitVRLittleEndian,)),
    SupportedContext(CTImageStorage, (ExplicitVRLittleEndian,)),
)
_uids = itertools.count(1)


def _image(edge: int) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = CTImageStorage
    image.PatientID, image.PatientName, image.Modality = "BENCH", "Bench^Mark", "CT"
    image.StudyInstanceUID, image.SeriesInstanceUID = "2.25.1", "2.25.1.1"
    image.Rows = image.Columns = edge
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = np.arange(edge * edge, dtype=np.uint16).tobytes()
    return image


def _associate(port: int) -> Association:
    requestor = Requestor(
        "BENCH", "bench", PlainDialler(), NullObserver(), Timeouts(), 131072, lambda: str(next(_uids))
    )
    association = requestor.associate(Peer(AE_TITLE, "127.0.0.1", port), CONTEXTS)
    if not isinstance(association, Association):
        raise RuntimeError(association.sentence)
    return association


def _echo_associations(port: int, count: int) -> None:
    for _ in range(count):
        with _associate(port) as association:
            association.echo()


def _echoes(port: int, count: int) -> None:
    with _associate(port) as association:
        for _ in range(count):
            association.echo()


def _stores(edge: int) -> Callable[[int, int], None]:
    def store(port: int, count: int) -> None:
        image = _image(edge)
        with _associate(port) as association:
            for _ in range(count):
                image.SOPInstanceUID = f"2.25.1.2.{next(_uids)}"
                outcome = association.store(image)
                if outcome.status != 0:
                    raise RuntimeError(f"C-STORE answered {outcome}")

    return store


MEASURES: Sequence[tuple[str, Callable[[int, int], None], int]] = (
    ("associations with one C-ECHO, per s", _echo_associations, 60),
    ("C-ECHO on one association, per s", _echoes, 400),
    ("C-STORE 9 KB, instances per s", _stores(64), 150),
    ("C-STORE 512 x 512, instances per s", _stores(512), 60),
)


def measure(rounds: int = 3) -> dict[str, dict[str, float]]:
    """Best of ``rounds`` for each measure and server, the servers in turn within each round."""
    best: dict[str, dict[str, float]] = {name: dict.fromkeys(SERVERS, 0.0) for name, _, _ in MEASURES}
    for round_number in range(rounds):
        for server, serve in SERVERS.items():
            print(f"round {round_number + 1} of {rounds}: {server} …", flush=True)
            with running(serve) as port:
                for name, work, count in MEASURES:
                    began = time.perf_counter()
                    work(port, count)
                    best[name][server] = max(best[name][server], count / (time.perf_counter() - began))
    return best
