"""What an administrator edits on a node. It exists twice, saved and running; restarting makes the saved one run.

Each role has its own config class (in sandbox.nodes) on top of ``NodeConfig``. Titles, help and units stand on the
fields, and the console draws its form from the JSON schema, so that a new field needs no second place.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from sandbox.model.ae_title import AETitle
from sandbox.model.base import Model

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$"


def shown(
    title: str, help_text: str = "", *, unit: str = "", group: str = "General", choices: str = ""
) -> dict[str, Any]:
    """Keyword arguments for ``Field`` that tell the console how to show it.

    ``choices`` names the table whose lines may be chosen by name: "remotes" makes a field a choice from the AE table.
    """
    extra = {"unit": unit, "group": group} | ({"choices": choices} if choices else {})
    return {"title": title, "description": help_text, "json_schema_extra": extra}


class ClientCertificates(StrEnum):
    """What a TLS port asks of its callers: nothing, a certificate if they have one, or one without fail."""

    NONE = "none"
    WANTED = "wanted"
    REQUIRED = "required"


class RemoteNode(Model):
    """A line of a node's AE table: what this node *believes* about another. Beliefs can be wrong."""

    name: str = Field(pattern=NAME_PATTERN, **shown("Name", "What this node calls the other one."))
    ae_title: AETitle = Field(**shown("AE title", "Sent as called AE title; accepted as calling AE title."))
    host: str = Field(min_length=1, max_length=253, **shown("Host", "Host name or address."))
    port: int = Field(ge=1, le=65535, **shown("Port"))
    tls: bool = Field(False, **shown("TLS", "Call it over TLS. The port must be its TLS port."))
    description: str = Field("", max_length=120, **shown("Description"))


class RetryPolicy(Model):
    """How a queue tries again. After ``attempts`` failures an entry is set aside as a dead letter."""

    first_s: float = Field(2.0, gt=0, le=3600, **shown("First retry after", unit="s"))
    factor: float = Field(2.0, ge=1, le=10, **shown("Each later wait is longer by", unit="times"))
    maximum_s: float = Field(30.0, gt=0, le=86400, **shown("Longest wait", unit="s"))
    attempts: int = Field(50, ge=1, le=10000, **shown("Give up after", unit="attempts"))
    in_order: bool = Field(
        False,
        **shown("Keep the order", "What is refused holds up what comes after it, until it is sent or given up."),
    )


class NodeConfig(Model):
    """The settings every AE has."""

    ae_title: AETitle = Field(**shown("AE title", "What others must call this node.", group="Identity"))
    port: int = Field(ge=1, le=65535, **shown("Port", "Where this node listens.", group="Identity"))
    tls_port: int = Field(
        0,
        ge=0,
        le=65535,
        **shown("TLS port", "Where this node listens for TLS beside its port; usually 2762. 0: nowhere.", group="TLS"),
    )
    client_certificates: ClientCertificates = Field(
        ClientCertificates.NONE,
        **shown("Client certificates", "What callers on the TLS port must show of themselves.", group="TLS"),
    )
    check_called_ae: bool = Field(
        True, **shown("Check called AE title", "Refuse callers that use another title.", group="Who may connect")
    )
    accept_unlisted_callers: bool = Field(
        False,
        **shown("Accept unlisted callers", "Let in AE titles that are not in the AE table.", group="Who may connect"),
    )
    maximum_associations: int = Field(25, ge=1, le=500, **shown("Most associations at once", group="Who may connect"))
    maximum_pdu: int = Field(
        131072, ge=4096, le=1048576, **shown("Maximum PDU length received", unit="bytes", group="Limits and timeouts")
    )
    connect_timeout_s: float = Field(
        3.0, gt=0, le=120, **shown("Connect timeout", unit="s", group="Limits and timeouts")
    )
    association_timeout_s: float = Field(
        15.0, gt=0, le=600, **shown("Association timeout", unit="s", group="Limits and timeouts")
    )
    dimse_timeout_s: float = Field(30.0, gt=0, le=3600, **shown("DIMSE timeout", unit="s", group="Limits and timeouts"))
    network_timeout_s: float = Field(
        60.0, gt=0, le=3600, **shown("Idle timeout", unit="s", group="Limits and timeouts")
    )
    remotes: tuple[RemoteNode, ...] = Field((), **shown("AE table", "The nodes this one knows.", group="AE table"))

    def remote(self, name: str) -> RemoteNode | None:
        """The AE-table line called ``name``."""
        return next((remote for remote in self.remotes if remote.name == name), None)

    def remote_by_title(self, ae_title: str) -> RemoteNode | None:
        """The AE-table line with that AE title (as a Move Destination is looked up)."""
        return next((remote for remote in self.remotes if remote.ae_title == ae_title.strip(" ")), None)
