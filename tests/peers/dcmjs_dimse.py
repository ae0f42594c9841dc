"""dcmjs-dimse: a library for Node.js, driven as client and server by dcmjs/peer.js."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from tests.peers.outside import ASKED, HOST, TITLE, Outside, absent, of_study, run

_SOURCES = Path(__file__).parent / "dcmjs"
_INSTALL_S = 120


class DcmjsDimse(Outside):
    name = "dcmjs-dimse"
    package = "Node.js"
    programs = ("node", "npm")

    def prepare(self) -> None:
        super().prepare()
        for source in _SOURCES.iterdir():
            shutil.copy(source, self.directory)
        done = subprocess.run(
            ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=_INSTALL_S,
            check=False,
            env=os.environ | {"npm_config_update_notifier": "false"},
        )
        if done.returncode:
            absent(f"npm could not install dcmjs-dimse: {done.stderr[-500:]}")

    @property
    def _store(self) -> Path:
        return self.directory / "store"

    def command(self) -> Sequence[str]:
        self._store.mkdir()
        archive = {"host": HOST, "port": self.archive.port, "title": self.archive.title}
        destinations = {self.archive.title: archive}
        told = {"called": TITLE, "port": self.port, "folder": str(self._store), "destinations": destinations}
        return self._words("serve", told)

    def _words(self, act: str, told: dict[str, Any]) -> tuple[str, ...]:
        return ("node", str(self.directory / "peer.js"), json.dumps({"act": act} | told))

    def _ask(self, act: str, **told: Any) -> dict[str, Any]:
        called = {"host": HOST, "port": self.archive.port, "calling": TITLE, "called": self.archive.title}
        printed = run(self._words(act, called | told))
        answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
        assert (answer["status"], answer["error"]) == (0, ""), printed
        return answer

    def received(self, study: str) -> list[Dataset]:
        return of_study(self._store, study)

    def echo(self) -> None:
        self._ask("echo")

    def store(self, files: Sequence[Path]) -> None:
        self._ask("store", files=[str(file) for file in files])

    def find(self, study: str) -> list[dict[str, str]]:
        answers = self._ask("find", keys={"StudyInstanceUID": study} | dict.fromkeys(ASKED, ""))["answers"]
        return [{keyword: _text(one.get(keyword, "")) for keyword in ASKED} for one in answers]

    def move(self, study: str) -> None:
        self._ask("move", study=study, destination=TITLE)

    def get(self, study: str) -> list[Dataset]:
        folder = self.directory / f"got-{study}"
        folder.mkdir()
        self._ask("get", study=study, folder=str(folder))
        return of_study(folder, study)


def _text(value: Any) -> str:
    """A value as dcmjs holds it: a name is a list of its groups."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value.get("Alphabetic", "")) if isinstance(value, dict) else str(value)
