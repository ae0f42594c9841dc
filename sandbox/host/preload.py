"""The preloaded parent: a small process with everything imported, from which labs are forked in no time.

It speaks JSON lines: requests on its standard input, news on its standard output. It runs one thread, since only a
process with one thread can fork safely. When its input ends the console is gone, by whatever means, and it ends all
labs; should it be killed itself, its labs see the end of a pipe whose other end only it holds.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from sandbox.checks.registry import checks
from sandbox.faults.registry import faults
from sandbox.host.process import LabOptions, report_and_run
from sandbox.lab.commands.registry import commands
from sandbox.lab.lab import Lab
from sandbox.lab.prepared import prepare
from sandbox.lab.site import HistoryPlan, load_site
from sandbox.nodes.registry import role_class, roles

STOP_S = 10.0
"""How long a lab may take to end before it is killed, in seconds."""

WARMING = ""
"""What the child is called that makes what labs are copied from. No lab has an empty name."""

WARMING_NICE = 15

_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One lab's process, and the pipe on which it says that it is ready."""

    lab: str
    pid: int
    reader: int
    said: bytearray = field(default_factory=bytearray)
    kill_at: float = 0.0
    trouble: dict[str, Any] | None = None


class Parent:
    """The loop of the preloaded parent."""

    def __init__(self, requests: int, news: int) -> None:
        self._requests = requests
        self._news = news
        self._heard = bytearray()
        self._children: dict[str, Child] = {}
        self._selector = selectors.DefaultSelector()
        # Nobody writes to this pipe: its end, at the end of this process, is what the labs watch.
        self._life_reader, self._life_writer = os.pipe()
        self._wake_reader, self._wake_writer = os.pipe()
        for end in (self._wake_reader, self._wake_writer):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self._leave())
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        self._leaving = False
        self._selector.register(requests, selectors.EVENT_READ, self._hear)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, self._woken)

    def run(self) -> None:
        """Serve until the input ends, then end every lab."""
        while not self._leaving:
            self._turn()
        for child in self._children.values():
            self._ask_to_end(child)
        while self._children:
            self._turn()

    def _turn(self) -> None:
        due = [child.kill_at for child in self._children.values() if child.kill_at]
        timeout = max(0.0, min(due) - time.monotonic()) if due else None
        for key, _ in self._selector.select(timeout):
            key.data()
        self._reap()
        for child in self._children.values():
            if child.kill_at and time.monotonic() >= child.kill_at:
                child.kill_at = time.monotonic() + STOP_S
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)

    def _leave(self) -> None:
        self._leaving = True

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_reader, 4096)

    # --- requests ----------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        heard = os.read(self._requests, 65536)
        if not heard:
            self._selector.unregister(self._requests)
            self._leave()
            return
        self._heard += heard
        *lines, rest = bytes(self._heard).split(b"\n")
        self._heard = bytearray(rest)
        for line in lines:
            request = json.loads(line)
            if "warm" in request:
                self._warm(Path(request["warm"]))
            elif "start" in request:
                self._start(request["lab"], LabOptions.model_validate(request["start"]))
            elif request["lab"] in self._children:
                self._ask_to_end(self._children[request["lab"]])

    def _ask_to_end(self, child: Child) -> None:
        child.kill_at = child.kill_at or time.monotonic() + STOP_S
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)

    def _start(self, lab: str, options: LabOptions) -> None:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_lab(options, writer)
        os.close(writer)
        os.set_blocking(reader, False)
        child = self._children[lab] = Child(lab, pid, reader)
        self._selector.register(reader, selectors.EVENT_READ, lambda: self._listen(child))

    def _warm(self, cache: Path) -> None:
        """Let a child with low priority make what new labs are copied from, before anybody waits for it."""
        pid = os.fork()
        if pid:
            self._children[WARMING] = Child(WARMING, pid, -1)
            return
        status = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._let_go()
            os.nice(WARMING_NICE)
            site = load_site(REHEARSED)
            for variant in range(site.history.variants):
                prepare(site, variant, date.today().replace(day=1), cache)
            status = 0
        finally:
            os._exit(status)

    def _let_go(self) -> None:
        """In a fork: drop what is the parent's, and end with it."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _end_with_parent()
        self._selector.close()
        for end in (self._life_writer, self._wake_reader, self._wake_writer):
            os.close(end)

    def _become_lab(self, options: LabOptions, writer: int) -> NoReturn:
        """What the fork does: let go of everything that is the parent's, then be a lab. Never returns."""
        status = 1
        try:
            self._let_go()
            _redirect(options)
            status = report_and_run(options, self._life_reader, lambda line: _say(writer, line))
        finally:
            with contextlib.suppress(Exception):
                sys.stderr.flush()
            os._exit(status)

    # --- news --------------------------------------------------------------------------------------------------------

    def _listen(self, child: Child) -> None:
        """Read what a lab says, as far as it has said it: that it is ready, or why it is not."""
        while True:
            try:
                said = os.read(child.reader, 65536)
            except BlockingIOError:
                return
            if not said:
                self._selector.unregister(child.reader)
                os.close(child.reader)
                child.reader = -1
                return
            child.said += said
            while b"\n" in child.said:
                line, _, rest = bytes(child.said).partition(b"\n")
                child.said = bytearray(rest)
                document = json.loads(line)
                if "api" in document:
                    self._tell({"lab": child.lab, "ready": document})
                else:
                    child.trouble = document

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = next((each for each in self._children.values() if each.pid == pid), None)
            if child is None:
                continue
            if child.reader != -1:
                self._listen(child)
            del self._children[child.lab]
            self._tell({"lab": child.lab, "ended": os.waitstatus_to_exitcode(status), "trouble": child.trouble})

    def _tell(self, document: dict[str, Any]) -> None:
        try:
            os.write(self._news, json.dumps(document).encode() + b"\n")
        except OSError:
            self._leave()


