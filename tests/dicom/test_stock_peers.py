"""Stock pynetdicom as client of our server and as server of our client: each service gives what two stock ends give."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    ModalityPerformedProcedureStep,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association, contexts_for_storage
from sandbox.dicom.contract import (
    FindAnswer,
    Peer,
    Query,
    RetrievePlan,
    Services,
    StoreRequest,
    StoreStatus,
    SupportedContext,
)
from sandbox.dicom.datasets import read_encoded
from sandbox.model.association import Side
from tests.dicom.support import (
    ALL_CONTEXTS,
    CT,
    EXPLICIT,
    IMPLICIT,
    Served,
    instance,
    make_requestor,
    query,
    serving,
    stored,
)

Caught = list[tuple[str, bytes]]


@contextlib.contextmanager
def stock_client(served: Served, *, title: str = "STOCK", get: bool = False, handlers: Any = ()) -> Iterator[Any]:
    ae = AE(title)
    for context in (
        Verification,
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelMove,
        StudyRootQueryRetrieveInformationModelGet,
        CTImageStorage,
    ):
        ae.add_requested_context(context)
    roles = [build_role(CTImageStorage, scp_role=True)] if get else []
    association = ae.associate(
        "127.0.0.1", served.port, ae_title="ARCHIVE", ext_neg=roles, evt_handlers=list(handlers), max_pdu=16382
    )
    assert association.is_established
    try:
        yield association
    finally:
        association.release()


@contextlib.contextmanager
def stock_server(handlers: list[Any], contexts: Any = (), destination_title: str = "STOCK") -> Iterator[int]:
    ae = AE(destination_title)
    for context in (
        Verification,
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelMove,
        StudyRootQueryRetrieveInformationModelGet,
    ):
        ae.add_supported_context(context)
    for context in (CTImageStorage, MRImageStorage):
        ae.add_supported_context(context, scu_role=False, scp_role=True) if "get" in contexts else (
            ae.add_supported_context(context, EXPLICIT if "explicit" in contexts else None)
        )
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def catching(caught: Caught) -> list[Any]:
    def store(event: Any) -> int:
        caught.append((str(event.request.AffectedSOPInstanceUID), event.request.DataSet.getvalue()))
        return 0x0000

    return [(evt.EVT_C_STORE, store)]


def opened(port: int, *contexts: SupportedContext, roles: tuple[str, ...] = ()) -> Association:
    association = make_requestor().associate(Peer("STOCK", "127.0.0.1", port), contexts or ALL_CONTEXTS, roles=roles)
    assert isinstance(association, Association), association
    return association


# --- a stock client of our server ---------------------------------------------------------------------------------


def test_stock_client_echoes() -> None:
    with serving() as served, stock_client(served) as association:
        for message_id in (1, 65535):
            assert association.send_c_echo(message_id).Status == 0


def test_stock_client_stores_and_its_bytes_are_kept() -> None:
    got: list[StoreRequest] = []
    services = Services(store=lambda request: got.append(request) or StoreStatus(0xB007, "not quite"))
    sent = instance(pixels=100_000)
    with serving(services) as served, stock_client(served) as association:
        status = association.send_c_store(sent, originator_aet="WHO", originator_id=5)
    assert (status.Status, status.ErrorComment) == (0xB007, "not quite")
    assert (got[0].move_originator, got[0].move_originator_id) == ("WHO", 5)
    assert got[0].transfer_syntax == EXPLICIT
    caught: Caught = []
    ae = AE("STOCK")
    ae.add_requested_context(CTImageStorage, EXPLICIT)
    with stock_server(catching(caught)) as port:
        association = ae.associate("127.0.0.1", port)
        association.send_c_store(sent)
        association.release()
    assert bytes(got[0].dataset) == caught[0][1]


def answers(found: Query) -> Iterator[FindAnswer]:
    for name in ("A^B", "C^D"):
        yield FindAnswer(0xFF00, query(PatientName=name, PatientID=str(found.identifier.PatientID)))


def test_stock_client_finds() -> None:
    with serving(Services(find=answers)) as served, stock_client(served) as association:
        found = list(association.send_c_find(query(PatientID="1"), StudyRootQueryRetrieveInformationModelFind))
    assert [status.Status for status, _ in found] == [0xFF00, 0xFF00, 0x0000]
    assert [str(identifier.PatientName) for _, identifier in found[:2]] == ["A^B", "C^D"]
    assert found[2][1] is None
    assert [exchange.pending for exchange in served.told.exchanges(Side.ACCEPTOR)] == [2]


def test_stock_client_gets_a_failure_without_an_identifier() -> None:
    services = Services(find=lambda found: iter([FindAnswer(0xA900, query(), "no level")]))
    with serving(services) as served, stock_client(served) as association:
        found = list(association.send_c_find(query(), StudyRootQueryRetrieveInformationModelFind))
    assert [(status.Status, identifier) for status, identifier in found] == [(0xA900, None)]
    assert found[0][0].ErrorComment == "no level"


def test_stock_client_moves_to_a_stock_destination(tmp_path: Path) -> None:
    objects = [stored(tmp_path, f"1.2.{number}") for number in range(3)]
    caught: Caught = []
    with stock_server(catching(caught), contexts=("explicit",), destination_title="WS1") as port:
        services = Services(
            move=lambda found, destination: RetrievePlan(tuple(objects)),
            resolve_destination=lambda title: Peer("WS1", "127.0.0.1", port) if title == "WS1" else None,
        )
        with (
            serving(services, requestor=make_requestor(title="ARCHIVE")) as served,
            stock_client(served) as association,
        ):
            responses = [
                status
                for status, _ in association.send_c_move(
                    query(StudyInstanceUID="1.2.3"), "WS1", StudyRootQueryRetrieveInformationModelMove
                )
            ]
    assert [response.Status for response in responses] == [0xFF00] * 3 + [0x0000]
    assert [response.get("NumberOfRemainingSuboperations") for response in responses] == [2, 1, 0, None]
    assert responses[-1].NumberOfCompletedSuboperations == 3
    assert caught == [(item.sop_instance, bytes(read_encoded(item.path))) for item in objects]


def test_stock_client_gets(tmp_path: Path) -> None:
    objects = [stored(tmp_path, f"1.2.{number}") for number in range(2)]
    caught: Caught = []
    services = Services(get=lambda found: RetrievePlan(tuple(objects)))
    with serving(services) as served, stock_client(served, get=True, handlers=catching(caught)) as association:
        responses = [
            status.Status
            for status, _ in association.send_c_get(
                query(StudyInstanceUID="1.2.3"), StudyRootQueryRetrieveInformationModelGet
            )
        ]
    assert responses == [0xFF00, 0xFF00, 0x0000]
    assert [uid for uid, _ in caught] == ["1.2.0", "1.2.1"]


def test_stock_client_is_answered_by_pynetdicoms_own_service_classes() -> None:
    """DIMSE-N services run on pynetdicom's classes, over our DUL; without a handler they say 0110."""
    mpps = str(ModalityPerformedProcedureStep)
    with serving(contexts=(SupportedContext(mpps, (IMPLICIT,)),)) as served:
        ae = AE("STOCK")
        ae.add_requested_context(mpps)
        association = ae.associate("127.0.0.1", served.port, ae_title="ARCHIVE")
        status, _ = association.send_n_create(query(), mpps, "1.2.3")
        association.release()
        assert status.Status == 0x0110
        exchange = served.told.exchanges(Side.ACCEPTOR)[0]
        assert (exchange.service, exchange.sop_instance, exchange.status) == ("N-CREATE", "1.2.3", 0x0110)


