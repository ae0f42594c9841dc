"""Valid conversations as bytes: recorded from our own client where it has the service, spelt out where it has not.

A conversation is the list of the PDUs that a requestor sends. The first is its A-ASSOCIATE-RQ.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from pydicom.dataset import Dataset

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import StoreStatus
from sandbox.dicom.messages import DATA_SET, NO_DATA_SET, Command, encode_command
from sandbox.dicom.plain import NullObserver
from sandbox.model.association import AssociationFacts, Direction
from tests.archive.support import CT, PATIENT_FIND, STUDY_FIND, STUDY_GET, STUDY_MOVE, encoded, identifier
from tests.unbreakable.support import DEFLATED, EXPLICIT, ArchiveProcess, ct

Conversation = tuple[bytes, ...]

RELEASE = struct.pack(">BxLL", 5, 4, 0)
_STUDY, _SERIES = "1.2.3.77.1", "1.2.3.77.1.1"
_COMMITMENT = "1.2.840.10008.1.20.1"


class _Recorder(NullObserver):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def pdu(self, facts: AssociationFacts, direction: Direction, data: memoryview) -> None:
        if direction is Direction.SENT:
            self.sent.append(bytes(data))


def _echo(association: Association) -> None:
    assert association.echo().status == 0


def _store(association: Association) -> None:
    for number in range(2):
        assert association.store(sample(number)).status == 0


def _find(association: Association) -> None:
    wanted = identifier("STUDY", PatientName="do*", StudyDate="20200101-20301231", StudyInstanceUID="", Modality="")
    assert [one.status for one in association.find(STUDY_FIND, wanted)][-1] == 0
    nested = Dataset()
    nested.CodeValue = "1"
    patients = identifier("PATIENT", PatientID="P?\\Q*", ReferencedStudySequence=[nested], PatientName="")
    assert [one.status for one in association.find(PATIENT_FIND, patients)][-1] == 0
    images = identifier("IMAGE", StudyInstanceUID=_STUDY, SeriesInstanceUID=_SERIES, SOPInstanceUID="", Rows=None)
    assert [one.status for one in association.find(STUDY_FIND, images)][-1] == 0


def _move(association: Association) -> None:
    wanted = identifier("STUDY", StudyInstanceUID=_STUDY)
    assert [one.status for one in association.move(STUDY_MOVE, wanted, "WS1")][-1] == 0


def _get(association: Association) -> None:
    wanted = identifier("STUDY", StudyInstanceUID=_STUDY)
    assert [one.status for one in association.get(STUDY_GET, wanted, lambda request: StoreStatus(0))][-1] == 0


_RECORDED: Mapping[str, Callable[[Association], None]] = {
    "C-ECHO": _echo,
    "C-STORE": _store,
    "C-FIND": _find,
    "C-MOVE": _move,
    "C-GET": _get,
}


def sample(number: int) -> Dataset:
    """An instance that is the same in every run."""
    return ct(_STUDY, _SERIES, f"{_SERIES}.{number}", bytes(range(256)) * 8, InstanceNumber=str(number))


def record(archive: ArchiveProcess) -> dict[str, Conversation]:
    """One conversation for each DIMSE service, each of which the archive took part in just now, and those beside it."""
    recorded: dict[str, Conversation] = {}
    for name, talk in _RECORDED.items():
        recorder = _Recorder()
        with archive.associate(observer=recorder, roles=(CT,) if name == "C-GET" else ()) as association:
            talk(association)
        recorded[name] = tuple(recorder.sent)
    return recorded | {"N-*": _normalised(recorded["C-ECHO"][0]), "deflated": _deflated()}


def request(contexts: Sequence[tuple[int, str, str]], *, called: bytes = b"ARCHIVE", calling: bytes = b"CT1") -> bytes:
    """An A-ASSOCIATE-RQ of (context id, abstract syntax, transfer syntax), whatever they are."""
    proposed = b"".join(
        _item(0x20, bytes((number, 0, 0, 0)) + _item(0x30, abstract.encode()) + _item(0x40, transfer.encode()))
        for number, abstract, transfer in contexts
    )
    user = _item(0x50, _item(0x51, struct.pack(">L", 16384)) + _item(0x52, b"1.2.3.4"))
    variable = _item(0x10, b"1.2.840.10008.3.1.1.1") + proposed + user
    fixed = b"\0\1\0\0" + called.ljust(16) + calling.ljust(16) + bytes(32)
    return struct.pack(">BxL", 1, len(fixed) + len(variable)) + fixed + variable


def message(context_id: int, command: Command, data: bytes | None = None, room: int = 16000) -> Conversation:
    """A DIMSE message as PDUs."""
    pdus = [pdata(context_id, 3, encode_command(command))]
    if data is not None:
        starts = range(0, max(len(data), 1), room)
        pdus += [
            pdata(context_id, 2 if start + room >= len(data) else 0, data[start : start + room]) for start in starts
        ]
    return tuple(pdus)


def pdata(context_id: int, control: int, value: bytes) -> bytes:
    """A P-DATA-TF of one PDV (PS3.8 9.3.5)."""
    return struct.pack(">BxLLBB", 4, len(value) + 6, len(value) + 2, context_id, control) + value


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def _normalised(echo_request: bytes) -> Conversation:
    """Every DIMSE-N request, on a context of storage commitment if it is accepted and on one of verification."""
    data = encoded(identifier(None, PatientID="1"))
    contexts = ((1, "1.2.840.10008.1.1", EXPLICIT), (3, _COMMITMENT, EXPLICIT), (5, CT, EXPLICIT))
    pdus = [request(contexts)]
    for context_id in (1, 5):
        for field in (0x0100, 0x0110, 0x0120, 0x0130, 0x0140, 0x0150):
            command: Command = {
                "CommandField": field,
                "MessageID": field,
                "AffectedSOPClassUID": _COMMITMENT,
                "RequestedSOPClassUID": _COMMITMENT,
                "AffectedSOPInstanceUID": "1.2.3",
                "RequestedSOPInstanceUID": "1.2.3",
                "EventTypeID": 1,
                "ActionTypeID": 1,
                "AttributeIdentifierList": (0x00100010, 0x00100020),
                "CommandDataSetType": NO_DATA_SET if field in (0x0110, 0x0150) else DATA_SET,
            }
            pdus += message(context_id, command, None if field in (0x0110, 0x0150) else data)
    return (*pdus, RELEASE)


def _deflated() -> Conversation:
    """A C-STORE and a C-FIND in deflated and big endian syntaxes."""
    ds = sample(9)
    store: Command = {
        "CommandField": 1,
        "MessageID": 7,
        "AffectedSOPClassUID": CT,
        "AffectedSOPInstanceUID": str(ds.SOPInstanceUID),
        "Priority": 0,
        "CommandDataSetType": DATA_SET,
    }
    contexts = (
        (1, CT, DEFLATED),
        (3, CT, syntaxes.EXPLICIT_VR_BIG_ENDIAN),
        (5, CT, syntaxes.IMPLICIT_VR_LITTLE_ENDIAN),
    )
    return (
        request(contexts),
        *message(1, store, deflate(encoded(ds))),
        *message(3, store, encoded(ds)),
        *message(5, store, encoded(ds, syntaxes.IMPLICIT_VR_LITTLE_ENDIAN)),
        RELEASE,
    )


def deflate(data: bytes) -> bytes:
    """As PS3.5 A.5 has it: without zlib's header."""
    import zlib

    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()
