"""Command sets to and from bytes give what pynetdicom gives, for every message there is."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom import dimse_messages, dimse_primitives
from pynetdicom.pdu_primitives import P_DATA

from sandbox.dicom import messages
from sandbox.dicom.messages import Message, decode_command, encode_command, from_primitive, to_primitive

VALUES: dict[str, Any] = {
    "AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
    "RequestedSOPClassUID": "1.2.840.10008.3.1.2.3.3",
    "MessageID": 7,
    "MessageIDBeingRespondedTo": 9,
    "MoveDestination": "WS1",
    "Priority": 2,
    "Status": 0xB000,
    "ErrorComment": "odd",
    "ErrorID": 0xA710,
    "AffectedSOPInstanceUID": "1.2.3",
    "RequestedSOPInstanceUID": "1.2.34",
    "EventTypeID": 1,
    "ActionTypeID": 1,
    "NumberOfRemainingSuboperations": 3,
    "NumberOfCompletedSuboperations": 4,
    "NumberOfFailedSuboperations": 0,
    "NumberOfWarningSuboperations": 1,
    "MoveOriginatorApplicationEntityTitle": "READING",
    "MoveOriginatorMessageID": 12,
    "OffendingElement": [0x00100010, 0x00100020],
    "AttributeIdentifierList": [0x00100010],
}
NAMES = sorted(name for name, _ in dimse_messages._MESSAGE_TYPES.values())


def primitive_of(name: str) -> Any:
    """A primitive of this message with every field that the message has."""
    primitive = getattr(dimse_primitives, name.rsplit("-", 1)[0].replace("-", "_"))()
    for keyword in dimse_messages._COMMAND_SET_KEYWORDS[name]:
        if keyword in VALUES and hasattr(primitive, keyword):
            setattr(primitive, keyword, VALUES[keyword])
    dataset = dimse_messages._DATASET_KEYWORDS.get(name.replace("-", "_"))
    if dataset is not None:
        setattr(primitive, dataset, BytesIO(b"\x10\x00\x10\x00\x02\x00\x00\x00AB"))
    return primitive


def encoded_by_pynetdicom(name: str, primitive: Any) -> tuple[bytes, bytes]:
    message = getattr(dimse_messages, name.replace("-", "_"))()
    message.primitive_to_message(primitive)
    command = data = b""
    for part in message.encode_msg(1, 0):
        for _, value in part.presentation_data_value_list:
            if value[0] & 1:
                command += value[1:]
            else:
                data += value[1:]
    return command, data


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_the_same_bytes_as_pynetdicoms(name: str) -> None:
    primitive = primitive_of(name)
    command, data = from_primitive(primitive)
    assert (encode_command(command), data or b"") == encoded_by_pynetdicom(name, primitive)


@pytest.mark.parametrize("name", NAMES)
def test_every_message_becomes_the_primitive_that_pynetdicom_makes(name: str) -> None:
    command, data = encoded_by_pynetdicom(name, primitive_of(name))
    theirs = dimse_messages.DIMSEMessage()
    part = P_DATA()
    part.presentation_data_value_list.append((1, b"\x03" + command))
    if data:
        part.presentation_data_value_list.append((1, b"\x02" + data))
    assert theirs.decode_msg(part)
    expected = theirs.message_to_primitive()
    ours = to_primitive(Message(1, decode_command(command), data or None))
    assert type(ours) is type(expected)
    for keyword in VALUES:
        assert getattr(ours, keyword, None) == getattr(expected, keyword, None), keyword


def test_every_service_has_a_name() -> None:
    requests = {field for field in dimse_messages._MESSAGE_TYPES if not field & messages.RESPONSE}
    assert set(messages.SERVICES) == requests


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_a_crash(data: bytes) -> None:
    try:
        assert decode_command(data)["CommandField"] >= 0
    except ValueError:
        return


def test_a_command_set_cut_within_an_element_is_refused() -> None:
    whole = encode_command({"CommandField": 0x30, "MessageID": 1})
    ends_of_elements = {12, 22, len(whole)}
    for cut in set(range(len(whole))) - ends_of_elements:
        with pytest.raises(ValueError, match=r"command set|Command Field"):
            decode_command(whole[:cut])
