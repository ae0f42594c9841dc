"""Writing instances: the driver's statements give the rows that a recount gives, share commits, and use the keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from sandbox.archive.archive import Archive
from sandbox.archive.attributes import AT_LEVEL, Level
from sandbox.archive.header import read_header
from sandbox.archive.index import database, writer
from sandbox.archive.index import index as module
from sandbox.archive.index.checkpoints import Checkpoints
from sandbox.archive.index.index import Index, InstanceRecord, add_record
from sandbox.archive.index.schema import TABLE, instances, series, studies
from sandbox.archive.names import folded_columns
from sandbox.archive.store import Sync
from tests.archive.conftest import PG_URL
from tests.archive.support import CT, MR, encoded, instance, store, uid

EXPLICIT = "1.2.840.10008.1.2.1"


def _record(sop_instance: str = "", **elements: object) -> InstanceRecord:
    ds = instance(SOPInstanceUID=sop_instance or uid(), SpecificCharacterSet="ISO_IR 192", **elements)
    header = read_header(encoded(ds), EXPLICIT)
    return InstanceRecord(header, ds.SOPClassUID, ds.SOPInstanceUID, EXPLICIT, f"00/{ds.SOPInstanceUID}.dcm", 7, 1.0)


@pytest.fixture
def index(tmp_path: Path, index_url: str | None) -> Iterator[Index]:
    opened = Index(database.open_database(index_url or database.sqlite_url(tmp_path / "index.sqlite"), Sync.FULL))
    yield opened
    opened.close()


def _two_studies() -> list[InstanceRecord]:
    """Studies of several series, classes and modalities, names in scripts, values with backslashes and none at all."""
    first, second, shared = uid(), uid(), uid()
    return [
        _record(StudyInstanceUID=first, SeriesInstanceUID=shared, Modality="CT"),
        _record(StudyInstanceUID=first, SeriesInstanceUID=shared, Modality="CT", InstanceNumber="2"),
        _record(StudyInstanceUID=first, SOPClassUID=MR, Modality="MR", PatientName="Ωmega^Ä=漢^字"),
        _record(StudyInstanceUID=second, SeriesInstanceUID=shared, PatientID=None, PatientName="Müller^Zoë"),
        _record(StudyInstanceUID=second, SOPClassUID=MR, Modality=None, OtherPatientIDs=["1", "2"]),
    ]


def test_rows_are_what_a_recount_gives(index: Index) -> None:
    """Each row holds its header's values, and every count and list is that of the rows below it."""
    records = _two_studies()
    assert [index.add(record) for record in records] == [True] * len(records)
    assert not index.add(records[0]), "what is there is not counted again"
    with index.connect() as connection:
        for record in records:
            _check_values(connection, record)
        for study in connection.execute(select(studies)).mappings():
            rows = connection.execute(
                select(instances, series.c.modality, series.c.id.label("of_series"))
                .join(series, instances.c.series_row == series.c.id)
                .where(series.c.study_row == study["id"])
                .order_by(instances.c.id)
            ).all()
            assert study["number_of_study_related_instances"] == len(rows)
            assert study["number_of_study_related_series"] == len({row.of_series for row in rows})
            assert study["size"] == 7 * len(rows)
            assert study["received"] == 1.0
            assert study["modalities_in_study"] == "\\".join(
                dict.fromkeys(row.modality for row in rows if row.modality)
            )
            assert study["sop_classes_in_study"] == "\\".join(dict.fromkeys(row.sop_class_uid for row in rows))
        for row in connection.execute(select(series)).mappings():
            counted = connection.scalar(select(func.count()).where(instances.c.series_row == row["id"]))
            assert row["number_of_series_related_instances"] == counted


def _listed(values: Iterable[str]) -> str:
    return "\\".join(dict.fromkeys(values))


def _check_values(connection: Connection, record: InstanceRecord) -> None:
    """The rows of the instance and of its series hold what its header says."""
    with_series = instances.join(series, instances.c.series_row == series.c.id)
    for level in (Level.IMAGE, Level.SERIES):
        row = (
            connection.execute(
                select(TABLE[level]).select_from(with_series).where(instances.c.sop_instance_uid == record.sop_instance)
            )
            .mappings()
            .one()
        )
        for attribute in AT_LEVEL[level]:
            if not attribute.computed:
                assert row[attribute.column] == record.header.get(attribute), attribute.keyword
        if level is Level.IMAGE:
            assert (row["file"], row["size"], row["received"]) == (record.file, record.size, record.received)
            assert row["available_transfer_syntax_uid"] == EXPLICIT


