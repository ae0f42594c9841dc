"""What labs cost: how soon one is ready and reset, how much memory it takes, and what ten idle ones do to a core."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import httpx

from sandbox.host.host import RunningLab
from sandbox.host.local import LocalHost

SITE = "riverside"
SCENARIO = "ct-images-missing-in-ed"
IDLE_LABS = 10
IDLE_S = 10.0


def _api(lab: RunningLab) -> httpx.Client:
    return httpx.Client(base_url=lab.api, headers={"Authorization": f"Bearer {lab.token}"}, timeout=60, trust_env=False)


def _command(lab: RunningLab, name: str, **params: str) -> float:
    """Seconds that a command took."""
    with _api(lab) as api:
        began = time.perf_counter()
        api.post("/commands", json={"command": name, "params": params, "actor": "bench"}).raise_for_status()
        return time.perf_counter() - began


def _echo_every_node(lab: RunningLab) -> None:
    with _api(lab) as api:
        names = [node["name"] for node in api.get("/lab").raise_for_status().json()["nodes"]]
        assert names, "a lab without nodes"


def _cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int, key: str) -> float:
    """Resident (Rss) or proportional (Pss) memory in megabytes (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def measure() -> dict[str, float]:
    """Each figure by its name and unit. Memory and processor time need Linux's /proc."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-bench-") as home, LocalHost(Path(home)) as host:
        print("labs: first start (makes the site's patients and images) …", flush=True)
        for name, scenario in (
            ("first lab ready, with its patients drawn, s", ""),
            ("lab without a scenario ready, s", ""),
            ("lab with a scenario ready, s", SCENARIO),
            ("lab with a scenario ready again, s", SCENARIO),
        ):
            began = time.perf_counter()
            lab = host.start(SITE, scenario, 7)
            _echo_every_node(lab)
            figures[name] = time.perf_counter() - began
        figures["reset, s"] = min(_command(lab, "lab.reset") for _ in range(3))
        print("labs: a verdict …", flush=True)
        figures["check of an unmended lab to verdict, s"] = _command(lab, "attempt.check")
        for running in host.list():
            host.end(running.id, delete=True)
        print(f"labs: {IDLE_LABS} idle ones …", flush=True)
        idle = [host.start(SITE, "", 7) for _ in range(IDLE_LABS)]
        for lab in idle:
            _command(lab, "background.pause")
        before = sum(_cpu_s(lab.pid) for lab in idle)
        time.sleep(IDLE_S)
        figures[f"{IDLE_LABS} idle labs, % of a core"] = 100 * (sum(_cpu_s(lab.pid) for lab in idle) - before) / IDLE_S
        figures["memory of a lab, resident, MB"] = sum(_memory_mb(lab.pid, "Rss") for lab in idle) / IDLE_LABS
        figures["memory of a lab, its share, MB"] = sum(_memory_mb(lab.pid, "Pss") for lab in idle) / IDLE_LABS
    return figures
