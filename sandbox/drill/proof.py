"""Proves that a lesson is fair by playing it: it can be seen, it can be solved, and what only looks like a cure is not.

Stages, on each seed: the healthy department passes; the fault goes in and the symptom shows; doing nothing does not
help; every decoy is caught by what it names; every solution passes with all invariants; a reset gives back the start.
A verification never trusts a scenario: whatever a stage claims was tried in a real lab.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.drill.attempt import Attempt
from sandbox.drill.fingerprint import Fingerprint, fingerprint
from sandbox.drill.judge import all_pass
from sandbox.drill.load import LoadedScenario
from sandbox.drill.outside import missing_tools, sees
from sandbox.drill.steps import commands_of
from sandbox.events.kinds import FaultApplied
from sandbox.lab.lab import Lab
from sandbox.lab.site import Site
from sandbox.model.base import Model
from sandbox.model.errors import SandboxError
from sandbox.model.scenario import Way
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState

MISSING = "Not tried, since not installed"
"""How the sentence of a stage begins that needs tools which this machine lacks."""
ACTOR = "verifier"
SETTLE_S = 5.0
"""How long a department may take to come to rest before it is compared with its start."""


class Stage(Model):
    """One stage's outcome. ``sentence`` says what went wrong, or what was proven."""

    name: str
    ok: bool
    sentence: str
    seconds: float


class SeedResult(Model):
    """All stages on one seed. A stage that failed does not keep the others from being tried where they can be.

    ``seconds`` is what it took by the clock, ``cpu_s`` what it took of a processor.
    """

    seed: int
    stages: tuple[Stage, ...]
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def ok(self) -> bool:
        return bool(self.stages) and all(stage.ok for stage in self.stages)


class NotProvenError(Exception):
    """A stage found that the lesson is not as it claims."""


Told = Callable[[int, Stage], None]