def test_a_new_study_has_all_its_values_and_its_names_folded(index: Index) -> None:
    record = _record(PatientName="Müller^Zoë=漢^字", ReferringPhysicianName="Doe^Ann")
    index.add(record)
    with index.connect() as connection:
        row = connection.execute(select(studies)).mappings().one()
    assert (row["patient_name_folded"], row["patient_name_other"]) == folded_columns(
        record.header.get_keyword("PatientName")
    )
    assert row["referring_physician_name_folded"] == "DOE^ANN"
    for attribute in (*AT_LEVEL[Level.PATIENT], *AT_LEVEL[Level.STUDY]):
        if not attribute.computed:
            assert row[attribute.column] == record.header.get(attribute), attribute.keyword
    assert row["patient_key"] == writer.patient_key(record.header)


def test_values_of_any_length_go_into_the_indexes_of_a_database(index: Index) -> None:
    """Issuer and ID together, or a name with its date, are more than PostgreSQL puts on a page of an index."""
    issuer, patient_id = ("".join(chr(0x4E00 + (n * k) % 20000) for n in range(600)) for k in (7919, 104729))
    long = {"IssuerOfPatientID": issuer, "PatientID": patient_id}
    records = [_record(**long), _record(**long), _record(**long | {"PatientID": patient_id[::-1]})]
    assert [index.add(record) for record in records] == [True] * 3
    with index.connect() as connection:
        first, second, other = connection.execute(select(studies.c.patient_key).order_by(studies.c.id)).scalars()
    assert first == second != other


def test_an_operations_transaction_writes_the_same_rows(index: Index, tmp_path: Path) -> None:
    """``add_record`` on a SQLAlchemy connection, and ``add`` on the driver's own."""
    records = _two_studies()
    for record in records:
        index.add(record)
    other = Index(database.open_database(database.sqlite_url(tmp_path / "other.sqlite"), Sync.NORMAL))
    with other.changing() as connection:
        assert [add_record(connection, record) for record in records] == [True] * len(records)
    for table in (studies, series, instances):
        with index.connect() as one, other.connect() as two:
            assert [tuple(row) for row in one.execute(select(table).order_by(table.c.id))] == [
                tuple(row) for row in two.execute(select(table).order_by(table.c.id))
            ]
    other.close()


def test_what_the_driver_raises_is_raised_as_sqlalchemy_does(index: Index) -> None:
    record = _record()
    index.add(record)
    again = "INSERT INTO instances (series_row, sop_instance_uid, received) SELECT series_row, sop_instance_uid, 1.0"

    def twice() -> None:
        with index.changing() as connection, writer.cursor_of(connection) as cursor:
            cursor.execute(f"{again} FROM instances")

    with pytest.raises(IntegrityError):
        twice()
    assert index.add(_record()), "and the next one is written"


@pytest.mark.skipif(not PG_URL, reason="PACS_SANDBOX_TEST_PG_URL is not set")
@pytest.mark.parametrize("index_url", ["postgresql"], indirect=True)
def test_a_database_that_was_restarted_is_met_again(index: Index) -> None:
    index.add(_record())
    with index._connection.transaction(durable=False) as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found = cursor.fetchone()
    assert found is not None
    with index.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": found[0]})
    assert index.add(_record())


def _fails_once(opened: Index, which: int, *, commits: bool) -> None:
    """Let the transaction with this number be answered as lost, though it was committed, or not."""
    real, begun = opened._connection.transaction, count()

    @contextmanager
    def transaction(*, durable: bool) -> Iterator[object]:
        fails = next(begun) == which
        with real(durable=durable) as cursor:
            yield cursor
            if fails and not commits:
                raise _lost()
        if fails and commits:
            raise _lost()

    opened._connection.transaction = transaction  # type: ignore[method-assign, assignment]


def _lost() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("the server closed the connection"), connection_invalidated=True)


@pytest.mark.parametrize("commits", [True, False])
def test_a_first_delivery_whose_commit_was_not_heard_of_is_no_duplicate(index: Index, commits: bool) -> None:
    record = _record()
    _fails_once(index, 0, commits=commits)
    assert index.add(record)
    assert not index.add(record), "the next one is"


def test_a_first_delivery_beside_one_that_cannot_be_confirmed_is_no_duplicate(index: Index) -> None:
    """Both share a commit that goes through; what fails is the second one, for the other's file alone."""
    there, fresh = _record(), _record()
    index.add(there)
    _fails_once(index, 1, commits=False)
    jobs = [module._Job(record, durable=False) for record in (there, fresh)]
    index._commit(jobs)
    assert [(job.done, job.new, job.error) for job in jobs] == [(True, False, None), (True, True, None)]


