"""dcmtk's tools, pointed at the published ports of a lab: another implementation, which owes us nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.dicom.support import unused_port
from tests.e2e.support import wait_until

LOOPBACK = "127.0.0.1"
CALLED = "Reason: Called AE Title Not Recognized"
CALLING = "Reason: Calling AE Title Not Recognized"
REFUSED = "Connection refused"
UNKNOWN_DESTINATION = "MoveDestinationUnknown"  # dcmtk's word for A801
CANNOT_SEND = "OutOfResourcesSubOperations"  # A702


@dataclass(frozen=True)
class Said:
    """What a tool printed, and its exit status."""

    code: int
    text: str

    @property
    def ok(self) -> bool:
        return self.code == 0


def tool(name: str) -> str:
    """Where a tool is; without dcmtk the test is skipped, but never in CI."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and in CI it has to be")
        pytest.skip(f"{name} is not installed; it comes with dcmtk")
    return path


def run(name: str, *arguments: object) -> Said:
    command = [tool(name), *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False, errors="replace"
    )
    return Said(done.returncode, done.stdout)


def keys_of(level: str, keys: dict[str, str]) -> list[str]:
    asked = [f"QueryRetrieveLevel={level}", *(f"{key}={value}" if value else key for key, value in keys.items())]
    return [word for key in asked for word in ("-k", key)]


def echo(port: int, called: str, calling: str, *options: object) -> Said:
    return run("echoscu", "-aet", calling, "-aec", called, *options, LOOPBACK, port)


def store(port: int, called: str, calling: str, *words: object) -> Said:
    """``words`` are options and files; the number of successes is in the text."""
    return run("storescu", "-v", "-aet", calling, "-aec", called, LOOPBACK, port, *words)


def find(
    folder: Path, port: int, called: str, calling: str, level: str, model: str = "-S", **keys: str
) -> list[Dataset]:
    """The answers of a query, as data sets."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("rsp*.dcm"):
        old.unlink()
    words = ("-v", model, "-X", "-od", folder, "-aet", calling, "-aec", called, *keys_of(level, keys))
    said = run("findscu", *words, LOOPBACK, port)
    assert said.ok, said.text
    assert "Received Final Find Response (Success)" in said.text, said.text
    return [dcmread(path, force=True) for path in sorted(folder.glob("rsp*.dcm"))]


def move(port: int, called: str, calling: str, destination: str, level: str, model: str = "-S", **keys: str) -> Said:
    words = ("-v", model, "-aet", calling, "-aec", called, "-aem", destination, *keys_of(level, keys))
    return run("movescu", *words, LOOPBACK, port)


def get(folder: Path, port: int, called: str, calling: str, level: str = "STUDY", **keys: str) -> list[Path]:
    """The files of what was retrieved by C-GET, written as they came."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ("-v", "-S", "+B", "-od", folder, "-aet", calling, "-aec", called, *keys_of(level, keys))
    said = run("getscu", *words, LOOPBACK, port)
    assert said.ok, said.text
    assert "Received C-GET Response (Success)" in said.text, said.text
    return sorted(path for path in folder.iterdir() if path.is_file())


@dataclass(frozen=True)
class Storescp:
    """A storescp that runs: an outside workstation."""

    title: str
    port: int
    folder: Path

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_file())

    def studies(self) -> set[str]:
        """The Study Instance UIDs of everything that is completely here."""
        return {str(dcmread(path, stop_before_pixels=True).StudyInstanceUID) for path in self.files()}


@contextmanager
def storescp(folder: Path, title: str) -> Iterator[Storescp]:
    """An outside workstation for the length of a ``with`` block. It accepts any transfer syntax."""
    folder.mkdir(parents=True, exist_ok=True)
    port = unused_port()
    process = subprocess.Popen(
        [tool("storescp"), "-aet", title, "-od", str(folder), "+B", "+xa", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: echo(port, title, "TEST").ok, f"storescp {title} answers")
        yield Storescp(title, port, folder)
    finally:
        process.terminate()
        process.wait(5)
