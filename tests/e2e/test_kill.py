"""kill -9 of a lab while scanners outside and inside of it send: what was answered with success is there afterwards.

The host is the console's own. It notices, starts the lab again on its directory, and everything goes on: the same
ports, the same token, the queues where they were.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association, contexts_for_storage
from sandbox.dicom.contract import Peer, StoredObject, StoreRequest, StoreStatus, SupportedContext
from sandbox.dicom.datasets import read_encoded
from tests.dicom.support import CT, EXPLICIT, make_requestor
from tests.e2e.conftest import StartLab
from tests.e2e.support import OutsideLab, wait_until

pytestmark = pytest.mark.timeout(300)

LOOPBACK = "127.0.0.1"
SEED = 20260304
ROUNDS = 4
LET_RUN_S = (0.4, 2.0)
PER_ASSOCIATION = 7
BREATH_S = 0.01
EXAMS = 4
SIDE = 96


class Sender(threading.Thread):
    """A scanner outside the lab: one association after the other, and a note of every instance that was answered 0000.

    An association that breaks, a port that refuses: it tries again, as scanners do, with new instances.
    """

    def __init__(self, folder: Path, target: str, port: int, number: int) -> None:
        super().__init__(daemon=True, name=f"sender-{target}")
        self.folder = folder
        self.peer = Peer(target, LOOPBACK, port)
        self.root = f"1.2.826.0.1.3680043.8.498.{number}"
        self.answered: dict[str, Path] = {}
        self.unanswered: set[str] = set()
        self.refused: list[str] = []
        self.broken = 0
        self._random = random.Random(f"{SEED}:{target}")
        self._requestor = make_requestor(title="CT1")
        self._stopping = threading.Event()
        self._progress = threading.Event()
        self._count = 0

    def instances(self) -> Iterator[StoredObject]:
        """The images of one more study."""
        study = f"{self.root}.{self._count}"
        for _ in range(PER_ASSOCIATION):
            self._count += 1
            uid = f"{study}.1.{self._count}"
            path = self.folder / f"{uid}.dcm"
            _image(study, uid, self._random).save_as(path, enforce_file_format=True)
            yield StoredObject(path, CT, uid, EXPLICIT)

    def run(self) -> None:
        while not self._stopping.is_set():
            items = list(self.instances())
            association = self._requestor.associate(self.peer, contexts_for_storage(items))
            if not isinstance(association, Association):
                self._stopping.wait(0.1)
                continue
            self._send(association, items)

    def _send(self, association: Association, items: list[StoredObject]) -> None:
        for item in items:
            outcome = association.store(item)
            if outcome.succeeded:
                self.answered[item.sop_instance] = item.path
                self._progress.set()
            elif outcome.status is not None:
                self.refused.append(f"{item.sop_instance}: {outcome}")
            else:
                self.unanswered.add(item.sop_instance)
                self.broken += 1
                break
            # Room for the others: the lab, its scanners and this test share the machine.
            self._stopping.wait(BREATH_S)
        association.release()

    def wait_for_progress(self) -> None:
        self._progress.clear()
        assert self._progress.wait(30), f"{self.name} gets nothing through any more"

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)
        assert not self.is_alive()


class Scanning(threading.Thread):
    """Patients in the rooms of the lab, one after the other, and a note of every exam that the lab said was made."""

    def __init__(self, lab: OutsideLab) -> None:
        super().__init__(daemon=True, name="scanning")
        self.lab = lab
        self.made: dict[str, str] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        turn = 0
        while not self._stopping.is_set():
            node = ("MR1", "DX1", "CT1", "US1")[turn % 4]
            try:
                self.made[self.lab.scan(node, images=2)] = node
                turn += 1
            except httpx.HTTPError:
                # The lab is gone at the moment.
                pass
            self._stopping.wait(0.1)

    def stop(self) -> None:
        self._stopping.set()
        self.join(60)
        assert not self.is_alive()


def _image(study: str, uid: str, rng: random.Random) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
    dataset.PatientName, dataset.PatientID = "Kill^Nine", study.rpartition(".")[2]
    dataset.AccessionNumber = f"K{study.rpartition('.')[2]}"
    dataset.Modality, dataset.StudyDate, dataset.StudyTime = "CT", "20260304", "101112"
    dataset.Rows = dataset.Columns = SIDE
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = rng.randbytes(SIDE * SIDE * 2)
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = EXPLICIT
    dataset.file_meta.MediaStorageSOPClassUID, dataset.file_meta.MediaStorageSOPInstanceUID = CT, uid
    return dataset


def study_of(uid: str) -> str:
    """The study of one of our instances, whose UID is study, series, number."""
    return uid.rpartition(".1.")[0]


def find_images(lab: OutsideLab, study: str) -> set[str]:
    """C-FIND at the IMAGE level, below the one series of a study."""
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID, query.SeriesInstanceUID = "IMAGE", study, f"{study}.1"
    query.SOPInstanceUID = ""
    found: set[str] = set()
    association = make_requestor(title="WS1").associate(_archive(lab), syntaxes.query_retrieve_find())
    assert isinstance(association, Association), association
    with association:
        for response in association.find(syntaxes.STUDY_ROOT_FIND, query):
            assert response.is_pending or response.status == 0, response
            if response.identifier is not None:
                found.add(str(response.identifier.SOPInstanceUID))
    return found


def _archive(lab: OutsideLab) -> Peer:
    return Peer("ARCHIVE", LOOPBACK, lab.ports["ARCHIVE"])


def test_what_was_answered_with_success_survives_kill_9(start_lab: StartLab, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    lab = start_lab(quiet=False)
    ports, token, api = lab.ports, lab.running.token, lab.running.api
    (tmp_path / "sent").mkdir()
    senders = [
        Sender(tmp_path / "sent", target, ports[target], number) for number, target in enumerate(("ARCHIVE", "ROUTER"))
    ]
    scanning = Scanning(lab)
    for thread in (*senders, scanning):
        thread.start()
    for _ in range(ROUNDS):
        for sender in senders:
            sender.wait_for_progress()
        threading.Event().wait(rng.uniform(*LET_RUN_S))
        lab.kill()
        lab.wait_back()
        assert lab.published() == ports, "the same places as before"
        assert (lab.running.token, lab.running.api) == (token, api)
    assert lab.running.restarts == ROUNDS
    for sender in senders:
        sender.wait_for_progress()
        sender.stop()
    wait_until(lambda: len(scanning.made) >= EXAMS, "exams are made")
    scanning.stop()
    print(f"\nanswered: {[len(sender.answered) for sender in senders]}, exams: {len(scanning.made)}")
    assert all(sender.answered for sender in senders)
    assert sum(sender.broken for sender in senders), "no association was cut: the moments were badly chosen"
    assert [sender.refused for sender in senders] == [[], []]
    _queues_run_dry(lab)
    _nothing_is_missing(lab, senders)
    _every_exam_is_everywhere(lab, scanning.made)


def _queues_run_dry(lab: OutsideLab) -> None:
    assert lab.do("background.pause").ok
    wait_until(lambda: not any(node.queued for node in lab.view().nodes), "the queues are empty", 60)
    assert [node.name for node in lab.view().nodes if node.dead] == []


def _nothing_is_missing(lab: OutsideLab, senders: list[Sender]) -> None:
    """Found by C-FIND, retrieved by C-GET and C-MOVE bit for bit; what came by the router is at WS1 too."""
    for sender in senders:
        answered = sender.answered
        found = {uid for study in set(map(study_of, answered)) for uid in find_images(lab, study)}
        assert not answered.keys() - found, f"{sender.name}: answered with success, and gone"
        # What the archive has besides are instances whose answer was lost on the way, and nothing else.
        assert found - answered.keys() <= sender.unanswered, sender.name
    _bytes_are_the_same(lab, senders)
    for study, count in Counter(map(study_of, senders[1].answered)).items():
        assert lab.images_of("WS1", study) >= count, f"{study} is not complete in the reading room"


def _bytes_are_the_same(lab: OutsideLab, senders: list[Sender]) -> None:
    sent = {uid: path for sender in senders for uid, path in sender.answered.items()}
    studies = sorted({study_of(uid) for uid in sent})
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", studies
    got: dict[str, bytes] = {}

    def take(request: StoreRequest) -> StoreStatus:
        got[request.sop_instance] = bytes(request.dataset)
        return StoreStatus(0)

    contexts = (*syntaxes.query_retrieve_get(), *syntaxes.query_retrieve_move(), SupportedContext(CT, (EXPLICIT,)))
    association = make_requestor(title="WS1").associate(_archive(lab), contexts, roles=(CT,))
    assert isinstance(association, Association), association
    with association:
        *_, last = association.get(syntaxes.STUDY_ROOT_GET, query, take)
        assert (last.status, last.failed) == (0, 0), last
        *_, last = association.move(syntaxes.STUDY_ROOT_MOVE, query, "WS2")
        assert (last.status, last.failed) == (0, 0), last
    for uid, path in sent.items():
        assert got.get(uid) == bytes(read_encoded(path)), f"{uid} is not what was sent"
    for study, count in Counter(map(study_of, sent)).items():
        assert lab.images_of("WS2", study) >= count, f"{study} was not moved completely"


def _every_exam_is_everywhere(lab: OutsideLab, made: dict[str, str]) -> None:
    """Those that the lab said were made. (One that was cut off before may be on the scanner and nowhere else.)"""
    for study, node in made.items():
        for place in ("ARCHIVE", "WS1"):
            assert lab.images_of(place, study) == 2, f"{study} of {node} is not complete at {place}"
