"""Orthanc: a server of its own, told by its REST interface what to ask ours for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.dicom.support import unused_port
from tests.peers.outside import ASKED, HOST, TITLE, At, Outside, Service

_MODALITY = "/modalities/archive"


class Orthanc(Outside):
    name = "orthanc"
    package = "Debian's orthanc"
    programs = ("Orthanc",)
    asks = frozenset({Service.ECHO, Service.STORE, Service.FIND, Service.MOVE})

    def __init__(self, directory: Path, port: int, archive: At) -> None:
        super().__init__(directory, port, archive)
        self._http_port = unused_port()
        self._http = httpx.Client(base_url=f"http://{HOST}:{self._http_port}", timeout=30, trust_env=False)

    def command(self) -> Sequence[str]:
        configuration = self.directory / "orthanc.json"
        store = str(self.directory / "store")
        settings = {
            "Name": "outside",
            "DicomAet": TITLE,
            "DicomPort": self.port,
            "HttpPort": self._http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "StorageDirectory": store,
            "IndexDirectory": store,
            "Plugins": [],
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {"archive": [self.archive.title, HOST, self.archive.port]},
            "SaveJobs": False,
        }
        configuration.write_text(json.dumps(settings))
        return ("Orthanc", str(configuration))

    def stop(self) -> None:
        self._http.close()
        super().stop()

    def received(self, study: str) -> list[Dataset]:
        asked = {"Level": "Instance", "Query": {"StudyInstanceUID": study}}
        return [self._file(one) for one in self._post("/tools/find", asked)]

    def _file(self, instance: str) -> Dataset:
        return dcmread(BytesIO(self._http.get(f"/instances/{instance}/file").raise_for_status().content))

    def _post(self, path: str, asked: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=asked)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def echo(self) -> None:
        self._post(f"{_MODALITY}/echo", {})

    def store(self, files: Sequence[Path]) -> None:
        taken = [self._http.post("/instances", content=file.read_bytes()).raise_for_status().json() for file in files]
        done = self._post(f"{_MODALITY}/store", {"Resources": [one["ID"] for one in taken], "Synchronous": True})
        assert (done["InstancesCount"], done["FailedInstancesCount"]) == (len(files), 0), done
        # What it has now came from the test; what comes back has to come from the archive.
        for one in taken:
            self._http.delete(f"/instances/{one['ID']}").raise_for_status()

    def _query(self, study: str) -> str:
        asked = {"StudyInstanceUID": study} | dict.fromkeys(ASKED, "")
        return str(self._post(f"{_MODALITY}/query", {"Level": "Study", "Query": asked})["ID"])

    def find(self, study: str) -> list[dict[str, str]]:
        place = f"/queries/{self._query(study)}/answers"
        answers = self._http.get(place).raise_for_status().json()
        found = [self._http.get(f"{place}/{one}/content?simplify").raise_for_status().json() for one in answers]
        return [{keyword: one.get(keyword, "") for keyword in ASKED} for one in found]

    def move(self, study: str) -> None:
        self._post(f"/queries/{self._query(study)}/retrieve", {"TargetAet": TITLE, "Synchronous": True})
