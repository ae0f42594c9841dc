"""What an administrator tries from a node, and the words the answers come in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.dicom.contract import Peer
from sandbox.events.kinds import AssociationRequested
from sandbox.model.association import Side
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.network.plan import Action, FirewallRule
from tests.nodes.conftest import Small, line


def test_ping_port_and_lookup(small: Small) -> None:
    tools = small.ct.tools
    assert tools.ping("archive").sentence.startswith("archive (198.18.20.30) answers to ping in ")
    assert tools.ping("nowhere").sentence == "nowhere is not a known host."
    assert tools.port("archive", 11112).ok
    refused = tools.port("archive", 4711)
    assert refused.sentence == "No connection to archive:4711: connection refused."
    assert "nothing listens" in refused.facts[0]
    assert tools.lookup("ws1").sentence == "ws1 is 198.18.20.41."
    assert not tools.lookup("ws9").ok


def test_echo_says_what_was_accepted(small: Small) -> None:
    answer = small.ct.tools.echo("ROUTER")
    assert answer.ok
    assert answer.sentence.startswith("ROUTER (198.18.20.20:104) answered the C-ECHO in ")
    assert any(fact.startswith("Verification SOP Class: accepted") for fact in answer.facts)
    assert answer.association


def test_echo_tells_every_failure_apart(small: Small) -> None:
    tools = small.ct.tools
    small.network.add_rule(FirewallRule(source="modalities", target="WS1", action=Action.DROP))
    small.department.node("WS2").stop()
    said = {
        "refused": tools.echo("WS2").sentence,
        "timed out": tools.echo("WS1").sentence,
        "unknown host": tools.echo(Peer("ARCHIVE", "archiv", 11112)).sentence,
        "called": tools.echo(Peer("ARCHIVEX", "archive", 11112)).sentence,
        "calling": tools.echo("ARCHIVE", calling_ae="CT7").sentence,
    }
    assert said["refused"] == "No connection to WS2 (198.18.20.42:104): connection refused."
    assert said["timed out"].startswith("No connection to WS1 (198.18.20.41:104): timed out after 0.3")
    assert said["unknown host"] == "No connection to ARCHIVE (archiv:11112): unknown host."
    assert "called AE title" in said["called"]
    assert "(1/1/7)" in said["called"]
    assert "calling AE title" in said["calling"]
    assert "(1/1/3)" in said["calling"]


def test_a_find_that_the_other_does_not_offer(small: Small) -> None:
    answer = small.ct.tools.find("ROUTER", "STUDY", {})
    assert not answer.ok
    assert any("not accepted, abstract syntax not supported" in fact for fact in answer.facts), answer


def test_find_gives_a_table(small: Small) -> None:
    exam = small.scan(images=2)
    small.wait_stored("ARCHIVE", exam)
    answer = small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {"PatientID": exam.order.patient.patient_id})
    assert answer.ok
    assert answer.sentence.endswith("has 1 match.")
    row = dict(zip(answer.columns, answer.rows[0], strict=True))
    assert row["StudyInstanceUID"] == exam.study_uid
    assert row["PatientName"] == exam.order.patient.name
    assert row["NumberOfStudyRelatedInstances"] == "2"
    none = small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {"PatientID": "nobody"})
    assert none.ok
    assert none.sentence.endswith("has 0 matches.")
    small.wait_log("ARCHIVE", "PatientID=nobody → 0 matches")


def test_a_key_that_makes_no_sense_is_an_error(small: Small) -> None:
    tools = small.workstation("WS1").tools
    with pytest.raises(BadInputError, match="PatentID"):
        tools.find("ARCHIVE", "STUDY", {"PatentID": "1"})
    for keyword, value in (("SeriesNumber", "x"), ("PatientSize", "tall"), ("Rows", "70000"), ("PixelData", "x")):
        with pytest.raises(BadInputError, match=f"{keyword} cannot be '{value}'"):
            tools.find("ARCHIVE", "STUDY", {keyword: value})
    with pytest.raises(BadInputError, match="WARD"):
        tools.find("ARCHIVE", "WARD", {})
    with pytest.raises(NotFoundError, match="CT1"):
        tools.echo("PACS")


def test_retrieve_brings_a_study(small: Small) -> None:
    exam = small.scan(images=3)
    small.wait_stored("ARCHIVE", exam)
    answer = small.workstation("WS1").retrieve(exam.study_uid)
    assert answer.ok, answer
    assert answer.sentence == "ARCHIVE (198.18.20.30:11112) to WS1: 3 images sent."
    stored = small.wait_stored("WS1", exam)[0]
    request = small.events[stored.cause or 0]
    assert request.kind == "association.requested"
    assert small.events[request.cause or 0].node == "ARCHIVE"
    assert small.workstation("WS1").display(exam.objects[0].sop_instance).startswith(b"\x89PNG")


def test_a_workstation_may_retrieve_without_being_called_back(make_small: Callable[..., Small]) -> None:
    small = make_small(WS2={"retrieve_by": "C-GET"})
    exam = small.scan(images=2)
    small.wait_stored("ARCHIVE", exam)
    before = len(small.events)
    answer = small.workstation("WS2").retrieve(exam.study_uid)
    assert answer.ok, answer
    small.wait_stored("WS2", exam)
    called = [event.body for event in small.events.since(before) if event.node == "ARCHIVE"]
    sides = [body.facts.side for body in called if isinstance(body, AssociationRequested)]
    assert sides == [Side.ACCEPTOR], "the archive called nobody"


def test_retrieve_to_nowhere_says_which(make_small: Callable[..., Small]) -> None:
    small = make_small(ARCHIVE={"remotes": [line("ROUTER"), line("WS2"), line("CT1")]})
    exam = small.scan()
    small.wait_stored("ARCHIVE", exam)
    answer = small.workstation("WS2").tools.move("ARCHIVE", "WS9", "STUDY", {"StudyInstanceUID": exam.study_uid})
    assert not answer.ok
    assert any("A801" in fact for fact in answer.facts), answer
    small.wait_log("ARCHIVE", "WS9 is not in the AE table")
    nothing = small.workstation("WS2").retrieve("1.2.3")
    assert not nothing.ok
    assert "nothing matched" in nothing.sentence


def test_get_brings_a_study_over_the_same_association(small: Small) -> None:
    exam = small.scan(images=2)
    small.wait_stored("ARCHIVE", exam)
    answer = small.workstation("WS1").tools.get("ARCHIVE", "STUDY", {"StudyInstanceUID": exam.study_uid})
    assert answer.ok, answer
    small.wait_stored("WS1", exam)


def test_send_goes_past_the_queue(small: Small) -> None:
    small.ct.queue.hold("ROUTER")
    exam = small.scan(images=2)
    answer = small.ct.tools.send("WS1", exam.study_uid)
    assert answer.ok
    assert answer.sentence == "2 of 2 images sent to WS1 (198.18.20.41:104)."
    small.wait_stored("WS1", exam)
    with pytest.raises(NotFoundError):
        small.ct.tools.send("WS1", "1.2.3")
    assert small.ct.send(exam.study_uid, "ARCHIVE") == 2
    small.wait_stored("ARCHIVE", exam)


def test_a_node_that_refuses_images_says_so(small: Small) -> None:
    exam = small.scan(images=1)
    answer = small.ct.tools.send(Peer("CT1", "CT1", 104), exam.study_uid)
    assert not answer.ok
