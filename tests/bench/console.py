"""What the console costs its readers: pages and events to the screen, while ten people work in ten labs at once.

The console runs as people run it, a process of its own, with its labs. Ten readers open pages with pauses to read
between them; meanwhile one browser watches a lab, and an act there is timed until its line stands on the screen.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import httpx

LABS = 10
ROUNDS = 40
ACTS = 30
READING_S = (1.0, 4.0)
SCENARIOS = ("ct-images-missing-in-ed", "nothing-from-friday-in-the-reading-room", "ed-lost-its-chest-films", "")
CONSOLE_PAGES = ("/", "/catalogue/", "/path/", "/progress/", "/trainers/")
LAB_PAGES = (
    "/",
    "/map",
    "/follow/",
    "/associations/",
    "/logs",
    "/history/",
    "/network",
    "/nodes/ROUTER/",
    "/nodes/ROUTER/configuration/",
    "/nodes/ROUTER/queue/",
    "/nodes/ARCHIVE/studies/",
    "/nodes/CT1/tools/",
    "/nodes/CT1/log",
    "/terminal/?node=CT1",
)


@dataclass
class Reader:
    """Somebody with a browser's cookies, and how long each of their pages took, in seconds."""

    base: str
    pages: dict[str, list[float]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    lab: str = ""

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base, timeout=30, follow_redirects=True, trust_env=False)

    def post(self, path: str, values: dict[str, str]) -> httpx.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.http.get("/").text)
        assert token
        return self.http.post(path, data=values | {"csrf_token": token[1]})

    def begin(self, scenario: str) -> None:
        answer = self.post("/labs", {"scenario": scenario})
        assert answer.status_code == 200, answer.text[:400]
        self.lab = answer.url.path.rstrip("/")

    def read(self, chance: random.Random) -> None:
        """Open one page and take the time until its last byte."""
        page = chance.choice(LAB_PAGES) if chance.random() < 0.8 else chance.choice(CONSOLE_PAGES)
        in_lab = page in LAB_PAGES and (page != "/" or chance.random() < 0.8)
        begun = time.perf_counter()
        answer = self.http.get(self.lab + page if in_lab else page)
        took = time.perf_counter() - begun
        if answer.status_code != 200:
            self.missing.add(f"{page}: {answer.status_code}")
            return
        self.pages.setdefault(f"lab {page}" if in_lab else page, []).append(took)


@contextmanager
def running_console() -> Iterator[str]:
    """A console on a free port; its address."""
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-bench-") as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.cli", "up", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PACS_SANDBOX_HOME": home},
        )
        try:
            assert process.stdout is not None
            found = None
            while found is None:
                line = process.stdout.readline()
                assert line, "the console did not start"
                found = re.search(r"http://\S+", line)
            yield found[0].rstrip("/")
        finally:
            process.terminate()
            process.wait(30)


def measure() -> dict[str, float]:
    """Milliseconds by name: pages at the median and the 95th percentile, the slowest page, events to the screen."""
    with running_console() as base:
        readers = [Reader(base) for _ in range(LABS)]
        for number, reader in enumerate(readers):
            reader.begin(SCENARIOS[number % len(SCENARIOS)])
        threads = [threading.Thread(target=_work, args=(reader, number)) for number, reader in enumerate(readers)]
        for thread in threads:
            thread.start()
        seen = _events_to_screen(readers[0])
        for thread in threads:
            thread.join()
    for trouble in sorted(set().union(*(reader.missing for reader in readers))):
        print(f"not measured: {trouble}", file=sys.stderr)
    pages: dict[str, list[float]] = {}
    for reader in readers:
        for page, times in reader.pages.items():
            pages.setdefault(page, []).extend(times)
    every = [took for times in pages.values() for took in times]
    figures = {
        f"a page, {LABS} labs, median, ms": median(every) * 1000,
        f"a page, {LABS} labs, 95 %, ms": _percentile(every, 0.95) * 1000,
    }
    figures |= {
        f"  {page}, 95 %, ms": _percentile(times, 0.95) * 1000
        for page, times in sorted(pages.items(), key=lambda item: -_percentile(item[1], 0.95))
    }
    if seen:
        figures[f"an act to its line on the screen, {LABS} labs, median, ms"] = median(seen) * 1000
        figures[f"an act to its line on the screen, {LABS} labs, 95 %, ms"] = _percentile(seen, 0.95) * 1000
    return figures


def _work(reader: Reader, number: int) -> None:
    chance = random.Random(number)
    for _ in range(ROUNDS):
        reader.read(chance)
        time.sleep(chance.uniform(*READING_S))


def _events_to_screen(actor: Reader) -> list[float]:
    """From before an act is posted until its line is in the page of somebody who watches; none without Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGS, CHROMIUM

    if not CHROMIUM:
        return []
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = browser.new_page()
        page.goto(f"{actor.base}{actor.lab}/?feed=all")
        page.wait_for_selector("#feed-rows", state="attached")
        token = re.search(r'name="csrf_token" value="([^"]+)"', actor.http.get("/").text)
        assert token
        page.evaluate(
            "() => { window.lines = 0; new MutationObserver(() => { window.lines += 1; })"
            ".observe(document.getElementById('feed-rows'), { childList: true }); }"
        )
        for number in range(ACTS):
            before = page.evaluate("window.lines")
            begun = time.perf_counter()
            actor.http.post(
                f"{actor.lab}/background",
                data={"act": "pause" if number % 2 == 0 else "resume", "csrf_token": token[1]},
                follow_redirects=False,
            )
            page.wait_for_function("before => window.lines > before", arg=before, polling=5)
            found.append(time.perf_counter() - begun)
            time.sleep(0.5)
        browser.close()
    return found


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
