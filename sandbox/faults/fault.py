"""What a fault is: parameters, one way in, one way back, and a sentence for the debrief."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from sandbox.events.event import FAULT
from sandbox.events.kinds import FaultApplied, FaultUndone
from sandbox.events.log import because
from sandbox.model.base import Model
from sandbox.model.config import NodeConfig
from sandbox.nodes.department import Department

Undo = Callable[[], None]
"""Puts back what was there before, so that nothing tells that the fault was. Calling it twice does nothing more."""


class Fault(Model):
    """A cause. Subclasses set ``kind`` and ``symptoms`` and implement ``break_it``.

    ``nodes`` says which nodes the parameters name, so that a linter can tell a misspelt one. ``at`` is when it
    happened ("friday 15:40"); without it, shortly before everything else of the scenario.
    """

    kind: ClassVar[str]
    symptoms: ClassVar[tuple[str, ...]]
    """What it must cause, as somebody sees it who does not know it: one short statement each."""

    at: str = ""

    @abstractmethod
    def nodes(self) -> tuple[str, ...]:
        """The nodes that the parameters name."""

    @abstractmethod
    def explanation(self) -> str:
        """What was wrong and what it led to, in a sentence or two for the debrief."""

    @abstractmethod
    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        """Raise BadInputError or NotFoundError when the fault cannot be caused on nodes with these configurations."""

    @abstractmethod
    def break_it(self, department: Department) -> Undo:
        """Cause it, and return what puts back the state before. Raises SandboxError when it cannot be caused here."""

    def apply(self, department: Department) -> Undo:
        """Cause it and write it down.

        What the injection itself writes (a saved configuration, a restart) has the actor ``fault`` and is hidden from
        the trainee until the debrief; what the broken department then does is there for everybody to see.
        """
        events = department.events
        body = FaultApplied(fault=self.kind, params=self.model_dump(mode="json"), explanation=self.explanation())
        applied = events.append(body, actor=FAULT)
        with because(applied.seq, FAULT):
            put_back = self.break_it(department)
        undone = False

        def undo() -> None:
            nonlocal undone
            if undone:
                return
            undone = True
            written = events.append(FaultUndone(fault=self.kind), actor=FAULT, cause=applied.seq)
            with because(written.seq, FAULT):
                put_back()

        return undo


@contextmanager
def all_or_nothing() -> Iterator[list[Undo]]:
    """A list of undos that are called, newest first, when the block fails: faults compose, and never half."""
    undos: list[Undo] = []
    try:
        yield undos
    except BaseException:
        undo_all(undos)
        raise


def undo_all(undos: list[Undo]) -> None:
    """Undo several faults, newest first, since a later one may stand on an earlier one."""
    for undo in reversed(undos):
        undo()
    undos.clear()
