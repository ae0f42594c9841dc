"""Associations as people see them: both ends, in words, with the setting to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import Peer, Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from sandbox.dicom.syntaxes import verification
from sandbox.events.event import PROBE
from sandbox.events.kinds import ProbeStarted
from sandbox.events.log import because
from sandbox.lab.lab import Lab
from sandbox.model.errors import NotFoundError
from sandbox.model.view import AssociationView
from tests.lab.support import do, until, wait_for


@pytest.fixture(autouse=True)
def _as_before(lab: Lab) -> Iterator[None]:
    yield
    do(lab, "lab.reset")


def seen(lab: Lab, association: str) -> AssociationView:
    assert association
    until(lambda: lab.associations.view(lab.associations.story(association)).outcome != "requested", "an outcome")
    return lab.associations.view(lab.associations.story(association))


def test_an_echo_in_full(lab: Lab) -> None:
    result = do(lab, "tool.echo", node="WS1", remote="ARCHIVE")
    wait_for(lab, lambda e: e.kind == "association.released" and e.node == "ARCHIVE", after=result.event)
    view = seen(lab, result.association)
    assert (view.source, view.target, view.calling_ae, view.called_ae) == ("WS1", "ARCHIVE", "WS1", "ARCHIVE")
    assert view.source_address.startswith("198.18.30.41:")
    assert view.target_address == "198.18.20.30:11112"
    assert view.outcome == "released"
    assert view.sentence == "WS1 to ARCHIVE: 1 of 1 context accepted, 1 C-ECHO."
    assert view.explanation == ""
    context = view.contexts[0]
    assert (context.abstract_name, context.result, context.result_text) == ("Verification SOP Class", 0, "accepted")
    assert context.accepted_transfer in context.transfer_names
    assert [(each.service, each.status, each.status_text) for each in view.exchanges] == [("C-ECHO", 0, "success")]
    assert view.exchange_count == 1


def test_a_wrong_called_title_points_at_both_titles(lab: Lab) -> None:
    do(lab, "node.config.save", node="CT1", set={"remotes.ROUTER.ae_title": "ROUTERX"})
    do(lab, "node.restart", node="CT1")
    view = seen(lab, do(lab, "tool.echo", node="CT1", remote="ROUTER").association)
    assert view.outcome == "rejected"
    assert "1/1/7" in view.sentence
    assert "called AE title not recognised" in view.sentence
    assert (
        "Compare the AE title that the AE table of CT1 has for ROUTER with ROUTER's own AE title." in view.explanation
    )
    assert view.contexts[0].result is None


def test_an_unknown_caller_points_at_the_ae_table(lab: Lab) -> None:
    view = seen(lab, do(lab, "tool.echo", node="CT1", remote="ROUTER", calling_ae="STRANGER").association)
    assert view.outcome == "rejected"
    assert "STRANGER" in view.explanation
    assert "AE table of ROUTER" in view.explanation


def test_a_wrong_port_points_at_the_port(lab: Lab) -> None:
    do(lab, "node.config.save", node="WS1", set={"remotes.ARCHIVE.port": 11113})
    do(lab, "node.restart", node="WS1")
    view = seen(lab, do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association)
    assert view.outcome == "failed"
    assert "connection refused" in view.sentence
    assert "the port that the AE table of WS1 has for ARCHIVE" in view.explanation
    assert (view.source, view.target) == ("WS1", "ARCHIVE"), "the address is ARCHIVE's, whatever the port"


def test_an_unknown_host_points_at_the_host(lab: Lab) -> None:
    do(lab, "node.config.save", node="WS1", set={"remotes.ARCHIVE.host": "archiv"})
    do(lab, "node.restart", node="WS1")
    view = seen(lab, do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association)
    assert "unknown host" in view.sentence
    assert "the host that the AE table of WS1 has for ARCHIVE" in view.explanation
    assert view.target == "outside", "a name that nobody knows is nobody's"


def test_an_outside_tool_is_shown_as_such(lab: Lab) -> None:
    host, _, port = lab.department.node("ARCHIVE").published.rpartition(":")
    before = len(lab.events)
    requestor = Requestor("TOOL", "test", PlainDialler(), NullObserver(), Timeouts(), 16384, association_ids("x"))
    requestor.associate(Peer("ARCHIVE", host, int(port)), verification())
    wait_for(lab, lambda e: e.kind == "association.rejected", after=before)
    view = lab.associations.view(lab.associations.newest(limit=1)[0])
    assert (view.source, view.target, view.calling_ae, view.outcome) == ("outside", "ARCHIVE", "TOOL", "rejected")
    assert "the caller's own title (TOOL)" in view.explanation


def test_the_list_is_newest_first_by_node_and_without_detail(lab: Lab) -> None:
    first = do(lab, "tool.echo", node="WS1", remote="ARCHIVE").association
    second = do(lab, "tool.echo", node="CT1", remote="ROUTER").association
    newest = lab.associations.newest(limit=2)
    assert [story.id for story in newest] == [second, first]
    assert [story.id for story in lab.associations.newest(limit=1, node="ARCHIVE")] == [first]
    listed = lab.associations.view(newest[0], detail=False)
    assert not listed.contexts
    assert listed.exchange_count == 1
    assert lab.associations.newest(limit=5, show=lambda event: False) == []
    with pytest.raises(NotFoundError):
        lab.associations.story("a99999")


def test_a_checks_own_call_is_told_from_everybody_elses(lab: Lab) -> None:
    """Hidden while a drill runs; afterwards it must not pass for something that a person did."""
    started = lab.events.append(ProbeStarted(check="a check"), actor=PROBE)
    with because(started.seq, PROBE):
        assert lab.department.node("WS1").tools.echo("ARCHIVE").ok
    (newest,) = lab.associations.newest(limit=1, node="WS1")
    assert lab.associations.view(newest).for_check
    assert lab.department.node("WS1").tools.echo("ARCHIVE").ok
    (newest,) = lab.associations.newest(limit=1, node="WS1")
    assert not lab.associations.view(newest).for_check
