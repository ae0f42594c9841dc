"""What a linter finds: where it is, what is wrong, and how to mend it."""

from __future__ import annotations

from sandbox.model.base import Model


class Problem(Model):
    """``key`` names the place as an author counts: ``hint[2].text`` is the second hint's text."""

    file: str
    key: str
    sentence: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.sentence} {self.mend}".strip()
