"""Every number that can come up has words, and the tables know no more than the standard."""

from __future__ import annotations

import pytest
from pynetdicom import status as pynetdicom_status
from pynetdicom.pdu_primitives import A_ASSOCIATE

from sandbox.dicom import acceptor, explain, negotiation, retrieve, scp, statuses, syntaxes
from sandbox.dicom.explain import (
    describe_abort,
    explain_abort,
    explain_context,
    explain_dial,
    explain_rejection,
    explain_rejection_fields,
    explain_status,
    uid_name,
)
from sandbox.dicom.messages import SERVICES
from sandbox.dicom.words import Explanation
from sandbox.model.association import DialOutcome, Rejection

# PS3.8 table 9-21, without the reserved values.
REJECTIONS = [(1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 1, 7), (1, 2, 1), (1, 2, 2), (2, 3, 1), (2, 3, 2)]
NEEDED = {
    "C-STORE": [0x0000, 0xA700, 0xA7FF, 0xA900, 0xA9AA, 0xB000, 0xB006, 0xB007, 0xC000, 0xC123, 0xC211],
    "C-FIND": [0x0000, 0xFF00, 0xFF01, 0xFE00, 0xA700, 0xA900, 0xC000, 0xC311],
    "C-MOVE": [0x0000, 0xFF00, 0xFE00, 0xA701, 0xA702, 0xA801, 0xA900, 0xB000, 0xC511],
    "C-GET": [0x0000, 0xFF00, 0xFE00, 0xA701, 0xA702, 0xA900, 0xB000, 0xC411],
    "C-ECHO": [0x0000, 0x0110, 0x0122, 0x0210, 0x0211, 0x0212],
}
TABLES = {
    "C-ECHO": pynetdicom_status.VERIFICATION_SERVICE_CLASS_STATUS,
    "C-STORE": pynetdicom_status.STORAGE_SERVICE_CLASS_STATUS,
    "C-FIND": pynetdicom_status.QR_FIND_SERVICE_CLASS_STATUS,
    "C-MOVE": pynetdicom_status.QR_MOVE_SERVICE_CLASS_STATUS,
    "C-GET": pynetdicom_status.QR_GET_SERVICE_CLASS_STATUS,
    "N-SET": pynetdicom_status.GENERAL_STATUS,
}


def is_whole(words: Explanation) -> bool:
    return bool(words.name) and bool(words.meaning) and not words.meaning.endswith(".")


@pytest.mark.parametrize("numbers", REJECTIONS)
def test_every_rejection_of_the_standard_has_words(numbers: tuple[int, int, int]) -> None:
    rejection = Rejection(result=numbers[0], source=numbers[1], reason=numbers[2])
    words = explain_rejection(rejection)
    assert is_whole(words)
    assert words.look
    assert words.name != "reserved value"
    fields = explain_rejection_fields(rejection)
    assert "reserved" not in fields.result + fields.source


def test_the_tables_hold_no_rejection_that_the_standard_does_not() -> None:
    assert set(explain.REJECT_REASONS) == {(source, reason) for _, source, reason in REJECTIONS}
    for source, reason in explain.REJECT_REASONS:
        primitive = A_ASSOCIATE()
        primitive.result_source, primitive.diagnostic = source, reason


def test_every_rejection_our_server_sends_has_words() -> None:
    ours = [value for value in vars(negotiation).values() if isinstance(value, Rejection)]
    assert len(ours) == 6
    assert all(explain_rejection(rejection).name != "reserved value" for rejection in ours)


def test_numbers_without_meaning_are_called_so() -> None:
    assert explain_rejection(Rejection(result=1, source=1, reason=9)).name == "reserved value"
    assert explain_context(77).name == "reserved value"
    assert explain_abort(9, 9).name == "reserved value"
    assert explain_status("C-STORE", 0x7777).name == "unknown status"


@pytest.mark.parametrize("reason", range(7))
def test_every_abort_has_words(reason: int) -> None:
    assert is_whole(explain_abort(2, reason))
    assert is_whole(explain_abort(0, reason))
    assert describe_abort(2, reason).startswith("the peer aborted (service provider: ")
    assert describe_abort(0, reason) == "the peer aborted (service user)"


@pytest.mark.parametrize("result", range(5))
def test_every_context_result_has_words(result: int) -> None:
    assert is_whole(explain_context(result))


@pytest.mark.parametrize("outcome", DialOutcome)
def test_every_dial_outcome_has_words(outcome: DialOutcome) -> None:
    words = explain_dial(outcome)
    assert is_whole(words)
    assert words.look


@pytest.mark.parametrize(("service", "number"), [(name, number) for name, all_ in NEEDED.items() for number in all_])
def test_every_status_of_a_service_has_words_of_its_own(service: str, number: int) -> None:
    words = explain_status(service, number)
    assert is_whole(words)
    assert words not in [span.words for span in statuses._CLASSES]


@pytest.mark.parametrize("service", TABLES)
def test_every_status_that_pynetdicom_knows_of_a_service_has_words(service: str) -> None:
    for number in TABLES[service]:
        assert explain_status(service, number) is not statuses._UNKNOWN, f"{service} {number:04X}"


def test_every_status_we_send_has_words() -> None:
    for module in (scp, retrieve, acceptor):
        for name, value in vars(module).items():
            if name.lstrip("_").isupper() and isinstance(value, int):
                assert explain_status("C-MOVE", value).name, name


def test_every_service_has_a_table() -> None:
    assert set(statuses.SERVICES) == set(SERVICES.values()) - {"C-CANCEL"}


def test_no_answer_is_no_status() -> None:
    assert explain_status("C-ECHO", -1).name == "no answer"


@pytest.mark.parametrize("uid", [*syntaxes.STORAGE_CLASSES, *syntaxes.ALL_TRANSFER_SYNTAXES, syntaxes.STUDY_ROOT_FIND])
def test_every_uid_we_support_has_a_name(uid: str) -> None:
    assert uid_name(uid) != uid


def test_an_unregistered_uid_is_its_own_name() -> None:
    assert uid_name("1.2.3.4.5") == "1.2.3.4.5"
    assert uid_name("") == ""
