"""A study followed through a real department: held, refused, rejected, not routed, committed; what a drill hides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.events.event import PROBE
from sandbox.events.log import because
from sandbox.lab import headers
from sandbox.lab.api.reads import Nothing, nodes_followed
from sandbox.lab.follow import follow, search
from sandbox.lab.lab import Lab
from sandbox.model.errors import NotFoundError
from sandbox.model.follow_view import FollowedStudy, Presence, Share
from sandbox.model.header_view import How
from sandbox.nodes.modality import AcquiredExam, Modality
from tests.lab.conftest import MakeLab
from tests.lab.support import do, until, wait_for
from tests.lab.test_api import Drill


def scan(lab: Lab, node: str = "CT1", images: int = 4) -> AcquiredExam:
    modality = lab.department.node(node)
    assert isinstance(modality, Modality)
    return modality.acquire(images=images)


def at(study: FollowedStudy, node: str) -> Share:
    return next(share for share in study.shares if share.node == node)


def eventually(lab: Lab, study_uid: str, holds: Callable[[FollowedStudy], bool], what: str) -> FollowedStudy:
    until(lambda: holds(follow(lab, study_uid)), what)
    return follow(lab, study_uid)


def instances(lab: Lab, node: str, study_uid: str) -> int:
    store = lab.department.node(node).store
    assert store is not None
    return len(store.objects(study_uid))


def test_a_held_queue_is_where_the_study_is(make_lab: MakeLab) -> None:
    lab = make_lab()
    do(lab, "queue.hold", node="ROUTER", destination="ARCHIVE", reason="The disk is being swapped")
    exam = scan(lab)
    found = eventually(
        lab,
        exam.study_uid,
        lambda it: at(it, "ROUTER").waiting == 4 and at(it, "WS2").instances == 4 and at(it, "WS1").instances == 4,
        "four wait at the router and are with the readers",
    )
    assert at(found, "CT1").presence is Presence.WHOLE
    assert at(found, "CT1").sentence == "4 of 4"
    assert at(found, "ROUTER").presence is Presence.PASSING
    assert at(found, "ROUTER").sentence == "4 waiting for ARCHIVE"
    assert (at(found, "ARCHIVE").presence, at(found, "ARCHIVE").instances) == (Presence.NONE, 0)
    assert found.where == "CT1, WS1, WS2 have all 4 images. Waiting at ROUTER. Not on ARCHIVE."
    assert found.sentences == ("4 images at ROUTER for ARCHIVE: the queue is on hold (The disk is being swapped).",)
    assert [(row.node, row.destination, row.waiting, row.state) for row in found.waiting] == [
        ("ROUTER", "ARCHIVE", 4, "held")
    ]
    assert sum(row.instances for row in found.series) == 4
    assert all(row.on["CT1"] == row.on["WS2"] == row.instances for row in found.series)
    assert {row.sop_class_name for row in found.series} == {"CT Image Storage"}

    decision = found.routing[0]
    assert decision.destinations == ("ARCHIVE", "WS1", "WS2")
    assert "ct-to-ed" in decision.rules
    assert {(row.source, row.target, row.stored, row.refused) for row in found.carried} == {
        ("CT1", "ROUTER", 4, 0),
        ("ROUTER", "WS1", 4, 0),
        ("ROUTER", "WS2", 4, 0),
    }
    told = [hop.sentence for hop in found.hops]
    assert "CT1 keeps 4 images on its own disk." in told
    assert "ROUTER stored 4 images from CT1." in told
    assert "ROUTER sent 4 images to WS2." in told
    assert [hop.seq for hop in found.hops] == sorted(hop.seq for hop in found.hops)

    # Who followed it has seen what is the matter at the router, and nothing of the others.
    assert nodes_followed(Nothing(), found) == ("ROUTER",)

    do(lab, "queue.resume", node="ROUTER", destination="ARCHIVE")
    gone = eventually(lab, exam.study_uid, lambda it: at(it, "ARCHIVE").instances == 4 and not it.waiting, "it arrives")
    assert "ROUTER: the queue for ARCHIVE runs again." in [hop.sentence for hop in gone.hops]
    assert "ARCHIVE" in gone.where.partition(" have")[0]
    assert not gone.sentences

    # What waits has a header too, and it is the one that the scanner wrote.
    do(lab, "queue.hold", node="ROUTER", destination="ARCHIVE", reason="")
    second = scan(lab, images=2)
    eventually(lab, second.study_uid, lambda it: at(it, "ROUTER").waiting == 2, "two wait")
    sop = second.objects[0].sop_instance
    compared = headers.compare(lab, ("CT1", sop), ("ROUTER", sop))
    assert compared.pixels_same is True
    # The router wrote its own file meta information (PS3.10 7.1), and not a value besides.
    assert {line.tag[:5] for line in compared.differences} <= {"(0002"}
    assert any(line.keyword == "SourceApplicationEntityTitle" for line in compared.differences)
    other = headers.compare(lab, ("CT1", sop), ("CT1", exam.objects[0].sop_instance))
    assert {line.how for line in other.differences if line.keyword == "PatientID"} == {How.DIFFERS}
    with pytest.raises(NotFoundError):
        headers.header(lab, "WS1", "1.2.3")


def test_a_rejected_image_is_out_of_sight_and_refused_when_it_comes_again(make_lab: MakeLab) -> None:
    lab = make_lab()
    exam = scan(lab)
    until(lambda: instances(lab, "ARCHIVE", exam.study_uid) == 4, "the archive has it")
    one = exam.objects[-1].sop_instance
    do(lab, "archive.reject", study=exam.study_uid, instance=one, reason="Moved during the scan")
    found = follow(lab, exam.study_uid)
    # Beside the three images the archive has the note that says which was rejected.
    assert {row.sop_class_name: row.on.get("ARCHIVE") for row in found.series if row.modality == "KO"} == {
        "Key Object Selection Document Storage": 1
    }
    assert sum(row.on.get("ARCHIVE", 0) for row in found.series if row.modality == "CT") == 3
    (out,) = [row for row in found.taken_out if row.kind == "reject"]
    assert (out.node, out.instances, out.in_bin, out.undone) == ("ARCHIVE", 1, 1, False)
    assert "Moved during the scan" in out.sentence
    assert out.sentence in found.sentences
    assert any(hop.kind == "archive.rejected" for hop in found.hops)

    do(lab, "exam.send", node="CT1", study=exam.study_uid, to="ARCHIVE")
    again = follow(lab, exam.study_uid)
    direct = next(row for row in again.carried if row.source == "CT1" and row.target == "ARCHIVE")
    assert (direct.stored, direct.refused) == (3, 1)
    assert "0124" in direct.refusals[0]
    assert any(sentence.startswith("ARCHIVE refused 1 image from CT1") for sentence in again.sentences)
    do(lab, "archive.undo", entry=out.entry, reason="It was needed")
    assert [row.undone for row in follow(lab, exam.study_uid).taken_out if row.kind == "reject"] == [True]


def test_no_rule_matched_and_it_says_so(make_lab: MakeLab) -> None:
    lab = make_lab()
    only_ct = {f"rules.{rule}.enabled": False for rule in ("to-archive", "reading-room", "plain-films-to-ed")}
    do(lab, "node.config.save", node="ROUTER", set=only_ct)
    do(lab, "node.restart", node="ROUTER")
    exam = scan(lab, "US1", 2)
    found = eventually(lab, exam.study_uid, lambda it: at(it, "ROUTER").dead == exam.instances, "it is set aside")
    assert [row.destinations for row in found.routing] == [()]
    assert found.routing[0].not_to == ("WS2",)
    assert "No rule of ROUTER matched, so it goes nowhere." in found.sentences
    assert found.waiting[0].destination == "unrouted"
    assert found.waiting[0].last_error == "No rule matched."
    assert at(found, "ROUTER").sentence == f"{exam.instances} given up"


def test_a_study_that_never_left_is_found_and_one_in_a_queue_alone(make_lab: MakeLab) -> None:
    lab = make_lab()
    do(lab, "node.config.save", node="CT1", set={"auto_send": False})
    do(lab, "node.restart", node="CT1")
    exam = scan(lab)
    patient = exam.order.patient
    for words in (patient.patient_id, patient.name.split("^")[0].lower(), exam.accession_number, exam.study_uid):
        assert exam.study_uid in [each.study.study_uid for each in search(lab, words).studies], words
    (found,) = search(lab, exam.accession_number).studies
    assert found.where == "CT1 has all 4 images. Not on ARCHIVE, WS1, WS2."
    assert not search(lab, "nobody of that name").studies
    assert search(lab, "").studies[0].study.study_uid == exam.study_uid, "the latest is first"

    do(lab, "queue.hold", node="ROUTER", destination="ARCHIVE", reason="")
    for destination in ("WS1", "WS2"):
        do(lab, "queue.hold", node="ROUTER", destination=destination, reason="")
    do(lab, "exam.send", node="CT1", study=exam.study_uid, to="ROUTER")
    eventually(lab, exam.study_uid, lambda it: at(it, "ROUTER").waiting == 4, "it waits")
    store = lab.department.node("CT1").store
    assert store is not None
    store.forget_study(exam.study_uid)
    (queued,) = search(lab, exam.accession_number).studies
    assert queued.where == "Waiting at ROUTER. Not on ARCHIVE, WS1, WS2."
    with pytest.raises(NotFoundError):
        follow(lab, "1.2.3.4.5")


def test_copies_that_tell_different_things_are_told(make_lab: MakeLab) -> None:
    lab = make_lab()
    exam = scan(lab)
    until(
        lambda: instances(lab, "ARCHIVE", exam.study_uid) == instances(lab, "WS1", exam.study_uid) == 4, "it is there"
    )
    do(
        lab,
        "archive.edit",
        study=exam.study_uid,
        values={"AccessionNumber": "CORRECTED1"},
        reason="Wrong order",
    )
    (told,) = follow(lab, exam.study_uid).disagreements
    assert told.name == "Accession number"
    assert told.values["ARCHIVE"] == "CORRECTED1"
    assert told.values["WS1"] == exam.accession_number


def test_storage_commitment_is_counted(make_lab: MakeLab) -> None:
    lab = make_lab()
    do(lab, "node.config.save", node="CT1", set={"request_commitment": "ARCHIVE", "send_to": ["ARCHIVE"]})
    do(lab, "node.restart", node="CT1")
    exam = scan(lab, images=2)
    found = eventually(
        lab,
        exam.study_uid,
        lambda it: "commitment.reported" in [hop.kind for hop in it.hops] and bool(it.commitment),
        "the archive has taken charge",
    )
    assert found.commitment[0].sentence == "CT1: 2 committed."
    assert "commitment.requested" in [hop.kind for hop in found.hops]


def test_what_a_check_scans_is_hidden_while_a_drill_runs(make_lab: MakeLab) -> None:
    lab = make_lab()
    with because(None, PROBE):
        exam = scan(lab)
    lab.attempt = Drill()
    assert exam.study_uid not in [each.study.study_uid for each in search(lab, "").studies]
    with pytest.raises(NotFoundError):
        follow(lab, exam.study_uid)
    mine = scan(lab)
    with because(None, PROBE):
        do(lab, "exam.send", actor=PROBE, node="CT1", study=mine.study_uid, to="ARCHIVE")
    wait_for(lab, lambda e: e.kind == "instance.stored" and e.node == "ARCHIVE" and e.actor == PROBE)
    hidden: Any = [event.seq for event in lab.events.since() if event.actor == PROBE]
    assert not set(hidden) & {hop.seq for hop in follow(lab, mine.study_uid).hops}
    lab.attempt = None
    assert follow(lab, exam.study_uid).instances == 4
