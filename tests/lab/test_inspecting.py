"""An association looked at closely, in a real department: from who called whom to single bytes and data set elements,
with the entries of configuration that decided, and never more than a drill may show."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox.dicom.pdus import Kind, four_bytes
from sandbox.events.event import PROBE
from sandbox.events.kinds import ProbeStarted
from sandbox.events.log import because
from sandbox.lab.api import inspecting
from sandbox.lab.api.inspecting import AssociationPage, NodePage, StepPage, Window
from sandbox.lab.lab import Lab
from sandbox.model.errors import NotFoundError
from sandbox.model.inspection import AssociationDetail, Step, StepDetail
from sandbox.model.view import AttemptState
from sandbox.network.pcap import export
from tests.dicom.support import associate_rq
from tests.lab.support import do, until, wait_for
from tests.network.test_pcap import assert_sound, tshark

NONE = Window()
STORAGE = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture(autouse=True)
def _as_before(lab: Lab) -> Iterator[None]:
    yield
    lab.attempt = None
    do(lab, "lab.reset")


def over(lab: Lab, association: str) -> AssociationDetail:
    """An association when both its ends have told how it ended."""
    assert association

    def is_over() -> bool:
        story = lab.associations.story(association)
        return story.outcome not in ("requested", "accepted") and story.ended_at is not None

    until(is_over, f"the end of {association}")
    return inspecting.association(lab, NONE, association)


def said(lab: Lab, association: str) -> tuple[Step, ...]:
    return inspecting.steps(lab, StepPage(limit=200), association).steps


def message(lab: Lab, association: str, name: str) -> StepDetail:
    """The first step of that name, when it is in the capture."""
    until(lambda: any(step.name == name for step in said(lab, association)), f"{name} in the capture")
    number = next(step.number for step in said(lab, association) if step.name == name)
    return inspecting.step(lab, NONE, association, number)


def ended(lab: Lab, association: str) -> tuple[Step, ...]:
    """All steps, once the last PDU is in the capture: the acceptor's end writes in its own time."""
    last = {"A-RELEASE-RP", "A-ASSOCIATE-RJ", "A-ABORT"}
    until(lambda: bool(steps := said(lab, association)) and steps[-1].name in last, "the last PDU")
    return said(lab, association)


def dial(lab: Lab, node: str) -> socket.socket:
    host, _, port = lab.department.node(node).published.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_an_echo_from_beginning_to_end(lab: Lab) -> None:
    one = do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association
    steps = ended(lab, one)
    assert [(step.name, step.from_requestor) for step in steps] == [
        ("A-ASSOCIATE-RQ", True),
        ("A-ASSOCIATE-AC", False),
        ("C-ECHO-RQ", True),
        ("C-ECHO-RSP", False),
        ("A-RELEASE-RQ", True),
        ("A-RELEASE-RP", False),
    ]
    asked, answered = steps[2:4]
    assert (asked.answer, answered.request, answered.status, answered.status_text) == (4, 3, 0, "success")
    assert asked.duration_ms is not None
    found = over(lab, one)
    assert (found.caller.node, found.caller.address.split(":")[0]) == ("WS1", "198.18.30.41")
    assert (found.called.node, found.called.tool, found.called.maximum_pdu) == ("ARCHIVE", "PACS Sandbox", 131072)
    assert [item.from_requestor for item in found.user_information if item.name == "Maximum length received"] == [
        True,
        False,
    ]
    assert found.user_information[0].decided_by is not None
    assert found.user_information[0].decided_by.path == "maximum_pdu"
    assert found.account[0].words.startswith("WS1 opened a TCP connection from 198.18.30.41:")
    assert all(clause.part.startswith(("PS3.7", "PS3.8")) for clause in found.account)
    assert (found.advice, found.pdus, found.steps) == ((), 6, 6)
    (context,) = found.details
    assert context.because == "Of those offered it comes first in the list of ARCHIVE, whose order counts."
    assert context.taken is not None


