"""What somebody sees who has only dcmtk and the published ports: each lesson names a command and what it prints.

A simulator whose faults only its own screens show would be a film. So every scenario carries ``[[outside]]`` tables: a
command line, a text that it prints while the department is broken, and one that it prints while it is well. The
verifier runs both; the reference page is made from them. Nothing goes through a shell, and only the tools below run.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sample_dicom.station import Station
from sample_dicom.studies import make_study
from sandbox.drill.surface import Surface
from sandbox.model.errors import BadInputError
from sandbox.model.scenario import OutsideView
from sandbox.nodes.department import Department

TOOLS: Mapping[str, str] = {
    "echoscu": "C-ECHO",
    "findscu": "C-FIND",
    "getscu": "C-GET",
    "movescu": "C-MOVE",
    "storescu": "C-STORE of {image}, a CT image that nobody has seen yet",
    "dcmdump": "what the images say that getscu brought, after && in the same line",
    "openssl": "the handshake and the certificate of a TLS port",
}
"""The tools that a scenario may name: dcmtk's, and openssl where the transport is the lesson."""

AND_THEN = " && "
"""Between two tools that run one after the other in the same folder. What both print counts as one."""

PUBLISHED = re.compile(r"\{(published|tls)(?:_(host|port))?:([^{}]+)\}")
"""``{published:ARCHIVE}`` is host and port of a node as tools take them, ``{tls:ARCHIVE}`` those of its TLS port; with
_host or _port one of the two."""

IMAGE = "{image}"
DEADLINE_S = 30.0
"""How long one run of a tool may take before it counts as hanging, in seconds."""
PATIENCE_S = 15.0
"""How long the department may take until a tool sees what it should, in seconds."""
HUNG = "(no answer: it was ended after {seconds:g} s)"


@dataclass(frozen=True)
class Printed:
    """What a tool printed, both streams as they came, and whether it had to be ended."""

    text: str
    hung: bool = False


def missing_tools(views: tuple[OutsideView, ...]) -> tuple[str, ...]:
    """The tools that the commands need and that this machine lacks."""
    names = dict.fromkeys(tool_of(part) for view in views for part in parts_of(view.command))
    return tuple(name for name in names if shutil.which(name) is None)


def parts_of(command: str) -> tuple[str, ...]:
    """The command lines of a command, one for each tool."""
    return tuple(command.split(AND_THEN))


def tool_of(command: str) -> str:
    """The tool that a command line of one tool runs. BadInputError when it is none of ``TOOLS``."""
    try:
        words = shlex.split(command)
    except ValueError as wrong:
        raise BadInputError(f"{command!r} is no command line: {wrong}.", "Close the quotation.") from wrong
    if not words or words[0] not in TOOLS:
        raise BadInputError(f"{command!r} runs none of the tools.", f"Begin with one of {', '.join(TOOLS)}.")
    return words[0]


def words_of(command: str, surface: Surface, department: Department | None, folder: Path | None = None) -> list[str]:
    """A command line of one tool as the words it is started with. Without a department, ports stay as words."""
    tool_of(command)
    image = "image.dcm" if folder is None else str(folder / "image.dcm")
    words: list[str] = []
    for word in shlex.split(command):
        whole = PUBLISHED.fullmatch(word)
        if whole is not None and whole[2] is None:
            words += _published(whole, surface, department)
            continue
        # Ports first: a surface knows nothing of where a lab's nodes are published. A value never becomes two words.
        with_ports = PUBLISHED.sub(lambda match: ":".join(_published(match, surface, department)), word)
        words.append(surface.fill(with_ports.replace(IMAGE, image)))
    return words


def published_in_words(match: re.Match[str]) -> str:
    """A placeholder of a published port as a reader's text: "HOST PORT-OF-ARCHIVE"."""
    return " ".join(_part(match, "HOST", f"{'TLS-' if match[1] == 'tls' else ''}PORT-OF-{match[3]}"))


def _published(match: re.Match[str], surface: Surface, department: Department | None) -> list[str]:
    name = match[3]
    if department is None:
        surface.site.node(name)
        return published_in_words(match).split()
    node = department.node(name)
    host, _, port = (node.tls_published if match[1] == "tls" else node.published).rpartition(":")
    if not port:
        what = "TLS port" if match[1] == "tls" else "port"
        raise BadInputError(f"{name} has no published {what}.", "Name a node that listens there.")
    return _part(match, host, port)


def _part(match: re.Match[str], host: str, port: str) -> list[str]:
    return {"host": [host], "port": [port]}.get(match[2] or "", [host, port])


def look(view: OutsideView, surface: Surface, department: Department) -> Printed:
    """Run the command once. Its working directory is its own and goes with it."""
    with _workplace(view, department) as folder:
        text = ""
        for part in parts_of(view.command):
            printed = _run(words_of(part, surface, department, folder), folder, view.patience_s or DEADLINE_S)
            text += printed.text
            if printed.hung:
                return Printed(text, hung=True)
        return Printed(text)


def _run(words: Sequence[str], folder: Path, deadline: float) -> Printed:
    tool = shutil.which(words[0])
    if tool is None:
        raise BadInputError(f"{words[0]} is not installed.", "Install dcmtk, or leave this out.")
    try:
        done = subprocess.run(  # noqa: S603 - one of TOOLS, without a shell
            [tool, *words[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=deadline,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as hung:
        told = (hung.stdout or b"").decode("utf-8", "replace")
        return Printed(told + HUNG.format(seconds=deadline), hung=True)
    return Printed(done.stdout.decode("utf-8", "replace"))


def sees(view: OutsideView, surface: Surface, department: Department, *, broken: bool) -> str:
    """Look until the tool shows what it should in a broken (or a well) department; "" then, else what was wrong."""
    wanted, unwanted = surface.fill(view.prints), surface.fill(view.healthy)
    if not broken:
        wanted, unwanted = unwanted, wanted
    deadline = time.monotonic() + PATIENCE_S
    position = len(department.events)
    while True:
        printed = look(view, surface, department)
        if (not wanted or wanted in printed.text) and (not unwanted or unwanted not in printed.text):
            return ""
        left = deadline - time.monotonic()
        if left <= 0:
            state = "broken" if broken else "well"
            tail = " / ".join(printed.text.strip().splitlines()[-4:]) or "(nothing)"
            should = f"print {wanted!r}" if wanted else f"not print {unwanted!r}"
            return f"{view.command!r} should {should} while the department is {state}; it prints: {tail}"
        # Something may still be on its way; look again when anything happened, and at least each second.
        moved = department.events.wait_for(lambda event: True, after=position, timeout=min(left, 1.0))
        position = len(department.events) if moved is None else moved.seq


@contextmanager
def _workplace(view: OutsideView, department: Department) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-outside-") as place:
        folder = Path(place)
        if IMAGE in view.command:
            _write_image(folder / "image.dcm", department)
        yield folder


def _write_image(path: Path, department: Department) -> None:
    """A CT image of nobody in the department, as an outside tool would bring one."""
    rng = random.Random(f"{department.seed}:outside")  # noqa: S311 - simulation, not secrecy
    order = department.order("CT", rng)
    station = Station(ae_title="OUTSIDE", station_name="OUTSIDE")
    dataset = next(iter(make_study(order, seed=department.seed, when=department.clock.now(), station=station)))
    dataset.save_as(path, enforce_file_format=True)
