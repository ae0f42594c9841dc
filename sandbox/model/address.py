"""Addresses: the department's own plan inside 198.18.0.0/15, and the real world outside it.

198.18.0.0/15 is reserved for testing (RFC 2544), so a simulated address can never be a hospital's. A simulated address
is only ever looked up in the simulated network, never given to a real socket.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address

from pydantic import Field

from sandbox.model.base import Model

SIMULATED = IPv4Network("198.18.0.0/15")
Port = Field(ge=1, le=65535)


class Endpoint(Model):
    """A host (name or address) and a TCP port."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Port

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def is_simulated(host: str) -> bool:
    """Whether ``host`` is an address of the department's own plan. Names are not addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return isinstance(address, IPv4Address) and address in SIMULATED


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address (simulated or real) and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
