"""One thing wrong in a file that people write (a site, a scenario): where it stands, what is wrong, how to mend it."""

from __future__ import annotations

from sandbox.model.base import Model


class Problem(Model):
    """A linter's finding. ``key`` is the dotted place inside ``file``."""

    file: str
    key: str
    sentence: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.sentence} {self.mend}".strip()
