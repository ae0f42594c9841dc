"""Addresses: the department's own plan inside 198.18.0.0/15, and the real world outside it.

198.18.0.0/15 is reserved for testing (RFC 2544), so a simulated address can never be a hospital's. A simulated address
is only ever looked up in the simulated network, never given to a real socket.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Annotated

from pydantic import AfterValidator

SIMULATED = IPv4Network("198.18.0.0/15")


def is_simulated(address: str) -> bool:
    """Whether ``address`` is one of the department's own plan, in whatever form the system writes it (a mapped IPv6
    address, a scope). A name is not."""
    with suppress(ValueError):
        parsed = ip_address(address.partition("%")[0])
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return isinstance(parsed, IPv4Address) and parsed in SIMULATED
    return False


def _simulated(address: str) -> str:
    if address and ip_address(address) not in SIMULATED:
        raise ValueError(f"{address} is no simulated address; use one inside {SIMULATED}")
    return address


SimulatedAddress = Annotated[str, AfterValidator(_simulated)]
"""An address of the department's own plan, or the empty text for none in particular."""
