"""Libraries that others import and a command may never use, imported when they are used first.

pydicom imports numpy for pixel data, and requests for its test files, whoever it is imported by. For a server that is
to answer at once, and keeps images as they come, that is a quarter of its start.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_lock = threading.RLock()


class DeferredModule(ModuleType):
    """Stands in ``sys.modules`` for a library until something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            real = importlib.import_module(self.__name__)
            # Whoever has imported this one goes on using it.
            self.__dict__.update(vars(real))
        return getattr(real, name)


def defer(library: str) -> None:
    """Have a library imported on first use. Does nothing where it was imported before, or is not installed."""
    if library not in sys.modules:
        spec = importlib.util.find_spec(library)
        if spec is not None:
            module = DeferredModule(library)
            module.__spec__ = spec
            sys.modules[library] = module


@contextmanager
def hidden(library: str) -> Iterator[None]:
    """As if a library were not installed: for one that is optional to those who are imported meanwhile."""
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[library]


@contextmanager
def quick_start() -> Iterator[None]:
    """Around what starts a server that keeps images as they come: what it does not need yet waits, and nothing is
    looked at as garbage that stays until the end."""
    gc.disable()
    try:
        defer("numpy")
        with hidden("requests"):
            importlib.import_module("pydicom")
        yield
        gc.freeze()
    finally:
        gc.enable()
