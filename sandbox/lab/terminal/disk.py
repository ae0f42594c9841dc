"""The files that a terminal sees: a small tree made of what the node has, and one directory that can be written.

    /log/node.log                        the node's own log
    /config/running.json, saved.json     both configurations
    /images/<patient>/<study>/<image>    its store, as Part 10 files
    /queue/<destination>.txt             what waits for whom
    /etc/hosts, resolv.conf              whom it knows by name
    /tls/*.pem                           its certificates, where it has any
    /work/                               copies: the only place where files can be made, changed and removed

Rule: a name that was typed never becomes a path on the real disk. Names are looked up in the tree; only /work has
files by name, and there a name is one plain word.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.events.kinds import NodeLogged

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.node import Node

MOST_STUDIES = 5_000
MOST_LOG_LINES = 5_000
MOST_MATCHES = 500
WORK = "work"
WORK_FILES = 200
WORK_BYTES = 256 << 20
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,119}\Z")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


class DiskError(Exception):
    """What a file command says: "No such file or directory"."""


@dataclass(frozen=True)
class File:
    """A file: its text, or where its bytes really lie. ``note`` is told to the drill when it is read ("log")."""

    read: Callable[[], str] | None = None
    path: Path | None = None
    at: datetime | None = None
    evidence: str = ""
    is_secret: bool = False

    @property
    def size(self) -> int:
        """In bytes."""
        if self.path is not None:
            try:
                return self.path.stat().st_size
            except OSError:
                return 0
        return len(self.text().encode())

    def text(self) -> str:
        """Its text; DiskError for one that holds none, or that is nobody's to read."""
        if self.is_secret:
            raise DiskError("Permission denied")
        if self.read is not None:
            return self.read()
        if self.path is None:
            return ""
        try:
            content = self.path.read_bytes()[:1_000_000]
        except OSError as wrong:
            raise DiskError(wrong.strerror or "Input/output error") from wrong
        if b"\0" in content:
            raise DiskError("a binary file; for a DICOM file use dcmdump")
        return content.decode("utf-8", "replace")


Folder = Callable[[], Mapping[str, "Entry"]]
Entry = File | Folder


