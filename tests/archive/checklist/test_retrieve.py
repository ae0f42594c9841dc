"""C-MOVE and C-GET on sockets (PS3.4 C.4.2, C.4.3): statuses, counts, who is named, and the bytes that arrive."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from sqlalchemy import text

from sandbox.archive.part10 import opened
from sandbox.archive.serve import Remote, RunningArchive, ServeOptions, serve_archive
from sandbox.dicom import syntaxes
from sandbox.dicom.messages import C_GET_RQ, C_MOVE_RQ, C_STORE_RQ, RESPONSE, decode_command, encode_command
from tests.archive.checklist.wire import EVERYTHING, PENDING, Said, Wire, pdvs
from tests.archive.support import CT, STUDY_GET, STUDY_MOVE, encoded, identifier, instance, uid
from tests.dicom.support import (
    EXPLICIT,
    RELEASE_RP,
    ScriptedPeer,
    associate_ac,
    pdu,
    pdv,
    scripted_acceptor,
    unused_port,
)

REMAINING = "NumberOfRemainingSuboperations"
COUNTS = tuple(f"NumberOf{which}Suboperations" for which in ("Completed", "Failed", "Warning"))
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def move_command(destination: str, **changed: Any) -> dict[str, Any]:
    command = {"AffectedSOPClassUID": STUDY_MOVE, "CommandField": C_MOVE_RQ, "Priority": 0}
    return command | {"MoveDestination": destination} | changed


def move(wire: Wire, destination: str = "WS1", level: str = "STUDY", **keys: object) -> list[Said]:
    return wire.ask(wire.context(STUDY_MOVE), move_command(destination), encoded(identifier(level, **keys)))


def counts(said: Said) -> tuple[int, ...]:
    return tuple(int(said.command[keyword]) for keyword in COUNTS)


def study(served: RunningArchive, size: int = 4, **elements: Any) -> list[Dataset]:
    """One study of so many instances, stored."""
    common = {"StudyInstanceUID": uid(), "SeriesInstanceUID": uid()} | elements
    made = [instance(**common) for _ in range(size)]
    assert served.archive.add_datasets(made) == size
    return made


@contextmanager
def knowing(directory: Path, *ports: int) -> Iterator[RunningArchive]:
    """An archive whose AE table has WS1, WS2 and so on at these ports."""
    remotes = tuple(
        Remote(ae_title=f"WS{number}", host="127.0.0.1", port=port) for number, port in enumerate(ports, start=1)
    )
    with serve_archive(
        ServeOptions(ae_title="ARCHIVE", directory=directory, remotes=remotes, sync="normal")
    ) as running:
        yield running


def dial(running: RunningArchive, **keywords: Any) -> Wire:
    return Wire(running.describe().port, **keywords)


# --- C-MOVE: statuses and counts -------------------------------------------------------------------------------------


def test_all_well_is_0000_with_counts_down_to_none_remaining(
    sender: RunningArchive, destination: RunningArchive
) -> None:
    made = study(sender)
    with dial(sender) as wire:
        *pending, last = move(wire, StudyInstanceUID=made[0].StudyInstanceUID)
    assert [answer.command[REMAINING] for answer in pending] == [3, 2, 1, 0]
    assert [counts(answer) for answer in pending] == [(1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0)]
    assert (last.status, counts(last), last.data) == (0, (4, 0, 0), None)
    assert REMAINING not in last.command
    assert destination.archive.counts().instances == 4


def test_an_unknown_destination_is_a801(sender: RunningArchive) -> None:
    made = study(sender)
    with dial(sender) as wire:
        for title in ("NOBODY", "ws1", ""):
            (only,) = move(wire, title, StudyInstanceUID=made[0].StudyInstanceUID)
            assert (only.status, only.data) == (0xA801, None)


@pytest.mark.parametrize(
    ("level", "keys"),
    [
        ("STUDY", {}),
        ("STUDY", {"StudyInstanceUID": ""}),
        ("STUDY", {"StudyInstanceUID": "*"}),
        ("STUDY", {"StudyInstanceUID": "1.2.*"}),
        ("STUDY", {"PatientID": "P1"}),
        ("SERIES", {"SeriesInstanceUID": "1.2"}),
        ("SERIES", {"StudyInstanceUID": "1.2", "SeriesInstanceUID": ""}),
        ("IMAGE", {"StudyInstanceUID": "1.2", "SOPInstanceUID": "1.3"}),
        ("PATIENT", {"PatientID": "P1"}),
        (None, {"StudyInstanceUID": "1.2"}),
        ("EXAM", {"StudyInstanceUID": "1.2"}),
    ],
)
def test_what_names_nothing_is_a900_and_sends_nothing(
    sender: RunningArchive, destination: RunningArchive, level: Any, keys: dict[str, str]
) -> None:
    study(sender)
    get = {"AffectedSOPClassUID": STUDY_GET, "CommandField": C_GET_RQ, "Priority": 0}
    with dial(sender) as wire:
        for answers in (
            move(wire, "WS1", level, **keys),
            wire.ask(wire.context(STUDY_GET), get, encoded(identifier(level, **keys))),
        ):
            (only,) = answers
            assert (only.status, only.data) == (0xA900, None)
            assert only.comment
    assert destination.archive.counts().instances == 0


def test_an_index_that_cannot_be_read_is_a701(sender: RunningArchive) -> None:
    made = study(sender)
    engine = sender.archive._index._engine
    with dial(sender) as wire:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE instances RENAME TO elsewhere"))
        (only,) = move(wire, StudyInstanceUID=made[0].StudyInstanceUID)
        assert (only.status, only.data) == (0xA701, None)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO instances"))
        assert move(wire, StudyInstanceUID=made[0].StudyInstanceUID)[-1].status == 0


def test_nothing_found_is_0000_with_counts_of_nothing(sender: RunningArchive) -> None:
    with dial(sender) as wire:
        (only,) = move(wire, StudyInstanceUID="1.2.3")
    assert (only.status, counts(only)) == (0, (0, 0, 0))
    assert REMAINING not in only.command


def test_some_failed_is_b000_with_the_list_of_them(sender: RunningArchive, destination: RunningArchive) -> None:
    made = study(sender)
    gone = sender.archive.instance_path(made[1].SOPInstanceUID)
    assert gone is not None
    gone.unlink()
    with dial(sender) as wire:
        *_, last = move(wire, StudyInstanceUID=made[0].StudyInstanceUID)
    assert (last.status, counts(last)) == (0xB000, (3, 1, 0))
    assert last.dataset.FailedSOPInstanceUIDList == made[1].SOPInstanceUID
    assert REMAINING not in last.command
    assert destination.archive.counts().instances == 3


def test_a_warning_of_the_destination_is_b000(sender: RunningArchive, destination: RunningArchive) -> None:
    made = study(sender, Modality=None)
    with dial(sender) as wire:
        *_, last = move(wire, StudyInstanceUID=made[0].StudyInstanceUID)
    assert (last.status, counts(last), last.data) == (0xB000, (0, 0, 4), None)
    assert destination.archive.counts().instances == 4


@pytest.mark.parametrize("destination_does", ["not listen", "reject", "close", "accept nothing"])
def test_all_failed_is_a702_and_says_why(tmp_path: Path, destination_does: str) -> None:
    def answer(peer: ScriptedPeer) -> None:
        _, request = peer.read()
        if destination_does == "reject":
            peer.send(pdu(3, bytes((0, 1, 1, 7))))
        elif destination_does == "accept nothing":
            accepted = bytearray(associate_ac(request))
            place = accepted.index(b"\x21\x00")
            accepted[place + 6] = 3
            peer.send(bytes(accepted)).read_to_end()

    words = {
        "not listen": "refused",
        "reject": "rejected (1/1/7)",
        "close": "abort",
        "accept nothing": "no presentation context",
    }
    with scripted_acceptor(answer) as port:
        at = unused_port() if destination_does == "not listen" else port
        with knowing(tmp_path / "archive", at) as running, dial(running) as wire:
            made = study(running, 3)
            (only,) = move(wire, StudyInstanceUID=made[0].StudyInstanceUID)
    assert (only.status, counts(only)) == (0xA702, (0, 3, 0))
    assert words[destination_does] in only.comment
    assert list(only.dataset.FailedSOPInstanceUIDList) == [ds.SOPInstanceUID for ds in made]
    assert REMAINING not in only.command


def test_a_cancelled_move_is_fe00_with_what_remains(sender: RunningArchive) -> None:
    made = study(sender, 60)
    with dial(sender) as wire:
        context = wire.context(STUDY_MOVE)
        keys = encoded(identifier("STUDY", StudyInstanceUID=made[0].StudyInstanceUID))
        asked = wire.message(context, move_command("WS1", MessageID=5), keys)
        wire.peer.send(pdu(4, b"".join(pdvs(asked) + pdvs(wire.cancel(context, 5)))))
        answers = [wire.read()]
        while answers[-1].status in PENDING:
            answers.append(wire.read())
        last = answers[-1]
        assert last.status == 0xFE00
        assert last.command[REMAINING] > 0
        assert last.command[REMAINING] + sum(counts(last)) == 60
        assert len(wire.matches("STUDY", StudyInstanceUID="")) == 1


def test_what_no_accepted_context_takes_fails_alone(tmp_path: Path) -> None:
    """A destination takes CT and nothing else; the MR of the same study is one failed sub-operation."""
    got: list[tuple[dict[str, Any], bytes]] = []
    with scripted_acceptor(lambda peer: take_all(peer, got)) as port, knowing(tmp_path / "archive", port) as running:
        common = {"StudyInstanceUID": uid(), "SeriesInstanceUID": uid()}
        mr = instance(**common, SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
        cts = [instance(**common), instance(**common)]
        running.archive.add_datasets([cts[0], mr, cts[1]])
        with dial(running) as wire:
            *_, last = move(wire, StudyInstanceUID=common["StudyInstanceUID"])
    assert (last.status, counts(last)) == (0xB000, (2, 1, 0))
    assert last.dataset.FailedSOPInstanceUIDList == mr.SOPInstanceUID
    assert [command["AffectedSOPInstanceUID"] for command, _ in got] == [ds.SOPInstanceUID for ds in cts]


def test_the_move_originator_is_the_requester_and_the_bytes_are_the_stored_ones(tmp_path: Path) -> None:
    got: list[tuple[dict[str, Any], bytes]] = []
    with scripted_acceptor(lambda peer: take_all(peer, got)) as port, knowing(tmp_path / "archive", port) as running:
        made = study(running, 2)
        with dial(running, calling="READING7") as wire:
            keys = encoded(identifier("STUDY", StudyInstanceUID=made[0].StudyInstanceUID))
            *_, last = wire.ask(wire.context(STUDY_MOVE), move_command("WS1", MessageID=4711), keys)
            assert last.status == 0
    for (command, data), ds in zip(got, made, strict=True):
        assert command["MoveOriginatorApplicationEntityTitle"] == "READING7"
        assert command["MoveOriginatorMessageID"] == 4711
        assert data == encoded(ds)


def take_all(peer: ScriptedPeer, got: list[tuple[dict[str, Any], bytes]]) -> None:
    """A destination that accepts the first context for CT and answers every C-STORE with 0000."""
    _, request = peer.read()
    at = request.index(b"\x30\x00" + len(CT).to_bytes(2, "big") + CT.encode())
    context = request[at - 4]
    peer.send(associate_ac(request, context, EXPLICIT))
    command, data = b"", b""
    while True:
        kind, body = peer.read()
        if kind != 4:
            peer.send(RELEASE_RP)
            return
        position = 0
        while position < len(body):
            length = int.from_bytes(body[position : position + 4], "big")
            control, value = body[position + 5], body[position + 6 : position + 4 + length]
            position += 4 + length
            command, data = (command + value, data) if control & 1 else (command, data + value)
            if control == 2:
                asked = dict(decode_command(command))
                got.append((asked, data))
                peer.send(response(context, asked))
                command, data = b"", b""


def response(context: int, asked: dict[str, Any], status: int = 0) -> bytes:
    """The PDU of a C-STORE-RSP."""
    answer: Any = {
        "AffectedSOPClassUID": asked["AffectedSOPClassUID"],
        "CommandField": C_STORE_RQ | RESPONSE,
        "MessageIDBeingRespondedTo": asked["MessageID"],
        "CommandDataSetType": 0x0101,
        "Status": status,
        "AffectedSOPInstanceUID": asked["AffectedSOPInstanceUID"],
    }
    return pdu(4, pdv(context, 3, encode_command(answer)))


# --- C-GET -----------------------------------------------------------------------------------------------------------


def get(wire: Wire, keys: Dataset, status: int = 0) -> tuple[list[Said], list[Said]]:
    """The answers to a C-GET, and the C-STORE requests that came meanwhile, each answered with ``status``."""
    context = wire.context(STUDY_GET)
    command = {"AffectedSOPClassUID": STUDY_GET, "CommandField": C_GET_RQ, "Priority": 0, "MessageID": 77}
    wire.peer.send(wire.message(context, command, encoded(keys)))
    answers, sent = list[Said](), list[Said]()
    while not answers or answers[-1].status in PENDING:
        said = wire.read()
        if said.command["CommandField"] == C_STORE_RQ:
            sent.append(said)
            wire.peer.send(response(said.context, said.command, status))
        else:
            answers.append(said)
    return answers, sent


def test_a_get_sends_on_the_same_association(served: RunningArchive, port: int) -> None:
    made = study(served)
    with Wire(port, EVERYTHING, roles=[(CT, 0, 1)], maximum=0) as wire:
        answers, sent = get(wire, identifier("STUDY", StudyInstanceUID=made[0].StudyInstanceUID))
    assert [answer.status for answer in answers] == [0xFF00] * 4 + [0]
    assert [answer.command[REMAINING] for answer in answers[:-1]] == [3, 2, 1, 0]
    assert REMAINING not in answers[-1].command
    assert [said.data for said in sent] == [encoded(ds) for ds in made]
    # A C-GET has no move originator.
    assert all("MoveOriginatorApplicationEntityTitle" not in said.command for said in sent)


@pytest.mark.parametrize(
    ("store_status", "expected"), [(0xA700, 0xA702), (0xB000, 0xB000), (0xB007, 0xB000), (0xC000, 0xA702)]
)
def test_what_the_client_answers_is_counted(
    served: RunningArchive, port: int, store_status: int, expected: int
) -> None:
    made = study(served, 2)
    with Wire(port, EVERYTHING, roles=[(CT, 0, 1)]) as wire:
        answers, _ = get(wire, identifier("STUDY", StudyInstanceUID=made[0].StudyInstanceUID), store_status)
    last = answers[-1]
    assert last.status == expected
    assert counts(last) == ((0, 2, 0) if expected == 0xA702 else (0, 0, 2))
    if expected == 0xA702:
        assert list(last.dataset.FailedSOPInstanceUIDList) == [ds.SOPInstanceUID for ds in made]


def test_a_get_without_the_scp_role_fails_each(served: RunningArchive, port: int) -> None:
    made = study(served, 2)
    with Wire(port) as wire:
        answers, sent = get(wire, identifier("STUDY", StudyInstanceUID=made[0].StudyInstanceUID))
    assert (answers[-1].status, counts(answers[-1]), sent) == (0xA702, (0, 2, 0), [])


# --- every transfer syntax, byte for byte ----------------------------------------------------------------------------


def in_syntax(transfer_syntax: str) -> tuple[Dataset, bytes]:
    """An instance with private elements and odd bytes, and how it is sent in a transfer syntax."""
    ds = instance(SOPClassUID=SECONDARY_CAPTURE)
    ds.add_new(0x00090010, "LO", "PACS SANDBOX TESTS")
    ds.add_new(0x00091001, "UN", os.urandom(31) + b"\0")
    ds.add_new(0x00091002, "OB", bytes(range(256)))
    ds.add_new(0x00091003, "SH", " padded ")
    big = transfer_syntax == syntaxes.EXPLICIT_VR_BIG_ENDIAN
    frames = b""
    if transfer_syntax in syntaxes.COMPRESSED:
        del ds.PixelData
        fragment = os.urandom(64)
        # An empty offset table, one fragment, the delimiter.
        frames = bytes.fromhex("e07f1000 4f420000 ffffffff feff00e0 00000000 feff00e0")
        frames += len(fragment).to_bytes(4, "little") + fragment + bytes.fromhex("feffdde0 00000000")
    target = DicomFileLike(io.BytesIO())
    target.is_little_endian, target.is_implicit_VR = not big, transfer_syntax == syntaxes.IMPLICIT_VR_LITTLE_ENDIAN
    write_dataset(target, ds)
    data = target.parent.getvalue() + frames
    deflated = transfer_syntax == syntaxes.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    return ds, zlib.compress(data, wbits=-zlib.MAX_WBITS) if deflated else data


def test_every_transfer_syntax_is_kept_and_sent_byte_for_byte(
    sender: RunningArchive, destination: RunningArchive
) -> None:
    contexts = [*EVERYTHING, *((SECONDARY_CAPTURE, syntax) for syntax in syntaxes.ALL_TRANSFER_SYNTAXES)]
    sent = {syntax: in_syntax(syntax) for syntax in syntaxes.ALL_TRANSFER_SYNTAXES}
    with dial(sender, contexts=contexts, roles=[(SECONDARY_CAPTURE, 1, 1)], maximum=0, fragment=300) as wire:
        for syntax, (ds, data) in sent.items():
            context = wire.context(SECONDARY_CAPTURE, syntax)
            assert wire.results[context] == (0, syntax)
            assert wire.store(ds, data, on=context).status == 0, syntax
        for syntax, (ds, data) in sent.items():
            key = identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID)
            answers, (got,) = get(wire, key)
            assert answers[-1].status == 0, syntax
            assert (wire.results[got.context], got.data) == ((0, syntax), data)
            *_, last = move(wire, StudyInstanceUID=ds.StudyInstanceUID)
            assert (last.status, counts(last)) == (0, (1, 0, 0)), syntax
            path = destination.archive.instance_path(ds.SOPInstanceUID)
            assert path is not None
            with opened(path) as (meta, moved):
                assert (meta.transfer_syntax, bytes(moved)) == (syntax, data)
