"""What these tests are made with: ``archive serve`` in a process of its own, watched from outside, and instances whose
content can be told again when they come back."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from sandbox.dicom import syntaxes
from sandbox.dicom.accepting import MOST_WAITING
from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Observer, Peer, Role, StoreRequest, StoreStatus, SupportedContext, Timeouts
from sandbox.dicom.plain import NullObserver, PlainDialler, association_ids
from tests.archive.support import CT, STUDY_FIND, STUDY_GET, encoded, identifier, instance

EXPLICIT = syntaxes.EXPLICIT_VR_LITTLE_ENDIAN
DEFLATED = syntaxes.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
AE_TITLE = "ARCHIVE"
READY_S = 120.0
SETTLE_S = 60.0
_DOORS = 2
CONTEXTS: tuple[SupportedContext, ...] = (
    *syntaxes.verification(),
    *syntaxes.storage_contexts((CT,), (EXPLICIT,)),
    *syntaxes.query_retrieve_find(),
    *syntaxes.query_retrieve_move(),
    *syntaxes.query_retrieve_get(),
)
_UNEXPECTED = re.compile(r"[\d-]{10} [\d:,]{12} (ERROR|CRITICAL) |Traceback ")


def number_from(variable: str, default: int) -> int:
    """A size of a test: small unless the environment asks for more."""
    return int(os.environ.get(variable, default))


@dataclass(frozen=True)
class Usage:
    """What an archive's process holds: threads, open descriptors, resident memory in bytes. Descriptors of the index
    are counted apart: they stay with the readers that had them, for the next ones."""

    threads: int
    descriptors: int
    index: int
    resident: int


class ArchiveProcess:
    """``pacs-sandbox archive serve`` on ``directory``, started and ended as often as a test likes, on one port."""

    def __init__(
        self, directory: Path, *, log: Path | None = None, remotes: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.log = log or directory.with_name(directory.name + ".log")
        self._remotes = remotes
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0
        self.port = 0
        self.ready: dict[str, Any] = {}
        """What it said of itself when it was ready."""

    def start(self) -> None:
        """Start it and wait until it says that it is there. It must need no help for that."""
        remotes = [word for remote in self._remotes for word in ("--remote", remote)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "sandbox.cli",
                    "archive",
                    "serve",
                    "--aet",
                    AE_TITLE,
                    "--port",
                    str(self.port),
                    "--store",
                    str(self.directory),
                    "--json",
                    *remotes,
                    *self._options,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], READY_S)
        line = self._process.stdout.readline() if ready else b""
        assert line, f"it did not start: {self.log.read_text()[-2000:]}"
        self.ready = json.loads(line)
        self.port = int(self.ready["port"])

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(READY_S)
            assert process.stdout is not None
            process.stdout.close()

    def __enter__(self) -> ArchiveProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def usage(self) -> Usage:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended by itself: {self.log.read_text()[-2000:]}"
        place = Path("/proc") / str(self._process.pid)
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        index = str(self.directory / "index.sqlite")
        open_files = [_target(descriptor) for descriptor in (place / "fd").iterdir()]
        return Usage(
            threads=int(status["Threads"]),
            descriptors=sum(not target.startswith(index) for target in open_files),
            index=sum(target.startswith(index) for target in open_files),
            resident=int(status["VmRSS"].split()[0]) * 1024,
        )

    def peak(self) -> int:
        """The most memory that the process has had since it began, in bytes."""
        assert self._process is not None
        status = (Path("/proc") / str(self._process.pid) / "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def unexpected(self) -> list[str]:
        """What was logged since the last call that should not have been: errors and tracebacks."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
            self._read = log.tell()
        lines = text.decode("utf-8", "replace").splitlines()
        found = [number for number, line in enumerate(lines) if _UNEXPECTED.match(line)]
        return ["\n".join(lines[found[0] : found[-1] + 40])] if found else []

    def connect(self, timeout: float = 10.0) -> socket.socket:
        """A plain TCP connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def associate(
        self,
        *,
        contexts: Sequence[SupportedContext] = CONTEXTS,
        observer: Observer | None = None,
        timeouts: Timeouts | None = None,
        roles: tuple[str | Role, ...] = (),
        calling: str = "CT1",
    ) -> Association:
        requestor = Requestor(
            calling,
            "test",
            PlainDialler(),
            observer or NullObserver(),
            timeouts or Timeouts(),
            65536,
            association_ids("t"),
        )
        opened = requestor.associate(Peer(AE_TITLE, "127.0.0.1", self.port), contexts, roles=roles)
        assert isinstance(opened, Association), opened
        return opened

    def echo(self, timeout: float = 10.0) -> None:
        """It must answer a C-ECHO within ``timeout`` seconds."""
        with self.associate(timeouts=Timeouts(acse=timeout, dimse=timeout)) as association:
            assert association.echo().status == 0


def _target(descriptor: Path) -> str:
    """What a descriptor is open on; nothing when it was closed meanwhile."""
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def wait_until(holds: Callable[[], bool], seconds: float, what: Callable[[], object]) -> None:
    """Wait for something that is bound to become true, looking often, at most ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what()
        select.select([], [], [], 0.02)