def test_a_pdu_is_shown_as_it_was_captured(lab: Lab) -> None:
    one = do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association
    ended(lab, one)
    captured = [pdu.data for pdu in lab.composition.capture.pdus(one)]
    lines = inspecting.pdus(lab, StepPage(after=1, limit=3), one)
    assert (lines.total, [line.number for line in lines.pdus]) == (len(captured), [2, 3, 4])
    assert [line.size for line in lines.pdus] == [len(data) for data in captured[1:4]]
    for number, data in enumerate(captured, start=1):
        shown = inspecting.pdu(lab, NONE, one, number)
        assert bytes.fromhex(shown.data) == data
        assert not shown.pdu.bad
    later = inspecting.pdu(lab, Window(start=100), one, 1)
    assert (later.start, bytes.fromhex(later.data)) == (96, captured[0][96:])
    for number in (0, len(captured) + 1):
        with pytest.raises(NotFoundError):
            inspecting.pdu(lab, NONE, one, number)


def test_a_query_is_shown_down_to_its_elements(lab: Lab) -> None:
    one = do(lab, "tool.find", node="WS1", remote="ARCHIVE", level="STUDY", keys={"PatientName": "H*"}).association
    asked = message(lab, one, "C-FIND-RQ")
    assert asked.data is not None
    told = {element.keyword: element.value for element in asked.data.elements}
    assert (told["PatientName"], told["QueryRetrieveLevel"]) == ("H*", "STUDY")
    assert asked.transfer_name == "Explicit VR Little Endian"
    command = {element.keyword: element.note for element in asked.command.elements}
    assert command["CommandField"] == "C-FIND-RQ"
    answered = message(lab, one, "C-FIND-RSP")
    assert answered.data is not None
    assert answered.step.request == asked.step.number


def test_a_move_counts_its_sub_operations_and_names_the_table_of_destinations(lab: Lab) -> None:
    store = lab.department.node("ARCHIVE").store
    assert store is not None
    study = next(one for one in store.studies() if one.instances > 1)
    move = {"node": "WS1", "remote": "ARCHIVE", "level": "STUDY", "keys": {"StudyInstanceUID": study.study_uid}}
    done = do(lab, "tool.move", destination="WS1", **move).association
    answers = [step for step in ended(lab, done) if step.name == "C-MOVE-RSP"]
    assert (answers[-1].completed, answers[-1].failed, answers[-1].tone) == (study.instances, 0, "good")
    assert {step.tone for step in answers[:-1]} <= {"busy"}
    assert message(lab, done, "C-MOVE-RQ").step.destination == "WS1"
    lost = do(lab, "tool.move", destination="NOBODY", **move).association
    assert [(entry.node, entry.path) for entry in over(lab, lost).advice] == [("ARCHIVE", "remotes")]


def test_images_are_shown_without_their_pixels(lab: Lab) -> None:
    before = len(lab.events)
    do(lab, "exam.acquire", node="CT1", procedure="CTHEADWO", images=2)
    event = wait_for(lab, lambda e: e.kind == "association.released" and e.node == "CT1", after=before)
    body: Any = event.body
    stored = message(lab, body.facts.id, "C-STORE-RQ")
    assert stored.data is not None
    assert stored.data.trouble == ""
    last = stored.data.elements[-1]
    assert (last.keyword, last.note) == ("PixelData", "pixel data, not shown")
    assert stored.step.size == stored.data_size > 10_000
    assert stored.step.last_pdu > stored.step.first_pdu
    assert stored.step.priority == "medium"


def test_a_wrong_called_title_names_the_two_entries_and_not_the_culprit(lab: Lab) -> None:
    do(lab, "node.config.save", node="CT1", set={"remotes.ROUTER.ae_title": "ROUTERX"})
    do(lab, "node.restart", node="CT1")
    one = do(lab, "tool.echo", node="CT1", remote="ROUTER").association
    found = over(lab, one)
    assert [(entry.node, entry.path, entry.value) for entry in found.advice] == [
        ("CT1", "remotes.ROUTER.ae_title", "ROUTERX"),
        ("ROUTER", "ae_title", "ROUTER"),
    ]
    names = [remote.name for remote in lab.department.node("CT1").saved.remotes]
    assert found.advice[0].field == f"remotes.{names.index('ROUTER')}.ae_title"
    assert {entry.part for entry in found.advice} == {"PS3.8 9.3.4"}
    assert not any("wrong" in entry.words.lower() for entry in found.advice)
    assert found.rejection is not None
    assert (found.rejection.result, found.rejection.source, found.rejection.reason) == (1, 1, 7)
    assert [step.name for step in ended(lab, one)] == ["A-ASSOCIATE-RQ", "A-ASSOCIATE-RJ"]
    do(lab, "node.config.save", node="CT1", set={"remotes.ROUTER.ae_title": "ROUTER"})
    saved = over(lab, one)
    # What runs is what the call was made with; beside it stands what a restart would bring.
    assert [(entry.value, entry.saved) for entry in saved.advice if entry.node == "CT1"] == [("ROUTERX", "ROUTER")]


