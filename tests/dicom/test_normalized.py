"""The DIMSE-N services, both ways, against stock pynetdicom: each side reads what the other one means."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import NormalizedAnswer, NormalizedRequest, Peer, Role, Services, SupportedContext
from sandbox.dicom.syntaxes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
from sandbox.model.association import Side
from tests.dicom.support import POLICY, make_requestor, serving, wait_until

MPPS = "1.2.840.10008.3.1.2.3.3"
CONTEXTS = (
    *syntaxes.verification(),
    *syntaxes.storage_commitment(),
    SupportedContext(MPPS, syntaxes.UNCOMPRESSED),
)


def named(name: str) -> Dataset:
    dataset = Dataset()
    dataset.PatientName = name
    return dataset


class Service:
    """Answers everything with what it is told, and remembers what it was asked."""

    def __init__(self, answer: NormalizedAnswer) -> None:
        self.answer = answer
        self.asked: list[NormalizedRequest] = []

    def __call__(self, request: NormalizedRequest) -> NormalizedAnswer:
        self.asked.append(request)
        return self.answer


def services(answer: NormalizedAnswer) -> tuple[Services, Service]:
    service = Service(answer)
    return Services(
        n_action=service, n_event_report=service, n_create=service, n_set=service, n_get=service, n_delete=service
    ), service


def test_stock_pynetdicom_asks_us_all_six() -> None:
    offered, service = services(NormalizedAnswer(0, named("Answer")))
    with serving(offered, POLICY, contexts=CONTEXTS) as served:
        ae = AE("STOCK")
        ae.add_requested_context(MPPS)
        ae.add_requested_context(STORAGE_COMMITMENT)
        roles = [build_role(STORAGE_COMMITMENT, scu_role=True, scp_role=True)]
        stock = ae.associate("127.0.0.1", served.port, ae_title="ARCHIVE", ext_neg=roles)
        assert stock.is_established
        one = STORAGE_COMMITMENT_INSTANCE
        answers: list[tuple[Any, Any]] = [
            stock.send_n_create(named("a"), MPPS, "1.2.3"),
            stock.send_n_set(named("b"), MPPS, "1.2.3"),
            stock.send_n_get([0x00100010], MPPS, "1.2.3"),
            stock.send_n_action(named("c"), 1, STORAGE_COMMITMENT, one),
            stock.send_n_event_report(named("d"), 2, STORAGE_COMMITMENT, one),
        ]
        for status, dataset in answers:
            assert status.Status == 0
            assert dataset.PatientName == "Answer"
        assert stock.send_n_delete(MPPS, "1.2.3").Status == 0
        stock.release()
        exchanged = [(exchange.service, exchange.status) for exchange in served.told.exchanges(Side.ACCEPTOR)]
    assert exchanged == [(name, 0) for name in ("N-CREATE", "N-SET", "N-GET", "N-ACTION", "N-EVENT-REPORT", "N-DELETE")]
    assert [(request.sop_class, request.sop_instance, request.number) for request in service.asked] == [
        (MPPS, "1.2.3", 0),
        (MPPS, "1.2.3", 0),
        (MPPS, "1.2.3", 0),
        (STORAGE_COMMITMENT, one, 1),
        (STORAGE_COMMITMENT, one, 2),
        (MPPS, "1.2.3", 0),
    ]
    assert [str(request.dataset.PatientName) if request.dataset else "" for request in service.asked] == [
        "a", "b", "", "c", "d", "",
    ]  # fmt: skip
    assert service.asked[2].attributes == (0x00100010,)


def test_failures_carry_their_comment_and_error_id() -> None:
    offered, service = services(NormalizedAnswer(0x0110, comment="May no longer be updated", error_id=0xA710))
    with serving(offered, POLICY, contexts=CONTEXTS) as served:
        opened = served.requestor().associate(served.peer, CONTEXTS)
        assert isinstance(opened, Association)
        with opened:
            outcome = opened.n_set(MPPS, "1.2.3", named("a"))
            assert (outcome.status, outcome.comment) == (0x0110, "May no longer be updated")
            service.answer = NormalizedAnswer(0, sop_instance="1.2.9")
            assert opened.n_create(MPPS, "", named("a")).sop_instance == "1.2.9"
            assert opened.n_get(MPPS, "1.2.3").dataset is None
            assert opened.n_delete(MPPS, "1.2.3").status == 0
            # Who did not propose to be the SCP may not report events.
            assert opened.n_event_report(STORAGE_COMMITMENT, "1.2", 1).failure


def test_a_service_that_raises_and_one_that_is_not_offered() -> None:
    def broken(request: NormalizedRequest) -> NormalizedAnswer:
        raise KeyError(request.sop_instance)

    with serving(Services(n_action=broken), POLICY, contexts=CONTEXTS) as served:
        opened = served.requestor().associate(served.peer, CONTEXTS)
        assert isinstance(opened, Association)
        with opened:
            outcome = opened.n_action(STORAGE_COMMITMENT, "1.2", 1, named("a"))
            assert (outcome.status, outcome.comment) == (0x0110, "the service failed")
            failed = opened.n_set(MPPS, "1.2.3", named("a")).status
            assert failed is not None
            assert failed >> 8 == 1


def test_an_event_is_answered_on_the_association_that_we_opened() -> None:
    ae = AE("ARCHIVE")
    ae.add_supported_context(STORAGE_COMMITMENT)
    answered: list[int] = []

    def action(event: Any) -> tuple[int, None]:
        # Before its own response: the report overtakes it.
        status, _ = event.assoc.send_n_event_report(named("now"), 1, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE)
        answered.append(status.Status)
        return 0x0000, None

    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, action)])
    assert server is not None
    service = Service(NormalizedAnswer(0))
    try:
        peer = Peer("ARCHIVE", "127.0.0.1", server.server_address[1])
        opened = make_requestor().associate(peer, syntaxes.storage_commitment())
        assert isinstance(opened, Association)
        opened.answer_events(service)
        with opened:
            assert opened.n_action(STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, 1, named("a")).status == 0
            assert not opened.await_event(0.05)
    finally:
        server.shutdown()
    assert answered == [0]
    assert [(request.number, str(request.dataset and request.dataset.PatientName)) for request in service.asked] == [
        (1, "now")
    ]


def test_we_report_an_event_to_stock_pynetdicom() -> None:
    reported: list[Any] = []

    def report(event: Any) -> tuple[int, None]:
        reported.append((event.request.EventTypeID, str(event.event_information.PatientName)))
        return 0x0000, None

    ae = AE("CT1")
    ae.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    assert server is not None
    try:
        peer = Peer("CT1", "127.0.0.1", server.server_address[1])
        opened = make_requestor().associate(
            peer, syntaxes.storage_commitment(), roles=(Role(STORAGE_COMMITMENT, scu=False, scp=True),)
        )
        assert isinstance(opened, Association), opened
        with opened:
            outcome = opened.n_event_report(STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, 2, named("later"))
            assert outcome.status == 0
    finally:
        server.shutdown()
    wait_until(lambda: reported == [(2, "later")])
