"""A modality that asks for storage commitment: of the department's archive through the router, and of a stock SCP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pynetdicom import AE, build_role, evt

from sandbox.archive.commitment import Reference, Report, read_request, report_dataset
from sandbox.dicom.syntaxes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
from sandbox.model.config import RetryPolicy
from sandbox.nodes.commitment_rows import CommitmentState
from tests.nodes.conftest import QUICK, ROLES, Small, line

COMMITTED, FAILED, REQUESTED = CommitmentState.COMMITTED, CommitmentState.FAILED, CommitmentState.REQUESTED
PATIENT = QUICK | {"attempts": 1000}


def states(small: Small) -> set[CommitmentState]:
    return set(small.ct.commitment.states().values())


def bodies(small: Small, kind: str) -> list[Any]:
    return [event.body for event in small.events.since() if event.kind == kind]


def test_off_by_default(small: Small) -> None:
    small.ct.acquire(images=1)
    small.wait_until(lambda: small.has("instance.stored", "ARCHIVE"))
    assert not small.has("commitment.requested")
    assert small.ct.commitment.states() == {}
    assert not (small.ct.context.directory / "commitment.sqlite").exists()


def test_an_exam_is_committed_by_the_archive_behind_the_router(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"request_commitment": "ARCHIVE", "retry": PATIENT})
    exam = small.ct.acquire(images=3)
    small.wait_until(lambda: states(small) == {COMMITTED})
    assert len(small.ct.commitment.states()) == 3
    last = bodies(small, "commitment.reported")[-1]
    assert last.peer == "ARCHIVE"
    assert last.committed > 0
    asked = next(event for event in small.events.since() if event.kind == "commitment.requested")
    assert asked.node == "CT1"
    # The log tells why: what was asked follows from the exam.
    assert asked.cause == exam.event
    small.wait_log("CT1", "Storage commitment by ARCHIVE")
    small.wait_log("ARCHIVE", "Storage commitment reported to CT1")


def test_what_the_archive_does_not_have_yet_is_asked_for_again(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"request_commitment": "ARCHIVE", "retry": PATIENT})
    router = small.department.node("ROUTER")
    assert router.queue is not None
    router.queue.hold("ARCHIVE", "a test")
    small.ct.acquire(images=2)
    small.wait_until(lambda: any(body.reasons == (0x0112,) for body in bodies(small, "commitment.reported")))
    assert COMMITTED not in states(small)
    router.queue.resume("ARCHIVE")
    small.wait_until(lambda: states(small) == {COMMITTED})


def test_an_archive_that_is_down_is_asked_when_it_is_back_and_the_lab_may_end_meanwhile(
    make_small: Callable[..., Small],
) -> None:
    small = make_small(CT1={"request_commitment": "ARCHIVE", "retry": PATIENT}, ROUTER={"retry": PATIENT})
    small.department.node("ARCHIVE").stop()
    small.ct.acquire(images=1)
    small.wait_log("CT1", "cannot be asked of ARCHIVE")
    small.reopen()
    assert states(small) <= {CommitmentState.WAITING, REQUESTED}
    small.department.node("ARCHIVE").start()
    small.wait_until(lambda: states(small) == {COMMITTED})


def test_an_uncommitted_study_stays_on_the_disk(make_small: Callable[..., Small]) -> None:
    small = make_small(
        CT1={"request_commitment": "ARCHIVE", "retry": PATIENT, "keep_studies": 1}, ROUTER={"retry": PATIENT}
    )
    small.department.node("ARCHIVE").stop()
    first = small.ct.acquire(images=1)
    small.wait_log("CT1", "cannot be asked of ARCHIVE")
    small.ct.acquire(images=1)
    assert small.ct.store.study(first.study_uid) is not None
    small.department.node("ARCHIVE").start()
    small.wait_until(lambda: states(small) == {COMMITTED})
    small.ct.acquire(images=1)
    assert small.ct.store.study(first.study_uid) is None
    assert first.objects[0].sop_instance not in small.ct.commitment.states()


class StockScp:
    """An archive made of stock pynetdicom that answers as it is told: at once, later, never."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Reference, ...]]] = []
        self.answered: list[int] = []
        self.status = 0x0000
        self.now: Callable[[str, tuple[Reference, ...]], Report] | None = None
        self.ae = AE("STOCK")
        self.ae.add_supported_context(STORAGE_COMMITMENT)
        self.ae.add_requested_context(STORAGE_COMMITMENT)
        self.server: Any = self.ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, self._asked)]
        )

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def _asked(self, event: Any) -> tuple[int, None]:
        transaction_uid, references = read_request(event.action_information)
        if self.now is not None:
            self._report(event.assoc, self.now(transaction_uid, references))
        self.asked.append((transaction_uid, references))
        return self.status, None

    def _report(self, association: Any, report: Report) -> None:
        status, _ = association.send_n_event_report(
            report_dataset(report, "STOCK"), report.event_type, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
        )
        self.answered.append(status.Status)

    def later(self, port: int, report: Report) -> None:
        """Report on an association of our own."""
        roles = [build_role(STORAGE_COMMITMENT, scp_role=True)]
        association = self.ae.associate("127.0.0.1", port, ae_title="CT1", ext_neg=roles)
        assert association.is_established
        self._report(association, report)
        association.release()


