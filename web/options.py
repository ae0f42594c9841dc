"""How the console was asked to run: addresses, directories, database. The environment is read here and nowhere else."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, replace
from pathlib import Path

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Options:
    """``host`` and ``port`` are where the console listens; ``directory`` holds its database, key and labs.

    ``database`` is a SQLAlchemy URL; empty means SQLite in ``directory``. ``trusted_hosts`` are the names under which
    browsers may address an exposed console (empty: any). ``secure_cookies`` is for a console behind HTTPS.
    ``published_on_loopback`` says that a container's port is published on its machine's loopback address only, so that
    listening on every address of the container exposes it to nobody. Only loopback's host names are answered then.
    Of the ``threads`` that answer requests at most ``streams`` are held by pages that are told what happens.
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8042
    database: str = ""
    threads: int = 64
    streams: int = 48
    trusted_hosts: tuple[str, ...] = ()
    secure_cookies: bool = False
    published_on_loopback: bool = False

    @property
    def exposed(self) -> bool:
        """Whether others than the person at this machine could reach the console. If so, everybody must log in."""
        if self.host == "localhost" or self.published_on_loopback:
            return False
        try:
            return not ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return True

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.directory / 'console.db'}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that requests may carry. On loopback only its own: this is what stops DNS rebinding."""
        return self.trusted_hosts if self.exposed else LOOPBACK_NAMES


def from_environment(options: Options) -> Options:
    """``options`` with what the environment says: PACS_SANDBOX_DATABASE, PACS_SANDBOX_TRUSTED_HOSTS,
    PACS_SANDBOX_SECURE_COOKIES (as a container is configured)."""
    hosts = tuple(filter(None, os.environ.get("PACS_SANDBOX_TRUSTED_HOSTS", "").replace(",", " ").split()))
    return replace(
        options,
        database=options.database or os.environ.get("PACS_SANDBOX_DATABASE", ""),
        trusted_hosts=options.trusted_hosts or hosts,
        secure_cookies=options.secure_cookies or os.environ.get("PACS_SANDBOX_SECURE_COOKIES", "") == "1",
    )
