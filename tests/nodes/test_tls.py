"""Nodes that listen for TLS beside their port and call each other with it, and certificates that go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.authority import Flaw
from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer, Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from sandbox.dicom.tls import TlsPolicy
from sandbox.model.association import Side
from sandbox.model.view import NodeState
from tests.nodes.conftest import ROLES, Small, line

TLS_PORT = 2762


def remotes_of(name: str, *over_tls: str) -> list[dict[str, object]]:
    return [
        line(other, tls=True, port=TLS_PORT) if other in over_tls else line(other) for other in ROLES if other != name
    ]


@pytest.fixture
def secured(make_small: Callable[..., Small]) -> Small:
    """CT1 sends to the router over TLS, which wants its certificate."""
    return make_small(
        CT1={"remotes": remotes_of("CT1", "ROUTER")},
        ROUTER={"tls_port": TLS_PORT, "client_certificates": "required"},
    )


def test_an_exam_travels_over_tls_and_both_ends_say_so(secured: Small) -> None:
    secured.ct.acquire(images=2)
    secured.wait_until(lambda: secured.has("instance.stored", "ARCHIVE"))
    facts = [event.body.facts for event in secured.events.since() if event.kind == "association.accepted"]  # type: ignore[attr-defined]
    by_side = {one.side: one for one in facts if {one.calling_ae, one.called_ae} == {"CT1", "ROUTER"}}
    assert by_side[Side.REQUESTOR].id == by_side[Side.ACCEPTOR].id
    assert by_side[Side.REQUESTOR].tls == "TLSv1.3, TLS_AES_256_GCM_SHA384, certificate ROUTER"
    assert by_side[Side.ACCEPTOR].tls.endswith("certificate CT1")
    assert by_side[Side.ACCEPTOR].local == "198.18.20.20:2762"
    assert by_side[Side.ACCEPTOR].peer_node == "CT1"
    onward = next(one for one in facts if one.called_ae == "ARCHIVE")
    assert onward.tls == ""


def test_the_node_shows_where_it_listens(secured: Small) -> None:
    router = secured.department.node("ROUTER")
    view = router.view()
    assert (view.tls_port, view.sentence) == (TLS_PORT, "Listens as ROUTER on port 104, for TLS on port 2762.")
    assert view.tls_published.startswith("127.0.0.1:")
    assert view.tls_published != view.published
    started = next(
        event.body for event in secured.events.since() if event.kind == "node.started" and event.node == "ROUTER"
    )
    assert (started.tls_address, started.tls_published) == ("198.18.20.20:2762", view.tls_published)  # type: ignore[attr-defined]
    assert secured.department.node("ARCHIVE").view().tls_published == ""


def test_an_outside_tool_reaches_the_published_port(secured: Small) -> None:
    secured.change("ROUTER", accept_unlisted_callers=True, client_certificates="none")
    host, _, port = secured.department.node("ROUTER").view().tls_published.rpartition(":")
    tool = Requestor("TOOL", "", PlainDialler(), NullObserver(), Timeouts(), 16384, association_ids())
    policy = TlsPolicy(authority=secured.authority.certificate)
    opened = tool.associate(Peer("ROUTER", host, int(port), policy), syntaxes.verification())
    assert isinstance(opened, Association), opened
    with opened:
        assert opened.echo().status == 0


@pytest.mark.parametrize(
    ("node", "flaw", "at_sender", "at_receiver"),
    [
        ("ROUTER", Flaw.EXPIRED, "the peer's certificate has expired", "our certificate has expired"),
        ("ROUTER", Flaw.WRONG_NAME, "is for another address", "does not accept our certificate"),
        ("CT1", Flaw.EXPIRED, "our certificate has expired", "the peer's certificate has expired"),
        ("CT1", Flaw.SELF_SIGNED, "does not trust the authority", "signed by nobody but itself"),
        ("CT1", Flaw.WRONG_AUTHORITY, "does not trust the authority", "not trusted here"),
    ],
)
def test_a_wrong_certificate_stops_the_queue_and_a_new_one_mends_it(
    secured: Small, node: str, flaw: Flaw, at_sender: str, at_receiver: str
) -> None:
    wrong = secured.department.node(node)
    wrong.tls.issue(flaw=flaw)
    wrong.restart()
    secured.change("CT1", retry={"first_s": 0.05, "factor": 1.0, "maximum_s": 0.05, "attempts": 1000})
    secured.ct.acquire(images=1)
    secured.wait_until(lambda: secured.has("queue.failed", "CT1") and secured.has("connection.unspoken", "ROUTER"))
    secured.wait_log("CT1", re.escape(at_sender))
    secured.wait_log("ROUTER", re.escape(at_receiver))
    assert not secured.has("instance.stored", "ROUTER")
    wrong.tls.issue()
    wrong.restart()
    secured.wait_until(lambda: secured.has("instance.stored", "ARCHIVE"))


def test_the_handshake_tool_counts_from_the_clock_of_the_node(secured: Small) -> None:
    router = secured.department.node("ROUTER")
    router.tls.issue(days=-5.4 / 24)
    router.restart()

    def seen() -> str:
        return " ".join(secured.department.node("CT1").tools.tls("ROUTER", TLS_PORT).facts)

    assert "UTC: ended 5 hours ago." in seen()
    secured.clock.move_to(secured.clock.now() + timedelta(days=3))
    assert "UTC: ended 3 days ago." in seen()
    secured.clock.move_to(secured.clock.now() - timedelta(days=5))
    assert "UTC: 1 day left." in seen()


def test_plaintext_to_the_tls_port_and_tls_to_the_plain_one(secured: Small) -> None:
    secured.change("CT1", remotes=[line("ROUTER", port=TLS_PORT)])
    secured.ct.acquire(images=1)
    secured.wait_log("ROUTER", "speaks without TLS to a port with TLS")
    secured.change("CT1", remotes=[line("ROUTER", tls=True)])
    secured.ct.acquire(images=1)
    secured.wait_log("CT1", "the peer does not speak TLS")
    secured.wait_log("ROUTER", "a TLS handshake to a port without TLS")


def test_certificates_and_ports_outlive_the_lab(secured: Small) -> None:
    router = secured.department.node("ROUTER")
    before = router.tls.identity.certificate.read_bytes()
    secured.reopen()
    router = secured.department.node("ROUTER")
    assert router.tls.identity.certificate.read_bytes() == before
    secured.ct.acquire(images=1)
    secured.wait_until(lambda: secured.has("instance.stored", "ARCHIVE"))
    assert not (secured.department.node("WS1").context.directory / "tls").exists()


def test_a_port_for_both_cannot_be(secured: Small) -> None:
    secured.change("ROUTER", tls_port=104)
    router = secured.department.node("ROUTER")
    assert router.state is NodeState.FAILED
    assert "already in use" in router.trouble
    secured.change("ROUTER", tls_port=0)
    assert router.state is NodeState.RUNNING
