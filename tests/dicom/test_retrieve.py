"""C-MOVE and C-GET of our server: counts, statuses and comments for everything that can go wrong on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association, AssociationFailure, MoveResponse, Requestor
from sandbox.dicom.contexts import MOST_CONTEXTS, contexts_for_storage
from sandbox.dicom.contract import Peer, RetrievePlan, Role, Services, StoredObject, StoreRequest, StoreStatus, Timeouts
from sandbox.model.association import DialOutcome, Side
from tests.dicom.support import (
    ALL_CONTEXTS,
    CT,
    EXPLICIT,
    MR,
    Recorder,
    ScriptedPeer,
    Served,
    associate_ac,
    full_listener,
    make_requestor,
    query,
    scripted_acceptor,
    serving,
    stored,
    unused_port,
    wait_until,
)

JPEG = "1.2.840.10008.1.2.4.50"


def moved(served: Served, destination: str = "WS1") -> list[MoveResponse]:
    association = served.requestor("READING").associate(served.peer, syntaxes.query_retrieve_move())
    assert isinstance(association, Association)
    with association:
        identifier = query(StudyInstanceUID="1.2.3")
        return list(association.move(syntaxes.STUDY_ROOT_MOVE, identifier, destination))


def services_to(port: int, objects: list[StoredObject]) -> Services:
    return Services(
        move=lambda found, destination: RetrievePlan(tuple(objects)),
        resolve_destination=lambda title: Peer("WS1", "127.0.0.1", port) if title == "WS1" else None,
    )


def move_between(
    objects: list[StoredObject], port: int, told: Recorder, timeouts: Timeouts | None = None
) -> list[MoveResponse]:
    requestor = make_requestor(told, "ARCHIVE", timeouts or Timeouts(acse=1, dimse=1, connect=1))
    with serving(services_to(port, objects), requestor=requestor) as served:
        return moved(served)


@pytest.fixture
def objects(tmp_path: Path) -> list[StoredObject]:
    return [stored(tmp_path, f"1.2.{number}") for number in range(4)]


def test_an_unknown_destination_is_a801(objects: list[StoredObject]) -> None:
    with serving(services_to(1, objects), requestor=make_requestor()) as served:
        (only,) = moved(served, "NOBODY")
    assert (only.status, only.completed) == (0xA801, None)
    assert "NOBODY" in only.comment


def test_a_refused_plan_is_answered_as_it_says() -> None:
    services = replace(services_to(1, []), move=lambda found, to: RetrievePlan(status=0xA900, comment="no study UID"))
    with serving(services, requestor=make_requestor()) as served:
        assert [(one.status, one.comment) for one in moved(served)] == [(0xA900, "no study UID")]


def test_nothing_to_send_is_success_with_counts_of_nothing() -> None:
    with serving(services_to(1, []), requestor=make_requestor()) as served:
        (only,) = moved(served)
    assert (only.status, only.remaining, only.completed, only.failed, only.warning) == (0, None, 0, 0, 0)


def test_a_destination_that_is_down_fails_all_and_says_so(objects: list[StoredObject]) -> None:
    told = Recorder()
    (only,) = move_between(objects, unused_port(), told)
    assert (only.status, only.failed, only.remaining) == (0xA702, 4, None)
    assert only.failed_uids == tuple(item.sop_instance for item in objects)
    assert "refused" in only.comment
    assert told.all("failed")[0][0].outcome is DialOutcome.REFUSED


def test_a_destination_that_rejects_is_told_apart(objects: list[StoredObject]) -> None:
    told = Recorder()
    with serving(ae_title="OTHER") as sink:
        (only,) = move_between(objects, sink.port, told)
    assert only.status == 0xA702
    assert "rejected (1/1/7)" in only.comment
    assert told.all("rejected")


def test_a_destination_that_does_not_answer_is_told_apart(objects: list[StoredObject]) -> None:
    told = Recorder()
    with scripted_acceptor(ScriptedPeer.read_to_end) as port:
        (only,) = move_between(objects, port, told, Timeouts(acse=0.1, connect=1))
    assert only.status == 0xA702
    assert "no answer" in only.comment


def test_what_the_destination_does_not_take_fails_alone(objects: list[StoredObject], tmp_path: Path) -> None:
    objects.insert(1, StoredObject(objects[0].path, MR, "1.2.77", JPEG))
    got: list[StoreRequest] = []
    services = Services(store=lambda request: got.append(request) or StoreStatus(0xC000 if len(got) == 2 else 0))
    with serving(services, ae_title="WS1", contexts=syntaxes.storage_contexts((CT,))) as sink:
        responses = move_between(objects, sink.port, Recorder())
    final = responses[-1]
    assert responses[0].remaining == 4, "the first sub-operation is told at once"
    assert responses[-1].remaining is None
    assert (final.status, final.completed, final.failed) == (0xB000, 3, 2)
    assert final.failed_uids == ("1.2.77", "1.2.1")
    assert {(one.move_originator, one.move_originator_id) for one in got} == {("READING", 1)}


def test_a_warning_of_the_destination_is_b000_with_its_count(objects: list[StoredObject]) -> None:
    services = Services(store=lambda request: StoreStatus(0xB000))
    with serving(services, ae_title="WS1") as sink:
        final = move_between(objects, sink.port, Recorder())[-1]
    assert (final.status, final.warning, final.failed, final.failed_uids) == (0xB000, 4, 0, ())


def test_a_file_that_is_gone_fails_alone(objects: list[StoredObject]) -> None:
    objects[2].path.unlink()
    with serving(Services(store=lambda request: StoreStatus(0)), ae_title="WS1") as sink:
        final = move_between(objects, sink.port, Recorder())[-1]
    assert (final.status, final.completed, final.failed_uids) == (0xB000, 3, (objects[2].sop_instance,))


def test_a_destination_that_vanishes_fails_the_rest(objects: list[StoredObject]) -> None:
    def store(request: StoreRequest) -> StoreStatus:
        if request.sop_instance == "1.2.1":
            for association in list(sink.server._all):
                association.interrupt("power cut")
        return StoreStatus(0)

    with serving(Services(store=store), ae_title="WS1") as sink:
        final = move_between(objects, sink.port, Recorder())[-1]
    assert final.status == 0xB000
    assert (final.completed, final.failed_uids) == (2, ("1.2.2", "1.2.3"))


def test_a_cancelled_move_is_fe00_with_what_remains(objects: list[StoredObject]) -> None:
    with serving(Services(store=lambda request: StoreStatus(0)), ae_title="WS1") as sink:
        requestor = make_requestor(title="ARCHIVE")
        with serving(services_to(sink.port, objects * 500), requestor=requestor) as served:
            association = served.requestor().associate(served.peer, syntaxes.query_retrieve_move())
            assert isinstance(association, Association)
            with association:
                responses = association.move(syntaxes.STUDY_ROOT_MOVE, query(StudyInstanceUID="1"), "WS1")
                next(responses)
                association.cancel()
                final = list(responses)[-1]
                assert final.status == 0xFE00
                assert final.remaining
                assert final.completed
                assert final.remaining + final.completed == 2000
                assert association.is_open


def test_a_get_without_the_scp_role_fails_each_instance(objects: list[StoredObject]) -> None:
    with serving(Services(get=lambda found: RetrievePlan(tuple(objects)))) as served:
        association = served.requestor().associate(served.peer, ALL_CONTEXTS)
        assert isinstance(association, Association)
        with association:
            final = list(association.get(syntaxes.STUDY_ROOT_GET, query(StudyInstanceUID="1"), None))[-1]  # type: ignore[arg-type]
    assert (final.status, final.failed) == (0xA702, 4)


def test_a_cancelled_get_is_fe00(objects: list[StoredObject]) -> None:
    def store(request: StoreRequest) -> StoreStatus:
        association.cancel()
        return StoreStatus(0)

    with serving(Services(get=lambda found: RetrievePlan(tuple(objects)))) as served:
        opened = served.requestor().associate(served.peer, ALL_CONTEXTS, roles=(CT,))
        assert isinstance(opened, Association)
        with opened as association:
            final = list(association.get(syntaxes.STUDY_ROOT_GET, query(StudyInstanceUID="1"), store))[-1]
    assert (final.status, final.remaining, final.completed) == (0xFE00, 3, 1)


def test_stopping_the_archive_ends_its_move_too(objects: list[StoredObject]) -> None:
    storing = threading.Event()
    go_on = threading.Event()

    def store(request: StoreRequest) -> StoreStatus:
        storing.set()
        go_on.wait(5)
        return StoreStatus(0)

    with serving(Services(store=store), ae_title="WS1") as sink:
        archive_told = Recorder()
        requestor = make_requestor(archive_told, "ARCHIVE")
        with serving(services_to(sink.port, objects), requestor=requestor) as served:
            thread = threading.Thread(target=lambda: moved(served))
            thread.start()
            assert storing.wait(5)
            served.server.stop()
            assert "aborted" in archive_told.names(Side.REQUESTOR)
            go_on.set()
            thread.join(5)
            assert not thread.is_alive()


def stopped_while(port: int, objects: list[StoredObject], is_under_way: Callable[[Requestor], object]) -> float:
    """How many seconds an archive takes to stop while its C-MOVE calls ``port``."""
    requestor = make_requestor(title="ARCHIVE", timeouts=Timeouts(connect=10, acse=10, dimse=10))
    with serving(services_to(port, objects), requestor=requestor) as served:
        thread = threading.Thread(target=lambda: moved(served))
        thread.start()
        wait_until(lambda: is_under_way(requestor))
        began = time.monotonic()
        served.server.stop()
        elapsed = time.monotonic() - began
        assert served.server._all == {}
        thread.join(5)
        assert not thread.is_alive()
    return elapsed


def test_stopping_the_archive_ends_its_wait_for_an_answer(objects: list[StoredObject]) -> None:
    asked = threading.Event()

    def fall_silent(peer: ScriptedPeer) -> None:
        peer.read()
        asked.set()
        peer.read_to_end()

    with scripted_acceptor(fall_silent) as port:
        assert stopped_while(port, objects, lambda requestor: asked.is_set()) < 5


def test_stopping_the_archive_ends_its_dialling(objects: list[StoredObject]) -> None:
    with full_listener() as port:
        assert stopped_while(port, objects, lambda requestor: requestor._dialler._dialling) < 5  # type: ignore[attr-defined]


def test_a_requestor_that_was_closed_calls_nobody() -> None:
    requestor = make_requestor()
    with serving() as served:
        requestor.close("the node was stopped")
        failure = requestor.associate(served.peer, syntaxes.verification())
        assert isinstance(failure, AssociationFailure)
        assert failure.dial is not None
        assert failure.dial.outcome is DialOutcome.UNREACHABLE
        assert served.told.told == []


@pytest.mark.parametrize(("role", "stores"), [(CT, False), (Role(CT), False), (Role(CT, scu=True), True)])
def test_both_roles_let_one_association_store_and_get(
    objects: list[StoredObject], role: str | Role, stores: bool
) -> None:
    kept: list[str] = []
    got: list[str] = []
    services = Services(
        store=lambda request: kept.append(request.sop_instance) or StoreStatus(0),
        get=lambda found: RetrievePlan(tuple(objects)),
    )
    with serving(services) as served:
        for _ in range(2):
            opened = served.requestor().associate(served.peer, ALL_CONTEXTS, roles=(role,))
            assert isinstance(opened, Association)
            with opened as association:
                assert association.store(objects[0]).succeeded is stores
                answers = association.get(
                    syntaxes.STUDY_ROOT_GET,
                    query(StudyInstanceUID="1"),
                    lambda request: got.append(request.sop_instance) or StoreStatus(0),
                )
                assert list(answers)[-1].completed == len(objects)
    assert len(kept) == (2 if stores else 0)
    assert len(got) == 2 * len(objects)


def test_no_more_contexts_than_fit_and_the_most_needed_first() -> None:
    often = StoredObject(Path("x"), "1.2.3", "1", JPEG)
    many = [StoredObject(Path("x"), f"1.2.3.{number}", "1", EXPLICIT) for number in range(300)]
    proposed = contexts_for_storage([*many, often, often])
    assert len(proposed) == MOST_CONTEXTS
    assert (proposed[0].abstract_syntax, proposed[0].transfer_syntaxes) == ("1.2.3", (JPEG,))


def test_a_scripted_destination_that_answers_nothing_to_a_store_fails_all(objects: list[StoredObject]) -> None:
    def accept_and_fall_silent(peer: ScriptedPeer) -> None:
        _, request = peer.read()
        peer.send(associate_ac(request, syntax=EXPLICIT)).read_to_end()

    with scripted_acceptor(accept_and_fall_silent) as port:
        final = move_between(objects, port, Recorder(), Timeouts(acse=1, dimse=0.1, connect=1))[-1]
    assert (final.status, final.failed) == (0xA702, 4)
    assert "no response" in final.comment
