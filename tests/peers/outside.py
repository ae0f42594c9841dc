"""What the outside implementations have in common here: each is asked for the same five services in its own way, as a
client of ours and as a server for ours, always in a process of its own and only on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

HOST = "127.0.0.1"
TITLE = "OUTSIDE"
_TOOL_S = 60
_END_S = 10


class Service(StrEnum):
    ECHO = "echo"
    STORE = "store"
    FIND = "find"
    MOVE = "move"
    GET = "get"


EVERY = frozenset(Service)


@dataclass(frozen=True)
class At:
    """Where an application entity of ours listens."""

    title: str
    port: int


class Outside(ABC):
    """An outside implementation. ``asks`` are the services it can ask ours for, ``answers`` those ours can ask it for;
    what it has not got is left out, and docs/interoperability.md says why.

    ``port`` is where it takes what is sent or moved to it: a server's that runs from ``start`` to ``stop``, or the one
    it opens for the length of a C-MOVE."""

    name: ClassVar[str]
    package: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    asks: ClassVar[frozenset[Service]] = EVERY
    answers: ClassVar[frozenset[Service]] = EVERY

    def __init__(self, directory: Path, port: int, archive: At) -> None:
        self.directory = directory
        self.port = port
        self.archive = archive
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Be there, or skip the test; in CI it has to be there."""
        for program in self.programs:
            if shutil.which(program) is None:
                absent(f"{program} is not installed; it comes with {self.package}")

    # --- as a server ---------------------------------------------------------------------------------------------

    def command(self) -> Sequence[str] | None:
        """What starts its server, or None where it has none."""
        return None

    def start(self) -> None:
        """Start the server, if it has one. The caller waits for its first answer."""
        command = self.command()
        if command is not None:
            with (self.directory / "server.log").open("wb") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_END_S)

    def said(self) -> str:
        """The end of what its server printed, for a test that fails."""
        log = self.directory / "server.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""

    @abstractmethod
    def received(self, study: str) -> list[Dataset]:
        """What it has of a study: sent to it, moved to it or got by it."""

    # --- as a client of the archive ------------------------------------------------------------------------------

    @abstractmethod
    def echo(self) -> None: ...

    @abstractmethod
    def store(self, files: Sequence[Path]) -> None: ...

    @abstractmethod
    def find(self, study: str) -> list[dict[str, str]]:
        """PatientName, PatientID and NumberOfStudyRelatedInstances of the study's matches, by keyword."""

    @abstractmethod
    def move(self, study: str) -> None:
        """Have the archive send the study to itself."""

    def get(self, study: str) -> list[Dataset]:
        """What came with a C-GET."""
        raise NotImplementedError(self.name)


ASKED = ("PatientName", "PatientID", "NumberOfStudyRelatedInstances")


def absent(why: str) -> None:
    """Skip, but fail where everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{why}, and in CI it has to be")
    pytest.skip(why)


def run(command: Sequence[object], *, cwd: Path | None = None) -> str:
    """What a program printed; it must have ended well."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_TOOL_S, check=False, errors="replace", cwd=cwd
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-4000:]}"
    return done.stdout


def of_study(folder: Path, study: str) -> list[Dataset]:
    """The instances of a study in the files below ``folder``."""
    read = (dcmread(path, force=True) for path in sorted(folder.rglob("*")) if is_dicom(path))
    return [ds for ds in read if ds.get("StudyInstanceUID") == study]


def is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def values(ds: Dataset) -> dict[str, str]:
    return {keyword: str(ds.get(keyword, "")) for keyword in ASKED}
