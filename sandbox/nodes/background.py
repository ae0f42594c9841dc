"""The quiet flow of ordinary exams that makes a department a living place.

What comes and after how long follows from the seed and the number of the exam alone, so that a lab that went down goes
on where it was. One thread sleeps until the next exam is due; paused, it sleeps without end.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from sample_dicom.procedures import procedures_for
from sandbox.events import kinds
from sandbox.model.errors import SandboxError
from sandbox.model.files import write_whole
from sandbox.model.patient import Order
from sandbox.model.view import NodeState
from sandbox.nodes.department import Department

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedExam:
    """The exam with number ``number``: on which modality, how long after the one before, with how many images."""

    number: int
    node: str
    after_s: float
    images: int
    order: Order


class Background:
    """Exams at random intervals with a mean of ``every_s`` seconds, of as many images as ``images`` bounds.

    ``state`` is a file in which the number of the next exam and the pause outlive the process; without one they do not.
    """

    def __init__(
        self,
        department: Department,
        *,
        every_s: float = 90.0,
        images: tuple[int, int] = (1, 3),
        state: Path | None = None,
    ) -> None:
        self._department = department
        self._every_s = every_s
        self._images = images
        self._state = state
        self._changed = threading.Condition()
        # Taken while an exam is made, so that ``held`` can wait for its end.
        self._scanning = threading.Lock()
        self._thread: threading.Thread | None = None
        self._number, self._paused = self._read()

    @property
    def is_running(self) -> bool:
        """Whether exams come: it was started and is not paused."""
        return self._thread is not None and not self._paused

    @property
    def is_paused(self) -> bool:
        return self._paused

    def planned(self, number: int) -> PlannedExam | None:
        """What exam ``number`` (from 0) is. None when no modality of the department is set to do anything we know."""
        rng = random.Random(f"{self._department.seed}/background/{number}")  # noqa: S311 - simulation, not secrecy
        after_s = rng.expovariate(1 / self._every_s)
        modalities = [each for each in self._department.modalities if procedures_for(each.running.modality)]
        if not modalities:
            return None
        modality = rng.choice(modalities)
        order = self._department.order(modality.running.modality, rng)
        return PlannedExam(number, modality.name, after_s, rng.randint(*self._images), order)

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to let exams come, unless it is paused."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="background", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End. An exam that is being made is made; whether it is paused stays as it is."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def pause(self) -> None:
        """Let no more exams come."""
        with self._changed:
            if not self._paused:
                self._paused = True
                self._write()
                self._department.events.append(kinds.BackgroundPaused())
            self._changed.notify_all()

    def resume(self) -> None:
        """Let exams come again; starts if it was not started."""
        with self._changed:
            if self._paused:
                self._paused = False
                self._write()
                self._department.events.append(kinds.BackgroundResumed())
            self._changed.notify_all()
        self.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """No exam is made inside the block."""
        with self._scanning:
            yield

    # --- inside ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        me = threading.current_thread()
        while (exam := self._wait_for_next(me)) is not None:
            try:
                with self._scanning, self._changed:
                    if self._thread is not me or self._paused:
                        continue
                    self._number += 1
                    self._write()
                self._scan(exam)
            except Exception:
                # A full disk, for one. The next patient comes all the same.
                log.exception("The background exam %d on %s failed", exam.number, exam.node)

    def _scan(self, exam: PlannedExam) -> None:
        modality = self._department.modality(exam.node)
        if modality.state is not NodeState.RUNNING:
            return
        try:
            with self._scanning:
                modality.acquire(exam.order, images=exam.images)
        except (SandboxError, OSError, SQLAlchemyError) as wrong:
            modality.log("error", f"Exam {exam.order.accession_number} could not be acquired: {wrong}")

    def _wait_for_next(self, me: threading.Thread) -> PlannedExam | None:
        with self._changed:
            while self._thread is me:
                exam = None if self._paused else self.planned(self._number)
                if exam is None:
                    self._changed.wait()
                    continue
                self._changed.wait_for(lambda: self._thread is not me or self._paused, exam.after_s)
                if self._thread is me and not self._paused:
                    # The order is as of now, when the patient comes in.
                    return self.planned(self._number)
        return None

    def _read(self) -> tuple[int, bool]:
        if self._state is None or not self._state.exists():
            return 0, False
        try:
            kept = json.loads(self._state.read_text(encoding="utf-8"))
            return int(kept["number"]), bool(kept["paused"])
        except (ValueError, KeyError, TypeError):
            # Torn by a kill: the flow begins anew, which harms nobody.
            return 0, False

    def _write(self) -> None:
        if self._state is not None:
            write_whole(self._state, json.dumps({"number": self._number, "paused": self._paused}))
