"""Faults of configuration: each is felt by a real operation, mended by the setting it names, and undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.checks.memory import Memory
from sandbox.checks.unknown_ae_refused import UnknownAERefused
from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.model.errors import SandboxError
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from tests.faults.support import assert_felt_and_undone
from tests.nodes.conftest import Small

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"


def echoes(small: Small) -> bool:
    """Whether the scanner gets an answer from the router."""
    return small.ct.tools.echo("ROUTER").ok


def is_known(small: Small) -> bool:
    """Whether the archive answers the first workstation."""
    return small.workstation("WS1").tools.echo("ARCHIVE").ok


def takes(syntax: str) -> Callable[[Small], bool]:
    """Whether the archive takes CT images in a transfer syntax."""

    def ask(small: Small) -> bool:
        peer = small.ct.caller.peer("ARCHIVE")
        assert peer is not None
        opened = small.ct.caller.requestor.associate(peer, [SupportedContext(CT, (syntax,))])
        if isinstance(opened, AssociationFailure):
            assert [context.result for context in opened.contexts] in ([3], [4])
            return False
        opened.release()
        return True

    return ask


def finds_both(small: Small) -> bool:
    """Whether a search finds both studies of the archive."""
    assert small.archive.store is not None
    while small.archive.store.count_studies() < 2:
        assert small.ct.tools.send("ARCHIVE", small.scan(images=1).study_uid).ok
    return len(small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {}).rows) == 2


def strangers_stay_out(small: Small) -> bool:
    return UnknownAERefused(node=("ARCHIVE",)).run(small.department, Memory()).verdict is Verdict.PASS


def waits_long_enough(small: Small) -> bool:
    """Whether the archive still answers the scanner's host after a while of silence."""
    peer = small.ct.caller.peer("ARCHIVE")
    assert peer is not None
    with_silence = small.ct.caller.requestor.associate(peer, [SupportedContext("1.2.840.10008.1.1", (EXPLICIT,))])
    assert not isinstance(with_silence, AssociationFailure)
    if small.archive.running.network_timeout_s < 1:
        small.wait_until(lambda: not with_silence.notice())
    answered = with_silence.is_open and with_silence.echo().succeeded
    with_silence.abort()
    return answered


Works = Callable[[Small], bool]
Case = tuple[dict[str, Any], Works, str, dict[str, Any]]

CASES: dict[str, Case] = {
    "config.saved_not_running": (
        {"node": "CT1", "path": "remotes.ROUTER.port", "value": 105},
        echoes,
        "CT1",
        {},
    ),
    "config.ae_title": ({"node": "CT1", "value": "CT1NEW"}, echoes, "CT1", {"ae_title": "CT1"}),
    "config.remote_missing": ({"node": "ARCHIVE", "peer": "WS1"}, is_known, "ARCHIVE", {}),
    "config.remote_port": ({"node": "CT1", "peer": "ROUTER", "value": 105}, echoes, "CT1", {}),
    "config.remote_host": ({"node": "CT1", "peer": "ROUTER", "value": "router-old"}, echoes, "CT1", {}),
    "config.sop_classes": (
        {"node": "ARCHIVE", "accepted": ["MR Image Storage"]},
        takes(EXPLICIT),
        "ARCHIVE",
        {"storage_classes": []},
    ),
    "config.transfer_syntaxes": (
        {"node": "ARCHIVE", "accepted": ["Implicit VR Little Endian", "Explicit VR Little Endian"]},
        takes(JPEG),
        "ARCHIVE",
        {"transfer_syntaxes": []},
    ),
    "config.limit": ({"node": "ARCHIVE", "of": "matches", "value": 1}, finds_both, "ARCHIVE", {"query_limit": 0}),
    "config.timeout": (
        {"node": "ARCHIVE", "of": "network", "value": 0.2},
        waits_long_enough,
        "ARCHIVE",
        {"network_timeout_s": 60},
    ),
    "config.unlisted_callers": (
        {"node": "ARCHIVE"},
        strangers_stay_out,
        "ARCHIVE",
        {"accept_unlisted_callers": False},
    ),
}
"""For each kind: parameters, an operation that works without it and not with it, and the mend: node and settings."""


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    small = Small(tmp_path_factory.mktemp("faults") / "lab", {"CT1": {"send_to": []}})
    assert finds_both(small)
    yield small
    small.end()


def fault_of(kind: str) -> Fault:
    return make_fault(Primitive(kind=kind, **CASES[kind][0]))


def configs(small: Small) -> dict[str, Any]:
    return {name: node.running for name, node in small.department.nodes.items()}


@pytest.mark.parametrize("kind", CASES)
def test_it_is_felt_and_its_undo_leaves_no_trace(department: Small, kind: str) -> None:
    fault = fault_of(kind)
    fault.try_on(configs(department))
    assert_felt_and_undone(department.department, fault, lambda: CASES[kind][1](department))


@pytest.mark.parametrize("kind", CASES)
def test_the_right_setting_and_a_restart_mend_it(department: Small, kind: str) -> None:
    _, works, name, settings = CASES[kind]
    healthy = department.department.node(name).saved.model_dump(mode="json")["remotes"]
    undo = fault_of(kind).apply(department.department)
    department.change(name, **(settings or {"remotes": healthy}))
    assert works(department)
    undo()
    assert works(department)


def test_what_is_saved_and_not_running_says_that_it_waits(department: Small) -> None:
    before = fingerprint(department.department)
    undo = fault_of("config.saved_not_running").apply(department.department)
    node = department.ct
    assert node.needs_restart
    assert node.saved.remote("ROUTER").port == 104  # type: ignore[union-attr]
    undo()
    assert not node.needs_restart
    assert before.differences(fingerprint(department.department)) == ()


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("config.saved_not_running", {"node": "CT1", "path": "port", "value": 104}, "wrong"),
        ("config.ae_title", {"node": "CT1", "value": "CT1"}, "another"),
        ("config.remote_missing", {"node": "CT1", "peer": "NOBODY"}, "AE table"),
        ("config.remote_port", {"node": "CT1", "peer": "ROUTER", "value": 104}, "wrong"),
        ("config.remote_port", {"node": "CT1", "peer": "ROUTER", "value": 70000}, "65535"),
        ("config.remote_host", {"node": "CT1", "peer": "NOBODY", "value": "x"}, "AE table"),
        ("config.sop_classes", {"node": "CT1", "accepted": ["*"]}, "ARCHIVE"),
        ("config.sop_classes", {"node": "ARCHIVE", "accepted": ["CTX"]}, "CTX"),
        ("config.transfer_syntaxes", {"node": "ARCHIVE", "accepted": []}, "accepted"),
        ("config.limit", {"node": "ARCHIVE", "of": "match", "value": 1}, "matches"),
        ("config.limit", {"node": "CT1", "of": "matches", "value": 1}, "query_limit"),
        ("config.timeout", {"node": "ARCHIVE", "of": "dimse", "value": 99999}, "dimse_timeout_s"),
        ("config.unlisted_callers", {"node": "NOBODY"}, "Nodes"),
    ],
)
def test_what_makes_no_sense_is_refused(department: Small, kind: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(SandboxError) as refused:
        make_fault(Primitive(kind=kind, **params)).try_on(configs(department))
    assert word in f"{refused.value.sentence} {refused.value.mend}"
