"""dcmtk's command line tools against our server: another implementation than the one we stand on."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import FindAnswer, Peer, Query, RetrievePlan, Services, StoreRequest, StoreStatus
from sandbox.dicom.datasets import read_encoded
from tests.dicom.support import make_requestor, query, serving, stored, unused_port, wait_until

pytestmark = pytest.mark.tools


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and in CI it has to be")
        pytest.skip(f"{name} is not installed; it comes with dcmtk")
    return path


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [tool(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_echoscu() -> None:
    with serving() as served:
        assert run("echoscu", "-aec", "ARCHIVE", "127.0.0.1", served.port).returncode == 0
        refused = run("echoscu", "-aec", "OTHER", "127.0.0.1", served.port)
        assert refused.returncode != 0
        assert "Called AE Title Not Recognized" in refused.stderr + refused.stdout


def test_storescu_stores_and_does_not_wait_for_delayed_acknowledgements(tmp_path: Path) -> None:
    got: list[StoreRequest] = []
    items = [stored(tmp_path, f"1.2.{number}") for number in range(90)]
    services = Services(store=lambda request: got.append(request) or StoreStatus(0))
    with serving(services) as served:
        began = time.monotonic()
        done = run("storescu", "-aec", "ARCHIVE", "127.0.0.1", served.port, *[item.path for item in items])
        assert done.returncode == 0, done.stderr
        # Nagle's algorithm against delayed ACKs costs two waits of 40 ms for each instance.
        assert time.monotonic() - began < len(items) * 0.08
    # dcmtk writes the data set anew, so its bytes need not be those of the file.
    assert [request.sop_instance for request in got] == [item.sop_instance for item in items]


def answers(found: Query) -> Iterator[FindAnswer]:
    for number in range(3):
        yield FindAnswer(0xFF00, query(PatientName=f"Sought^{number}", PatientID=str(found.identifier.PatientID)))


def test_findscu() -> None:
    with serving(Services(find=answers)) as served:
        arguments = (
            "-S",
            "-aec",
            "ARCHIVE",
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            "PatientID=7",
            "-k",
            "PatientName",
        )
        done = run("findscu", "-v", *arguments, "127.0.0.1", served.port)
    assert done.returncode == 0
    assert [f"Sought^{number}" in done.stdout + done.stderr for number in range(3)] == [True] * 3


def answers_echo(peer: Peer) -> bool:
    association = make_requestor().associate(peer, syntaxes.verification())
    if not isinstance(association, Association):
        return False
    with association:
        return association.echo().succeeded


def test_movescu_moves_to_storescp(tmp_path: Path) -> None:
    items = [stored(tmp_path, f"1.2.{number}") for number in range(3)]
    received = tmp_path / "received"
    received.mkdir()
    port = unused_port()
    sink = subprocess.Popen([tool("storescp"), "-aet", "WS1", "-od", str(received), "+B", str(port)])
    try:
        services = Services(
            move=lambda found, destination: RetrievePlan(tuple(items)),
            resolve_destination=lambda title: Peer("WS1", "127.0.0.1", port) if title == "WS1" else None,
        )
        with serving(services, requestor=make_requestor(title="ARCHIVE")) as served:
            wait_until(lambda: answers_echo(Peer("WS1", "127.0.0.1", port)))
            arguments = ("-S", "-aec", "ARCHIVE", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3")
            done = run("movescu", "-v", *arguments, "-aem", "WS1", "127.0.0.1", served.port)
            assert done.returncode == 0, done.stderr
            unknown = run("movescu", "-v", *arguments, "-aem", "WS9", "127.0.0.1", served.port)
            assert "MoveDestinationUnknown" in (unknown.stdout + unknown.stderr).replace(" ", "")
    finally:
        sink.terminate()
        sink.wait(5)
    files = sorted(received.iterdir())
    assert len(files) == 3
    # +B: storescp writes what it received bit by bit, so the bytes are those of our files.
    sent = sorted(bytes(read_encoded(item.path)) for item in items)
    assert sorted(bytes(read_encoded(path)) for path in files) == sent


def test_getscu(tmp_path: Path) -> None:
    items = [stored(tmp_path, f"1.2.{number}") for number in range(3)]
    received = tmp_path / "received"
    received.mkdir()
    with serving(Services(get=lambda found: RetrievePlan(tuple(items)))) as served:
        arguments = ("-S", "-aec", "ARCHIVE", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3")
        done = run("getscu", "-v", *arguments, "-od", received, "127.0.0.1", served.port)
    assert done.returncode == 0, done.stderr
    assert len(list(received.iterdir())) == 3
