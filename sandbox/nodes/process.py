"""What a node's program does wrong by itself: it keeps associations that it should release, or ends again and again.

Works on threads of its own while the node runs; a sound node has none. A hang is the node's own matter, since a program
that hangs does not even begin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.dicom.client import Association
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.syntaxes import verification
from sandbox.model.config_path import value_at
from sandbox.model.errors import SandboxError
from sandbox.nodes.impairments import CrashLoop, Leak

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

LOOK_S = 0.5
"""How often a leaking program looks whether it has as many idle associations as it can get."""

_END_S = 1.0


class ProcessTrouble:
    """The troubles of one node's program. ``begin`` and ``end`` are called with the node's lifecycle held."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ending = threading.Event()
        self._leaking: list[threading.Thread] = []
        self._tried: list[threading.Event] = []

    def begin(self, *, at_once: bool = False) -> None:
        """The node runs: do wrong what is to be done wrong. ``at_once`` lets the first crash happen now."""
        self._ending = ending = threading.Event()
        troubles = self._node.impairments.process
        self._tried = [threading.Event() for _ in troubles.leaks]
        leaks = zip(troubles.leaks, self._tried, strict=True)
        self._leaking = [self._run(self._leak, leak, tried, ending) for leak, tried in leaks]
        for crash in troubles.crashes:
            if self._applies(crash):
                self._run(self._crash, crash, 0.0 if at_once else crash.after_s, ending)

    def wait_for_leaks(self, timeout_s: float) -> None:
        """Return when every leak has taken all the associations that it could get, or after so many seconds."""
        deadline = time.monotonic() + timeout_s
        for tried in self._tried:
            tried.wait(max(0.0, deadline - time.monotonic()))

    def halt(self) -> None:
        """Tell every trouble to end, without waiting."""
        self._ending.set()

    def end(self) -> None:
        """The node ends, or what is wrong with it has changed: what it kept open is let go of."""
        self._ending.set()
        for thread in self._leaking:
            thread.join(_END_S)
        self._leaking.clear()

    def _run(self, work: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, name=f"{self._node.name} trouble", daemon=True)
        thread.start()
        return thread

    # --- leaking -----------------------------------------------------------------------------------------------------

    def _leak(self, leak: Leak, tried: threading.Event, ending: threading.Event) -> None:
        """Open associations and forget them, until ``count`` are open; those that the peer ends are opened anew."""
        caller = self._node.caller
        held: list[Association] = []
        while not ending.is_set():
            held = [association for association in held if association.notice()]
            peer = caller.peer(leak.remote)
            while peer is not None and len(held) < leak.count and not ending.is_set():
                opened = caller.requestor.associate(peer, verification())
                if isinstance(opened, AssociationFailure):
                    break
                held.append(opened)
            tried.set()
            ending.wait(LOOK_S)
        for association in held:
            association.abort("the node was stopped")

    # --- crashing ----------------------------------------------------------------------------------------------------

    def _applies(self, crash: CrashLoop) -> bool:
        if not crash.path:
            return True
        try:
            return bool(value_at(self._node.running, crash.path) == crash.value)
        except SandboxError:
            return False

    def _crash(self, crash: CrashLoop, after_s: float, ending: threading.Event) -> None:
        if ending.wait(after_s):
            return
        over = self._node.crash(crash.line, ending)
        if over is None or over.wait(crash.again_s):
            return
        self._node.revive(over)