class Proof:
    """One scenario on one seed. Subclassed by tests that sabotage a part of it."""

    def __init__(
        self,
        scenario: LoadedScenario,
        seed: int,
        place: Path,
        tell: Told = lambda seed, stage: None,
        *,
        cache: Path | None = None,
    ) -> None:
        """``place`` is an empty folder for its labs, ``cache`` where prepared departments are kept for the next."""
        self.scenario = scenario
        self.seed = seed
        self.place = place
        self.cache = cache or place / "cache"
        self.stages: list[Stage] = []
        self._tell = tell

    def run(self) -> None:
        """All stages. What cannot be tried because an earlier one failed is left out, and that one says why."""
        with self._lab("healthy", with_faults=False) as healthy:
            if self._stage("healthy", lambda: self._healthy(healthy())):
                self._stage("outside tools, well", lambda: self._seen_from_outside(healthy(), broken=False))
        with self._lab("broken", with_faults=True) as broken:
            if not self._stage("inject", lambda: self._injected(broken())):
                return
            attempt = broken()
            start = fingerprint(attempt.lab.department)
            self._stage("symptom", lambda: self._symptom(attempt))
            self._stage("outside tools, broken", lambda: self._seen_from_outside(attempt, broken=True))
            self._stage("doing nothing", lambda: self._nothing_done(attempt))
            for way in self.scenario.decoy:
                self._stage(f"decoy: {way.title}", lambda way=way: self._decoy(attempt, way))  # type: ignore[misc]
            for way in self.scenario.solution:
                self._stage(f"solution: {way.title}", lambda way=way: self._solution(attempt, way))  # type: ignore[misc]
            self._stage("reset", lambda: self._reset(attempt, start))

    # --- stages: each returns what it proved, or raises NotProvenError -----------------------------------------------

    def _healthy(self, attempt: Attempt) -> str:
        findings = attempt.judge()
        if not self.scenario.fault:
            # Nothing is broken, so what remains to be done (an answer to the caller) is not done here either.
            findings = tuple(finding for finding in findings if finding.invariant)
        _expect(findings, Verdict.PASS, "in the unbroken department")
        return f"{len(findings)} claims hold in the unbroken department."

    def _injected(self, attempt: Attempt) -> str:
        applied = [event for event in attempt.lab.events.since() if isinstance(event.body, FaultApplied)]
        wanted = len(self.scenario.fault) + len(self.scenario.given)
        if len(applied) != wanted:
            raise NotProvenError(f"{len(applied)} of {wanted} faults went in.")
        number = len(self.scenario.fault)
        return f"{number} fault{'s' if number != 1 else ''} went in."

    def _symptom(self, attempt: Attempt) -> str:
        """Every check fails and every invariant holds: broken where the ticket says, and only there. Found by the
        trainee's own command, so that an attempt which counts as solved from the start is found out, too."""
        findings = attempt.check()
        _expect([finding for finding in findings if not finding.invariant], Verdict.FAIL, "although the fault is in")
        _expect([finding for finding in findings if finding.invariant], Verdict.PASS, "with nothing but the fault")
        failed = [finding for finding in findings if not finding.invariant]
        return f"{len(failed)} check{'s' if len(failed) != 1 else ''} fail: {failed[0].sentence}"

    def _seen_from_outside(self, attempt: Attempt, *, broken: bool) -> str:
        """What dcmtk prints at the published ports is what the scenario says, broken and well."""
        views = self.scenario.outside
        if missing := missing_tools(views):
            return f"{MISSING}: {', '.join(missing)}."
        for view in views:
            wrong = sees(view, attempt.surface, attempt.lab.department, broken=broken and bool(self.scenario.fault))
            if wrong:
                raise NotProvenError(wrong)
        return f"{len(views)} command{'s print' if len(views) != 1 else ' prints'} what the scenario says."

    def _nothing_done(self, attempt: Attempt) -> str:
        self.reset(attempt)
        # One check that does not pass is enough, so the first that does not ends it.
        passes = all(all_pass(attempt.judge(only=(check.name,))) for check in attempt.checks)
        if passes or attempt.state != AttemptState.RUNNING:
            raise NotProvenError("The attempt counts as solved although nobody did anything.")
        return "It does not pass by itself."

    def _decoy(self, attempt: Attempt, way: Way) -> str:
        # What it claims to fail is tried, and nothing else; one that claims nothing must fail anything.
        findings = self._after(attempt, way, only=way.fails or None)
        if all_pass(findings):
            raise NotProvenError("This decoy passes every check: nothing sees the harm it does.")
        wrong = {finding.id for finding in findings if finding.verdict is Verdict.FAIL}
        missed = [name for name in way.fails if name not in wrong]
        if missed:
            raise NotProvenError(f"It should fail {', '.join(missed)}; it fails {', '.join(sorted(wrong)) or 'none'}.")
        return f"Caught by {', '.join(sorted(wrong))}."

    def _solution(self, attempt: Attempt, way: Way) -> str:
        findings = self._after(attempt, way)
        _expect(findings, Verdict.PASS, "after this solution")
        slowest = max(finding.duration_s for finding in findings)
        return f"{len(findings)} claims hold; the slowest took {slowest:.1f} s."

    def _reset(self, attempt: Attempt, start: Fingerprint) -> str:
        self.reset(attempt)
        events = attempt.lab.events
        deadline = time.monotonic() + SETTLE_S
        while True:
            position = len(events)
            differences = start.differences(fingerprint(attempt.lab.department))
            if not differences:
                return "Configurations, stores and queues are as they were at the start."
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotProvenError(f"After a reset: {'; '.join(differences[:5])}.")
            # What was on its way at the snapshot may arrive now.
            events.wait_for(lambda event: True, after=position, timeout=min(left, 0.5))

    # --- helpers -----------------------------------------------------------------------------------------------------

    def reset(self, attempt: Attempt) -> None:
        """Back to the start of the scenario."""
        attempt.lab.reset()

    def _after(self, attempt: Attempt, way: Way, only: Sequence[str] | None = None) -> tuple[Finding, ...]:
        """The findings (``only`` these) after a reset and the steps of ``way``, every one of which must work."""
        self.reset(attempt)
        for number, command in enumerate(commands_of(way, attempt.surface), 1):
            result = attempt.lab.execute(command, ACTOR)
            if not result.ok:
                raise NotProvenError(f"Step {number}, {command.name}, did not work: {result.sentence}")
        return attempt.judge(only=only)

    def _stage(self, name: str, prove: Callable[[], str]) -> bool:
        began = time.monotonic()
        try:
            ok, sentence = True, prove()
        except (NotProvenError, SandboxError) as wrong:
            ok, sentence = False, str(wrong)
        except Exception as wrong:
            # A stage that went wrong in itself proves nothing either; the others may still tell why.
            ok, sentence = False, f"This stage went wrong: {type(wrong).__name__}: {wrong}"
        stage = Stage(name=name, ok=ok, sentence=sentence, seconds=round(time.monotonic() - began, 2))
        self.stages.append(stage)
        self._tell(self.seed, stage)
        return ok

    @contextmanager
    def _lab(self, name: str, *, with_faults: bool) -> Iterator[Callable[[], Attempt]]:
        """A lab of its own, without the quiet background, and what begins the attempt in it (once)."""
        lab = Lab(self.site(), self.place / name, self.seed, scenario=self.scenario.slug, cache=self.cache)
        attempt = self.make_attempt(lab)

        def begun() -> Attempt:
            if not lab.is_running:
                lab.start()
            attempt.begin(with_faults=with_faults)
            return attempt

        try:
            yield begun
        finally:
            attempt.close()
            lab.stop()

    def site(self) -> Site:
        """The scenario's site, without the quiet background: what happens is what the proof does."""
        site = self.scenario.department_site()
        return site.model_copy(update={"background": site.background.model_copy(update={"enabled": False})})

    def make_attempt(self, lab: Lab) -> Attempt:
        """The attempt to be proven."""
        return Attempt(lab, self.scenario)


def _expect(findings: Sequence[Finding], verdict: Verdict, when: str) -> None:
    wrong = [finding for finding in findings if finding.verdict is not verdict]
    if wrong:
        told = "; ".join(f"{finding.id}: {finding.verdict.value} ({finding.sentence})" for finding in wrong)
        raise NotProvenError(f"Not “{verdict.value}” {when}: {told}")
