"""The two ways of making lab processes: forks of the preloaded parent, and processes of their own.

Forking needs a system that takes it well; where it does not (macOS, whose frameworks do not survive a fork; Windows,
which has none) each lab is a new Python, which takes a second longer to come up.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sandbox.host.launcher import Ended, Launcher, Listener, Ready
from sandbox.host.process import LabOptions, Trouble
from sandbox.model.errors import UnavailableError
from sandbox.model.view import ReadyLine

STOP_S = 12.0
"""How long ending everything may take, in seconds; then it is killed."""

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Keeps numerical libraries from starting threads: a process with threads must not fork, and labs share few cores."""


def best_launcher(listener: Listener) -> Launcher:
    """The launcher that suits this system."""
    return ForkLauncher(listener) if sys.platform.startswith(("linux", "freebsd")) else SpawnLauncher(listener)


def _environment() -> dict[str, str]:
    return {**os.environ, **_ONE_THREAD}


class ForkLauncher:
    """Labs forked from one preloaded parent (``preload``), which is started anew should it die."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._closed = False
        with self._lock:
            self._parent()

    @property
    def pid(self) -> int:
        """The preloaded parent's."""
        return 0 if self._process is None else self._process.pid

    def start(self, lab: str, options: LabOptions) -> None:
        with self._lock:
            self._started[lab] = self._parent()
            self._ask({"lab": lab, "start": options.model_dump(mode="json")})

    def stop(self, lab: str) -> None:
        with self._lock:
            if lab in self._started:
                self._ask({"lab": lab, "stop": True})

    def warm(self, cache: Path) -> None:
        with self._lock:
            self._parent()
            self._ask({"warm": str(cache)})

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            process, reader = self._process, self._reader
        if process is not None:
            with contextlib.suppress(OSError):
                _input(process).close()
            _wait_or_kill(process)
        if reader is not None and reader is not threading.current_thread():
            reader.join(STOP_S)

    def _parent(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise UnavailableError("The lab host is closed.", "Start the console again.")
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.host.preload"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                # Ctrl-C in the terminal is the console's to handle.
                start_new_session=True,
            )
            self._reader = threading.Thread(target=self._read, args=(self._process,), name="lab-host", daemon=True)
            self._reader.start()
        return self._process

    def _ask(self, document: dict[str, Any]) -> None:
        # When the parent has just died its reader tells that all labs ended, this one among them.
        with contextlib.suppress(OSError):
            pipe = _input(self._parent())
            pipe.write(json.dumps(document).encode() + b"\n")
            pipe.flush()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            raise RuntimeError("the preloaded parent was started without an output")
        for line in process.stdout:
            document = json.loads(line)
            if "ready" in document:
                self._listener(Ready(document["lab"], ReadyLine.model_validate(document["ready"])))
            elif "ended" in document:
                self._tell_ended(document["lab"], document["ended"], document["trouble"])
        process.wait()
        with self._lock:
            left = [lab for lab, parent in self._started.items() if parent is process]
        for lab in left:
            self._tell_ended(lab, -9, None)

    def _tell_ended(self, lab: str, status: int, trouble: dict[str, Any] | None) -> None:
        with self._lock:
            self._started.pop(lab, None)
        self._listener(Ended(lab, status, None if trouble is None else Trouble.model_validate(trouble)))


class SpawnLauncher:
    """Every lab is a Python of its own, which ends when its standard input does."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._readers: list[threading.Thread] = []
        self._closed = False

    def start(self, lab: str, options: LabOptions) -> None:
        with self._lock:
            if self._closed:
                raise UnavailableError("The lab host is closed.", "Start the console again.")
            options.directory.mkdir(parents=True, exist_ok=True)
            with Path(options.directory / "lab.log").open("ab") as words:
                process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "sandbox.host.process", options.model_dump_json()],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=words,
                    env=_environment(),
                )
            self._processes[lab] = process
            reader = threading.Thread(target=self._read, args=(lab, process), name=f"host-{lab}", daemon=True)
            self._readers = [each for each in self._readers if each.is_alive()] + [reader]
        reader.start()

    def stop(self, lab: str) -> None:
        with self._lock:
            process = self._processes.get(lab)
        if process is not None:
            # The end of its input is what it watches; it works on every system, unlike a signal.
            with contextlib.suppress(OSError):
                _input(process).close()
            threading.Thread(target=_wait_or_kill, args=(process,), name=f"stop-{lab}", daemon=True).start()

    def warm(self, cache: Path) -> None:
        """Nothing: another Python at work would slow down the first lab more than it helps."""

    def close(self) -> None:
        with self._lock:
            self._closed = True
            labs, readers = list(self._processes), list(self._readers)
        for lab in labs:
            self.stop(lab)
        deadline = time.monotonic() + STOP_S * 2
        for reader in readers:
            if reader is not threading.current_thread():
                reader.join(max(0.0, deadline - time.monotonic()))

    def _read(self, lab: str, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            raise RuntimeError("the lab was started without an output")
        trouble: Trouble | None = None
        for line in process.stdout:
            document = json.loads(line)
            if "api" in document:
                self._listener(Ready(lab, ReadyLine.model_validate(document)))
            else:
                trouble = Trouble.model_validate(document)
        status = process.wait()
        with self._lock:
            self._processes.pop(lab, None)
        self._listener(Ended(lab, status, trouble))


def _input(process: subprocess.Popen[bytes]) -> Any:
    if process.stdin is None:
        raise RuntimeError("the process was started without an input")
    return process.stdin


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
