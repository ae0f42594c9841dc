"""What tests of hosts share: what runs on this machine, and asking a lab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx

from sandbox.host.host import RunningLab


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self/stat").exists()
    return state != "Z"


def children_of(pid: int) -> list[int]:
    """The living processes whose parent is ``pid``, and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            child = int(path.parent.name)
            found += [child, *children_of(child)]
    return found


def ask(lab: RunningLab, path: str) -> Any:
    answer = httpx.get(f"{lab.api}{path}", headers={"Authorization": f"Bearer {lab.token}"}, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def give(lab: RunningLab, command: str, **params: Any) -> Any:
    answer = httpx.post(
        f"{lab.api}/commands",
        json={"command": command, "params": params, "actor": "test"},
        headers={"Authorization": f"Bearer {lab.token}"},
        trust_env=False,
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()
