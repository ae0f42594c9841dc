"""Generates drills and keeps those that are proven, each with the fewest looks and acts that solve it."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sandbox.drill.attempt import Attempt
from sandbox.drill.generator.causes import CAUSES, Cause
from sandbox.drill.generator.compose import compose, write
from sandbox.drill.generator.looks import fewest_looks, look_at_all, words_of
from sandbox.drill.generator.ways import ExamWay, ways_of
from sandbox.drill.lint import lint
from sandbox.drill.load import LoadedScenario, read_scenario
from sandbox.drill.proof import Proof
from sandbox.lab.site import load_site
from sandbox.model.base import Model
from sandbox.model.errors import ConflictError

TIMES = 3
"""A cause that was not proven, or not told from the others, is followed by another: at most so many tries a drill."""


class Generated(Model):
    """A drill that was composed. ``problems`` say why it was not kept; ``looks`` are the fewest observations that leave
    no other cause, ``acts`` the fewest commands that mend it."""

    slug: str
    cause: str
    looks: tuple[str, ...] = ()
    acts: int = 0
    problems: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        return not self.problems


class LookingProof(Proof):
    """A proof that also looks at everything while the department is broken."""

    def __init__(self, scenario: LoadedScenario, seed: int, place: Path, where: ExamWay, cache: Path) -> None:
        super().__init__(scenario, seed, place, cache=cache)
        self._where = where
        self.shown: dict[str, str] = {}

    def look(self) -> dict[str, str]:
        """Break a department and look, without proving anything."""
        with self._lab("looked at", with_faults=True) as begun:
            return self._shown_in(begun())

    def _symptom(self, attempt: Attempt) -> str:
        self.shown = self._shown_in(attempt)
        return super()._symptom(attempt)

    def _shown_in(self, attempt: Attempt) -> dict[str, str]:
        (exam,) = attempt.memory.exams
        return look_at_all(attempt.lab.department, self._where, exam)


class Generator:
    """Drills of one site from one seed. ``cache`` keeps prepared departments for the next."""

    def __init__(self, site: str, seed: int, *, cache: Path, tell: Callable[[str], None] = lambda line: None) -> None:
        self.site = load_site(site)
        self.seed = seed
        self._cache = cache
        self._tell = tell
        self._shown: dict[tuple[str, str], dict[str, str]] = {}

    def drills(self, folder: Path, count: int, seeds: Sequence[int]) -> Iterator[Generated]:
        """Compose until ``count`` drills are proven on all ``seeds`` and kept in ``folder``, or until nothing is left.

        What was not kept is told of, too.
        """
        rng = random.Random(self.seed)  # noqa: S311 - a choice of lessons, not a secret
        pairs = [(where, cause) for where in ways_of(self.site) for cause in CAUSES.values()]
        rng.shuffle(pairs)
        kept = 0
        for number, (where, cause) in enumerate(pairs[: count * TIMES]):
            made = self.drill(folder, where, cause, number, seeds)
            yield made
            kept += made.kept
            if kept == count:
                return

    def drill(self, folder: Path, where: ExamWay, cause: Cause, number: int, seeds: Sequence[int]) -> Generated:
        """One drill: composed, linted, proven on every seed, told from every other cause, and only then written."""
        slug = f"missing-at-{where.place.name.lower()}-{self.seed}-{number + 1}"
        if (folder / slug).exists():
            raise ConflictError(f"{slug} is there already.", "Remove it, or generate with another seed.")
        others = [value for value in CAUSES if value != cause.value]
        random.Random(f"{self.seed}/{slug}").shuffle(others)  # noqa: S311 - an order of choices
        scene, texts = compose(where, cause, self.seed + number, others)
        failed = Generated(slug=slug, cause=cause.value)
        with tempfile.TemporaryDirectory(prefix="pacs-sandbox-generate-") as place:
            draft = Path(place) / slug
            write(draft, scene, texts)
            if problems := tuple(str(problem) for problem in lint(draft)):
                return failed.model_copy(update={"problems": problems})
            scenario = read_scenario(draft)
            shown: dict[str, str] = {}
            for seed in seeds:
                self._tell(f"{slug}: {cause.value}, seed {seed}")
                proof = LookingProof(scenario, seed, Path(place) / f"labs-{seed}", where, self._cache)
                proof.place.mkdir()
                proof.run()
                shown = shown or proof.shown
                if wrong := tuple(f"{stage.name}: {stage.sentence}" for stage in proof.stages if not stage.ok):
                    return failed.model_copy(update={"problems": wrong})
        self._shown[where.slug, cause.value] = shown
        looks = fewest_looks(shown, {value: self._shown_by(where, CAUSES[value]) for value in others})
        if looks is None:
            return failed.model_copy(update={"problems": ("No look tells it from another cause.",)})
        made = failed.model_copy(
            update={
                "looks": tuple(words_of(look, where) for look in looks),
                "acts": min(len(solution.step) for solution in scenario.solution),
            }
        )
        scene["difficulty"] = min(5, max(1, len(looks)))
        write(folder / slug, scene, {**texts, "debrief.md": texts["debrief.md"] + _shortest(made)})
        return made

    def _shown_by(self, where: ExamWay, cause: Cause) -> dict[str, str]:
        """What the looks show when another cause is behind the same complaint: broken and looked at, once a way."""
        key = (where.slug, cause.value)
        if key not in self._shown:
            self._tell(f"{where.slug}: what {cause.value} looks like")
            with tempfile.TemporaryDirectory(prefix="pacs-sandbox-generate-") as place:
                draft = Path(place) / f"like-{cause.value}"
                write(draft, *compose(where, cause, self.seed, list(CAUSES)))
                labs = Path(place) / "labs"
                labs.mkdir()
                self._shown[key] = LookingProof(read_scenario(draft), 1, labs, where, self._cache).look()
        return self._shown[key]


def _shortest(made: Generated) -> str:
    looks = "".join(f"{number}. {look}\n" for number, look in enumerate(made.looks, 1))
    acts = "one command" if made.acts == 1 else f"{made.acts} commands"
    return (
        f"\n## The shortest way\n\nOf all that may be looked at, these leave no other cause over:\n\n{looks}\n"
        f"After them, {acts} mend it. This was found by trying every cause of the same complaint in a lab.\n"
    )
