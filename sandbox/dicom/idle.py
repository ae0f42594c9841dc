"""pynetdicom's upper layer with nothing running in it: no thread, no queue between threads, no timer.

Making those for every association was a third of its price. What pynetdicom would use of them is made for whoever asks
for it, and a test holds the two classes side by side.
"""

from __future__ import annotations

import queue
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import StateMachine
from pynetdicom.timer import Timer

if TYPE_CHECKING:
    from pynetdicom.association import Association


class IdleDUL(DULServiceProvider):
    """Has the attributes of pynetdicom's own, and waits for nothing."""

    def __init__(self, assoc: Association) -> None:
        # Not the constructor above, which makes a reactor.
        self._assoc = assoc
        self.socket = None
        self._run_loop_delay = 0.0
        self._kill_thread = False

    def is_alive(self) -> bool:
        """Never: it is no running thread, and pynetdicom's waits for one must not happen."""
        return False

    def stop_dul(self) -> bool:
        return True

    @cached_property
    def event_queue(self) -> Any:  # type: ignore[override]
        return queue.SimpleQueue()

    @cached_property
    def to_provider_queue(self) -> Any:  # type: ignore[override]
        return self.event_queue

    @cached_property
    def to_user_queue(self) -> Any:  # type: ignore[override]
        return self.event_queue

    @cached_property
    def _recv_pdu(self) -> Any:  # type: ignore[override]
        return self.event_queue

    @cached_property
    def _idle_timer(self) -> Timer:  # type: ignore[override]
        return Timer(None)

    @cached_property
    def artim_timer(self) -> Timer:  # type: ignore[override]
        return Timer(None)

    @cached_property
    def state_machine(self) -> StateMachine:  # type: ignore[override]
        return StateMachine(self)
