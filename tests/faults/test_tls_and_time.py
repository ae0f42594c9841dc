"""Faults of certificates, of trust and of clocks: each is felt by a real operation, and leaves no trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydicom import dcmread

from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError, ConflictError, SandboxError
from sandbox.model.scenario import Primitive
from sandbox.nodes.router import Router
from tests.drill.support import do, running_lab
from tests.faults.support import assert_felt_and_undone

WAIT_S = 30.0
TLS_PORT = 2762
SPAN = ("Valid from", "Valid until")


def echoes(lab: Lab) -> bool:
    """Whether a C-ECHO from the scanner to the router succeeds, which goes over TLS with certificates on both sides."""
    return lab.department.node("CT1").tools.echo("ROUTER").ok


def dates_rightly(lab: Lab) -> bool:
    """Whether a new exam has the department's date and hour."""
    exam = lab.department.acquire("CT1", images=1)
    made = dcmread(exam.objects[0].path, stop_before_pixels=True)
    # Studies begin a little before their first image; none takes an hour.
    now = lab.clock.now()
    minutes = (int(made.StudyTime[:2]) - now.hour) * 60 + int(made.StudyTime[2:4]) - now.minute
    lab.department.forget_study(exam.study_uid)
    return str(made.StudyDate) == f"{now:%Y%m%d}" and abs(minutes) < 45


Works = Callable[[Lab], bool]

CASES: dict[str, tuple[dict[str, object], Works]] = {
    "tls.expired": ({"node": "ROUTER"}, echoes),
    "tls.wrong_name": ({"node": "ROUTER"}, echoes),
    "tls.wrong_authority": ({"node": "CT1"}, echoes),
    "tls.untrusted": ({"node": "CT1"}, echoes),
    "tls.mismatch": ({"node": "CT1", "peer": "ROUTER"}, echoes),
    "time.expiry": ({"node": "ROUTER", "in_s": 0.001}, echoes),
    "time.skew": ({"node": "CT1", "seconds": -90_000.0}, dates_rightly),
    "time.utc": ({"node": "CT1", "hours": -6.0}, dates_rightly),
}
"""For each kind: parameters, and an operation of the department that works without it and not with it."""

