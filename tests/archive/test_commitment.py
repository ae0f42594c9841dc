"""Storage commitment against stock pynetdicom as the SCU: asked, answered, read back, reported later on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from sandbox.archive.archive import Archive
from sandbox.archive.commitment import Reference, Report, judge, read_report, read_request, request_dataset
from sandbox.archive.commitment_service import Backoff, CommitmentService
from sandbox.archive.contexts import archive_contexts
from sandbox.archive.serve import Remote, ServeOptions, serve_archive
from sandbox.archive.store import Sync
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import AcceptorPolicy, Peer, Services
from sandbox.dicom.syntaxes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
from tests.archive.support import CT, instance
from tests.dicom.support import make_requestor, serving, unused_port, wait_until

MR = "1.2.840.10008.5.1.4.1.1.4"
QUICK = Backoff(first=0.05, factor=1.5, maximum=0.2)
TRANSACTION = "1.2.826.99.1"


class Scu:
    """A stock modality: asks, and takes reports on a port of its own."""

    def __init__(self, port: int = 0, *, status: int = 0x0000, as_scu_only: bool = False) -> None:
        self.reports: list[tuple[int, Report]] = []
        self.roles: list[Any] = []
        self.statuses = [status]
        self.ae = AE("CT1")
        if as_scu_only:
            self.ae.add_supported_context(STORAGE_COMMITMENT)
        else:
            self.ae.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
        self.ae.add_requested_context(STORAGE_COMMITMENT)
        handlers = [(evt.EVT_N_EVENT_REPORT, self._reported)]
        self.server: Any = self.ae.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)

    def _reported(self, event: Any) -> tuple[int, None]:
        dataset = event.event_information
        self.reports.append((event.request.EventTypeID, read_report(dataset)))
        self.roles.append(event.assoc.requestor.role_selection)
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0], None

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def ask(
        self, port: int, dataset: Dataset | None, action: int = 1, uid: str = STORAGE_COMMITMENT_INSTANCE
    ) -> tuple[int, str]:
        association = self.ae.associate("127.0.0.1", port, ae_title="ARCHIVE")
        assert association.is_established
        status, _ = association.send_n_action(dataset, action, STORAGE_COMMITMENT, uid)
        association.release()
        return status.Status, status.get("ErrorComment", "")

    def close(self) -> None:
        self.server.shutdown()


@contextmanager
def scu(*arguments: Any, **keywords: Any) -> Iterator[Scu]:
    made = Scu(*arguments, **keywords)
    try:
        yield made
    finally:
        made.close()


class Archived:
    """An archive that takes requests, and what it wrote into its log."""

    def __init__(self, archive: Archive, at: dict[str, int]) -> None:
        self.archive = archive
        self.at = at
        self.lines: list[str] = []
        self.requestor: Requestor = make_requestor(title="ARCHIVE")
        self.service = self.make()
        self.port = 0

    def make(self) -> CommitmentService:
        return CommitmentService(
            self.archive,
            ae_title=lambda: "ARCHIVE",
            resolve=lambda title: Peer(title, "127.0.0.1", self.at[title]) if title in self.at else None,
            requestor=lambda: self.requestor,
            note=lambda level, text: self.lines.append(f"{level}: {text}"),
            backoff=QUICK,
        )


@contextmanager
def archived(tmp_path: Path, **at: int) -> Iterator[Archived]:
    with Archive(tmp_path / "archive", ae_title="ARCHIVE", sync=Sync.NORMAL) as archive:
        made = Archived(archive, at)
        policy = AcceptorPolicy("ARCHIVE", archive_contexts())
        with serving(Services(n_action=lambda request: made.service.answer(request)), policy) as served:
            made.port = served.port
            made.service.start()
            try:
                yield made
            finally:
                made.service.halt()
                made.requestor.close("the test is over")
                made.service.stop()


def kept(archive: Archive, count: int) -> list[Reference]:
    datasets = [instance() for _ in range(count)]
    archive.add_datasets(datasets)
    return [Reference(CT, str(dataset.SOPInstanceUID)) for dataset in datasets]


def test_all_committed(tmp_path: Path) -> None:
    with scu() as modality, archived(tmp_path, CT1=modality.port) as it:
        references = kept(it.archive, 3)
        assert modality.ask(it.port, request_dataset(TRANSACTION, references)) == (0x0000, "")
        wait_until(lambda: modality.reports)
        assert modality.reports == [(1, Report(TRANSACTION, tuple(references)))]
        # We proposed to be its SCP, and nothing else (PS3.7 D.3.3.4).
        role = modality.roles[0][STORAGE_COMMITMENT]
        assert (role.scu_role, role.scp_role) == (False, True)
        wait_until(lambda: not it.service.waiting)
        assert list((it.archive.directory / "commitment").iterdir()) == []
        assert it.lines == [
            "info: CT1 asks for storage commitment of 3 instances",
            "info: Storage commitment reported to CT1: 3 instances committed",
        ]


def test_every_reason_for_failure(tmp_path: Path) -> None:
    with scu() as modality, archived(tmp_path, CT1=modality.port) as it:
        good, gone, cut, unreadable = kept(it.archive, 4)
        paths = {one: it.archive.instance_path(one.sop_instance) for one in (gone, cut, unreadable)}
        assert all(paths.values())
        paths[gone].unlink()  # type: ignore[union-attr]
        data = paths[cut].read_bytes()  # type: ignore[union-attr]
        paths[cut].write_bytes(data[:-3])  # type: ignore[union-attr]
        paths[unreadable].write_bytes(b"no DICOM")  # type: ignore[union-attr]
        other_class = Reference(MR, good.sop_instance)
        unknown = Reference(CT, "1.2.3.999")
        no_storage = Reference("1.2.840.10008.1.1", "1.2.3.998")
        asked = [good, gone, cut, unreadable, other_class, unknown, no_storage]
        assert modality.ask(it.port, request_dataset(TRANSACTION, asked))[0] == 0x0000
        wait_until(lambda: modality.reports)
        event, report = modality.reports[0]
    assert event == 2
    assert report.committed == (good,)
    assert dict(report.failed) == {
        gone: 0x0110,
        cut: 0x0110,
        unreadable: 0x0110,
        other_class: 0x0119,
        unknown: 0x0112,
        no_storage: 0x0122,
    }


def test_an_index_that_cannot_be_read_is_a_lack_of_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def locked(uid: str) -> Path:
        raise OperationalError("select", {}, Exception("database is locked"))

    with Archive(tmp_path / "archive", ae_title="ARCHIVE", sync=Sync.NORMAL) as archive:
        (one,) = kept(archive, 1)
        monkeypatch.setattr(archive, "instance_path", locked)
        assert judge(archive, TRANSACTION, [one]).failed == ((one, 0x0213),)


def _without_transaction(one: Reference) -> Dataset:
    dataset = request_dataset(TRANSACTION, [one])
    del dataset.TransactionUID
    return dataset


@pytest.mark.parametrize(
    ("change", "action", "uid", "status"),
    [
        (lambda one: request_dataset(TRANSACTION, [one]), 2, STORAGE_COMMITMENT_INSTANCE, 0x0123),
        (lambda one: request_dataset(TRANSACTION, [one]), 1, "1.2.3", 0x0112),
        (lambda one: request_dataset(TRANSACTION, []), 1, STORAGE_COMMITMENT_INSTANCE, 0x0115),
        (_without_transaction, 1, STORAGE_COMMITMENT_INSTANCE, 0x0115),
        (lambda one: None, 1, STORAGE_COMMITMENT_INSTANCE, 0x0115),
    ],
)
def test_requests_that_make_no_sense_are_refused(
    tmp_path: Path, change: Callable[[Reference], Dataset | None], action: int, uid: str, status: int
) -> None:
    with scu() as modality, archived(tmp_path, CT1=modality.port) as it:
        (one,) = kept(it.archive, 1)
        assert modality.ask(it.port, change(one), action, uid)[0] == status
        assert it.service.waiting == 0


def test_a_requester_that_is_not_in_the_ae_table_is_told_at_once(tmp_path: Path) -> None:
    with scu() as modality, archived(tmp_path) as it:
        (one,) = kept(it.archive, 1)
        told = modality.ask(it.port, request_dataset(TRANSACTION, [one]))
        assert told == (0x0110, "CT1 is not in the AE table")


def test_a_requester_that_is_down_hears_when_it_is_back(tmp_path: Path) -> None:
    port = unused_port()
    with scu() as asking, archived(tmp_path, CT1=port) as it:
        (one,) = kept(it.archive, 1)
        assert asking.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
        wait_until(lambda: sum("not reported to CT1" in line for line in it.lines) > 2)
        with scu(port) as back:
            wait_until(lambda: back.reports)
            assert back.reports == [(1, Report(TRANSACTION, (one,)))]
            wait_until(lambda: not it.service.waiting)


def test_a_request_outlives_the_process(tmp_path: Path) -> None:
    port = unused_port()
    with scu() as asking, archived(tmp_path, CT1=port) as it:
        (one,) = kept(it.archive, 1)
        assert asking.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
        wait_until(lambda: it.lines[1:])
    with scu(port) as back, archived(tmp_path, CT1=port):
        wait_until(lambda: back.reports)
        assert back.reports == [(1, Report(TRANSACTION, (one,)))]


def test_a_start_does_not_wait_for_the_next_attempt(tmp_path: Path) -> None:
    port = unused_port()
    with scu() as asking, archived(tmp_path, CT1=port) as it:
        it.service._backoff = Backoff(first=3600.0, maximum=3600.0)
        (one,) = kept(it.archive, 1)
        assert asking.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
        wait_until(lambda: any("next attempt in 3600 s" in line for line in it.lines))
        with scu(port) as back:
            it.service.stop()
            it.service.start()
            wait_until(lambda: back.reports)


def test_a_requester_that_cannot_work_on_it_now_hears_again(tmp_path: Path) -> None:
    with scu() as modality, archived(tmp_path, CT1=modality.port) as it:
        modality.statuses[:] = [0x0110, 0x0213, 0x0000]
        (one,) = kept(it.archive, 1)
        assert modality.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
        wait_until(lambda: len(modality.reports) == 3 and not it.service.waiting)
        assert "answered 0110" in it.lines[1]


def test_a_requester_that_knows_nothing_of_it_hears_once(tmp_path: Path) -> None:
    with scu(status=0x0115) as modality, archived(tmp_path, CT1=modality.port) as it:
        (one,) = kept(it.archive, 1)
        assert modality.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
        wait_until(lambda: modality.reports and not it.service.waiting)
        assert "it answered 0115" in it.lines[-1]


def test_a_requester_that_does_not_take_us_for_the_scp(tmp_path: Path) -> None:
    with scu(as_scu_only=True) as modality, archived(tmp_path, CT1=modality.port) as it:
        (one,) = kept(it.archive, 1)
        assert modality.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
        wait_until(lambda: it.lines[1:])
        assert "no presentation context" in it.lines[1]
        assert modality.reports == []


def test_a_request_that_is_forgotten_is_not_reported_any_more(tmp_path: Path) -> None:
    """And one that names other instances as well is."""
    port = unused_port()
    with archived(tmp_path, CT1=port) as made:
        probe, own = kept(made.archive, 1), kept(made.archive, 1)
        with scu() as asking:
            for number, references in enumerate((probe, probe + own), 1):
                dataset = request_dataset(f"{TRANSACTION}.{number}", references)
                assert asking.ask(made.port, dataset) == (0, "")
        wait_until(lambda: any("not reported" in text for text in made.lines), 20)
        made.service.forget([one.sop_instance for one in probe])
        assert made.service.waiting == 1
        assert len(list((made.archive.directory / "commitment").glob("*.json"))) == 1
        with scu(port) as back:
            wait_until(lambda: back.reports, 20)
            assert [report.transaction_uid for _, report in back.reports] == [f"{TRANSACTION}.2"]
            wait_until(lambda: not made.service.waiting, 20)


def test_the_same_request_again_is_one_and_another_of_the_same_uid_is_refused(tmp_path: Path) -> None:
    port = unused_port()
    with scu() as asking, archived(tmp_path, CT1=port) as it:
        one, two = kept(it.archive, 2)
        for references in ([one], [one], [two]):
            assert asking.ask(it.port, request_dataset(TRANSACTION, references))[0] == 0
        assert it.service.waiting == 2
        with scu(port) as back:
            wait_until(lambda: len(back.reports) == 2)
            assert sorted(back.reports, key=lambda report: report[0]) == [
                (1, Report(TRANSACTION, (one,))),
                (2, Report(TRANSACTION, (), ((two, 0x0131),))),
            ]
            wait_until(lambda: not it.service.waiting)


def test_a_service_that_stops_while_it_dials_ends_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, scu() as asking:
        arrived: list[socket.socket] = []
        threading.Thread(target=lambda: arrived.append(silent.accept()[0]), daemon=True).start()
        with archived(tmp_path, CT1=silent.getsockname()[1]) as it:
            (one,) = kept(it.archive, 1)
            assert asking.ask(it.port, request_dataset(TRANSACTION, [one]))[0] == 0
            wait_until(lambda: arrived)
            thread = it.service._thread
        arrived[0].close()
        assert thread is not None
        assert not thread.is_alive()
        assert not any("not reported" in line for line in it.lines)


def test_data_sets_that_are_none_are_refused() -> None:
    for read in (read_request, read_report):
        with pytest.raises(ValueError, match="Transaction UID"):
            read(None)
        with pytest.raises(ValueError, match="Transaction UID"):
            read(Dataset())


def test_archive_serve_commits(tmp_path: Path) -> None:
    with scu() as modality:
        remote = Remote(ae_title="CT1", host="127.0.0.1", port=modality.port)
        options = ServeOptions(ae_title="ARCHIVE", directory=tmp_path, remotes=(remote,), sync=Sync.NORMAL)
        with serve_archive(options) as running:
            references = kept(running.archive, 2)
            assert modality.ask(running.describe().port, request_dataset(TRANSACTION, references))[0] == 0
            wait_until(lambda: modality.reports)
        assert modality.reports == [(1, Report(TRANSACTION, tuple(references)))]
