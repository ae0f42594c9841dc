"""dcmtk: its five command line clients, and dcmqrscp as the server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.peers.outside import ASKED, HOST, TITLE, Outside, of_study, run, values


class Dcmtk(Outside):
    name = "dcmtk"
    package = "Debian's dcmtk"
    programs = ("echoscu", "storescu", "findscu", "movescu", "getscu", "dcmqrscp")

    @property
    def _store(self) -> Path:
        return self.directory / "store"

    def command(self) -> Sequence[str]:
        self._store.mkdir()
        configuration = self.directory / "dcmqrscp.cfg"
        configuration.write_text(
            f"NetworkTCPPort = {self.port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
            f"HostTable BEGIN\narchive = ({self.archive.title}, {HOST}, {self.archive.port})\nHostTable END\n"
            "VendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\n{TITLE} {self._store} RW (100, 1024mb) ANY\nAETable END\n"
        )
        return ("dcmqrscp", "+xr", "--config", str(configuration))

    def received(self, study: str) -> list[Dataset]:
        return of_study(self._store, study)

    @property
    def _called(self) -> tuple[object, ...]:
        return ("-aet", TITLE, "-aec", self.archive.title, HOST, self.archive.port)

    def _study(self, study: str) -> tuple[str, ...]:
        return ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")

    def echo(self) -> None:
        run(("echoscu", *self._called))

    def store(self, files: Sequence[Path]) -> None:
        run(("storescu", "-xr", *self._called, *files))

    def find(self, study: str) -> list[dict[str, str]]:
        folder = self.directory / f"found-{study}"
        folder.mkdir()
        keys = [word for keyword in ASKED for word in ("-k", keyword)]
        run(("findscu", "-X", "-od", folder, *self._study(study), *keys, *self._called))
        return [values(dcmread(path, force=True)) for path in sorted(folder.iterdir())]

    def move(self, study: str) -> None:
        run(("movescu", "-aem", TITLE, *self._study(study), *self._called))

    def get(self, study: str) -> list[Dataset]:
        folder = self.directory / f"got-{study}"
        folder.mkdir()
        run(("getscu", "+B", "-od", folder, *self._study(study), *self._called))
        return of_study(folder, study)
