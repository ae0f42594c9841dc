"""Checks that run while the page goes on: "check my fix" takes as long as the department needs, a request must not.

One at a time in a lab; its end is seen in the attempt itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.model.errors import SandboxError
from web.lab_client import LabClient


class Checking:
    """Which labs are being checked, and what came of those whose check could not be run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._troubles: dict[str, str] = {}

    def start(
        self,
        lab_id: str,
        client: LabClient,
        command: str = "attempt.check",
        params: Mapping[str, Any] | None = None,
        worked: Callable[[], None] | None = None,
    ) -> bool:
        """Begin a check by ``command``, which checks, or checks and closes the ticket; ``worked`` is called if that
        worked. False when one is running already: then nothing of this one is done."""
        with self._lock:
            if lab_id in self._running:
                return False
            self._running.add(lab_id)
            self._troubles.pop(lab_id, None)
        threading.Thread(
            target=self._check,
            args=(lab_id, client, command, params or {}, worked),
            name=f"check-{lab_id}",
            daemon=True,
        ).start()
        return True

    def is_running(self, lab_id: str) -> bool:
        with self._lock:
            return lab_id in self._running

    def trouble(self, lab_id: str) -> str:
        """Why the last check could not be run; empty when it was."""
        with self._lock:
            return self._troubles.get(lab_id, "")

    def _check(
        self,
        lab_id: str,
        client: LabClient,
        command: str,
        params: Mapping[str, Any],
        worked: Callable[[], None] | None,
    ) -> None:
        trouble = ""
        try:
            result = client.command(command, params)
            if result.ok and worked is not None:
                worked()
        except SandboxError as wrong:
            trouble = str(wrong)
        finally:
            with self._lock:
                self._running.discard(lab_id)
                if trouble:
                    self._troubles[lab_id] = trouble
