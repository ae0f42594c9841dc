"""The mini PACS alone over real DICOM: stored to, queried, moved and got from; ended by signals; killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from sandbox.archive.archive import Archive
from sandbox.archive.part10 import opened
from sandbox.archive.serve import Remote, RunningArchive, ServeOptions, serve_archive
from sandbox.archive.store import Sync
from sandbox.dicom import syntaxes
from sandbox.dicom.authority import Authority
from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer, StoreRequest, StoreStatus, Timeouts
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from sandbox.dicom.tls import TlsPolicy
from sandbox.model.config import ClientCertificates
from sandbox.model.errors import BadInputError, UnavailableError
from tests.archive.support import CT, STUDY_FIND, STUDY_GET, STUDY_MOVE, identifier, instance

_EXPLICIT = syntaxes.EXPLICIT_VR_LITTLE_ENDIAN
_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def requestor(ae_title: str = "CT1") -> Requestor:
    return Requestor(ae_title, "test", PlainDialler(), NullObserver(), Timeouts(), 65536, association_ids("t"))


def dial(
    running: RunningArchive, *, calling: str = "CT1", called: str | None = None, roles: tuple[str, ...] = ()
) -> Association | AssociationFailure:
    at = running.describe()
    contexts = (
        *syntaxes.verification(),
        *syntaxes.storage_contexts((CT,), (_EXPLICIT,)),
        *syntaxes.query_retrieve_find(),
        *syntaxes.query_retrieve_move(),
        *syntaxes.query_retrieve_get(),
    )
    return requestor(calling).associate(Peer(called or at.ae_title, at.host, at.port), contexts, roles=roles)


def associate(running: RunningArchive, *, roles: tuple[str, ...] = ()) -> Association:
    association = dial(running, roles=roles)
    assert isinstance(association, Association), association
    return association


def with_meta(ds: Dataset) -> Dataset:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = _EXPLICIT
    return ds


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[RunningArchive]:
    with serve_archive(ServeOptions(ae_title="WS1", directory=tmp_path / "ws1", sync="normal")) as running:
        yield running


@pytest.fixture
def served(tmp_path: Path, destination: RunningArchive) -> Iterator[RunningArchive]:
    at = destination.describe()
    options = ServeOptions(
        ae_title="ARCHIVE",
        directory=tmp_path / "archive",
        remotes=(Remote(ae_title="WS1", host=at.host, port=at.port),),
        sync="normal",
    )
    with serve_archive(options) as running:
        yield running


def test_echo_store_find_move_and_get(served: RunningArchive, destination: RunningArchive) -> None:
    ds = with_meta(instance(SpecificCharacterSet="ISO_IR 192", PatientName="Müller^Jürgen"))
    got: list[StoreRequest] = []

    def take(request: StoreRequest) -> StoreStatus:
        got.append(request)
        return StoreStatus(0)

    key = identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID)
    with associate(served) as association:
        assert association.echo().status == 0
        assert association.store(ds).status == 0
        answers = list(association.find(STUDY_FIND, identifier("STUDY", PatientName="muller*", StudyInstanceUID="")))
        assert [answer.status for answer in answers] == [0xFF00, 0]
        assert answers[0].identifier is not None
        assert str(answers[0].identifier.PatientName) == "Müller^Jürgen"
        assert list(association.move(STUDY_MOVE, key, "WS1"))[-1].status == 0
        assert list(association.move(STUDY_MOVE, key, "NOBODY"))[-1].status == 0xA801
        empty = identifier("STUDY", StudyInstanceUID="")
        assert list(association.move(STUDY_MOVE, empty, "WS1"))[-1].status == 0xA900
    with associate(served, roles=(CT,)) as association:
        assert list(association.get(STUDY_GET, key, take))[-1].status == 0
    original = served.archive.instance_path(ds.SOPInstanceUID)
    moved = destination.archive.instance_path(ds.SOPInstanceUID)
    assert original is not None
    assert moved is not None
    with opened(original) as (_, first), opened(moved) as (_, second):
        assert bytes(first) == bytes(second) == bytes(got[0].dataset)


def test_statuses_reach_the_sender(served: RunningArchive) -> None:
    with associate(served) as association:
        assert association.store(with_meta(instance(StudyInstanceUID=None))).status == 0xA900
        served.archive.files.reserve = 1 << 60
        refused = association.store(with_meta(instance()))
        assert refused.status == 0xA700
        (failure,) = association.find(STUDY_FIND, identifier("SERIES"))
        assert (failure.status, failure.identifier) == (0xA900, None)


def test_strict_calling_takes_only_the_ae_table(tmp_path: Path) -> None:
    remotes = (Remote.parse("CT1=127.0.0.1:104"),)
    options = ServeOptions(ae_title="A", directory=tmp_path, remotes=remotes, strict_calling=True, sync="normal")
    with serve_archive(options) as running:
        refused = dial(running, calling="CT2")
        assert isinstance(refused, AssociationFailure)
        assert str(refused.rejection) == "1/1/3"
        wrong = dial(running, called="B")
        assert isinstance(wrong, AssociationFailure)
        assert str(wrong.rejection) == "1/1/7"
        associate(running).release()


def test_a_port_or_directory_in_use(served: RunningArchive, tmp_path: Path) -> None:
    at = served.describe()
    with pytest.raises(UnavailableError, match="listen"):
        serve_archive(ServeOptions(ae_title="B", directory=tmp_path / "b", port=at.port))
    with pytest.raises(UnavailableError, match="in use"):
        serve_archive(ServeOptions(ae_title="B", directory=tmp_path / "archive"))
    serve_archive(ServeOptions(ae_title="B", directory=tmp_path / "b")).stop()


@pytest.mark.parametrize("text", ["", "A", "A=h", "A=:1", "A=h:0", "A=h:x", "A=h:70000"])
def test_remotes_that_are_none(text: str) -> None:
    with pytest.raises(BadInputError):
        Remote.parse(text)


def test_remotes() -> None:
    assert Remote.parse("WS1=host.example:11112") == Remote(ae_title="WS1", host="host.example", port=11112)
    assert Remote.parse("WS1=[::1]:104").host == "::1"


_SERVE = """
import sys
from pathlib import Path
from sandbox.archive.serve import ServeOptions, serve_archive
running = serve_archive(ServeOptions(ae_title="A", directory=Path(sys.argv[1])))
running.wait(lambda: print(running.describe().model_dump_json(), flush=True))
print("ended", flush=True)
"""


def _spawn(directory: Path) -> tuple[subprocess.Popen[str], Peer]:
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["pid"] == process.pid
    return process, Peer(said["ae_title"], said["host"], said["port"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process, peer = _spawn(tmp_path)
    with socket.create_connection((peer.host, peer.port), 5):
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
    assert (process.returncode, out.strip()) == (0, "ended")
    Archive(tmp_path, ae_title="A").close()


def test_kill_9_under_four_senders_loses_nothing_answered(tmp_path: Path) -> None:
    answered: list[str] = []
    for stored in (10, 40):
        process, peer = _spawn(tmp_path)
        enough = threading.Event()

        def send(peer: Peer = peer, enough: threading.Event = enough, goal: int = len(answered) + stored) -> None:
            association = requestor().associate(peer, syntaxes.storage_contexts((CT,), (_EXPLICIT,)))
            while isinstance(association, Association) and association.is_open:
                ds = with_meta(instance())
                if association.store(ds).status == 0:
                    answered.append(str(ds.SOPInstanceUID))
                if len(answered) >= goal:
                    enough.set()

        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        process.kill()
        process.wait(20)
        for sender in senders:
            sender.join(20)
        assert process.stdout is not None
        process.stdout.close()
    with Archive(tmp_path, ae_title="A") as archive:
        assert archive.recovery.unreadable == archive.recovery.missing == ()
        for sop_instance in answered:
            path = archive.instance_path(sop_instance)
            assert path is not None
            with opened(path) as (_, dataset):
                assert bytes(dataset[-4:]) == b"\1\2\3\4"
        assert archive.counts().instances == len(list((tmp_path / "store" / "files").glob("*/*.dcm")))


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("storescu") is None, reason="dcmtk's tools are not installed")
def test_dcmtk_stores_finds_and_moves(served: RunningArchive, destination: RunningArchive) -> None:
    at = served.describe()
    to = ["-aet", "CT1", "-aec", "ARCHIVE", at.host, str(at.port)]

    def run(*command: str) -> str:
        environment = os.environ | {"TCP_NODELAY": "1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    run("storescu", *to, *(str(_FILES / name) for name in ("CT_small.dcm", "MR_small.dcm")))
    said = run("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=*ct1", "-k", "PatientID", *to)
    assert said.count("(Pending)") == 1
    assert "CompressedSamples^CT1" in said
    ct = pydicom.dcmread(_FILES / "CT_small.dcm")
    study = f"StudyInstanceUID={ct.StudyInstanceUID}"
    run("movescu", "-S", "-aem", "WS1", "-k", "QueryRetrieveLevel=STUDY", "-k", study, *to)
    moved = destination.archive.instance_path(ct.SOPInstanceUID)
    assert moved is not None
    assert pydicom.dcmread(moved).PixelData == ct.PixelData


# --- TLS ---------------------------------------------------------------------------------------------------------


def test_it_serves_tls_and_sends_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    places = {name: tmp_path / "certificates" / name for name in ("ARCHIVE", "WS1", "CT1")}
    certified = {name: authority.issue(place, name, ("127.0.0.1",)) for name, place in places.items()}

    def options(title: str, *remotes: Remote) -> ServeOptions:
        return ServeOptions(
            ae_title=title,
            directory=tmp_path / title,
            remotes=remotes,
            sync=Sync.NORMAL,
            tls_port=0,
            certificate=certified[title].certificate,
            key=certified[title].key,
            authority=authority.certificate,
            client_certificates=ClientCertificates.REQUIRED,
        )

    with serve_archive(options("WS1")) as ws1:
        destination = Remote.parse(f"WS1=tls://127.0.0.1:{ws1.describe().tls_port}")
        assert destination.tls
        with serve_archive(options("ARCHIVE", destination)) as served:
            mine = TlsPolicy(certified["CT1"], authority.certificate)
            at = Peer("ARCHIVE", "127.0.0.1", served.describe().tls_port, mine)
            contexts = (*syntaxes.storage_contexts((CT,), (_EXPLICIT,)), *syntaxes.query_retrieve_move())
            opened = requestor().associate(at, contexts)
            assert isinstance(opened, Association), opened
            with opened:
                assert opened.store(with_meta(instance(StudyInstanceUID="1.2.3"))).status == 0
                *_, last = opened.move(STUDY_MOVE, identifier("STUDY", StudyInstanceUID="1.2.3"), "WS1")
            assert (last.status, last.completed) == (0, 1)
            assert ws1.archive.counts().instances == 1


def test_half_an_identity_is_no_use(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="belong together"):
        serve_archive(ServeOptions(ae_title="A", directory=tmp_path, certificate=tmp_path / "c.pem"))
    with pytest.raises(BadInputError, match="needs a certificate"):
        serve_archive(ServeOptions(ae_title="A", directory=tmp_path, tls_port=0))