MENDS: dict[str, tuple[str, ...]] = {
    "tls.expired": ("node.certificate.renew ROUTER", "node.restart ROUTER"),
    "tls.wrong_name": ("node.certificate.renew ROUTER", "node.restart ROUTER"),
    "tls.wrong_authority": ("node.certificate.renew CT1",),
    "tls.untrusted": ("node.certificate.trust CT1",),
    "time.expiry": ("node.certificate.renew ROUTER", "node.restart ROUTER"),
    "time.skew": ("node.clock.sync CT1",),
    "time.utc": ("node.clock.zone CT1",),
}
"""For each kind: what an administrator does about it."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("faults") / "lab") as running:
        do(running, "node.config.save", node="ROUTER", set={"tls_port": TLS_PORT, "client_certificates": "required"})
        do(running, "node.restart", node="ROUTER")
        line = {"remotes.ROUTER.tls": True, "remotes.ROUTER.port": TLS_PORT}
        do(running, "node.config.save", node="CT1", set=line)
        do(running, "node.restart", node="CT1")
        do(running, "network.firewall.add", source="modalities", target="servers", port=TLS_PORT)
        # At noon nobody's date is wrong by an hour's skew.
        running.clock.move_to(running.clock.now().replace(hour=12))
        running.mark_start()
        yield running


@pytest.fixture
def lab(started: Lab) -> Iterator[Lab]:
    yield started
    started.reset()


def fault_of(kind: str, **more: object) -> Fault:
    return make_fault(Primitive(kind=kind, **(CASES[kind][0] | more)))


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_is_felt_and_its_undo_leaves_no_trace(lab: Lab, kind: str) -> None:
    assert_felt_and_undone(lab.department, fault_of(kind), lambda: CASES[kind][1](lab))


@pytest.mark.parametrize("kind", MENDS)
def test_an_administrator_can_mend_it(lab: Lab, kind: str) -> None:
    fault_of(kind).apply(lab.department)
    for command, node in (step.split() for step in MENDS[kind]):
        assert do(lab, command, node=node).ok
    assert CASES[kind][1](lab)


@pytest.mark.parametrize("kind", ["tls.expired", "time.utc"])
def test_a_reset_finds_it_as_it_was(lab: Lab, kind: str) -> None:
    fault_of(kind).apply(lab.department)
    broken = fingerprint(lab.department)
    lab.mark_start()
    for command, node in (step.split() for step in MENDS[kind]):
        do(lab, command, node=node)
    lab.reset()
    assert broken.differences(fingerprint(lab.department)) == ()
    assert not CASES[kind][1](lab)
    for command, node in (step.split() for step in MENDS[kind]):
        do(lab, command, node=node)
    lab.mark_start()


def test_what_expires_is_good_until_then(lab: Lab) -> None:
    fault_of("time.expiry", in_s=7).apply(lab.department)
    until = next(fact for fact in do(lab, "node.certificate.show", node="ROUTER").facts if "until" in fact)
    assert echoes(lab)
    deadline = time.monotonic() + WAIT_S
    while echoes(lab):
        assert time.monotonic() < deadline, until


def test_an_expired_certificate_says_when(lab: Lab) -> None:
    now = datetime.now(UTC)
    fault_of("tls.expired", ago_h=3).apply(lab.department)
    facts = dict(fact.split(": ", 1) for fact in do(lab, "node.certificate.show", node="ROUTER").facts)
    since, until = (datetime.fromisoformat(facts[name].replace(" UTC", "+00:00")) for name in SPAN)
    assert abs(now - timedelta(hours=3) - until) < timedelta(minutes=1)
    assert until - since == timedelta(days=397)


def test_a_certificate_is_shown_with_what_tells(lab: Lab) -> None:
    own = do(lab, "node.certificate.show", node="CT1").facts
    assert "Names: ct1.riverside.example, ct1, localhost, 198.18.10.11, 127.0.0.1" in own
    signed, trusts = own[-2].removeprefix("Signed by: "), own[-1].removeprefix("Trusts: ")
    assert signed == trusts
    fault_of("tls.untrusted").apply(lab.department)
    shown = do(lab, "node.certificate.show", node="CT1").facts
    assert shown[-1] != own[-1]
    assert shown[-1].split(", key")[0] == own[-1].split(", key")[0], "the same name, another key"
    fault_of("tls.wrong_authority", self_signed=True).apply(lab.department)
    assert "Signed by: itself" in do(lab, "node.certificate.show", node="CT1").facts
    with pytest.raises(ConflictError, match="does not use TLS"):
        do(lab, "node.certificate.show", node="WS1")


def test_the_clock_says_by_how_much_it_is_wrong(lab: Lab) -> None:
    assert "as the time server does" in do(lab, "tool.clock", node="CT1").sentence
    fault_of("time.utc").apply(lab.department)
    assert "6 h ahead of the server" in do(lab, "tool.clock", node="CT1").sentence
    do(lab, "node.clock.sync", node="CT1")
    assert "6 h ahead of the server" in do(lab, "tool.clock", node="CT1").sentence, "the zone is another setting"
    fault_of("time.skew").apply(lab.department)
    assert "19 h behind the server" in do(lab, "tool.clock", node="CT1").sentence


def test_a_routers_hours_go_by_its_own_clock(lab: Lab) -> None:
    router = lab.department.node("ROUTER")
    assert isinstance(router, Router)
    fault_of("time.skew", node="ROUTER", seconds=3600.0).apply(lab.department)
    ahead = (router.now() - lab.clock.now()).total_seconds()
    assert 3590 < ahead <= 3600


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("time.skew", {"node": "CT1", "seconds": 0}, "right"),
        ("time.utc", {"node": "CT1", "hours": 15}, "less than or equal to 14"),
        ("time.expiry", {"node": "CT1", "in_s": 0}, "greater than 0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        make_fault(Primitive(kind=kind, **params))
    assert word in str(refused.value)


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_fits_the_department_or_says_why_not(lab: Lab, kind: str) -> None:
    configs = {name: node.running for name, node in lab.department.nodes.items()}
    fault_of(kind).try_on(configs)
    with pytest.raises(SandboxError):
        fault_of(kind, node="WS1", **({"peer": "MR1"} if kind == "tls.mismatch" else {})).try_on(configs)
