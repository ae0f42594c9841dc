"""Audit messages as XML: the structure of the standard's schema, and nothing of a peer's gets out of its place."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox.archive.audit import messages as m
from sandbox.archive.audit.messages import Action, Message, Outcome, Participant, Study, Told
from sandbox.archive.audit.xml import to_xml
from tests.archive.audit.schema import parsed

TOLD = Told(datetime(2026, 3, 10, 12, 0, tzinfo=UTC), "ARCHIVE", Outcome.MINOR_FAILURE, "some failed <&>")
OWN = Participant("ARCHIVE", False, (m.DESTINATION,), "AETITLES=ARCHIVE")
PEER = Participant("CT1", True, (m.SOURCE,), "AETITLES=CT1", "198.51.100.7")
STUDY = Study("1.2.3", "P1", 'Doe^"Jane" <&>', "A1", {"1.2.840.10008.5.1.4.1.1.2": 12})

MESSAGES: dict[str, tuple[Callable[[], Message], str, str, list[str]]] = {
    "start": (lambda: m.application_activity(TOLD, OWN, starts=True, by="admin"), "110100", "E", []),
    "begin": (lambda: m.begin_transferring(TOLD, OWN, PEER, (), [STUDY]), "110102", "E", ["110180", "2"]),
    "accessed": (lambda: m.accessed(TOLD, Action.UPDATE, PEER, OWN, [STUDY]), "110103", "U", ["110180", "2"]),
    "transferred": (
        lambda: m.transferred(TOLD, Action.CREATE, PEER, OWN, (), [STUDY, STUDY]),
        "110104",
        "C",
        ["110180", "110180", "2"],
    ),
    "deleted": (lambda: m.study_deleted(TOLD, PEER, OWN, STUDY), "110105", "D", ["110180", "2"]),
    "query": (lambda: m.queried(TOLD, PEER, OWN, "1.2.840", b"\0\1", "1.2.840.10008.1.2"), "110112", "E", ["110181"]),
    "alert": (
        lambda: m.security_alert(TOLD, m.NODE_AUTHENTICATION, OWN, [PEER], "198.51.100.7", "who is that?"),
        "110113",
        "E",
        ["110182"],
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_the_structure_of_the_schema(name: str) -> None:
    make, event, action, objects = MESSAGES[name]
    root = parsed(to_xml(make()))
    identification = root.find("EventIdentification")
    assert identification is not None
    assert [code.attrib["csd-code"] for code in identification.iter("EventID")] == [event]
    assert identification.attrib["EventActionCode"] == action
    assert identification.attrib["EventOutcomeIndicator"] == "4"
    assert identification.findtext("EventOutcomeDescription") == "some failed <&>"
    assert [code.attrib["csd-code"] for code in root.iter("ParticipantObjectIDTypeCode")] == objects


def test_a_study_with_its_patient() -> None:
    root = parsed(to_xml(m.transferred(TOLD, Action.CREATE, PEER, OWN, (), [STUDY])))
    study, patient = root.iter("ParticipantObjectIdentification")
    assert study.attrib["ParticipantObjectID"] == "1.2.3"
    assert [one.attrib["Number"] for one in study.iter("Accession")] == ["A1"]
    assert [(one.attrib["UID"], one.attrib["NumberOfInstances"]) for one in study.iter("SOPClass")] == [
        ("1.2.840.10008.5.1.4.1.1.2", "12")
    ]
    assert (patient.attrib["ParticipantObjectID"], patient.findtext("ParticipantObjectName")) == (
        "P1",
        'Doe^"Jane" <&>',
    )
    peer, own = root.iter("ActiveParticipant")
    assert (peer.attrib["NetworkAccessPointID"], peer.attrib["NetworkAccessPointTypeCode"]) == ("198.51.100.7", "2")
    assert own.attrib["UserIsRequestor"] == "false"


def test_a_query_holds_its_keys() -> None:
    root = parsed(to_xml(MESSAGES["query"][0]()))
    assert base64.b64decode(root.findtext(".//ParticipantObjectQuery") or "") == b"\0\1"
    (detail,) = root.iter("ParticipantObjectDetail")
    assert (detail.attrib["type"], base64.b64decode(detail.attrib["value"])) == ("TransferSyntax", b"1.2.840.10008.1.2")


def test_what_a_peer_says_stays_in_its_place() -> None:
    nasty = 'x"/><AuditMessage>\n\0\x1b\ud800&amp;'
    study = Study(nasty, nasty, nasty, nasty)
    root = parsed(
        to_xml(m.transferred(TOLD, Action.CREATE, Participant(nasty, True, (), nasty, nasty), OWN, (), [study]))
    )
    assert len(list(root.iter("AuditMessage"))) == 1
    assert root.findtext(".//ParticipantObjectName", "").startswith('x"/><AuditMessage>\n\ufffd')