def test_a_commit_is_flushed_where_it_must_be(tmp_path: Path) -> None:
    """Under ``full``: bulk loads and operations always, a C-STORE not (its file is), unless the clock was set back so
    far that recovery would not find it."""
    opened = Index(database.open_database(database.sqlite_url(tmp_path / "index.sqlite"), Sync.FULL))
    asked: list[bool] = []
    real = opened._connection.transaction

    @contextmanager
    def transaction(*, durable: bool) -> Iterator[object]:
        asked.append(durable)
        with real(durable=durable) as cursor:
            level = cursor.execute("PRAGMA synchronous").fetchone()[0]
            assert level == (2 if durable else 1)
            yield cursor

    opened._connection.transaction = transaction  # type: ignore[method-assign, assignment]

    def at(received: float) -> InstanceRecord:
        record = _record()
        return InstanceRecord(record.header, CT, record.sop_instance, EXPLICIT, "x", 1, received)

    opened.add(at(1000.0))
    opened.add(at(1000.0 - module.SET_BACK_S / 2))
    opened.add(at(1000.0 - module.SET_BACK_S * 2))
    opened.add_many([at(2000.0)])
    assert asked == [False, False, True, True]
    asked.clear()
    healed = at(2001.0)
    opened.add(healed)
    opened.add(replace(healed, size=2))
    assert asked == [False, False, True], "a row that was there is not made again from its file"
    with opened.connect() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2, "every other connection flushes"
    opened.close()


def test_waiting_senders_share_a_commit(tmp_path: Path) -> None:
    """While one commits, the others queue; the next turn commits them all at once."""
    with Archive(tmp_path, ae_title="A", sync="normal") as archive:
        store(archive, instance())
        index: Index = archive._index
        commits: list[int] = []
        real = index._write

        def write(batch: list[module._Job]) -> None:
            commits.append(len(batch))
            real(batch)

        index._write = write  # type: ignore[method-assign]
        index._turn.acquire()
        senders = [threading.Thread(target=index.add, args=(_record(),)) for _ in range(12)]
        for sender in senders:
            sender.start()
        deadline = time.monotonic() + 20
        while len(index._waiting) < 12 and time.monotonic() < deadline:
            time.sleep(0.005)
        index._turn.release()
        for sender in senders:
            sender.join(20)
        assert archive.counts().instances == 13
        assert commits == [12]


def test_the_log_does_not_grow_for_ever_and_no_commit_moves_it(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    opened = Index(database.open_database(database.sqlite_url(path), Sync.FULL))
    opened._checkpoints = Checkpoints(opened._engine, opened._turn, every=50)
    size: list[int] = []
    for _ in range(5):
        for _ in range(50):
            opened.add(_record())
        thread = opened._checkpoints._thread
        assert thread is not None
        thread.join(20)
        assert not thread.is_alive()
        size.append((tmp_path / "index.sqlite-wal").stat().st_size)
    assert max(size) <= 2 * size[0], "the log is begun anew"
    main = path.read_bytes()
    (tmp_path / "moved.sqlite").write_bytes(main)
    with database.open_database(database.sqlite_url(tmp_path / "moved.sqlite"), Sync.NORMAL).connect() as connection:
        assert connection.scalar(select(func.count()).select_from(instances)) == 250, "and all of it is in the database"
    opened.close()


def test_an_index_that_closes_waits_for_the_log_to_be_moved(tmp_path: Path) -> None:
    opened = Index(database.open_database(database.sqlite_url(tmp_path / "index.sqlite"), Sync.FULL))
    opened._checkpoints = Checkpoints(opened._engine, opened._turn, every=1)
    opened.add(_record())
    opened.close()
    assert not (tmp_path / "index.sqlite-wal").exists()


def test_a_bad_instance_fails_alone(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = uid(), uid()
    real = writer.InstanceWriter.add

    def add(self: writer.InstanceWriter, cursor: object, record: InstanceRecord) -> bool:
        if record.sop_instance == bad:
            raise IntegrityError("x", {}, Exception("x"))
        return real(self, cursor, record)  # type: ignore[arg-type]

    monkeypatch.setattr(writer.InstanceWriter, "add", add)
    jobs = [module._Job(_record(one), durable=True) for one in (bad, good)]
    archive._index._commit(jobs)
    assert jobs[0].error is not None
    assert (jobs[1].error, jobs[1].new) == (None, True)


def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(index: Index) -> None:
    def fail() -> None:
        with index._connection.transaction(durable=False) as cursor:
            index._instances.add(cursor, _record())
            raise index._engine.dialect.loaded_dbapi.OperationalError("the disk is full")

    with pytest.raises(OperationalError):
        fail()
    with index.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(instances)) == 0
    assert index.add(_record())


@pytest.mark.parametrize("name", ["KNOWN", "COUNT_IN_STUDY", "COUNT_IN_SERIES", "DESCRIBE_STUDY", "FOLLOW_FILE"])
def test_storing_looks_rows_up_and_scans_for_none(tmp_path: Path, name: str) -> None:
    """So that a C-STORE costs the same whatever is stored already."""
    engine = database.open_database(database.sqlite_url(tmp_path / "index.sqlite"), Sync.NORMAL)
    statement = str(getattr(writer, name).compile(dialect=engine.dialect))
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?"))
        steps = [str(row[3]) for row in plan]
    engine.dispose()
    assert steps
    assert all(step.startswith("SEARCH") for step in steps), steps