@pytest.fixture
def stock() -> Iterator[StockScp]:
    made = StockScp()
    yield made
    made.server.shutdown()


@pytest.fixture
def asking(make_small: Callable[..., Small], stock: StockScp) -> Small:
    """CT1 asks the stock SCP, which is outside the department."""
    outside = line("ARCHIVE") | {"name": "STOCK", "ae_title": "STOCK", "host": "127.0.0.1", "port": stock.port}
    remotes = [*(line(other) for other in ROLES if other != "CT1"), outside]
    return make_small(CT1={"request_commitment": "STOCK", "retry": PATIENT, "remotes": remotes})


def port_of(small: Small) -> int:
    return int(small.ct.published.rpartition(":")[2])


def test_a_stock_scp_reports_later(asking: Small, stock: StockScp) -> None:
    asking.ct.acquire(images=2)
    asking.wait_until(lambda: bool(stock.asked))
    transaction_uid, references = stock.asked[0]
    one, two = references
    stock.later(port_of(asking), Report(transaction_uid, (one,), ((two, 0x0119),)))
    assert stock.answered == [0x0000]
    assert asking.ct.commitment.states() == {one.sop_instance: COMMITTED, two.sop_instance: FAILED}
    (told,) = bodies(asking, "commitment.reported")
    assert (told.committed, told.failed, told.reasons) == (1, 1, (0x0119,))
    asking.wait_log("CT1", "0119 class-instance conflict")


def test_a_stock_scp_reports_at_once_on_the_same_association(asking: Small, stock: StockScp) -> None:
    stock.now = Report
    asking.ct.acquire(images=2)
    asking.wait_until(lambda: states(asking) == {COMMITTED} and stock.answered == [0x0000])
    assert len(bodies(asking, "commitment.requested")) == 1


def test_reports_that_make_no_sense_are_refused(asking: Small, stock: StockScp) -> None:
    asking.ct.acquire(images=1)
    asking.wait_until(lambda: bool(stock.asked))
    _, references = stock.asked[0]
    stock.later(port_of(asking), Report("1.2.3.4.5", references))
    assert stock.answered == [0x0115]
    assert states(asking) == {REQUESTED}


def test_a_refused_request_is_made_again_with_another_transaction(asking: Small, stock: StockScp) -> None:
    stock.status = 0x0213
    asking.ct.acquire(images=1)
    asking.wait_until(lambda: len(stock.asked) > 1)
    assert len({transaction_uid for transaction_uid, _ in stock.asked}) == len(stock.asked)
    asking.wait_log("CT1", "0213 resource limitation")
    stock.now, stock.status = Report, 0x0000
    asking.wait_until(lambda: states(asking) == {COMMITTED})


def test_a_report_that_never_comes_is_asked_for_again(asking: Small, stock: StockScp) -> None:
    asking.ct.commitment.report_within_s = 0.1
    asking.ct.acquire(images=1)
    asking.wait_until(lambda: len(stock.asked) > 2)
    stock.now = Report
    asking.wait_until(lambda: states(asking) == {COMMITTED})


def test_it_gives_up_in_the_end(asking: Small, stock: StockScp) -> None:
    assert RetryPolicy.model_validate(QUICK).attempts == 3
    asking.change("CT1", retry=QUICK)
    stock.status = 0x0110
    asking.ct.acquire(images=1)
    asking.wait_until(lambda: states(asking) == {FAILED})
    assert len(stock.asked) == 3


def test_no_thread_is_left(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"request_commitment": "ARCHIVE", "retry": PATIENT})
    small.ct.acquire(images=1)
    small.wait_until(lambda: states(small) == {COMMITTED})
    small.close()
    assert not [thread.name for thread in threading.enumerate() if "commitment" in thread.name]