# --- our client of a stock server ---------------------------------------------------------------------------------


def test_our_client_echoes() -> None:
    with stock_server([]) as port, opened(port) as association:
        assert association.echo().status == 0


@pytest.mark.parametrize("maximum", [0, 100, 16382])
def test_our_client_stores_the_files_bytes_as_they_are(tmp_path: Path, maximum: int) -> None:
    item, caught = stored(tmp_path, pixels=70_001), Caught()
    ae = AE("STOCK")
    ae.maximum_pdu_size = maximum
    ae.add_supported_context(CTImageStorage, EXPLICIT)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=catching(caught))
    try:
        with opened(server.server_address[1], *contexts_for_storage([item])) as association:
            assert association.store(item).succeeded
    finally:
        server.shutdown()
    assert caught == [(item.sop_instance, bytes(read_encoded(item.path)))]


def test_our_client_converts_where_the_peer_takes_only_implicit(tmp_path: Path) -> None:
    item, caught = stored(tmp_path), Caught()
    with serving(
        Services(store=lambda request: caught.append((request.transfer_syntax, b"")) or StoreStatus(0)),
        contexts=syntaxes.storage_contexts((CT,), (IMPLICIT,)),
    ) as served:
        association = served.requestor().associate(served.peer, contexts_for_storage([item]))
        assert isinstance(association, Association)
        with association:
            assert association.store(item).succeeded
            assert association.store(instance("1.2.9")).succeeded
    assert caught == [(IMPLICIT, b""), (IMPLICIT, b"")]


