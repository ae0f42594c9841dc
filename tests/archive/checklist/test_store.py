"""C-STORE on a socket (PS3.4 B.2.3, PS3.7 9.1.1 and annex C): each status, from the bytes that earn it."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import Engine, event

from sandbox.archive.archive import Archive
from sandbox.archive.operations.reject import Reject
from sandbox.archive.operations.undo import Undo
from sandbox.archive.part10 import opened
from sandbox.archive.serve import RunningArchive
from sandbox.dicom import syntaxes
from sandbox.dicom.messages import C_ECHO_RQ, C_FIND_RQ, C_MOVE_RQ, C_STORE_RQ
from tests.archive.checklist.wire import EVERYTHING, Wire, pdvs
from tests.archive.support import CT, MR, STUDY_FIND, STUDY_MOVE, encoded, identifier, instance
from tests.dicom.support import EXPLICIT, IMPLICIT, pdu, wait_until

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def counted(served: RunningArchive) -> tuple[int, int, int]:
    counts = served.archive.counts()
    return counts.studies, counts.series, counts.instances


def engine_of(served: RunningArchive) -> Engine:
    return served.archive._index._engine


def stored_bytes(served: RunningArchive, sop_instance: str) -> bytes:
    path = served.archive.instance_path(sop_instance)
    assert path is not None
    with opened(path) as (_, dataset):
        return bytes(dataset)


def test_success_is_said_when_it_can_be_found_and_the_bytes_are_there(served: RunningArchive, port: int) -> None:
    ds = instance()
    with Wire(port) as wire, Wire(port) as other:
        answer = wire.store(ds)
        assert answer.status == 0
        assert answer.command["AffectedSOPClassUID"] == CT
        assert answer.command["AffectedSOPInstanceUID"] == ds.SOPInstanceUID
        assert len(other.matches("STUDY", StudyInstanceUID=ds.StudyInstanceUID)) == 1
    assert stored_bytes(served, ds.SOPInstanceUID) == encoded(ds)


def test_half_an_object_is_never_found(served: RunningArchive, port: int) -> None:
    ds = instance()
    with Wire(port) as other:
        with Wire(port, fragment=40) as wire:
            whole = wire.message(wire.context(CT), wire.store_command(ds, MessageID=1), encoded(ds))
            wire.peer.send(whole[:-20])
            assert other.matches("STUDY", StudyInstanceUID=ds.StudyInstanceUID) == []
        wait_until(lambda: served._server.active == 1, 10)
        assert other.matches("STUDY", StudyInstanceUID=ds.StudyInstanceUID) == []
        assert other.store(ds).status == 0
        assert len(other.matches("STUDY", StudyInstanceUID=ds.StudyInstanceUID)) == 1


def test_the_same_instance_again_leaves_the_counts(served: RunningArchive, port: int) -> None:
    ds = instance()
    with Wire(port) as wire:
        assert wire.store(ds).status == 0
        before = counted(served)
        assert wire.store(ds).status == 0
        ds.PatientName = "Another^Name"
        assert wire.store(ds).status == 0
        (found,) = wire.matches(
            "STUDY",
            StudyInstanceUID=ds.StudyInstanceUID,
            NumberOfStudyRelatedSeries="",
            NumberOfStudyRelatedInstances="",
            PatientName="",
        )
    assert counted(served) == before == (1, 1, 1)
    assert (found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances) == (1, 1)
    assert found.PatientName == "Doe^Jane"


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("missing", [1, 4, 5, 9, 60])
def test_a_truncated_data_set_is_c000(served: RunningArchive, port: int, syntax: str, missing: int) -> None:
    ds = instance()
    with Wire(port, [(CT, syntax)]) as wire:
        answer = wire.store(ds, encoded(ds, syntax)[:-missing])
        assert answer.status == 0xC000
        assert answer.comment
        assert counted(served) == (0, 0, 0)
        assert wire.store(ds).status == 0


def test_a_truncated_deflated_or_encapsulated_data_set_is_c000(port: int) -> None:
    deflated, jpeg = syntaxes.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.4.50"
    ds = instance()
    squeezed = zlib.compress(encoded(ds), wbits=-zlib.MAX_WBITS)
    del ds.PixelData
    frames = encoded(ds) + bytes.fromhex("e07f1000 4f420000 ffffffff feff00e0 00000000 feff00e0 04000000 ffd8ffd9")
    with Wire(port, [(CT, deflated), (CT, jpeg)]) as wire:
        assert wire.store(ds, squeezed[:-5], on=1).status == 0xC000
        assert wire.store(ds, frames, on=3).status == 0xC000
        assert wire.store(ds, frames + bytes.fromhex("feffdde0 00000000"), on=3).status == 0


@pytest.mark.parametrize("data", [b"", b"no data set at all, but text", bytes(300), b"\xff" * 64])
def test_what_is_no_data_set_is_c000(served: RunningArchive, port: int, data: bytes) -> None:
    with Wire(port) as wire:
        assert wire.store(instance(), data).status in (0xC000, 0xA900)
    assert counted(served) == (0, 0, 0)


def test_a_store_without_a_data_set_is_c000(port: int) -> None:
    with Wire(port) as wire:
        (answer,) = wire.ask(wire.context(CT), wire.store_command(instance()))
        assert answer.status == 0xC000


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("SOPInstanceUID", "1.2.3.4.5"),
        ("SOPInstanceUID", None),
        ("SOPClassUID", MR),
        ("SOPClassUID", None),
        ("StudyInstanceUID", None),
        ("SeriesInstanceUID", None),
        ("StudyInstanceUID", "../../etc/passwd"),
        ("SeriesInstanceUID", "1.2.x"),
    ],
)
def test_what_differs_from_the_command_or_cannot_be_filed_is_a900(
    served: RunningArchive, port: int, element: str, value: str | None
) -> None:
    ds = instance()
    wrong = Dataset()
    wrong.update(ds)
    if value is None:
        del wrong[element]
    else:
        wrong.add_new(element, "UI", value)
    with Wire(port) as wire:
        answer = wire.store(ds, encoded(wrong))
        assert answer.status == 0xA900
        assert element in answer.comment
    assert counted(served) == (0, 0, 0)


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "1.2." + "3" * 64, "1.2.a", "1..2", None])
def test_an_affected_instance_uid_that_is_none_is_0117(served: RunningArchive, port: int, uid: str | None) -> None:
    with Wire(port) as wire:
        assert wire.store(instance(), AffectedSOPInstanceUID=uid).status == 0x0117
    assert counted(served) == (0, 0, 0)


def test_another_class_than_the_contexts_is_0122(served: RunningArchive, port: int) -> None:
    ds = instance(SOPClassUID=MR)
    with Wire(port) as wire:
        assert wire.store(ds, on=wire.context(CT)).status == 0x0122
        command = {"AffectedSOPClassUID": syntaxes.PATIENT_ROOT_FIND, "CommandField": C_FIND_RQ, "Priority": 0}
        (answer,) = wire.ask(wire.context(STUDY_FIND), command, encoded(identifier("STUDY")))
        assert (answer.status, answer.data) == (0x0122, None)
    assert counted(served) == (0, 0, 0)


def test_a_rejected_instance_is_0124(served: RunningArchive, port: int) -> None:
    ds = instance()
    with Wire(port) as wire:
        assert wire.store(ds).status == 0
        done = served.archive.operate(Reject(study_uid=ds.StudyInstanceUID, reason="motion"), "admin")
        assert wire.store(ds).status == 0x0124
        served.archive.operate(Undo(entry=done.entry, reason="a mistake"), "admin")
        assert wire.store(ds).status == 0


def test_a_message_id_that_is_in_use_is_0210(served: RunningArchive, port: int) -> None:
    first, second = instance(), instance()
    with Wire(port) as wire:
        context = wire.context(CT)
        both = [wire.message(context, wire.store_command(ds, MessageID=7), encoded(ds)) for ds in (first, second)]
        # All in one PDU, so that the second is there before the first was answered.
        wire.peer.send(pdu(4, b"".join(piece for message in both for piece in pdvs(message))))
        answers = [wire.read(), wire.read()]
        assert [answer.status for answer in answers] == [0, 0x0210]
        assert [answer.command["AffectedSOPInstanceUID"] for answer in answers] == [
            first.SOPInstanceUID,
            second.SOPInstanceUID,
        ]
        assert served.archive.instance_path(second.SOPInstanceUID) is None
        # Answered, the number is free again.
        assert wire.store(second, MessageID=7).status == 0


@pytest.mark.parametrize(
    ("abstract", "field"),
    [
        (CT, C_ECHO_RQ),
        (CT, C_FIND_RQ),
        (STUDY_FIND, C_MOVE_RQ),
        (STUDY_FIND, C_STORE_RQ),
        (STUDY_MOVE, C_FIND_RQ),
        (syntaxes.VERIFICATION, C_STORE_RQ),
        (CT, 0x0040),
        (CT, 0x0130),
    ],
)
def test_an_operation_that_is_not_the_contexts_is_0211(
    served: RunningArchive, port: int, abstract: str, field: int
) -> None:
    ds = instance(SOPClassUID=abstract)
    with Wire(port) as wire:
        command = {
            "AffectedSOPClassUID": abstract,
            "CommandField": field,
            "Priority": 0,
            "AffectedSOPInstanceUID": str(ds.SOPInstanceUID),
        }
        if field == C_MOVE_RQ:
            command["MoveDestination"] = "WS1"
        if field == 0x0130:
            command |= {"RequestedSOPClassUID": abstract, "RequestedSOPInstanceUID": "1.2.3", "ActionTypeID": 1}
        (answer,) = wire.ask(wire.context(abstract), command, encoded(ds, wire.results[wire.context(abstract)][1]))
        assert (answer.status, answer.data) == (0x0211, None)
        wire.release()
    assert counted(served) == (0, 0, 0)


def test_a_request_without_its_class_is_0212(port: int) -> None:
    with Wire(port) as wire:
        assert wire.store(instance(), AffectedSOPClassUID=None).status == 0x0212
        (answer,) = wire.ask(wire.context(STUDY_FIND), {"CommandField": C_FIND_RQ, "Priority": 0}, encoded(Dataset()))
        assert answer.status == 0x0212


def test_no_room_is_a700_with_its_reason_and_passes(served: RunningArchive, port: int) -> None:
    ds = instance()
    with Wire(port) as wire:
        served.archive.files.reserve = 1 << 60
        answer = wire.store(ds)
        assert answer.status == 0xA700
        assert answer.comment
        served.archive.files.reserve = 0
        assert wire.store(ds).status == 0


@pytest.mark.parametrize(
    ("left_out", "sop_class"), [("Modality", CT), ("Rows", CT), ("Columns", MR), ("BitsAllocated", SECONDARY_CAPTURE)]
)
def test_what_its_class_demands_and_it_lacks_is_b007_and_it_is_kept(
    served: RunningArchive, port: int, left_out: str, sop_class: str
) -> None:
    ds = instance(SOPClassUID=sop_class, **{left_out: None})
    with Wire(port, [(sop_class, EXPLICIT), (STUDY_FIND, EXPLICIT)]) as wire:
        answer = wire.store(ds)
        assert answer.status == 0xB007
        assert left_out in answer.comment
        assert len(wire.matches("STUDY", StudyInstanceUID=ds.StudyInstanceUID)) == 1
    assert stored_bytes(served, ds.SOPInstanceUID) == encoded(ds)


def test_what_has_no_pixels_by_its_class_needs_no_rows(port: int) -> None:
    report = "1.2.840.10008.5.1.4.1.1.88.11"
    ds = instance(SOPClassUID=report, Modality="SR", Rows=None, Columns=None, BitsAllocated=None)
    del ds.PixelData
    with Wire(port, [(report, EXPLICIT)]) as wire:
        assert wire.store(ds).status == 0


def test_a_locked_index_is_a700_and_then_2_3_1_until_it_is_free(
    served: RunningArchive, port: int, tmp_path: Path, index_url: str | None
) -> None:
    if index_url is not None:
        pytest.skip("locking the whole database is SQLite's")

    @event.listens_for(engine_of(served), "checkout")
    def _impatient(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=100")

    ds = instance()
    with Wire(port) as wire:
        holder = sqlite3.connect(tmp_path / "archive" / "index.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert wire.store(ds).status == 0xA700
        with Wire(port, [(CT, EXPLICIT)]) as second:
            assert second.rejection == (2, 3, 1)
        # Reading goes on.
        with Wire(port) as reader:
            assert reader.matches("STUDY", StudyInstanceUID="") == []
        holder.execute("ROLLBACK")
        holder.close()
        with Wire(port) as third:
            assert third.kind == 2
            assert third.store(ds).status == 0
        assert wire.store(ds).status == 0


def test_what_was_answered_0000_is_there_after_the_archive_was_opened_anew(
    tmp_path: Path, served: RunningArchive, port: int, index_url: str | None
) -> None:
    some = [instance() for _ in range(5)]
    with Wire(port) as wire:
        assert {wire.store(ds).status for ds in some} == {0}
        served.stop()
    with Archive(tmp_path / "archive", ae_title="ARCHIVE", url=index_url) as again:
        for ds in some:
            path = again.instance_path(ds.SOPInstanceUID)
            assert path is not None
            with opened(path) as (_, dataset):
                assert bytes(dataset) == encoded(ds)


def test_the_bytes_survive_whatever_the_fragments(served: RunningArchive, port: int) -> None:
    for fragment in (1, 2, 7, 100, 16000):
        ds = instance()
        ds.add_new(0x00091001, "UN", bytes(range(200)))
        with Wire(port, EVERYTHING, fragment=fragment) as wire:
            assert wire.store(ds).status == 0
        assert stored_bytes(served, ds.SOPInstanceUID) == encoded(ds)
