"""The body of one lab process: a lab (with its drill) and its API, from start until it is told to end.

It is told by SIGTERM or SIGINT, or by the end of whoever started it, which it sees as the end of a pipe. The same body
runs in a fork of the preloaded parent, in a process of its own (``python -m sandbox.host.process``), and in the
foreground for ``pacs-sandbox lab run``.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sandbox.lab.api.server import ApiServer
from sandbox.lab.directory import LabDirectory
from sandbox.lab.lab import Lab
from sandbox.lab.site import Site, load_site
from sandbox.lab.views import node_view
from sandbox.model.base import Model
from sandbox.model.clock import Clock
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError
from sandbox.model.view import ReadyLine


class LabOptions(Model):
    """What a lab process is to run. In a directory that holds a lab already, that lab goes on and the rest is not
    asked. ``cache`` is for generated histories; ``collection`` a folder of imported studies for the archive."""

    directory: Path
    site: str = "riverside"
    scenario: str = ""
    seed: int = 0
    lab_id: str = ""
    cache: Path | None = None
    collection: Path | None = None


class Trouble(Model):
    """Why a lab process did not come up, as it tells its host. ``kind`` is the name of the error's class."""

    kind: str
    sentence: str
    mend: str = ""

    @staticmethod
    def of(wrong: BaseException) -> Trouble:
        if isinstance(wrong, SandboxError):
            return Trouble(kind=type(wrong).__name__, sentence=wrong.sentence, mend=wrong.mend)
        return Trouble(kind="UnavailableError", sentence=f"The lab did not come up: {wrong}", mend="See its lab.log.")

    def error(self) -> SandboxError:
        """The error that it was."""
        known = {kind.__name__: kind for kind in (BadInputError, NotFoundError, ConflictError, UnavailableError)}
        return known.get(self.kind, UnavailableError)(self.sentence, self.mend)


class Ending:
    """Waits until the process is told to end. Must be made in the main thread, which is where signals arrive."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.end())

    def end(self) -> None:
        """End the waiting. Safe in a signal handler and from any thread."""
        with contextlib.suppress(BlockingIOError):  # told so often that the pipe is full
            os.write(self._writer, b".")

    def watch(self, life: int) -> None:
        """End also when the pipe ``life`` ends, because whoever holds its other end is gone."""

        def read_to_the_end() -> None:
            try:
                while os.read(life, 4096):
                    pass
            except OSError:
                pass
            self.end()

        threading.Thread(target=read_to_the_end, name="life", daemon=True).start()

    def wait(self) -> None:
        os.read(self._reader, 1)


def run_lab(options: LabOptions, ending: Ending, ready: Callable[[ReadyLine], None]) -> None:
    """Run one lab until ``ending``. ``ready`` is called once, when every node and the API answer."""
    lab = open_lab(options)
    server: ApiServer | None = None
    try:
        lab.start()
        if lab.scenario:
            # Late, since a lab without a scenario needs none of it.
            from sandbox.drill.attempt import open_attempt

            open_attempt(lab)
        server = ApiServer(lab, lab.record.token, lab.record.api_port)
        lab.note_api_port(server.port)
        # What is there now stays: the collector need not look at it again, and forks share its memory.
        gc.collect()
        gc.freeze()
        ready(ready_line(lab, server.url))
        ending.wait()
    finally:
        lab.stop()
        if server is not None:
            server.close()


def open_lab(options: LabOptions) -> Lab:
    """The lab in the directory of ``options``, or a new one there."""
    known = LabDirectory(options.directory).read_record()
    clock: Clock | None = None
    site: Site | None = None
    slug, seed = (options.scenario, options.seed) if known is None else (known.scenario, known.seed)
    if slug:
        # Late, since a lab without a scenario needs none of it.
        from sandbox.drill.attempt import clock_for
        from sandbox.drill.finding import find_scenario

        scenario = find_scenario(slug)
        clock = clock_for(options.directory, scenario, seed)
        site = scenario.department_site()
    if known is not None:
        return Lab.open(options.directory, clock=clock, cache=options.cache)
    if site is None:
        site = load_site(options.site)
    return Lab(
        site,
        options.directory,
        options.seed,
        clock=clock,
        scenario=options.scenario,
        lab_id=options.lab_id,
        cache=options.cache,
        collection=options.collection,
    )


def ready_line(lab: Lab, api: str) -> ReadyLine:
    """How to reach the lab and each of its nodes."""
    return ReadyLine(
        api=api,
        token=lab.record.token,
        pid=os.getpid(),
        lab=lab.id,
        site=lab.site.slug,
        scenario=lab.scenario,
        seed=lab.seed,
        nodes=tuple(node_view(lab, node) for node in lab.department.nodes.values()),
    )


def report_and_run(options: LabOptions, life: int | None, tell: Callable[[str], None]) -> int:
    """Run a lab for a host: one line of JSON through ``tell``, ReadyLine or Trouble, and the exit status."""
    ending = Ending()
    if life is not None:
        ending.watch(life)
    try:
        run_lab(options, ending, lambda line: tell(line.model_dump_json()))
    except Exception as wrong:
        if not isinstance(wrong, SandboxError):
            logging.getLogger(__name__).exception("The lab ended")
        tell(Trouble.of(wrong).model_dump_json())
        return 2
    return 0


def main(arguments: list[str], stdin: IO[str], stdout: IO[str]) -> int:
    """``python -m sandbox.host.process OPTIONS``: ends when its standard input ends."""

    def tell(line: str) -> None:
        stdout.write(line + "\n")
        stdout.flush()

    return report_and_run(LabOptions.model_validate_json(arguments[0]), stdin.fileno(), tell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin, sys.stdout))