def test_our_client_finds() -> None:
    def find(event: Any) -> Iterator[Any]:
        yield 0xFF00, query(PatientName="A^B")
        yield 0xFF01, query(PatientName="C^D")
        yield 0x0000, None

    with stock_server([(evt.EVT_C_FIND, find)]) as port, opened(port) as association:
        found = list(association.find(syntaxes.STUDY_ROOT_FIND, query()))
        assert [response.status for response in found] == [0xFF00, 0xFF01, 0]
        assert [str(response.identifier.PatientName) for response in found[:2] if response.identifier] == ["A^B", "C^D"]
        assert association.echo().succeeded


def test_our_client_moves() -> None:
    def move(event: Any) -> Iterator[Any]:
        yield "127.0.0.1", sink, {"contexts": [build_context(CTImageStorage, EXPLICIT)]}
        yield 2
        yield 0xFF00, instance("1.2.1", CT)
        yield 0xFF00, instance("1.2.2", "1.2.840.10008.5.1.4.1.1.128")

    caught: Caught = []
    with (
        stock_server(catching(caught)) as sink,
        stock_server([(evt.EVT_C_MOVE, move)]) as port,
        opened(port) as association,
    ):
        responses = list(association.move(syntaxes.STUDY_ROOT_MOVE, query(StudyInstanceUID="1.2.3"), "WS1"))
    final = responses[-1]
    assert [response.status for response in responses] == [0xFF00, 0xFF00, 0xB000]
    assert (final.completed, final.failed, final.failed_uids) == (1, 1, ("1.2.2",))
    assert [uid for uid, _ in caught] == ["1.2.1"]


def test_our_client_gets() -> None:
    def get(event: Any) -> Iterator[Any]:
        yield 1
        yield 0xFF00, instance("1.2.1", CT)

    got: list[StoreRequest] = []
    with stock_server([(evt.EVT_C_GET, get)], "get") as port:
        contexts = (*syntaxes.query_retrieve_get(), *syntaxes.storage_contexts((CT,), syntaxes.UNCOMPRESSED))
        with opened(port, *contexts, roles=(CT,)) as association:
            responses = list(
                association.get(
                    syntaxes.STUDY_ROOT_GET,
                    query(StudyInstanceUID="1.2.3"),
                    lambda request: got.append(request) or StoreStatus(0),
                )
            )
    assert [response.status for response in responses] == [0xFF00, 0x0000]
    assert got[0].sop_instance == "1.2.1"


def test_our_client_is_told_how_a_stock_server_rejects() -> None:
    ae = AE("STOCK")
    ae.add_supported_context(Verification)
    ae.require_called_aet = True
    server = ae.start_server(("127.0.0.1", 0), block=False)
    try:
        failure = make_requestor().associate(
            Peer("OTHER", "127.0.0.1", server.server_address[1]), syntaxes.verification()
        )
    finally:
        server.shutdown()
    assert not isinstance(failure, Association)
    assert str(failure.rejection) == "1/1/7"
