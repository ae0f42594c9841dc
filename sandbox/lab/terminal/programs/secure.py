"""openssl s_client: a TLS handshake with a port, and what came of it, as seen from the node."""

from __future__ import annotations

from typing import ClassVar

from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.programs.reach import ERRNO, NetworkTool
from sandbox.lab.terminal.shell import Shell
from sandbox.model.association import DialFailure
from sandbox.nodes.handshake import shake_hands


class OpenSsl(NetworkTool):
    """Try TLS with a port: openssl s_client -connect host:2762. Protocol, cipher, certificate, and what is wrong."""

    name = "openssl"
    usage: ClassVar[str] = "s_client -connect host:port"
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-connect",), "host and port", ("host:port",)),
        Option(("-servername",), "the name that is wanted in the certificate", ("name",)),
        Option(("-brief",), "taken, and without effect"),
        Option(("-showcerts",), "taken, and without effect"),
    )
    examples: ClassVar[tuple[str, ...]] = ("openssl s_client -connect {host}:2762",)

    def run(self, shell: Shell, given: Arguments) -> int:
        if given.rest[:1] != ("s_client",):
            raise UsageError("of openssl only s_client is there: openssl s_client -connect host:port")
        host, colon, port = (given.value("-connect") or ":".join(given.rest[1:3])).rpartition(":")
        if not colon or not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
            raise UsageError("say -connect host:port")
        shell.screen.check()
        seen = shake_hands(shell.node, host[:253], int(port), given.value("-servername"), shell.screen.when_cancelled)
        shell.screen.check()
        if isinstance(seen, DialFailure):
            shell.print(f"connect:errno={ERRNO[seen.outcome]}")
            return FAILURE
        shell.print(f"CONNECTED({seen.address})")
        for depth, certificate in enumerate(seen.chain):
            shell.print(f"depth={depth} CN = {certificate.subject}")
        if seen.chain:
            shell.print("---\nCertificate chain")
        for depth, certificate in enumerate(seen.chain):
            shell.print(f" {depth} s:CN = {certificate.subject}\n   i:CN = {certificate.issuer}")
            since, until = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (certificate.since, certificate.until))
            shell.print(f"   v:NotBefore: {since}; NotAfter: {until}")
            if certificate.names:
                shell.print(f"   names: {', '.join(certificate.names)}")
        shell.print("---")
        if seen.protocol:
            shell.print(f"New, {seen.protocol}, Cipher is {seen.cipher}")
        else:
            shell.print("New, (NONE), Cipher is (NONE)")
        shell.print(f"Verification{': OK' if not seen.trouble else f' error: {seen.trouble}'}")
        return FAILURE if seen.trouble else SUCCESS
