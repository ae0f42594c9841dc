"""What the end-to-end tests share: a lab as an outsider has it, through its API and its published ports.

Nothing here reaches into a lab's process: tests know what its host says of it, and ask it as the console does.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter

from sandbox.host.host import RunningLab, RunState
from sandbox.host.local import LocalHost
from sandbox.model.view import (
    AssociationView,
    CommandResult,
    EventView,
    LabView,
    LogLine,
    NodeView,
    QueueEntry,
    QueueView,
    StudySummary,
)

WAIT_S = 40.0
ACTOR = "trainee:anna"

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, seconds: float = WAIT_S) -> T:
    """The first true value of ``condition``; a failure that says ``what`` did not come to pass."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        threading.Event().wait(0.05)
    return value


class OutsideLab:
    """A lab of a host, asked from outside."""

    def __init__(self, host: LocalHost, home: Path, running: RunningLab) -> None:
        self.host = host
        self.running = running
        self.directory = home / "labs" / running.id
        self.client = httpx.Client(
            base_url=running.api, headers={"Authorization": f"Bearer {running.token}", "X-Actor": ACTOR}, timeout=60
        )
        self.ports = self.published()

    def close(self) -> None:
        self.client.close()
        self.host.end(self.running.id, delete=True)

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(self, path: str, answer: Any, **query: Any) -> Any:
        said = self.client.get(path, params=query)
        assert said.status_code == 200, f"{path}: {said.status_code} {said.text}"
        return TypeAdapter(answer).validate_json(said.content)

    def view(self) -> LabView:
        return self.ask("/lab", LabView)  # type: ignore[no-any-return]

    def node(self, name: str) -> NodeView:
        return self.ask(f"/nodes/{name}", NodeView)  # type: ignore[no-any-return]

    def published(self) -> dict[str, int]:
        """The real port of every node."""
        return {node.name: int(node.published.rpartition(":")[2]) for node in self.view().nodes}

    def setting(self, node: str, path: str) -> Any:
        """A setting of a node's running configuration, by keys and indices."""
        value = self.client.get(f"/nodes/{node}/config").json()["running"]
        for key in path.split("."):
            value = value[int(key)] if key.isdigit() else value[key]
        return value

    def remote(self, node: str, name: str) -> Mapping[str, Any]:
        """A line of a node's AE table as it is running."""
        return next(line for line in self.setting(node, "remotes") if line["name"] == name)

    def log(self, node: str, after: int = 0) -> list[str]:
        return [line.text for line in self.ask(f"/nodes/{node}/log", tuple[LogLine, ...], after=after, limit=500)]

    def wait_log(self, node: str, *parts: str) -> str:
        """The first line of a node's log that has all the parts, as soon as it is written: the other end of an
        association may have its answer before."""

        def written() -> str | None:
            return next((line for line in self.log(node) if all(part in line for part in parts)), None)

        return str(wait_until(written, f"{node} writes {parts} into its log"))

    def associations(self, node: str = "", limit: int = 50) -> tuple[AssociationView, ...]:
        """The newest first."""
        return self.ask("/associations", tuple[AssociationView, ...], node=node, limit=limit)  # type: ignore[no-any-return]

    def events(self, after: int = 0, limit: int = 500) -> tuple[EventView, ...]:
        return self.ask("/events", tuple[EventView, ...], after=after, limit=limit)  # type: ignore[no-any-return]

    def studies(self, node: str, q: str = "") -> tuple[StudySummary, ...]:
        return self.ask(f"/nodes/{node}/studies", tuple[StudySummary, ...], q=q, limit=500)  # type: ignore[no-any-return]

    def images_of(self, node: str, study_uid: str) -> int:
        """How many instances of a study a node has."""
        return sum(study.instances for study in self.studies(node) if study.study_uid == study_uid)

    def queues(self, node: str) -> dict[str, QueueView]:
        views = self.ask(f"/nodes/{node}/queue", tuple[QueueView, ...])
        return {view.destination: view for view in views}

    def entries(self, node: str, destination: str) -> tuple[QueueEntry, ...]:
        return self.ask(f"/nodes/{node}/queue/{destination}", tuple[QueueEntry, ...])  # type: ignore[no-any-return]

    # --- doing -------------------------------------------------------------------------------------------------------

    def do(self, command: str, **params: Any) -> CommandResult:
        """A command that is accepted, whether or not it works out."""
        said = self.client.post("/commands", json={"command": command, "params": params, "actor": ACTOR})
        assert said.status_code == 200, f"{command}: {said.status_code} {said.text}"
        return CommandResult.model_validate_json(said.content)

    def configure(self, node: str, **changes: Any) -> None:
        """Save settings and restart the node, as an administrator does."""
        assert self.do("node.config.save", node=node, **changes).ok
        assert self.do("node.restart", node=node).ok

    def scan(self, node: str, **params: Any) -> str:
        """The Study Instance UID of a new exam."""
        result = self.do("exam.acquire", node=node, **params)
        assert result.ok, result
        (fact,) = (fact for fact in result.facts if fact.startswith("Study Instance UID: "))
        return fact.removeprefix("Study Instance UID: ")

    def kill(self) -> None:
        """SIGKILL to the lab's process."""
        os.kill(self.running.pid, signal.SIGKILL)

    def wait_back(self) -> None:
        """Wait until the host has the lab running again in another process, and reach it there."""
        killed = self.running.pid

        def back() -> RunningLab | None:
            shown = self.host.get(self.running.id)
            assert shown.state is not RunState.FAILED, shown
            return shown if shown.state is RunState.RUNNING and shown.pid != killed else None

        self.running = wait_until(back, "the lab is started again")  # type: ignore[assignment]
        # Other threads may be waiting on the client, and its address is still right: the lab keeps it.
        assert str(self.client.base_url).rstrip("/") == self.running.api