def test_an_unknown_caller_names_the_table_in_which_it_is_looked_up(lab: Lab) -> None:
    found = over(lab, do(lab, "tool.echo", node="CT1", remote="ROUTER", calling_ae="STRANGER").association)
    entries = {(entry.node, entry.path): entry.value for entry in found.advice}
    assert entries["CT1", "ae_title"] == "CT1"
    assert "CT1, MR1" in entries["ROUTER", "remotes"]
    assert {entry.field for entry in found.advice} == {"ae_title", "remotes.0.name", "accept_unlisted_callers"}
    assert entries["ROUTER", "accept_unlisted_callers"] == "off"


def test_a_refused_syntax_is_told_beside_what_the_acceptor_takes(lab: Lab) -> None:
    do(lab, "node.config.save", node="ROUTER", set={"transfer_syntaxes": ["JPEGLossless*"]})
    do(lab, "node.restart", node="ROUTER")
    before = len(lab.events)
    do(lab, "exam.acquire", node="CT1", images=1)
    event = wait_for(lab, lambda e: e.kind == "association.accepted" and e.node == "CT1", after=before)
    body: Any = event.body
    found = over(lab, body.facts.id)
    (context,) = [context for context in found.details if context.abstract_syntax == STORAGE]
    assert (context.result, context.result_text) == (4, "transfer syntaxes not supported")
    assert context.because == "None of those offered is among those that ROUTER takes."
    assert context.taken is not None
    assert not set(context.taken) & set(context.transfer_syntaxes)
    assert ("ROUTER", "transfer_syntaxes") in {(entry.node, entry.path) for entry in context.decided_by}
    assert ("ROUTER", "transfer_syntaxes") in {(entry.node, entry.path) for entry in found.advice}


def test_a_call_that_never_connected_has_words_and_no_pdus(lab: Lab) -> None:
    do(lab, "node.config.save", node="WS1", set={"remotes.ARCHIVE.port": 11113})
    do(lab, "node.restart", node="WS1")
    one = do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association
    found = over(lab, one)
    assert [(entry.node, entry.path, entry.value) for entry in found.advice] == [
        ("WS1", "remotes.ARCHIVE.port", "11113"),
        ("ARCHIVE", "port", "11112"),
    ]
    assert found.account[-1].words.endswith("Nothing of DICOM was said.")
    assert (found.pdus, said(lab, one)) == (0, ())


def test_an_outside_tool_that_aborts_is_shown_with_its_bytes(lab: Lab) -> None:
    before = len(lab.events)
    with dial(lab, "ARCHIVE") as peer:
        peer.sendall(associate_rq("ARCHIVE", "WS1", user_items=b""))
        assert peer.recv(6)[0] == Kind.ASSOCIATE_AC
        peer.sendall(four_bytes(Kind.ABORT, 0, 0, 2, 6))
        event = wait_for(lab, lambda e: e.kind == "association.aborted" and e.node == "ARCHIVE", after=before)
    body: Any = event.body
    found = over(lab, body.facts.id)
    assert (found.caller.node, found.source, found.outcome) == ("", "outside", "aborted")
    assert found.caller.address.startswith("127.0.0.1:")
    assert found.abort == "service provider: invalid PDU parameter value"
    last = ended(lab, found.id)[-1]
    assert (last.name, last.tone) == ("A-ABORT", "bad")


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("echoscu") is None, reason="dcmtk is not installed")
def test_dcmtk_is_known_by_what_it_says_of_itself(lab: Lab) -> None:
    host, _, port = lab.department.node("ARCHIVE").published.rpartition(":")
    before = len(lab.events)
    subprocess.run(["echoscu", "-aet", "WS1", "-aec", "ARCHIVE", host, port], check=True, timeout=60)
    event = wait_for(lab, lambda e: e.kind == "association.released" and e.node == "ARCHIVE", after=before)
    body: Any = event.body
    found = over(lab, body.facts.id)
    assert found.caller.tool.startswith("DCMTK")
    assert found.caller.implementation_version.startswith("OFFIS")
    assert "C-ECHO-RSP" in [step.name for step in ended(lab, found.id)]


