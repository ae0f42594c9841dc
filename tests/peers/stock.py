"""pynetdicom as it comes: its command line applications, each its own process, none of our code in it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.peers.outside import ASKED, HOST, TITLE, Outside, of_study, run, values


class Stock(Outside):
    name = "pynetdicom"
    package = "pynetdicom"
    programs = ()

    @property
    def _store(self) -> Path:
        return self.directory / "store"

    def command(self) -> Sequence[str]:
        configuration = self.directory / "qrscp.ini"
        configuration.write_text(
            f"[DEFAULT]\nae_title: {TITLE}\nport: {self.port}\nmax_pdu: 16382\nacse_timeout: 30\ndimse_timeout: 30\n"
            f"network_timeout: 30\nbind_address: {HOST}\ninstance_location: {self._store}\n"
            f"database_location: {self.directory / 'index.sqlite'}\nlog_identifier: False\n"
            f"[{self.archive.title}]\naddress: {HOST}\nport: {self.archive.port}\n"
        )
        return _application("qrscp", "--config", configuration)

    def received(self, study: str) -> list[Dataset]:
        return of_study(self._store, study)

    @property
    def _called(self) -> tuple[object, ...]:
        return (HOST, self.archive.port, "-aet", TITLE, "-aec", self.archive.title)

    def _study(self, study: str) -> tuple[str, ...]:
        return ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")

    def echo(self) -> None:
        run(_application("echoscu", *self._called))

    def store(self, files: Sequence[Path]) -> None:
        run(_application("storescu", *self._called, *files, "-cx"))

    def find(self, study: str) -> list[dict[str, str]]:
        folder = self.directory / f"found-{study}"
        folder.mkdir()
        keys = [word for keyword in ASKED for word in ("-k", f"{keyword}=")]
        run(_application("findscu", *self._called, *self._study(study), *keys, "-w"), cwd=folder)
        return [values(dcmread(path, force=True)) for path in sorted(folder.iterdir())]

    def move(self, study: str) -> None:
        run(_application("movescu", *self._called, "-aem", TITLE, *self._study(study)))

    def get(self, study: str) -> list[Dataset]:
        folder = self.directory / f"got-{study}"
        folder.mkdir()
        run(_application("getscu", *self._called, *self._study(study), "-od", folder))
        return of_study(folder, study)


def _application(name: str, *words: object) -> tuple[str, ...]:
    return (sys.executable, "-m", "pynetdicom", name, *map(str, words))