def settled(archive: ArchiveProcess, before: Usage, *, more_memory: int, readers: int = 4) -> None:
    """Threads must come back to what they were, but for the few that stay at each port for the next callers;
    descriptors to what they were, memory to within ``more_memory`` bytes of it, and the index to what ``readers`` at
    once need.

    The index keeps four connections for queries, four for everything else, one that writes and one that moves the log
    into the database, each with a descriptor of the database and one of its log, and all share one of the log's index.
    Whatever more there were at once leave their descriptor of the database: to close one would drop the locks that the
    others hold (POSIX, see sqlite.org/howtocorrupt.html 2.2), so SQLite keeps it for the next connection. They are as
    many as there were readers at once, however often they come.
    """
    kept = 4 + 4 + 1 + 1
    index = kept + 1 + max(kept, readers + 2)  # logs, the log's index, databases

    def is_settled() -> bool:
        now = archive.usage()
        return (
            now.threads <= before.threads + _DOORS * MOST_WAITING
            and now.descriptors <= before.descriptors
            and now.index <= index
        )

    wait_until(is_settled, SETTLE_S, lambda: f"leaked: {before} became {archive.usage()}, the index may have {index}")
    now = archive.usage()
    assert now.resident - before.resident < more_memory, f"memory: {before} became {now}"


def ct(study: str, series: str, sop_instance: str, content: bytes, **elements: object) -> Dataset:
    """A CT instance that carries ``content`` as its pixels."""
    ds = instance(SOPInstanceUID=sop_instance, StudyInstanceUID=study, SeriesInstanceUID=series, **elements)
    ds[0x7FE00010].value = content
    return with_meta(ds)


def with_meta(ds: Dataset, transfer_syntax: str = EXPLICIT) -> Dataset:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    return ds


def encoded_ct(ds: Dataset) -> bytes:
    return encoded(ds)


def get_study(archive: ArchiveProcess, study: str) -> tuple[int | None, dict[str, bytes]]:
    """C-GET of a study: the final status, and the data sets that came as they came."""
    got: dict[str, bytes] = {}

    def take(request: StoreRequest) -> StoreStatus:
        got[request.sop_instance] = bytes(request.dataset)
        return StoreStatus(0)

    with archive.associate(roles=(CT,)) as association:
        answers = list(association.get(STUDY_GET, identifier("STUDY", StudyInstanceUID=study), take))
    return answers[-1].status, got


def find(archive: ArchiveProcess, level: str, model: str = STUDY_FIND, **keys: object) -> Iterator[Dataset]:
    """The answers to a C-FIND, which must end with 0000."""
    with archive.associate() as association:
        *found, last = association.find(model, identifier(level, **keys))
        assert last.status == 0, last
        for one in found:
            assert one.identifier is not None
            yield one.identifier


def count_in_study(archive: ArchiveProcess, study: str) -> int:
    found = list(find(archive, "STUDY", StudyInstanceUID=study, NumberOfStudyRelatedInstances=None))
    return sum(int(one.NumberOfStudyRelatedInstances) for one in found)
