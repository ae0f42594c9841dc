"""Proves scenarios, one or all of them, on several seeds, over all processors.

Each seed of each scenario is a task of its own (see ``proof``), so that one long scenario keeps nobody waiting. Worker
processes are forked from a server that has everything imported and no threads; where there is none they begin afresh.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path

from sandbox.drill.lint import lint
from sandbox.drill.load import LoadedScenario, read_scenario, scenarios_folder
from sandbox.drill.proof import ACTOR, MISSING, Proof, SeedResult, Stage, Told
from sandbox.model.base import Model

__all__ = [
    "ACTOR",
    "MISSING",
    "SEEDS",
    "Proof",
    "SeedResult",
    "Stage",
    "Verification",
    "in_good_order",
    "verify",
    "verify_all",
    "verify_seed",
]

SEEDS = (1, 2, 3)
AT_ONCE = 3
"""Tasks for each processor. Much of a proof is waiting: for a second attempt, or for a call to run out of time."""


class Verification(Model):
    """The proof, or where it broke. ``ok`` is in the JSON too, for machines that read it.

    ``seconds`` is what its seeds took by the clock, one after the other, ``cpu_s`` what they took of a processor.
    """

    scenario: str
    ok: bool
    seconds: float
    cpu_s: float = 0.0
    problems: tuple[str, ...] = ()
    seeds: tuple[SeedResult, ...] = ()

    @property
    def exit_code(self) -> int:
        """For a command line: 0 proven, 1 not proven."""
        return 0 if self.ok else 1

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong, one line each."""
        stages = (
            f"seed {result.seed}, {stage.name}: {stage.sentence}"
            for result in self.seeds
            for stage in result.stages
            if not stage.ok
        )
        return (*self.problems, *stages)

    @property
    def slowest(self) -> Stage | None:
        """The stage that took longest on any seed."""
        stages = [stage for result in self.seeds for stage in result.stages]
        return max(stages, key=lambda stage: stage.seconds, default=None)


def verify(
    slug: str,
    seeds: Sequence[int] = SEEDS,
    *,
    root: Path | None = None,
    parallel: bool = True,
    cache: Path | None = None,
    tell: Told = lambda seed, stage: None,
) -> Verification:
    """Prove the scenario ``slug`` on every seed, each in a process of its own when ``parallel``.

    ``tell`` hears every stage: as it ends, or (in parallel) when its seed is through. ``cache`` is where prepared
    departments are kept for the next verification; None keeps them for this one only.
    """
    folder = (root or scenarios_folder()) / slug
    if parallel and len(seeds) > 1:
        return next(verify_all([folder], seeds, cache=cache, tell=lambda folder, seed, stage: tell(seed, stage)))
    problems = _problems(folder)
    if problems:
        return _verification(folder, problems, ())
    with _cache(cache) as kept:
        return _verification(folder, (), [verify_seed(folder, seed, tell, cache=kept) for seed in seeds])


def verify_all(
    folders: Sequence[Path],
    seeds: Sequence[int] = SEEDS,
    *,
    seeds_of: Callable[[Path], Sequence[int]] | None = None,
    jobs: int = 0,
    cache: Path | None = None,
    tell: Callable[[Path, int, Stage], None] = lambda folder, seed, stage: None,
) -> Iterator[Verification]:
    """Prove the scenarios in ``folders``, each as soon as its last seed is through, with ``jobs`` processes (0: three
    for each processor). ``tell`` hears the stages of a seed when it is through. ``seeds_of`` gives a scenario seeds of
    its own instead of ``seeds``."""
    wanted = seeds_of or (lambda folder: seeds)
    waiting: dict[Path, dict[int, SeedResult]] = {}
    for folder in folders:
        problems = _problems(folder)
        if problems:
            yield _verification(folder, problems, ())
        else:
            waiting[folder] = {}
    waiting = {folder: waiting[folder] for folder in in_good_order(waiting)}
    workers = min(jobs or AT_ONCE * (os.cpu_count() or 1), sum(len(wanted(folder)) for folder in waiting))
    if not workers:
        return
    with _cache(cache) as kept, _pool(workers) as pool:
        tasks: dict[Future[SeedResult], Path] = {
            pool.submit(verify_seed, folder, seed, cache=kept): folder for folder in waiting for seed in wanted(folder)
        }
        for task in as_completed(tasks):
            folder, result = tasks[task], task.result()
            for stage in result.stages:
                tell(folder, result.seed, stage)
            waiting[folder][result.seed] = result
            if len(waiting[folder]) == len(set(wanted(folder))):
                yield _verification(folder, (), [waiting[folder][seed] for seed in wanted(folder)])


def verify_seed(
    folder: Path, seed: int, tell: Told = lambda seed, stage: None, *, cache: Path | None = None
) -> SeedResult:
    """Every stage on one seed, in labs of its own."""
    began, used = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-verify-") as place:
        proof = Proof(read_scenario(folder), seed, Path(place), tell, cache=cache)
        proof.run()
        return SeedResult(
            seed=seed,
            stages=tuple(proof.stages),
            seconds=round(time.monotonic() - began, 2),
            cpu_s=round(time.process_time() - used, 2),
        )


def in_good_order(folders: Iterable[Path]) -> list[Path]:
    """The lessons as they are best begun: those that wait by the clock, since the others work meanwhile; then one of
    each site, so that no two make the same department at once; then the rest as they came."""
    lessons = [(folder, read_scenario(folder)) for folder in folders]
    first_of = {lesson.site: folder for folder, lesson in reversed(lessons)}

    def rank(one: tuple[Path, LoadedScenario]) -> tuple[bool, bool]:
        folder, lesson = one
        pauses = (check.params.get("idle_s") for check in lesson.check)
        return not any(pauses), first_of[lesson.site] != folder

    return [folder for folder, _ in sorted(lessons, key=rank)]


def _problems(folder: Path) -> tuple[str, ...]:
    return tuple(str(problem) for problem in lint(folder))


def _verification(folder: Path, problems: tuple[str, ...], seeds: Sequence[SeedResult]) -> Verification:
    return Verification(
        scenario=folder.name,
        ok=not problems and bool(seeds) and all(result.ok for result in seeds),
        seconds=round(sum(result.seconds for result in seeds), 2),
        cpu_s=round(sum(result.cpu_s for result in seeds), 2),
        problems=problems,
        seeds=tuple(seeds),
    )


@contextmanager
def _cache(folder: Path | None) -> Iterator[Path]:
    """The folder, or one that goes when the verification ends."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-verify-cache-") as passing:
        yield Path(passing)


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    with ProcessPoolExecutor(max_workers=workers, mp_context=_context(), initializer=_settle_in) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _settle_in() -> None:
    """What is imported stays, and labs leave little that only the collector finds: it need not look so often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _context() -> BaseContext:
    # Forking a process with threads is asking for trouble, and a fresh one imports for a second.
    if sys.platform == "win32":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context
