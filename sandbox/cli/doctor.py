"""``pacs-sandbox doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from sandbox.cli.home import home_option

OLDEST_PYTHON = (3, 11)
ENOUGH_DISK = 2 * 1024**3


@dataclass(frozen=True)
class Tool:
    """A program that is good to have: any of ``programs``, what it is for, and how each kind of system gets it."""

    name: str
    programs: tuple[str, ...]
    purpose: str
    get: dict[str, str]


TOOLS: tuple[Tool, ...] = (
    Tool(
        "dcmtk",
        ("echoscu",),
        "echoscu, storescu, findscu and movescu against the department",
        {
            "debian": "apt install dcmtk",
            "fedora": "dnf install dcmtk",
            "macos": "brew install dcmtk",
            "windows": "winget install OFFIS.DCMTK",
        },
    ),
    Tool(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome", "msedge"),
        "a browser for the console, and the browser tests",
        {
            "debian": "apt install chromium",
            "fedora": "dnf install chromium",
            "macos": "brew install --cask chromium",
            "windows": "Microsoft Edge will do",
        },
    ),
    Tool(
        "tshark",
        ("tshark", "wireshark"),
        "reading the capture of a lab",
        {
            "debian": "apt install tshark",
            "fedora": "dnf install wireshark-cli",
            "macos": "brew install wireshark",
            "windows": "winget install WiresharkFoundation.Wireshark",
        },
    ),
    Tool(
        "PostgreSQL",
        ("psql", "pg_ctl"),
        "a console's database for many users; SQLite needs nothing",
        {
            "debian": "apt install postgresql",
            "fedora": "dnf install postgresql-server",
            "macos": "brew install postgresql@17",
            "windows": "winget install PostgreSQL.PostgreSQL.17",
        },
    ),
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. What is not ``needed`` is only good to have."""

    name: str
    ok: bool
    sentence: str
    mend: str = ""
    needed: bool = True


@click.command()
@home_option
@click.option("--port", default=8042, show_default=True, help="The console's port.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(home: Path, port: int, as_json: bool) -> None:
    """Say what is missing on this machine and how to get it."""
    import dataclasses
    import json

    findings = examine(home, port)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings]))
    for finding in () if as_json else findings:
        mark = "ok     " if finding.ok else "MISSING" if finding.needed else "absent "
        click.echo(f"{mark}  {finding.name}: {finding.sentence}")
        if finding.mend and not finding.ok:
            click.echo(f"         {finding.mend}")
    if any(finding.needed and not finding.ok for finding in findings):
        sys.exit(1)


def examine(
    home: Path, port: int, which: Callable[[str], str | None] = shutil.which, system: str = ""
) -> tuple[Finding, ...]:
    """Everything there is to look at. ``which`` finds programs, ``system`` is one of Tool.get's keys."""
    kind = system or kind_of_system()
    return (
        _python(),
        _packages(),
        _writable(home),
        _disk(home),
        _port(port),
        _links(home),
        *(_tool(tool, which, kind) for tool in TOOLS),
    )


def kind_of_system(release: Path = Path("/etc/os-release")) -> str:
    """Which of the systems that we know how to install on this is most like."""
    if sys.platform == "darwin":
        return "macos"
    if sys.platform == "win32":
        return "windows"
    try:
        words = release.read_text(encoding="utf-8").lower()
    except OSError:
        return "debian"
    return "fedora" if any(name in words for name in ("fedora", "rhel", "centos", "suse")) else "debian"


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    wanted = ".".join(str(part) for part in OLDEST_PYTHON)
    return Finding("Python", sys.version_info >= OLDEST_PYTHON, f"this is {version}", f"Install {wanted} or later.")


def _packages() -> Finding:
    needed = ("pydicom", "pynetdicom", "numpy", "flask", "waitress", "sqlalchemy", "alembic", "httpx", "pydantic")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    sentence = f"{', '.join(missing)} cannot be imported" if missing else "all there"
    return Finding("Python packages", not missing, sentence, "Run `make run` once, or `pip install -e .`.")


def _writable(home: Path) -> Finding:
    place = home
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as wrong:
        return Finding("Home", False, f"{home} cannot be written: {wrong.strerror}", "Set PACS_SANDBOX_HOME.")
    return Finding("Home", True, f"{home} can be written")


def _disk(home: Path) -> Finding:
    place = home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    gib = free / 1024**3
    return Finding("Disk", free >= ENOUGH_DISK, f"{gib:.1f} GiB free", "Free some; 2 GiB are plenty.", needed=False)


def _port(port: int) -> Finding:
    with socket.socket() as sock:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as wrong:
            mend = "A console may be running, or Orthanc, which likes this port too: start with `up --port 0`."
            return Finding(f"Port {port}", False, f"cannot be taken: {wrong.strerror}", mend, needed=False)
    return Finding(f"Port {port}", True, "is free for the console", needed=False)


def _links(home: Path) -> Finding:
    place = home
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            one = Path(folder) / "one"
            one.touch()
            os.link(one, Path(folder) / "two")
    except OSError:
        return Finding("Hard links", False, "not on this file system; a reset copies instead", needed=False)
    return Finding("Hard links", True, "work, so a reset is quick", needed=False)


def _tool(tool: Tool, which: Callable[[str], str | None], kind: str) -> Finding:
    found = next((path for program in tool.programs if (path := which(program))), None)
    if found:
        return Finding(tool.name, True, f"{found}, for {tool.purpose}", needed=False)
    return Finding(tool.name, False, f"not found; for {tool.purpose}", f"Get it: {tool.get[kind]}", needed=False)
