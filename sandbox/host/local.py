"""The lab host of this machine: labs in directories under one home, each in a process, watched.

A lab that dies is started again on its directory; one that dies again and again is left alone and said to have failed.
"""

from __future__ import annotations

import logging
import re
import shutil
import threading
import time
from builtins import list as list_of
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.host.host import RunningLab, RunState
from sandbox.host.launcher import Ended, Launcher, Listener, News, Ready
from sandbox.host.launchers import best_launcher
from sandbox.host.process import LabOptions
from sandbox.lab.collections import Collections
from sandbox.lab.directory import LabDirectory, new_lab_id
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError, SandboxError, UnavailableError

log = logging.getLogger(__name__)

READY_S = 90.0
"""How long a lab may take to come up; the first of a site makes the history of its patients."""

MOST_RESTARTS = 5
RESTARTS_WITHIN_S = 60.0
"""A lab that died more often than that, within so many seconds, is not started again."""

DELETED = ".deleted"
"""Ends the name of a directory that is going. It begins with a point, as no lab's id does: nobody starts it again."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_LIVE = (RunState.STARTING, RunState.RUNNING, RunState.RESTARTING)


@dataclass
class _Entry:
    """A lab as the host remembers it."""

    options: LabOptions
    shown: RunningLab
    wanted: bool = True
    process_is_there: bool = True
    going: bool = False
    """It is being deleted: it ends, and nobody may start it again on the way."""
    died: deque[float] = field(default_factory=deque)
    wrong: SandboxError | None = None


class LocalHost:
    """Runs labs on this machine (``LabHost``). ``home`` holds labs/ and cache/. Thread-safe."""

    def __init__(
        self, home: Path, launcher: Callable[[Listener], Launcher] = best_launcher, *, warm: bool = True
    ) -> None:
        """With ``warm``, what new labs are copied from is made before the first is asked for."""
        self._labs_folder = home / "labs"
        self._cache = home / "cache"
        self._collections = Collections(home)
        self._labs_folder.mkdir(parents=True, exist_ok=True)
        for left in self._labs_folder.glob(f".*{DELETED}"):
            shutil.rmtree(left, ignore_errors=True)  # the console was killed meanwhile
        self._changed = threading.Condition()
        self._entries: dict[str, _Entry] = {}
        self._listeners: list_of[Callable[[RunningLab], None]] = []
        self._closed = False
        self._launcher = launcher(self._heard)
        if warm:
            self._launcher.warm(self._cache)

    # --- what the console asks ---------------------------------------------------------------------------------------

    def start(
        self, site: str, scenario: str, seed: int, *, lab_id: str = "", collection: Path | None = None
    ) -> RunningLab:
        """A lab of its own, ready. With the id of one that was here before, it goes on where that one was."""
        name = lab_id or new_lab_id()
        if not _ID.fullmatch(name):
            raise BadInputError(f"{name!r} cannot be the id of a lab.", "Use letters, digits and hyphens.")
        options = LabOptions(
            directory=self._labs_folder / name,
            site=site,
            scenario=scenario,
            seed=seed,
            lab_id=name,
            cache=self._cache,
            collection=collection or self._collections.in_use,
        )
        return self._start(name, options)

    def get(self, lab_id: str) -> RunningLab:
        """A lab by its id; one that lies on disk is started again. NotFoundError when there is none."""
        with self._changed:
            entry = self._entries.get(lab_id)
            if entry is not None and entry.shown.state is RunState.STARTING:
                # Somebody else is starting it; what they get is what we get.
                self._changed.wait_for(lambda: entry.shown.state is not RunState.STARTING, READY_S)
            if entry is not None and entry.shown.state is not RunState.ENDED and not entry.going:
                return entry.shown
            there = _ID.fullmatch(lab_id) and LabDirectory(self._labs_folder / lab_id).record_file.is_file()
            if not there or (entry is not None and entry.going):
                raise NotFoundError(f"There is no lab {lab_id!r}.", "It may have been ended.")
            record = LabDirectory(self._labs_folder / lab_id).record()
            options = LabOptions(
                directory=self._labs_folder / lab_id,
                site=record.site.slug,
                scenario=record.scenario,
                seed=record.seed,
                lab_id=lab_id,
                cache=self._cache,
            )
            return self._start(lab_id, options, join=True)

    def list(self) -> tuple[RunningLab, ...]:
        """The labs that run, or are coming up or back, by id."""
        with self._changed:
            return tuple(entry.shown for _, entry in sorted(self._entries.items()) if entry.shown.state in _LIVE)

    def end(self, lab_id: str, delete: bool = False) -> None:
        """End a lab, and delete its directory if asked to. NotFoundError when there is none."""
        directory = self._labs_folder / lab_id
        with self._changed:
            entry = self._entries.get(lab_id)
            if entry is None and not (_ID.fullmatch(lab_id) and directory.is_dir()):
                raise NotFoundError(f"There is no lab {lab_id!r}.", "It may have been ended already.")
            if entry is not None:
                entry.wanted, entry.going = False, delete
                if entry.process_is_there:
                    self._launcher.stop(lab_id)
                self._changed.wait_for(lambda: not entry.process_is_there, READY_S)
                self._entries.pop(lab_id, None)
            if not delete:
                return
            try:
                gone = directory.rename(directory.with_name(f".{lab_id}{DELETED}"))
            except OSError:
                gone = directory  # it is deleted where it is
        shutil.rmtree(gone, ignore_errors=True)

    def on_change(self, listener: Callable[[RunningLab], None]) -> None:
        """Tell ``listener`` of every change of a lab's state, from a thread of the host."""
        with self._changed:
            self._listeners.append(listener)

    def close(self) -> None:
        """End all labs; they can be started again later. Nothing is left running."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            for entry in self._entries.values():
                entry.wanted = False
        self._launcher.close()

    def __enter__(self) -> LocalHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _start(self, name: str, options: LabOptions, *, join: bool = False) -> RunningLab:
        """``join``: somebody else who starts the same lab at the same time is as good."""
        with self._changed:
            if self._closed:
                raise UnavailableError("The lab host is closed.", "Start the console again.")
            entry = self._entries.get(name)
            if entry is None or not entry.process_is_there:
                entry = self._entries[name] = _Entry(options, _shown(options, RunState.STARTING))
                self._launcher.start(name, options)
            elif not join:
                raise ConflictError(f"The lab {name} is running already.", "Choose another id, or end that one.")
            came = self._changed.wait_for(lambda: entry.shown.state is not RunState.STARTING, READY_S)
            if came and entry.shown.state in _LIVE:
                return entry.shown
            self._entries.pop(name, None)
            if not came:
                entry.wanted = False
                self._launcher.stop(name)
            raise entry.wrong or UnavailableError(
                f"The lab {name} did not come up.", f"Its own words are in {options.directory / 'lab.log'}."
            )

    def _heard(self, news: News) -> None:
        with self._changed:
            entry = self._entries.get(news.lab)
            if entry is None:
                return
            before = entry.shown
            if isinstance(news, Ready):
                self._came_up(entry, news)
            else:
                self._went_down(entry, news)
            after = entry.shown
            listeners = list_of(self._listeners) if after != before else []
            self._changed.notify_all()
        for listener in listeners:
            try:
                listener(after)
            except Exception:
                log.exception("A listener of the lab host failed")

    def _came_up(self, entry: _Entry, news: Ready) -> None:
        line = news.line
        entry.process_is_there = True
        entry.shown = entry.shown.model_copy(
            update={"state": RunState.RUNNING, "api": line.api, "token": line.token, "pid": line.pid, "trouble": ""}
        )

    def _went_down(self, entry: _Entry, news: Ended) -> None:
        entry.process_is_there = False
        if not entry.wanted or self._closed:
            entry.shown = entry.shown.model_copy(update={"state": RunState.ENDED, "pid": 0})
            return
        trouble = news.trouble.sentence if news.trouble is not None else f"It ended with status {news.status}."
        log.warning("Lab %s died: %s", news.lab, trouble)
        if entry.shown.state is RunState.STARTING:
            entry.wrong = news.trouble.error() if news.trouble is not None else None
            entry.shown = entry.shown.model_copy(update={"state": RunState.FAILED, "pid": 0, "trouble": trouble})
            return
        now = time.monotonic()
        entry.died.append(now)
        while entry.died and now - entry.died[0] > RESTARTS_WITHIN_S:
            entry.died.popleft()
        if len(entry.died) > MOST_RESTARTS:
            entry.shown = entry.shown.model_copy(update={"state": RunState.FAILED, "pid": 0, "trouble": trouble})
            return
        entry.shown = entry.shown.model_copy(
            update={"state": RunState.RESTARTING, "pid": 0, "trouble": trouble, "restarts": entry.shown.restarts + 1}
        )
        entry.process_is_there = True
        self._launcher.start(news.lab, entry.options)


def _shown(options: LabOptions, state: RunState) -> RunningLab:
    return RunningLab(id=options.lab_id, site=options.site, scenario=options.scenario, seed=options.seed, state=state)
