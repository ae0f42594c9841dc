"""The life of a server: it starts, costs nothing while idle, stops at once and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import FindAnswer, Services, StoreRequest, StoreStatus, SupportedContext
from sandbox.dicom.messages import encode_command
from sandbox.dicom.plain import NullObserver, outside_caller
from sandbox.dicom.server import Server
from sandbox.model.association import Caller, Side
from tests.dicom.support import (
    CT,
    IMPLICIT,
    POLICY,
    ScriptedPeer,
    associate_rq,
    free_listener,
    make_requestor,
    new_id,
    pdu,
    pdv,
    query,
    serving,
    stored,
    wait_until,
)


def test_stop_is_prompt_and_tells_every_peer() -> None:
    with serving() as served:
        peers = [ScriptedPeer.connect(served.port).associate() for _ in range(5)]
        silent = ScriptedPeer.connect(served.port)
        began = time.monotonic()
        served.server.stop()
        assert time.monotonic() - began < 10
        for peer in peers:
            assert peer.read() == (7, bytes(4))
            peer.sock.close()
        silent.sock.close()
        assert served.server.active == 0
        assert [reason for (reason,) in served.told.all("aborted")] == ["the node was stopped"] * 5
    with pytest.raises(ConnectionRefusedError):
        ScriptedPeer.connect(served.port)


def test_stop_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate()
        served.server.stop()
        served.server.stop()
    assert set(threading.enumerate()) <= before


def test_stop_does_not_wait_for_a_peer_that_reads_nothing() -> None:
    entered = threading.Event()

    def find(found: object) -> object:
        while True:
            entered.set()
            yield FindAnswer(0xFF00, query(PatientComments="x" * 9000))

    with serving(Services(find=find)) as served:  # type: ignore[arg-type]
        contexts = [(1, syntaxes.STUDY_ROOT_FIND, (IMPLICIT,))]
        with ScriptedPeer.connect(served.port) as peer:
            peer.associate(associate_rq(contexts=contexts))
            command = encode_command(
                {
                    "CommandField": 0x20,
                    "MessageID": 1,
                    "Priority": 0,
                    "CommandDataSetType": 1,
                    "AffectedSOPClassUID": syntaxes.STUDY_ROOT_FIND,
                }
            )
            peer.send(pdu(4, pdv(1, 3, command)) + pdu(4, pdv(1, 2, b"\x08\0\x52\0\x06\0\0\0STUDY ")))
            assert entered.wait(5)
            began = time.monotonic()
            served.server.stop()
            assert time.monotonic() - began < 10


def test_an_idle_server_uses_no_processor_time() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate()
        used = time.process_time()
        threading.Event().wait(0.6)
        assert time.process_time() - used < 0.3, "a thread that spins uses all of it"


def test_a_server_started_anew_on_the_same_port_serves_again() -> None:
    with serving() as served:
        port = served.port
        with ScriptedPeer.connect(port) as peer:
            peer.associate()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    again = Server(
        listener,
        POLICY,
        Services(),
        NullObserver(),
        node="archive",
        caller_of=outside_caller,
        local="",
        requestor=None,
        new_association_id=new_id,
    )
    again.start()
    try:
        with ScriptedPeer.connect(port) as peer:
            peer.associate()
    finally:
        again.stop()


def test_a_server_that_was_never_started_can_be_stopped() -> None:
    server = Server(
        free_listener(),
        POLICY,
        Services(),
        NullObserver(),
        node="archive",
        caller_of=outside_caller,
        local="",
        requestor=None,
        new_association_id=new_id,
    )
    server.stop()


def test_the_association_and_the_cause_of_a_lab_caller_are_carried_over() -> None:
    caller = Caller(node="CT1", host="198.18.10.11", port=40112, association="a77", cause=12)
    with serving() as served:
        served.server._caller_of = lambda address: caller
        with ScriptedPeer.connect(served.port) as peer:
            peer.associate()
            served.told.wait_for("requested")
    _, facts, (_, cause) = served.told.told[0]
    assert facts is not None
    assert (facts.id, facts.peer, facts.peer_node, facts.local, cause) == (
        "a77",
        "198.18.10.11:40112",
        "CT1",
        "198.18.1.1:104",
        12,
    )


def test_twenty_clients_at_once_are_all_served(tmp_path: Path) -> None:
    got: list[StoreRequest] = []
    services = Services(store=lambda request: got.append(request) or StoreStatus(0))
    item = stored(tmp_path)
    outcomes: list[bool] = []
    with serving(services) as served:

        def send() -> None:
            association = served.requestor().associate(
                served.peer, syntaxes.storage_contexts((CT,), syntaxes.UNCOMPRESSED)
            )
            assert isinstance(association, Association)
            with association:
                outcomes.extend(association.store(item).succeeded for _ in range(5))

        threads = [threading.Thread(target=send) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert outcomes == [True] * 100
    assert len(got) == 100


def test_pynetdicom_says_nothing_in_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.send(b"\x09garbage").read()
        make_requestor().associate(served.peer, (SupportedContext("1.2.3", ("1.2.4",)),))
    assert [record for record in caplog.records if record.name.startswith("pynetdicom")] == []


def test_descriptors_are_given_back() -> None:
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):  # noqa: PTH112
        pytest.skip("only Linux lists a process's descriptors there")
    with serving() as served:
        before = len(os.listdir(folder))  # noqa: PTH208
        for _ in range(20):
            with ScriptedPeer.connect(served.port) as peer:
                peer.associate()
            with ScriptedPeer.connect(served.port) as peer:
                peer.send(associate_rq(called="X")).read()
        wait_until(lambda: len(os.listdir(folder)) <= before)  # noqa: PTH208
        assert served.told.names(Side.ACCEPTOR).count("rejected") == 20
