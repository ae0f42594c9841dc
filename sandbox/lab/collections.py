"""The imported collections of one home: where they lie, and which of them new labs hold besides their own patients."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.files import write_whole

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CHOICE = "in-use"


class Collections:
    """The collections below ``home``."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "collections"

    def path(self, name: str) -> Path:
        """Where the collection called ``name`` lies, or would lie."""
        if not _NAME.fullmatch(name) or name == _CHOICE:
            raise BadInputError(f"{name!r} cannot be the name of a collection.", "Use letters, digits and hyphens.")
        return self._folder / name

    def names(self) -> tuple[str, ...]:
        """Every collection, in order of the alphabet."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in self._folder.iterdir() if path.is_dir() and path.name[0] != "."))

    def find(self, name: str) -> Path:
        """The collection called ``name``, or NotFoundError."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none; make one with `pacs-sandbox import FOLDER`"
            raise NotFoundError(f"There is no collection {name!r}.", f"There is: {known}.")
        return self.path(name)

    def use(self, name: str) -> None:
        """Let every new lab hold this collection; with an empty name, none."""
        if name:
            self.find(name)
        write_whole(self._folder / _CHOICE, name)

    @property
    def in_use(self) -> Path | None:
        """The collection that new labs hold, if any."""
        try:
            name = (self._folder / _CHOICE).read_text(encoding="utf-8").strip()
        except OSError:
            return None
        return self.path(name) if name in self.names() else None
