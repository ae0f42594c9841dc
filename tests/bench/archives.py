"""The comparison of archives: every measure asks each archive in turn, round after round, and the medians count.

Archives are all started before anything is timed and stay up, so that they share whatever the machine does meanwhile.
Nothing is deleted before the run is over. A wrong answer is kept as such, beside the figures.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import clients, large_index
from tests.bench.clients import WrongAnswerError
from tests.bench.images import DEFAULT, PARALLEL, QUICK, ImageSet, Question, Sizes, make_images, questions
from tests.bench.peers import OURS, STOCK_ENVIRONMENT, Peer, installed

_BIG_MB = 4096 * 3840 * 2 / 1e6
_TOOL_STARTS = 5
_FEW_STUDIES = 1000
_INDEX_TURNS = 5


@dataclass(frozen=True)
class Measure:
    """A line of the table. ``goal`` and ``aim`` are ratios to Orthanc in the same run, as the performance notes have
    them; where ``lower_is_better`` the ratio is turned over."""

    name: str
    unit: str
    goal: float | None = None
    aim: float | None = None
    lower_is_better: bool = False


CT_1 = Measure("C-STORE CT, one association", "inst/s", 2.0, 3.0)
CT_4 = Measure("C-STORE CT, four associations", "inst/s", 1.5, 2.4)
SMALL_1 = Measure("C-STORE 9 KB, one association", "inst/s", 1.5, 2.0)
SMALL_4 = Measure("C-STORE 9 KB, four associations", "inst/s", 1.5, 2.4)
BIG = Measure("C-STORE 30 MB, one association", "MB/s", 3.0, 5.0)
NAGLE = Measure("C-STORE 9 KB, stock client (Nagle on)", "inst/s", 20.0, 37.0)
FINDS = {
    "exact": Measure("C-FIND PatientID exact", "ms", 3.0, 10.0, lower_is_better=True),
    "wildcard": Measure("C-FIND PatientName SMI*", "ms", 3.0, 10.0, lower_is_better=True),
    "range": Measure("C-FIND StudyDate range", "ms", 3.0, 10.0, lower_is_better=True),
}
FINDS_BY_FINDSCU = {
    "exact": Measure("C-FIND PatientID exact, by findscu", "ms", lower_is_better=True),
    "wildcard": Measure("C-FIND PatientName SMI*, by findscu", "ms", lower_is_better=True),
    "range": Measure("C-FIND StudyDate range, by findscu", "ms", lower_is_better=True),
}
MOVE_CT = Measure("C-MOVE CT", "inst/s", 1.2, 2.5)
MOVE_SMALL = Measure("C-MOVE 9 KB", "inst/s", 1.2, 2.5)
ECHO = Measure("associations with one C-ECHO", "assoc/s", 0.5, 1.1)
ECHO_STOCK = Measure("echoscu, Nagle on, from start to end", "ms", lower_is_better=True)
FIRST_ECHO = Measure("restart with what is stored, to first echo", "s", lower_is_better=True)
MEMORY = Measure("peak resident memory", "MB", 3.0, 8.0, lower_is_better=True)
CPU_SMALL = Measure("processor time of the archive, C-STORE 9 KB", "ms/inst", lower_is_better=True)
CPU_CT = Measure("processor time of the archive, C-STORE CT", "ms/inst", lower_is_better=True)
STORE_FEW = Measure("C-STORE 9 KB, index of 1,000 studies", "inst/s")
STORE_MANY = Measure("C-STORE 9 KB, index of many studies (--index)", "inst/s")
FIND_FEW = Measure("C-FIND PatientID exact, index of 1,000 studies", "ms", lower_is_better=True)
FIND_MANY = Measure("C-FIND, index of many studies (--index)", "ms", lower_is_better=True)
RANGE_FEW = Measure("C-FIND StudyDate range, index of 1,000 studies", "ms", lower_is_better=True)
RANGE_MANY = Measure("C-FIND range, index of many studies (--index)", "ms", lower_is_better=True)

MEASURES = (
    *(CT_1, CT_4, SMALL_1, SMALL_4, BIG, NAGLE, *FINDS.values(), *FINDS_BY_FINDSCU.values(), MOVE_CT, MOVE_SMALL),
    *(
        ECHO,
        ECHO_STOCK,
        FIRST_ECHO,
        MEMORY,
        CPU_SMALL,
        CPU_CT,
        FIND_FEW,
        FIND_MANY,
        RANGE_FEW,
        RANGE_MANY,
        STORE_FEW,
        STORE_MANY,
    ),
)


@dataclass(frozen=True)
class Plan:
    """How much is measured: rounds, sizes, and seconds for each measure that is repeated until its time is over."""

    rounds: int
    sizes: Sizes
    budget_s: float


PLAN, QUICK_PLAN = Plan(3, DEFAULT, 0.5), Plan(1, QUICK, 0.25)


@dataclass
class Figures:
    """What was measured: samples by measure and archive, and the wrong answers in words."""

    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, measure: Measure, peer: str, value: float) -> None:
        self.samples.setdefault(measure.name, {}).setdefault(peer, []).append(value)

    def median(self, measure: Measure, peer: str) -> float | None:
        found = self.samples.get(measure.name, {}).get(peer)
        return statistics.median(found) if found else None


def compare(plan: Plan, *, only: Sequence[str] = (), large: int = 0, directory: Path | None = None) -> Figures:
    """Run the comparison. ``large`` is for how many studies ours is asked once more; 0 leaves that out."""
    figures = Figures()
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pacs-sandbox-bench-", dir=directory)))
        _say("making images …")
        sets = [make_images(base / f"images-{number}", number, plan.sizes) for number in range(plan.rounds)]
        sink = stack.enter_context(clients.sink())
        peers: list[Peer] = []
        for kind in installed(only):
            peer = Peer(kind, base / kind.name, sink)
            stack.callback(peer.stop)
            try:
                peer.start()
            except RuntimeError as wrong:
                figures.wrong.append(str(wrong))
            else:
                peers.append(peer)
        tool_s = min(clients.echo_stock(peers[0].port) for _ in range(_TOOL_STARTS)) if peers else 0.0
        for number, images in enumerate(sets):
            _round(figures, plan, number, images, peers, tool_s)
        for peer in peers:
            _say(f"restart: {peer.name} …")
            peer.stop()
            figures.add(MEMORY, peer.name, peer.peak_mb)
            peer.start()
            figures.add(FIRST_ECHO, peer.name, peer.first_echo_s)
            peer.stop()
        if large and any(peer.name == OURS for peer in peers):
            folders = [folder for images in sets for folder in images.small_four]
            _compare_indexes(figures, base, large, sink, plan, folders, tool_s)
    return figures


def _round(figures: Figures, plan: Plan, number: int, images: ImageSet, peers: Sequence[Peer], tool_s: float) -> None:
    sizes, budget = plan.sizes, plan.budget_s
    four = PARALLEL
    asked = questions(sizes)

    def rate(count: float, send: Callable[[int], float]) -> Callable[[int], float]:
        """What a second takes, without the start of the tool."""
        return lambda port: count / max(send(port) - tool_s, 1e-6)

    steps: tuple[tuple[Measure, Callable[[int], float]], ...] = (
        (SMALL_1, rate(sizes.small, lambda port: clients.store(port, images.small))),
        (SMALL_4, rate(sizes.small // four * four, lambda port: clients.store_at_once(port, images.small_four))),
        (CT_1, rate(sizes.ct, lambda port: clients.store(port, images.ct))),
        (CT_4, rate(sizes.ct // four * four, lambda port: clients.store_at_once(port, images.ct_four))),
        (BIG, rate(_BIG_MB * sizes.big, lambda port: clients.store(port, images.big))),
        (NAGLE, rate(sizes.nagle, lambda port: clients.store_with_nagle(port, images.nagle))),
        *((FINDS[name], _milliseconds(clients.find_bare, question, budget)) for name, question in asked.items()),
        *((FINDS_BY_FINDSCU[name], _milliseconds(clients.find, question, budget)) for name, question in asked.items()),
        (MOVE_CT, lambda port: sizes.ct / clients.move(port, images.ct_study, sizes.ct, budget)),
        (
            MOVE_SMALL,
            lambda port: (
                sizes.small // four * four / clients.move(port, images.small_study, sizes.small // four * four, budget)
            ),
        ),
        (ECHO, lambda port: 1 / clients.echo_associations(port, budget)),
        (ECHO_STOCK, lambda port: 1000 * clients.echo_stock(port, STOCK_ENVIRONMENT)),
    )
    processor = {SMALL_1: (CPU_SMALL, sizes.small), CT_1: (CPU_CT, sizes.ct)}
    began = time.perf_counter()
    for place, (measure, ask) in enumerate(steps):
        # Another one begins each time, so that none always follows the same neighbour.
        turn = (number + place) % len(peers) if peers else 0
        for peer in (*peers[turn:], *peers[:turn]):
            if number >= peer.kind.most_rounds:
                continue
            _say(f"round {number + 1} of {plan.rounds}: {measure.name}: {peer.name} …")
            try:
                used = peer.processor_s()
                figures.add(measure, peer.name, ask(peer.port))
                if measure in processor:
                    of_it, count = processor[measure]
                    figures.add(of_it, peer.name, 1000 * (peer.processor_s() - used) / count)
            except WrongAnswerError as wrong:
                figures.wrong.append(f"{peer.name}: {measure.name}: {wrong}")
    _say(f"round {number + 1} of {plan.rounds} took {time.perf_counter() - began:.0f} s")


def _compare_indexes(
    figures: Figures, base: Path, large: int, sink: int, plan: Plan, folders: Sequence[Path], tool_s: float
) -> None:
    """The same queries, and the same instances to store, on a small and a large index, in turn."""
    sizes = ((FIND_FEW, RANGE_FEW, STORE_FEW, _FEW_STUDIES), (FIND_MANY, RANGE_MANY, STORE_MANY, large))
    count = plan.sizes.small // PARALLEL
    with ExitStack() as stack:
        ports = {}
        for *_, studies in sizes:
            _say(f"an index of {studies:,} studies …")
            ports[studies] = stack.enter_context(large_index.served(base / f"index-{studies}", studies, sink))
        for _ in range(_INDEX_TURNS):
            for exact, ranged, _, studies in sizes:
                for measure, asked in (
                    (exact, large_index.question(studies)),
                    (ranged, large_index.range_question()),
                ):
                    took = clients.find_bare(ports[studies], asked, plan.budget_s)
                    figures.add(measure, OURS, 1000 * took)
        for turn, folder in enumerate(folders):
            for *_, store, studies in sizes if turn % 2 else reversed(sizes):
                took = clients.store(ports[studies], folder) - tool_s
                figures.add(store, OURS, count / max(took, 1e-6))


def _milliseconds(
    ask: Callable[[int, Question, float], float], question: Question, budget_s: float
) -> Callable[[int], float]:
    return lambda port: 1000 * ask(port, question, budget_s)


def _say(words: str) -> None:
    print(words, flush=True)
