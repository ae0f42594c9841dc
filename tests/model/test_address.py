"""Which addresses are the department's own, in every form that the system writes them in."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from sandbox.model.address import SimulatedAddress, is_simulated


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("198.18.0.1", True),
        ("198.19.255.254", True),
        ("::ffff:198.18.0.1", True),
        ("198.20.0.1", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("archive.riverside.example", False),
        ("", False),
    ],
)
def test_an_address_of_the_plan_is_known(address: str, is_one: bool) -> None:
    assert is_simulated(address) is is_one


@pytest.mark.parametrize("address", ["10.0.0.1", "nowhere", "198.18.0.300"])
def test_a_field_takes_no_other(address: str) -> None:
    field = TypeAdapter(SimulatedAddress)
    assert field.validate_python("198.18.4.4") == "198.18.4.4"
    assert field.validate_python("") == ""
    with pytest.raises(ValidationError):
        field.validate_python(address)
