"""What the present thread is working for: the event that made it, and the actor on whose behalf. Whatever is written to
the log meanwhile carries both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

SYSTEM = "system"


@dataclass(frozen=True)
class Context:
    """Who and what the present thread is working for."""

    actor: str = SYSTEM
    cause: int | None = None


_context: ContextVar[Context] = ContextVar("event_context", default=Context())  # noqa: B039 - a frozen value


def current() -> Context:
    """What this thread is working for."""
    return _context.get()


@contextmanager
def because(cause: int | None, actor: str | None = None) -> Iterator[None]:
    """Everything this thread writes inside the block was caused by event ``cause``, on behalf of ``actor``."""
    token = _context.set(Context(_context.get().actor if actor is None else actor, cause))
    try:
        yield
    finally:
        _context.reset(token)
