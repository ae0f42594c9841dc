"""What an address plan refuses, in sentences that say what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.network.plan import Action, AddressPlan
from tests.network.department import plan

VLAN = {"name": "imaging", "number": 10, "subnet": "198.18.10.0/24"}
HOST = {"name": "CT1", "address": "198.18.10.11", "vlan": "imaging"}


def test_names_follow_from_the_hosts_and_may_be_replaced() -> None:
    records = plan(dns={"PACS": "198.18.20.10", "router": "198.18.20.99"}).records()
    assert records["archive"] == records["archive.riverside.example"] == records["pacs"] == "198.18.20.10"
    assert records["router"] == "198.18.20.99"
    assert records["router.riverside.example"] == "198.18.20.11"


def test_a_plan_goes_through_json_unchanged() -> None:
    made = plan(firewall=[{"source": "clinic", "port": 104, "action": "drop", "note": "until the audit"}])
    assert AddressPlan.model_validate_json(made.model_dump_json()) == made
    assert made.firewall[0].action is Action.DROP
    assert str(made.firewall[0]) == "drop clinic to any, port 104"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vlans": [{**VLAN, "subnet": "10.0.0.0/24"}]}, "10.0.0.0/24 is not inside 198.18.0.0/15"),
        ({"vlans": [{**VLAN, "subnet": "198.16.0.0/12"}]}, "is not inside"),
        ({"vlans": [{**VLAN, "number": 4095}]}, "4094"),
        ({"vlans": [{**VLAN, "name": "any"}]}, "has a meaning in firewall rules"),
        ({"vlans": [VLAN, {**VLAN, "name": "other", "number": 11}]}, "overlap"),
        ({"vlans": [VLAN, {**VLAN, "name": "other", "subnet": "198.18.11.0/24"}]}, "number 10 occurs twice"),
        ({"hosts": [{**HOST, "address": "198.18.11.11"}]}, "not in 198.18.10.0/24, the subnet of its VLAN 'imaging'"),
        ({"hosts": [{**HOST, "vlan": "servers"}]}, "VLAN 'servers', which does not exist"),
        ({"hosts": [HOST, {**HOST, "name": "CT2"}]}, "address 198.18.10.11 occurs twice"),
        ({"hosts": [HOST, {**HOST, "address": "198.18.10.12", "name": "ct1"}]}, "name ct1 occurs twice"),
        ({"hosts": [{**HOST, "name": "imaging"}]}, "name imaging occurs twice"),
        ({"hosts": [{**HOST, "name": "CT 1"}]}, "cannot be the name of a host"),
        ({"domain": "riverside..example"}, "no host name"),
        ({"dns": {"pacs": "archive"}}, "'archive', which is no IP address"),
        ({"dns": {"p_acs": "198.18.10.11"}}, "no host name"),
        ({"firewall": [{"source": "clinic", "action": "drop"}]}, "names 'clinic', which is no VLAN, host"),
        ({"firewall": [{"target": "198.18.10.0/33", "action": "drop"}]}, "names '198.18.10.0/33'"),
        ({"firewall": [{"port": 0, "action": "drop"}]}, "greater than or equal to 1"),
        ({"firewall": [{"port": 104, "action": "deny"}]}, "'allow', 'drop' or 'reject'"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changes: dict[str, Any], sentence: str) -> None:
    good: dict[str, Any] = {"domain": "riverside.example", "vlans": [VLAN], "hosts": [HOST]}
    AddressPlan.model_validate(good)
    with pytest.raises(ValidationError) as refused:
        AddressPlan.model_validate({**good, **changes})
    assert sentence in str(refused.value)