def _say(writer: int, line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(writer, line.encode() + b"\n")


def _redirect(options: LabOptions) -> None:
    """A lab's own words go to a file in its directory; it has no input, and the parent's output is not its own."""
    options.directory.mkdir(parents=True, exist_ok=True)
    words = os.open(options.directory / "lab.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(words, 1)
    os.dup2(words, 2)
    os.close(nothing)
    os.close(words)


def _end_with_parent() -> None:
    """On Linux the kernel ends the lab with its parent, whatever state either is in."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


PRELOADED = (
    "PIL.PngImagePlugin",
    "pydicom.pixels.utils",
    "sqlalchemy.dialects.sqlite",
    "sandbox.drill.attempt",
)
"""What a lab would otherwise import when it is first asked for it, besides what this module itself needs."""


REHEARSED = "riverside"
"""The site that is started and stopped once before the first fork."""

REHEARSAL_ENDS_S = 3.0


def preload() -> None:
    """Import what labs need and keep it out of garbage collections, so that forks share its memory."""
    for name in PRELOADED:
        import_module(name)
    commands()
    checks()
    faults()
    for role in roles():
        role_class(role)


def rehearse() -> bool:
    """Start and stop a small department, so that what is worked out once a process is worked out before the forks.

    Whether no thread is left of it. With one left, this process must not fork.
    """
    site = load_site(REHEARSED).model_copy(update={"history": HistoryPlan()})
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-") as folder:
        lab = Lab(site, Path(folder), seed=0)
        try:
            lab.start()
            nodes = lab.department.nodes.values()
            pairs = [(node, remote.name) for node in nodes for remote in node.running.remotes[:1]]
            for node, remote in pairs:
                node.tools.echo(remote)
            lab.view()
        finally:
            lab.stop()
    deadline = time.monotonic() + REHEARSAL_ENDS_S
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
    return threading.active_count() == 1


def main(arguments: list[str]) -> int:
    """``python -m sandbox.host.preload``."""
    preload()
    if "--unrehearsed" not in arguments:
        try:
            clean = rehearse()
        except Exception:
            # A lab that cannot start here will say why when somebody asks for one.
            clean = False
        if not clean:
            os.execv(sys.executable, [sys.executable, "-m", "sandbox.host.preload", "--unrehearsed"])  # noqa: S606 - ourselves
    gc.collect()
    gc.freeze()
    parent = Parent(sys.stdin.fileno(), sys.stdout.fileno())
    parent.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
