"""A node's certificate and whom it trusts: looking at them, renewing the one, entering the department's authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.dicom.authority import CertificateFacts, read_certificate
from sandbox.lab.command import Command
from sandbox.model.config import shown
from sandbox.model.errors import ConflictError
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.node import Node

NODE = Field(**shown("Node", "A node that listens for TLS or calls with it."))


class CertificateShow(Command):
    """Show a node's certificate and the authority it trusts, as a certificate viewer does. Times are UTC."""

    name = "node.certificate.show"
    title: ClassVar[str] = "Show certificate"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = _using_tls(lab, self.node)
        own, trusted = read_certificate(node.tls.identity.certificate), read_certificate(node.tls.trusted)
        return CommandResult(
            ok=True,
            sentence=f"{node.name} shows a certificate for {own.subject}, valid until {own.until:%d %b %Y %H:%M} UTC.",
            facts=(
                f"Names: {', '.join(own.names) or 'none'}",
                f"Valid from: {own.since:%Y-%m-%d %H:%M:%S} UTC",
                f"Valid until: {own.until:%Y-%m-%d %H:%M:%S} UTC",
                f"Signed by: {_signer(own)}",
                f"Trusts: {trusted.subject}, key {trusted.key}",
            ),
        )


class CertificateRenew(Command):
    """Have the department's authority sign a new certificate for a node, valid for 397 days from now.

    A caller shows it from the next call on; a listener reads it when the node is restarted.
    """

    name = "node.certificate.renew"
    title: ClassVar[str] = "Renew certificate"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = _using_tls(lab, self.node)
        node.tls.issue()
        until = read_certificate(node.tls.identity.certificate).until
        return CommandResult(
            ok=True, sentence=f"{node.name} has a new certificate, valid until {until:%d %b %Y}.{_restart(node)}"
        )


class CertificateTrust(Command):
    """Have a node trust the department's own authority, instead of whichever it trusts now."""

    name = "node.certificate.trust"
    title: ClassVar[str] = "Trust the department's authority"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = _using_tls(lab, self.node)
        node.tls.trust_department()
        key = read_certificate(node.tls.trusted).key
        return CommandResult(
            ok=True, sentence=f"{node.name} trusts the department's authority, key {key}.{_restart(node)}"
        )


def _using_tls(lab: Lab, name: str) -> Node:
    node = lab.department.node(name)
    configs = (node.saved, node.running)
    if not any(config.tls_port or any(remote.tls for remote in config.remotes) for config in configs):
        raise ConflictError(f"{name} does not use TLS.", "Give it a TLS port, or a line that calls with TLS, first.")
    node.tls.ready()
    return node


def _signer(certificate: CertificateFacts) -> str:
    if certificate.issuer_key == certificate.key:
        return "itself"
    return f"{certificate.issuer}, key {certificate.issuer_key}"


def _restart(node: Node) -> str:
    return " Restart it, so that its TLS port takes it up." if node.running.tls_port else ""
