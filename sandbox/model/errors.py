"""The one family of errors. Each says in a sentence what was wrong and what to do about it.

A DICOM failure (a rejection, a status, a refused port) is a result and never one of these.
"""

from __future__ import annotations


class SandboxError(Exception):
    """Something a person asked for cannot be done.

    ``sentence`` says what was wrong, ``mend`` what to do. Both are shown to people as they stand.
    """

    def __init__(self, sentence: str, mend: str = "") -> None:
        super().__init__(f"{sentence} {mend}".strip())
        self.sentence = sentence
        self.mend = mend


class BadInputError(SandboxError):
    """What was entered (a form, a file, a command) does not make sense."""


class NotFoundError(SandboxError):
    """The thing named does not exist here."""


class ConflictError(SandboxError):
    """The thing cannot be done in the present state."""


class UnavailableError(SandboxError):
    """Something this needs (a tool, a port, a lab, a database) is not there at the moment."""
