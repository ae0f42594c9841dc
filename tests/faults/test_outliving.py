"""What was broken stays broken when the lab's process ends and another one opens its directory."""

from __future__ import annotations

from pathlib import Path

from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Undo, undo_all
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.scenario import Primitive
from tests.drill.support import do, running_lab

FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "link.latency", "a": "CT1", "b": "ROUTER", "ms": 5},
    {"kind": "link.reset", "a": "CT1", "b": "ROUTER", "after_instances": 3},
    {"kind": "link.one_way", "a": "MR1", "lost": "back"},
    {"kind": "network.readdressed", "node": "WS1"},
    {"kind": "network.duplicate_address", "node": "MR1", "intruder": "US1"},
    {"kind": "network.stale_dns", "node": "ARCHIVE"},
    {"kind": "network.stale_dns", "node": "ROUTER", "seen_by": "WS2"},
    {"kind": "network.firewall_missing", "source": "servers", "target": "reading", "port": 104},
    {"kind": "network.firewall_rule", "source": "modalities", "target": "servers", "port": 104},
    {"kind": "tls.expired", "node": "ROUTER"},
    {"kind": "tls.untrusted", "node": "ROUTER"},
    {"kind": "time.skew", "node": "CT1", "seconds": 86400},
    {"kind": "time.utc", "node": "MR1", "hours": -6},
)
"""Faults of network, certificates and clocks, all at once."""


def test_faults_compose_and_outlive_the_process(tmp_path: Path) -> None:
    place = tmp_path / "lab"
    with running_lab(place) as lab:
        do(lab, "node.config.save", node="ROUTER", set={"tls_port": 2762})
        do(lab, "node.restart", node="ROUTER")
        healthy = fingerprint(lab.department)

        undo_all(break_all(lab))
        assert healthy.differences(fingerprint(lab.department)) == ()

        break_all(lab)
        broken = fingerprint(lab.department)
        assert len(healthy.differences(broken)) >= 4
    again = Lab.open(place)
    try:
        again.start()
        assert broken.differences(fingerprint(again.department)) == ()
    finally:
        again.stop()


def break_all(lab: Lab) -> list[Undo]:
    return [make_fault(Primitive.model_validate(fault)).apply(lab.department) for fault in FAULTS]
