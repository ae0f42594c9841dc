"""Responses that are packed by hand are the bytes that the general path sends, PDU by PDU, and cost few writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import FindAnswer, Query, Services
from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.messages import DATA_SET, encode_command, response_to
from sandbox.dicom.responses import packed_response
from sandbox.model.association import Direction
from tests.dicom.support import query, serving

MODEL = syntaxes.STUDY_ROOT_FIND
Find = Callable[[Query], Iterator[FindAnswer]]


@pytest.mark.parametrize("sop_class", [MODEL, "1.2.840.10008.1.1", ""])
@pytest.mark.parametrize(("status", "with_data"), [(0xFF00, True), (0xFF01, True), (0x0000, False), (0xFE00, False)])
def test_a_packed_command_set_is_the_general_one(sop_class: str, status: int, with_data: bool) -> None:
    for message_id in (1, 0x1234, 0xFFFF):
        request = {"CommandField": 0x0020, "MessageID": message_id, "AffectedSOPClassUID": sop_class}
        general = response_to({key: value for key, value in request.items() if value}, status)  # type: ignore[arg-type]
        if with_data:
            general["CommandDataSetType"] = DATA_SET
        assert packed_response(0x8020, sop_class, message_id, status, with_data=with_data) == encode_command(general)


def answers(count: int, *, encoded: bool, padding: int = 0) -> Find:
    def find(found: Query) -> Iterator[FindAnswer]:
        for number in range(count):
            match = query(PatientID=f"P{number}", PatientName="X" * padding)
            if encoded:
                data = encode_dataset(match, found.transfer_syntax)
                yield FindAnswer(0xFF00, encoded=data, at_hand=number % 7 != 3)
            else:
                yield FindAnswer(0xFF00, match)

    return find


def sent_pdus(find: Find, maximum_pdu: int) -> tuple[list[bytes], list[object]]:
    """The P-DATA-TF PDUs that the server sent, and what the client read of them."""
    with serving(Services(find=find)) as served:
        requestor = served.requestor(maximum_pdu=maximum_pdu)
        association = requestor.associate(served.peer, [syntaxes.query_retrieve_find()[1]])
        assert isinstance(association, Association)
        with association:
            read: list[object] = [(one.status, one.identifier) for one in association.find(MODEL, query(PatientID="*"))]
    told = [data for _, direction, data in served.told.pdus if direction is Direction.SENT and data[0] == 4]
    return told, read


@pytest.mark.parametrize("maximum_pdu", [0, 131072, 16384, 60])
@pytest.mark.parametrize(("count", "padding"), [(0, 0), (1, 0), (40, 0), (30, 5000)])
def test_bursts_are_the_same_pdus(count: int, padding: int, maximum_pdu: int) -> None:
    if padding and maximum_pdu == 60:
        count = 2
    general, read = sent_pdus(answers(count, encoded=False, padding=padding), maximum_pdu)
    burst, read_of_burst = sent_pdus(answers(count, encoded=True, padding=padding), maximum_pdu)
    assert burst == general
    assert read_of_burst == read
    assert len(read) == count + 1


def test_an_answer_does_not_wait_for_one_that_is_not_at_hand() -> None:
    go_on = threading.Event()

    def find(found: Query) -> Iterator[FindAnswer]:
        data = encode_dataset(query(PatientID="P1"), found.transfer_syntax)
        yield FindAnswer(0xFF00, encoded=data)
        assert go_on.wait(30)
        yield FindAnswer(0xFF00, encoded=data, at_hand=True)

    with serving(Services(find=find)) as served:
        association = served.requestor().associate(served.peer, syntaxes.query_retrieve_find())
        assert isinstance(association, Association)
        with association:
            responses = association.find(MODEL, query(PatientID="*"))
            assert next(responses).status == 0xFF00, "it came while the next was not there yet"
            go_on.set()
            assert [one.status for one in responses] == [0xFF00, 0x0000]


def test_a_cancel_ends_answers_that_are_all_at_hand() -> None:
    def find(found: Query) -> Iterator[FindAnswer]:
        data = encode_dataset(query(PatientName="X" * 2000), found.transfer_syntax)
        for _ in range(1_000_000):
            yield FindAnswer(0xFF00, encoded=data, at_hand=True)

    with serving(Services(find=find)) as served:
        association = served.requestor().associate(served.peer, syntaxes.query_retrieve_find())
        assert isinstance(association, Association)
        with association:
            responses = association.find(MODEL, query(PatientID="*"))
            next(responses)
            association.cancel()
            assert list(responses)[-1].status == 0xFE00


def test_an_identifier_that_is_none_is_c000() -> None:
    services = Services(find=lambda found: iter([FindAnswer(0xFF00, found.identifier)]))
    with serving(services) as served:
        association = served.requestor().associate(served.peer, [syntaxes.query_retrieve_find()[1]])
        assert isinstance(association, Association)
        with association:
            (context,) = (one for one in association.contexts if one.accepted)
            sender = association._invoker
            message_id = sender._begin(MODEL, {"CommandField": 0x0020, "Priority": 0}, b"\xff" * 9, context)
            message, _ = sender._await(message_id)
    assert message is not None
    assert message.command.get("Status") == 0xC000
    assert message.command.get("ErrorComment")
