"""GDCM: gdcmscu, a client only.

GDCM 3.0.21 and 3.2.6 end every association, with any peer (dcmtk's storescp as well), by an exception in their own code
when the release is answered; what went before it counts here. The answers of a C-FIND are lost with it: only how many
came is told."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from tests.peers.outside import HOST, TITLE, Outside, Service, of_study

_OWN_END = "ProtocolStream as nullptr is invalid"
_PENDING = "(0000,0900) ?? (US) 65280 "
_SUCCESS = "(0000,0900) ?? (US) 0 "


class Gdcm(Outside):
    name = "gdcm"
    package = "Debian's libgdcm-tools"
    programs = ("gdcmscu",)
    asks = frozenset({Service.ECHO, Service.STORE, Service.FIND, Service.MOVE})
    answers = frozenset()

    def _ask(self, service: Service, *words: object) -> str:
        called = (HOST, self.archive.port, "--aetitle", TITLE, "--call", self.archive.title, "--debug")
        command = [str(word) for word in ("gdcmscu", f"--{service}", *called, *words)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False, errors="replace"
        )
        assert done.returncode == 0 or _OWN_END in done.stdout[-300:], done.stdout[-3000:]
        return done.stdout

    def received(self, study: str) -> list[Dataset]:
        return of_study(self.directory, study)

    def echo(self) -> None:
        assert "(0000,0100) ?? (US) 32816 " in self._ask(Service.ECHO), "no C-ECHO-RSP"

    def store(self, files: Sequence[Path]) -> None:
        self._ask(Service.STORE, *files)

    def matches(self, study: str) -> int:
        """How many answers came for a study."""
        printed = self._ask(Service.FIND, "--studyroot", "--study", "--key", f"20,d={study}", "--key", "10,10=")
        assert "C-Find was successful" in printed, printed
        # It prints each response more than once, and every one as often as the last.
        return printed.count(_PENDING) // printed.count(_SUCCESS)

    def find(self, study: str) -> list[dict[str, str]]:
        raise NotImplementedError(self.name)

    def move(self, study: str) -> None:
        folder = self.directory / f"moved-{study}"
        folder.mkdir()
        keys = ("--studyroot", "--study", "--key", f"20,d={study}")
        self._ask(Service.MOVE, *keys, "--port-scp", self.port, "--output", folder)
