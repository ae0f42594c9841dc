"""What our client makes of peers that misbehave: always a value, in good time, with the reason in words."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.accepting import MOST_WAITING
from sandbox.dicom.client import Association, AssociationFailure, FailureKind
from sandbox.dicom.contract import FindAnswer, Peer, Query, Services, StoreStatus, Timeouts
from sandbox.dicom.messages import encode_command
from sandbox.model.association import DialOutcome, Side
from sandbox.model.errors import BadInputError
from tests.dicom.support import (
    ABORT,
    CT,
    IMPLICIT,
    RELEASE_RQ,
    Recorder,
    ScriptedPeer,
    associate_ac,
    instance,
    make_requestor,
    pdu,
    pdv,
    query,
    scripted_acceptor,
    serving,
    unused_port,
    wait_until,
)

QUICK = Timeouts(connect=1, acse=0.2, dimse=0.2, network=1)
UNASKED = encode_command({"CommandField": 0x8030, "MessageIDBeingRespondedTo": 99})
Script = Callable[[ScriptedPeer], None]


def failure_with(script: Script, told: Recorder | None = None) -> AssociationFailure:
    with scripted_acceptor(script) as port:
        failure = make_requestor(told, timeouts=QUICK).associate(
            Peer("PEER", "127.0.0.1", port), syntaxes.verification()
        )
    assert isinstance(failure, AssociationFailure)
    return failure


def accepting(then: Script) -> Script:
    def script(peer: ScriptedPeer) -> None:
        _, request = peer.read()
        then(peer.send(associate_ac(request)))

    return script


def echo_with(then: Script, told: Recorder | None = None) -> str:
    """The failure of an echo to a peer that accepts and then does ``then`` after it has read the request."""

    def read_then(peer: ScriptedPeer) -> None:
        peer.read()
        then(peer)

    with scripted_acceptor(accepting(read_then)) as port:
        association = make_requestor(told, timeouts=QUICK).associate(
            Peer("PEER", "127.0.0.1", port), syntaxes.verification()
        )
        assert isinstance(association, Association)
        with association:
            outcome = association.echo()
            assert outcome.status is None
            assert not association.is_open
            assert association.echo().failure
    return outcome.failure


def test_a_refused_connection_is_a_value() -> None:
    told = Recorder()
    failure = make_requestor(told).associate(Peer("PEER", "127.0.0.1", unused_port()), syntaxes.verification())
    assert isinstance(failure, AssociationFailure)
    assert failure.kind is FailureKind.NO_CONNECTION
    assert failure.dial is not None
    assert failure.dial.outcome is DialOutcome.REFUSED
    assert "nothing listens" in failure.sentence
    assert told.names() == ["requested", "failed"]


@pytest.mark.parametrize("numbers", [(1, 1, 7), (1, 1, 3), (2, 3, 2), (2, 2, 1), (1, 1, 9), (9, 9, 9)])
def test_a_rejection_comes_back_with_its_numbers_even_odd_ones(numbers: tuple[int, int, int]) -> None:
    told = Recorder()
    failure = failure_with(lambda peer: peer.read() and peer.send(pdu(3, bytes((0, *numbers)))) and None, told)
    assert failure.kind is FailureKind.REJECTED
    assert str(failure.rejection) == "/".join(map(str, numbers))
    assert told.names() == ["requested", "rejected"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ABORT, "service user"),
        (pdu(7, bytes((0, 0, 2, 1))), "unrecognised PDU"),
        (b"", "closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no DICOM PDU"),
        (pdu(2, b"short"), "cannot read"),
        (RELEASE_RQ, "wrong time"),
    ],
)
def test_what_is_no_answer_to_a_request_is_an_abort_with_its_reason(answer: bytes, words: str) -> None:
    told = Recorder()
    failure = failure_with(lambda peer: peer.read() and peer.send(answer) and None, told)
    assert failure.kind is FailureKind.ABORTED
    assert words in failure.sentence
    assert told.names() == ["requested", "aborted"]


def test_a_peer_that_never_answers_times_out() -> None:
    began = time.monotonic()
    failure = failure_with(ScriptedPeer.read_to_end)
    assert failure.kind is FailureKind.TIMED_OUT
    assert time.monotonic() - began < 10


def test_no_accepted_context_is_told_with_the_answers() -> None:
    with serving(contexts=syntaxes.storage_contexts((CT,))) as served:
        failure = served.requestor().associate(served.peer, syntaxes.verification())
        assert isinstance(failure, AssociationFailure)
        assert failure.kind is FailureKind.NO_ACCEPTED_CONTEXT
        assert [context.result for context in failure.contexts] == [3]
        assert served.clients.names() == ["requested", "accepted", "aborted"]
        served.told.wait_for("aborted")


def test_another_calling_title_may_be_used() -> None:
    with serving(calling_ae=frozenset({"CT1"})) as served:
        association = served.requestor().associate(served.peer, syntaxes.verification(), calling_ae="CT1")
        assert isinstance(association, Association)
        association.release()


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (lambda peer: None, "closed"),
        (lambda peer: peer.send(ABORT), "service user"),
        (ScriptedPeer.read_to_end, "no response within 0.2 s"),
        (
            lambda peer: peer.send(pdu(4, pdv(1, 3, encode_command({"CommandField": 0x8030})))) and peer.read_to_end(),
            "asked",
        ),
        (lambda peer: peer.send(pdu(4, pdv(9, 3, b""))) and peer.read_to_end(), "context 9"),
        (lambda peer: peer.send(RELEASE_RQ).read(), "released"),
    ],
)
def test_a_peer_that_does_not_answer_an_echo_is_told_in_words(then: Script, words: str) -> None:
    told = Recorder()
    assert words in echo_with(then, told)
    assert [exchange.status for exchange in told.exchanges(Side.REQUESTOR)] == [-1]
    assert told.names()[-1] in ("aborted", "released")


def test_a_release_that_nobody_answers_ends_in_an_abort() -> None:
    told = Recorder()
    with scripted_acceptor(accepting(ScriptedPeer.read_to_end)) as port:
        association = make_requestor(told, timeouts=QUICK).associate(
            Peer("PEER", "127.0.0.1", port), syntaxes.verification()
        )
        assert isinstance(association, Association)
        association.release()
    assert "release" in told.wait_for("aborted")[0]


def test_two_sides_that_release_at_once_both_end_released() -> None:
    def collide(peer: ScriptedPeer) -> None:
        assert peer.read()[0] == 5
        peer.send(RELEASE_RQ)
        assert peer.read()[0] == 6
        peer.send(pdu(6, bytes(4)))

    told = Recorder()
    with scripted_acceptor(accepting(collide)) as port:
        association = make_requestor(told).associate(Peer("PEER", "127.0.0.1", port), syntaxes.verification())
        assert isinstance(association, Association)
        association.release()
    assert told.names()[-1] == "released"


def endless(found: Query) -> object:
    number = 0
    while not found.is_cancelled():
        number += 1
        yield FindAnswer(0xFF00, query(PatientID=str(number)))


def test_a_cancelled_find_ends_with_fe00() -> None:
    with serving(Services(find=endless)) as served:  # type: ignore[arg-type]
        association = served.requestor().associate(served.peer, syntaxes.query_retrieve_find())
        assert isinstance(association, Association)
        with association:
            answers = association.find(syntaxes.STUDY_ROOT_FIND, query())
            assert [next(answers).status for _ in range(3)] == [0xFF00] * 3
            association.cancel()
            final = list(answers)[-1]
            assert (final.status, final.identifier) == (0xFE00, None)


def test_leaving_a_find_early_cancels_it_and_the_association_stays_usable() -> None:
    with serving(Services(find=endless)) as served:  # type: ignore[arg-type]
        association = served.requestor().associate(
            served.peer, (*syntaxes.query_retrieve_find(), *syntaxes.verification())
        )
        assert isinstance(association, Association)
        with association:
            answers = association.find(syntaxes.STUDY_ROOT_FIND, query())
            assert next(answers).is_pending
            answers.close()
            assert association.echo().succeeded


def test_a_client_that_vanishes_ends_a_find_on_the_server() -> None:
    with serving(Services(find=endless)) as served:  # type: ignore[arg-type]
        association = served.requestor().associate(served.peer, syntaxes.query_retrieve_find())
        assert isinstance(association, Association)
        answers = association.find(syntaxes.STUDY_ROOT_FIND, query())
        next(answers)
        association.abort()
        answers.close()
        served.told.wait_for("aborted")
        wait_until(lambda: served.server.active == 0)


def test_an_exception_in_the_block_aborts_the_association() -> None:
    with serving() as served:
        with pytest.raises(ZeroDivisionError), served.requestor().associate(served.peer, syntaxes.verification()) as _:  # type: ignore[union-attr]
            raise ZeroDivisionError
        assert "service user" in served.told.wait_for("aborted")[0]


def test_interrupt_from_another_thread_ends_a_waiting_client() -> None:
    hold, entered = threading.Event(), threading.Event()

    def store(request: object) -> StoreStatus:
        entered.set()
        hold.wait(5)
        return StoreStatus(0)

    with serving(Services(store=store)) as served:
        requestor = served.requestor()
        association = requestor.associate(served.peer, syntaxes.storage_contexts((CT,), (IMPLICIT,)))
        assert isinstance(association, Association)
        threading.Thread(target=lambda: entered.wait(5) and requestor.interrupt("the node restarts")).start()
        assert association.store(instance()).failure == "the node restarts"
        assert served.clients.all("aborted") == [("the node restarts",)]
        hold.set()


def test_two_hundred_associations_leave_no_association_and_hardly_a_thread() -> None:
    with serving() as served:
        requestor = served.requestor()
        before = threading.active_count()
        for _ in range(200):
            association = requestor.associate(served.peer, syntaxes.verification())
            assert isinstance(association, Association)
            with association:
                assert association.echo().succeeded
        wait_until(lambda: threading.active_count() <= before + MOST_WAITING)
        wait_until(lambda: not served.server._all)
        assert served.server.active == 0
        wait_until(lambda: len(served.told.all("released")) == 200)


def test_large_objects_cross_whole_whatever_the_maximum_length() -> None:
    got: list[bytes] = []
    services = Services(store=lambda request: got.append(bytes(request.dataset)) or StoreStatus(0))
    sent = instance(pixels=3_000_000)
    for maximum in (0, 4096, 1 << 20):
        with serving(services, maximum_pdu=maximum) as served:
            association = served.requestor(maximum_pdu=maximum).associate(
                served.peer, syntaxes.storage_contexts((CT,), (IMPLICIT,))
            )
            assert isinstance(association, Association)
            with association:
                assert association.store(sent).succeeded
            for _, _, data in served.told.pdus:
                assert not maximum or struct.unpack_from(">L", data, 2)[0] <= maximum
    assert len(got) == 3
    assert len(set(got)) == 1


def test_pynetdicoms_own_send_methods_work_on_the_same_association() -> None:
    """What the services to come (MPPS, storage commitment) will use."""
    with serving() as served:
        association = served.requestor().associate(served.peer, syntaxes.verification())
        assert isinstance(association, Association)
        with association:
            assert association._inner.send_c_echo(7).Status == 0
            assert association._inner.send_c_echo(8).Status == 0
    assert [exchange.message_id for exchange in served.clients.exchanges(Side.REQUESTOR)] == [7, 8]


@pytest.mark.parametrize("count", [0, 129])
def test_an_impossible_number_of_contexts_is_said_before_anybody_is_called(count: int) -> None:
    told = Recorder()
    with pytest.raises(BadInputError, match="presentation contexts"):
        make_requestor(told).associate(Peer("PEER", "127.0.0.1", 1), syntaxes.verification() * count)
    assert told.told == []
