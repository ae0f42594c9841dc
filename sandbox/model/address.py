"""Addresses: the department's own plan inside 198.18.0.0/15, and the real world outside it.

198.18.0.0/15 is reserved for testing (RFC 2544), so a simulated address can never be a hospital's. A simulated address
is only ever looked up in the simulated network, never given to a real socket.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address
from typing import Annotated

from pydantic import AfterValidator

SIMULATED = IPv4Network("198.18.0.0/15")


def _simulated(address: str) -> str:
    if address and ip_address(address) not in SIMULATED:
        raise ValueError(f"{address} is no simulated address; use one inside {SIMULATED}")
    return address


SimulatedAddress = Annotated[str, AfterValidator(_simulated)]
"""An address of the department's own plan, or the empty text for none in particular."""