class Disk:
    """The tree of one node of ``lab``, as it is now."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self.work = node.context.directory / WORK

    # --- looking -----------------------------------------------------------------------------------------------------

    def absolute(self, path: str, directory: str) -> str:
        """``path`` as typed in ``directory``, from the root and without dots. Nothing is above the root."""
        if path in ("~", "") or path.startswith("~/"):
            path = f"/{path[2:]}"
        joined = posixpath.normpath(posixpath.join("/", directory, path))
        return "/" + joined.strip("/")

    def find(self, path: str) -> Entry:
        """The entry at an absolute path, or DiskError."""
        entry: Entry = self._root
        for part in filter(None, path.split("/")):
            if isinstance(entry, File):
                raise DiskError("Not a directory")
            children = entry()
            if part not in children:
                raise DiskError("No such file or directory")
            entry = children[part]
        return entry

    def file(self, path: str) -> File:
        """The file at an absolute path, or DiskError."""
        entry = self.find(path)
        if not isinstance(entry, File):
            raise DiskError("Is a directory")
        return entry

    def matching(self, pattern: str, directory: str) -> tuple[str, ...]:
        """What a word with wildcards stands for, written as it was (relative or not); empty for nothing."""
        absolute = self.absolute(pattern, directory)
        found: list[tuple[str, Entry]] = [("", self._root)]
        for part in filter(None, absolute.split("/")):
            onward: list[tuple[str, Entry]] = []
            for path, entry in found:
                if isinstance(entry, File):
                    continue
                for name, child in entry().items():
                    if name == part or fnmatchcase(name, part):
                        onward.append((f"{path}/{name}", child))
                if len(onward) > MOST_MATCHES:
                    break
            found = onward[:MOST_MATCHES]
        if pattern.startswith(("/", "~")):
            return tuple(path for path, _ in found)
        return tuple(posixpath.relpath(path, directory) for path, _ in found)

    # --- writing -----------------------------------------------------------------------------------------------------

    def writable(self, path: str) -> Path:
        """Where a file of /work with this absolute path really lies (there need not be one). DiskError for any other
        place, a name that is no plain word, and when there is no more room."""
        folder, name = posixpath.split(path)
        if folder != f"/{WORK}":
            raise DiskError(f"Read-only file system (copies go to /{WORK})")
        if not _PLAIN.match(name):
            raise DiskError("Not a name for a file here: letters, digits, dots, dashes and underscores")
        self.work.mkdir(exist_ok=True)
        there = [entry for entry in self.work.iterdir() if entry.is_file()]
        if len(there) >= WORK_FILES or sum(entry.stat().st_size for entry in there) > WORK_BYTES:
            raise DiskError("No space left on device")
        return self.work / name

    # --- the tree ----------------------------------------------------------------------------------------------------

    def _root(self) -> Mapping[str, Entry]:
        found: dict[str, Entry] = {
            "config": self._config,
            "etc": self._etc,
            "images": self._images,
            "log": self._log,
            WORK: self._work,
        }
        if self._node.queue is not None:
            found["queue"] = self._queue
        if (self._node.context.directory / "tls").is_dir():
            found["tls"] = self._tls
        return dict(sorted(found.items()))

    def _config(self) -> Mapping[str, Entry]:
        node = self._node
        return {
            "running.json": File(lambda: _pretty(node.running.model_dump(mode="json")), evidence="config"),
            "saved.json": File(lambda: _pretty(node.saved.model_dump(mode="json")), evidence="config"),
        }

    def _log(self) -> Mapping[str, Entry]:
        return {"node.log": File(self._log_lines, evidence="log")}

    def _log_lines(self) -> str:
        hidden = self._lab.hides_later
        lines: list[str] = []
        for event in reversed(self._lab.events.since(0)):
            if event.node == self._node.name and isinstance(event.body, NodeLogged):
                if hidden and event.is_for_later:
                    continue
                lines.append(f"{event.at:%Y-%m-%d %H:%M:%S} {event.body.level.upper():7} {event.body.text}")
                if len(lines) == MOST_LOG_LINES:
                    break
        return "\n".join(reversed(lines))

    def _etc(self) -> Mapping[str, Entry]:
        return {"hosts": File(self._hosts), "resolv.conf": File(self._resolver)}

    def _hosts(self) -> str:
        seen = self._lab.department.network.describe()
        own = self._lab.department.network.address_of(self._node.name)
        name = self._node.name.lower()
        lines = ["127.0.0.1       localhost", f"{own:<15} {name}.{seen.domain} {name}"]
        lines += [
            f"{address:<15} {host}" for host, address in sorted(seen.hosts_tables.get(self._node.name, {}).items())
        ]
        return "\n".join(lines)

    def _resolver(self) -> str:
        domain = self._lab.department.network.topology.plan.domain
        return f"search {domain}\nnameserver dns.{domain}"

    def _queue(self) -> Mapping[str, Entry]:
        queue = self._node.queue
        if queue is None:
            return {}
        return {
            f"{fit(view.destination)}.txt": File(
                lambda destination=view.destination: self._waiting(destination),  # type: ignore[misc]
                evidence="queue",
            )
            for view in queue.views()
        }

    def _waiting(self, destination: str) -> str:
        queue = self._node.queue
        if queue is None:
            return ""
        lines = [
            f"{entry.id:>6}  {'dead' if entry.dead else 'waiting':8} {entry.added:%Y-%m-%d %H:%M:%S}  "
            f"attempts {entry.attempts:<4} {entry.accession_number:<14} {entry.sop_instance}  {entry.last_error}"
            for entry in queue.entries(destination)[:2_000]
        ]
        return "\n".join(lines) or f"Nothing waits for {destination}."

    def _tls(self) -> Mapping[str, Entry]:
        directory = self._node.context.directory / "tls"
        names = ("authority.pem", "certificate.pem", "key.pem")
        return {
            name: File(path=directory / name, is_secret=name == "key.pem")
            for name in names
            if (directory / name).is_file()
        }

    def _work(self) -> Mapping[str, Entry]:
        if not self.work.is_dir():
            return {}
        return {path.name: File(path=path) for path in sorted(self.work.iterdir()) if path.is_file()}

    # --- images ------------------------------------------------------------------------------------------------------

    def _images(self) -> Mapping[str, Entry]:
        store = self._node.store
        if store is None:
            return {}
        by_patient: dict[str, list[tuple[str, str]]] = {}
        for study in store.studies(limit=MOST_STUDIES):
            accession = fit(study.accession_number) or study.study_uid
            by_patient.setdefault(fit(study.patient_id) or "unknown", []).append((accession, study.study_uid))
        return {
            patient: lambda studies=tuple(studies): self._studies(studies)  # type: ignore[misc]
            for patient, studies in sorted(by_patient.items())
        }

    def _studies(self, studies: tuple[tuple[str, str], ...]) -> Mapping[str, Entry]:
        taken = [accession for accession, _ in studies]
        return {
            (accession if taken.count(accession) == 1 else uid): lambda uid=uid: self._instances(uid)  # type: ignore[misc]
            for accession, uid in studies
        }

    def _instances(self, study_uid: str) -> Mapping[str, Entry]:
        store = self._node.store
        found = None if store is None else store.study(study_uid)
        if store is None or found is None:
            return {}
        files: dict[str, Entry] = {}
        for number, series in enumerate(found.series, start=1):
            for place, instance in enumerate(series.instances, start=1):
                name = f"{fit(series.modality) or 'OT'}{series.number or number}-{instance.number or place:04d}.dcm"
                if name in files:
                    name = f"{name.removesuffix('.dcm')}-{instance.sop_instance}.dcm"
                path = store.instance_path(instance.sop_instance)
                # A row whose file is not in its place is listed all the same, as on a disk that cannot be read.
                files[name] = File(path=path or Path("/nonexistent"), evidence="instance")
        return files


def fit(text: str) -> str:
    """``text`` as the name of a file or directory."""
    return _UNFIT.sub("_", text).strip("._")[:64]


def _pretty(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
