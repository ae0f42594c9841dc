"""Finds the labs that run on this machine, and speaks to one through its API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.lab.directory import LabDirectory
from sandbox.model.errors import BadInputError, NotFoundError, SandboxError, UnavailableError
from sandbox.model.view import CommandResult, LabView

ACTOR = "cli"
ANSWER_S = 300.0


@dataclass(frozen=True)
class RunningOne:
    """A lab that answers."""

    id: str
    site: str
    scenario: str
    api: str
    token: str

    def view(self) -> LabView:
        """The lab at a glance."""
        return LabView.model_validate_json(self._ask("GET", "/lab").content)

    def command(self, name: str, params: Mapping[str, Any]) -> CommandResult:
        """Give a command. What was tried and did not work is a result; what makes no sense is an error."""
        body = {"command": name, "params": dict(params), "actor": ACTOR}
        return CommandResult.model_validate_json(self._ask("POST", "/commands", json=body).content)

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            with httpx.Client(trust_env=False, timeout=ANSWER_S) as client:
                answer = client.request(method, f"{self.api}{path}", headers=headers, **options)
        except httpx.HTTPError as wrong:
            raise UnavailableError(f"The lab {self.id} does not answer: {wrong}.", "Is it still running?") from wrong
        if answer.is_error:
            said = answer.json()
            kind: type[SandboxError] = BadInputError if answer.status_code < 500 else UnavailableError
            raise kind(said["sentence"], said["mend"])
        return answer


def running_labs(home: Path) -> tuple[RunningOne, ...]:
    """The labs below ``home`` that answer, by id."""
    found = []
    for folder in sorted((home / "labs").glob("*")):
        try:
            record = LabDirectory(folder).read_record()
        except SandboxError:
            continue
        if record is None or not record.api_port:
            continue
        one = RunningOne(
            record.id, record.site.slug, record.scenario, f"http://127.0.0.1:{record.api_port}", record.token
        )
        try:
            answer = httpx.get(f"{one.api}/health", timeout=2.0, trust_env=False)
            if answer.is_success and answer.json().get("lab") == record.id:
                found.append(one)
        except (httpx.HTTPError, ValueError):
            continue
    return tuple(found)


def running_lab(home: Path, lab_id: str = "") -> RunningOne:
    """The lab called ``lab_id``, or the only one that runs."""
    found = running_labs(home)
    if lab_id:
        for one in found:
            if one.id == lab_id:
                return one
        raise NotFoundError(f"No lab {lab_id!r} is running.", _told(found))
    if len(found) != 1:
        sentence = "More than one lab is running." if found else "No lab is running."
        raise NotFoundError(sentence, f"Say which with --lab. {_told(found)}" if found else _told(found))
    return found[0]


def _told(found: tuple[RunningOne, ...]) -> str:
    if not found:
        return "Start one with `pacs-sandbox up` or `pacs-sandbox lab run`."
    return f"Running: {', '.join(one.id for one in found)}."