def test_what_never_became_an_association_is_listed(lab: Lab) -> None:
    before = len(lab.events)
    with dial(lab, "ARCHIVE") as peer:
        peer.sendall(bytes.fromhex("16030102000100") + bytes(500))
        wait_for(lab, lambda e: e.kind == "connection.unspoken" and e.node == "ARCHIVE", after=before)
    (newest, *_) = inspecting.connections(lab, NodePage(node="ARCHIVE"))
    assert newest.peer_node == ""
    assert "TLS" in newest.reason
    assert inspecting.connections(lab, NodePage(node="MR1")) == ()


def test_the_list_is_narrowed(lab: Lab) -> None:
    good = do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association
    bad = do(lab, "tool.echo", node="CT1", remote="ROUTER", calling_ae="STRANGER").association
    over(lab, good)
    over(lab, bad)

    def ids(**asked: str) -> list[str]:
        return [view.id for view in inspecting.associations(lab, AssociationPage(**cast(Any, asked), limit=2))]

    assert ids() == [bad, good]
    assert ids(ae="strang")[0] == bad
    assert ids(outcome="bad")[0] == bad
    assert ids(outcome="rejected")[0] == bad
    assert ids(service="c-echo")[0] == good
    assert ids(q="calling AE title 198.18.20.20")[0] == bad
    assert ids(q="no such words") == []
    assert good not in ids(node="WS1", outcome="bad")
    assert bad not in ids(node="WS1")


def test_a_checks_own_call_is_nowhere_while_a_drill_runs(lab: Lab) -> None:
    started = lab.events.append(ProbeStarted(check="a check"), actor=PROBE)
    with because(started.seq, PROBE):
        assert lab.department.node("WS1").tools.echo("ARCHIVE").ok
    (story,) = lab.associations.newest(limit=1, node="WS1")
    ended(lab, story.id)
    drill = SimpleNamespace(state=AttemptState.RUNNING, close=lambda: None)
    lab.attempt = cast(Any, drill)
    for look in (
        lambda: inspecting.association(lab, NONE, story.id),
        lambda: inspecting.steps(lab, StepPage(), story.id),
        lambda: inspecting.step(lab, NONE, story.id, 1),
        lambda: inspecting.pdus(lab, StepPage(), story.id),
        lambda: inspecting.pdu(lab, NONE, story.id, 1),
    ):
        with pytest.raises(NotFoundError):
            look()
    lab.attempt = None
    assert inspecting.association(lab, NONE, story.id).for_check


@pytest.mark.tools
def test_the_capture_of_an_association_is_dicom_for_wireshark(lab: Lab, tmp_path: Path) -> None:
    one = do(lab, "tool.find", node="WS1", remote="ARCHIVE", level="STUDY").association
    ended(lab, one)
    path = tmp_path / "one.pcap"
    path.write_bytes(b"".join(export(lab.composition.capture, {one})))
    assert_sound(path)
    dicom = ("-d", "tcp.port==11112,dicom", "-Y", "dicom")
    fields = [x for name in ("ip.src", "ip.dst", "tcp.dstport", "dicom.pdu.type") for x in ("-e", name)]
    rows = [line.split("\t") for line in tshark(path, *dicom, "-T", "fields", *fields)]
    assert rows[0] == ["198.18.30.41", "198.18.20.30", "11112", "0x01"]
    assert {row[0] for row in rows} == {"198.18.30.41", "198.18.20.30"}
    told = "\n".join(tshark(path, *dicom))
    for name in ("A-ASSOCIATE request WS1", "C-FIND-RQ", "C-FIND-RSP", "A-RELEASE"):
        assert name in told
