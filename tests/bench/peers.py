"""The archives that are compared, each a process of its own with an empty directory: ours, Orthanc, dcmqrscp, qrscp.

Every one gets the best settings its manual offers for many associations, and TCP_NODELAY=1, without which dcmtk and
Orthanc wait 40 ms for each delayed acknowledgement. Durability stays as each has it by default. Only what is installed
takes part. Memory is read from Linux's /proc.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.bare import echo_once

OURS = "ours"
REFERENCE = "Orthanc"
AE_TITLE = "ARCHIVE"
SINK_TITLE = "SINK"
START_DEADLINE_S = 30.0
_LOOK_S = 0.001
_SAMPLE_S = 0.05

FAST_ENVIRONMENT = os.environ | {"TCP_NODELAY": "1"}
STOCK_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}


@dataclass(frozen=True)
class Kind:
    """One make of archive. ``command`` writes its configuration for (directory, port, port of the sink) and says how
    to start it; ``program`` must be installed; ``most_rounds`` bounds what a slow one costs the run."""

    name: str
    program: str
    command: Callable[[Path, int, int], Sequence[str]]
    most_rounds: int = 99


def _ours(directory: Path, port: int, sink: int) -> Sequence[str]:
    # None of the others keeps an audit trail (PS3.15 A.5); like is compared with like.
    return (
        *(sys.executable, "-c", "from sandbox.cli import main; main()", "archive", "serve"),
        *("--aet", AE_TITLE, "--port", str(port), "--store", str(directory / "store")),
        *("--remote", f"{SINK_TITLE}=127.0.0.1:{sink}", "--quiet", "--no-audit"),
    )


def _orthanc(directory: Path, port: int, sink: int) -> Sequence[str]:
    configuration = directory / "orthanc.json"
    settings = {
        "DicomAet": AE_TITLE,
        "DicomPort": port,
        "HttpServerEnabled": False,
        "StorageDirectory": str(directory / "store"),
        "IndexDirectory": str(directory / "store"),
        "Plugins": [],
        "DicomThreadsCount": 32,
        "ConcurrentJobs": 4,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {"sink": [SINK_TITLE, "127.0.0.1", sink]},
        "SaveJobs": False,
    }
    configuration.write_text(json.dumps(settings))
    return ("Orthanc", str(configuration))


def _dcmqrscp(directory: Path, port: int, sink: int) -> Sequence[str]:
    store = directory / "store"
    store.mkdir(exist_ok=True)
    configuration = directory / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 131072\nMaxAssociations = 32\n"
        f"HostTable BEGIN\nsink = ({SINK_TITLE}, 127.0.0.1, {sink})\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{AE_TITLE} {store} RW (9999, 8192mb) ANY\nAETable END\n"
    )
    return ("dcmqrscp", "--log-level", "fatal", "--config", str(configuration))


def _qrscp(directory: Path, port: int, sink: int) -> Sequence[str]:
    configuration = directory / "qrscp.ini"
    configuration.write_text(
        f"[DEFAULT]\nae_title: {AE_TITLE}\nport: {port}\nmax_pdu: 0\nacse_timeout: 30\ndimse_timeout: 30\n"
        f"network_timeout: 30\nbind_address: 127.0.0.1\ninstance_location: {directory / 'store'}\n"
        f"database_location: {directory / 'index.sqlite'}\nlog_identifier: False\n"
        f"[{SINK_TITLE}]\naddress: 127.0.0.1\nport: {sink}\n"
    )
    return (sys.executable, "-m", "pynetdicom", "qrscp", "--quiet", "--config", str(configuration))


KINDS = (
    Kind(OURS, sys.executable, _ours),
    Kind(REFERENCE, "Orthanc", _orthanc),
    Kind("dcmqrscp", "dcmqrscp", _dcmqrscp),
    Kind("qrscp", sys.executable, _qrscp, most_rounds=1),
)


def installed(names: Sequence[str] = ()) -> list[Kind]:
    """The kinds that can be started here, all or those named."""
    return [kind for kind in KINDS if shutil.which(kind.program) and (not names or kind.name in names)]


def free_port() -> int:
    """A port of this machine that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Peer:
    """An archive that runs, until ``stop``. ``first_echo_s`` is from its start to its first answered C-ECHO,
    ``peak_mb`` the most memory that it and its children had resident."""

    kind: Kind
    directory: Path
    sink: int
    port: int = 0
    first_echo_s: float = 0.0
    peak_mb: float = 0.0
    _process: subprocess.Popen[bytes] | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return self.kind.name

    def start(self) -> None:
        """Start it and wait for its first echo. Raises RuntimeError with its own words if that does not come."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        command = self.kind.command(self.directory, self.port, self.sink)
        began = time.perf_counter()
        with (self.directory / "output.txt").open("wb") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, env=FAST_ENVIRONMENT, start_new_session=True
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - began > START_DEADLINE_S:
                self.stop()
                raise RuntimeError(f"{self.name} did not start: {(self.directory / 'output.txt').read_text()[-400:]}")
            time.sleep(_LOOK_S)
        self.first_echo_s = time.perf_counter() - began
        self._stopping = threading.Event()
        threading.Thread(target=self._watch, args=(self._process.pid, self._stopping), daemon=True).start()

    def _answers(self) -> bool:
        try:
            echo_once(self.port, AE_TITLE)
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End the process and its children."""
        process, self._process = self._process, None
        if process is None:
            return
        self._stopping.set()
        self.peak_mb = max(self.peak_mb, _peak_mb(process.pid))
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def processor_s(self) -> float:
        """The seconds of processor time that it and its ended children have used so far."""
        if self._process is None:
            return 0.0
        # Behind the name, which may hold anything: fields 14 to 17 of proc(5).
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def _watch(self, pid: int, stopping: threading.Event) -> None:
        """Children come and go (dcmqrscp has one for each association), so their memory is sampled."""
        while not stopping.wait(_SAMPLE_S):
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                return
            if children:
                total = _status_mb(pid, "VmRSS") + sum(_status_mb(int(child), "VmRSS") for child in children)
                self.peak_mb = max(self.peak_mb, total)


def _peak_mb(pid: int) -> float:
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, key: str) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) / 1024
    return 0.0
