"""Ordinary sockets: failures told apart, no simulated address ever dialled, and a log in words."""

from __future__ import annotations

import logging
import socket
import threading

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer
from sandbox.dicom.plain import LoggingObserver, PlainConnection, PlainDialler
from sandbox.model.association import DialFailure, DialOutcome
from tests.dicom.support import FAST, free_listener, full_listener, new_id, serving, unused_port, wait_until


def dial(host: str, port: int = 104, timeout: float = 1.0) -> PlainConnection | DialFailure:
    return PlainDialler().dial(host, port, timeout=timeout, association="a1", cause=None)


def outcome_of(host: str, port: int = 104, timeout: float = 1.0) -> DialOutcome:
    failure = dial(host, port, timeout)
    assert isinstance(failure, DialFailure)
    assert failure.reason
    return failure.outcome


def test_a_closed_port_refuses() -> None:
    assert outcome_of("127.0.0.1", unused_port()) is DialOutcome.REFUSED


def test_an_unknown_name_is_called_so() -> None:
    assert outcome_of("no-such-host.invalid") is DialOutcome.UNKNOWN_HOST
    assert outcome_of("x" * 300) is DialOutcome.UNKNOWN_HOST


def test_a_listener_with_a_full_backlog_times_out() -> None:
    with full_listener() as port:
        assert outcome_of("127.0.0.1", port, timeout=0.2) is DialOutcome.TIMED_OUT


def test_closing_a_dialler_ends_its_waits_and_every_later_dial() -> None:
    dialler = PlainDialler()
    failures: list[PlainConnection | DialFailure] = []
    with full_listener() as port:

        def call() -> None:
            failures.append(dialler.dial("127.0.0.1", port, timeout=10, association="a1", cause=None))

        thread = threading.Thread(target=call)
        thread.start()
        wait_until(lambda: dialler._dialling)
        dialler.close()
        thread.join(1)
        call()
    assert [one.outcome for one in failures if isinstance(one, DialFailure)] == [DialOutcome.UNREACHABLE] * 2
    assert not dialler._dialling


@pytest.mark.parametrize("address", ["198.18.10.11", "198.19.255.254", "::ffff:198.18.10.11"])
def test_a_simulated_address_is_never_dialled(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("dialled")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    assert outcome_of(address) is DialOutcome.UNREACHABLE


def test_a_connection_knows_both_its_ends() -> None:
    with free_listener() as listener:
        listener.listen()
        port = listener.getsockname()[1]
        connection = dial("localhost", port)
        assert isinstance(connection, PlainConnection)
        assert connection.peer == f"127.0.0.1:{port}"
        assert connection.local == "{}:{}".format(*connection.socket.getsockname())
        connection.socket.close()


def test_the_log_says_in_words_what_happened(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("archive-under-test")
    observer = LoggingObserver(logger)
    with caplog.at_level(logging.DEBUG, "archive-under-test"), serving() as served:
        served.server.observer = observer
        requestor = Requestor("CT1", "ct1", PlainDialler(), observer, FAST, 16384, new_id)
        association = requestor.associate(served.peer, syntaxes.verification())
        assert isinstance(association, Association)
        association.echo()
        association.release()
        requestor.associate(Peer("NOBODY", "127.0.0.1", served.port), syntaxes.verification())
        requestor.associate(Peer("NOBODY", "127.0.0.1", unused_port()), syntaxes.verification())
    text = caplog.text
    for words in (
        "CT1 calling ARCHIVE",
        "1 of 1 contexts accepted",
        "C-ECHO Verification SOP Class",
        "success",
        "released",
        "rejected permanently by the service user: called AE title not recognised (1/1/7)",
        "connection refused",
    ):
        assert words in text
