"""The learning path: the stages of scenarios/curriculum.toml, and where somebody stands on it. It recommends and
locks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from sandbox.drill.load import read_toml, scenarios_folder
from sandbox.model.base import Model, explain_validation
from sandbox.model.errors import BadInputError
from web.practice.mastery import Level, Standing
from web.practice.modes import Mode

FILE_NAME = "curriculum.toml"
TEXTS = "curriculum"


class Stage(Model):
    """A stage of the path. ``mastered`` is how many of its lessons make it mastered, ``parts`` the parts of the
    standard that it is about; ``text`` is its introduction (Markdown, beside the file)."""

    slug: str = Field(pattern=r"^[a-z][a-z-]*$")
    title: str
    teaches: str
    builds_on: tuple[str, ...] = ()
    mastered: int = Field(ge=1)
    parts: tuple[str, ...] = Field(min_length=1)
    lessons: tuple[str, ...] = Field(min_length=1)
    text: str = ""


_STAGES = TypeAdapter(tuple[Stage, ...])


def read_stages(folder: Path | None = None) -> tuple[Stage, ...]:
    """The stages, as the file has them. BadInputError says what is wrong with it."""
    folder = folder or scenarios_folder()
    try:
        stages = _STAGES.validate_python(read_toml(folder / FILE_NAME).get("stage", []))
    except ValidationError as wrong:
        raise explain_validation(wrong, FILE_NAME) from wrong
    for trouble in troubles(stages):
        raise BadInputError(": ".join((FILE_NAME, trouble)))
    return tuple(
        stage.model_copy(update={"text": (folder / TEXTS / f"{stage.slug}.md").read_text(encoding="utf-8")})
        for stage in stages
    )


def troubles(stages: Sequence[Stage]) -> Iterator[str]:
    """What makes no sense in these stages by themselves."""
    seen: set[str] = set()
    slugs: list[str] = []
    for stage in stages:
        for before in stage.builds_on:
            if before not in slugs:
                yield f"Stage {stage.slug} builds on {before}, which is no stage before it."
        for lesson in stage.lessons:
            if lesson in seen:
                yield f"{lesson} stands there twice."
            seen.add(lesson)
        if stage.mastered > len(stage.lessons):
            yield f"Stage {stage.slug} asks for {stage.mastered} lessons and has {len(stage.lessons)}."
        if stage.slug in slugs:
            yield f"There are two stages {stage.slug}."
        slugs.append(stage.slug)


@dataclass(frozen=True)
class StageStanding:
    """Where somebody stands with a stage. Lessons that this console does not have are left out."""

    stage: Stage
    lessons: tuple[Standing, ...]
    builds_on: tuple[Stage, ...] = ()
    ready: bool = True

    @property
    def needed(self) -> int:
        return min(self.stage.mastered, len(self.lessons))

    @property
    def mastered(self) -> int:
        return sum(one.level is Level.MASTERED for one in self.lessons)

    @property
    def solved(self) -> int:
        return sum(one.level.is_solved for one in self.lessons)

    @property
    def is_mastered(self) -> bool:
        return bool(self.lessons) and self.mastered >= self.needed

    @property
    def begun(self) -> bool:
        return any(one.attempts for one in self.lessons)


@dataclass(frozen=True)
class NextStep:
    """What to do next on the path, and in which mode."""

    stage: Stage
    lesson: Standing
    mode: Mode


def along(stages: Sequence[Stage], standings: Mapping[str, Standing]) -> tuple[StageStanding, ...]:
    """Where somebody stands on the whole path. A stage is ready when those it builds on have been begun with success:
    at least half of what they ask for is solved."""
    found: dict[str, StageStanding] = {}
    for stage in stages:
        before = [found[slug] for slug in stage.builds_on if slug in found]
        found[stage.slug] = StageStanding(
            stage,
            tuple(standings[slug] for slug in stage.lessons if slug in standings),
            builds_on=tuple(one.stage for one in before),
            ready=all(one.solved * 2 >= one.needed for one in before),
        )
    return tuple(one for one in found.values() if one.lessons)


def next_step(path: Sequence[StageStanding]) -> NextStep | None:
    """The step to recommend: in the first stage that is not mastered, its first lesson that was never solved unaided,
    and once all were, the first that is not mastered. None when the whole path is."""
    for standing in path:
        if standing.is_mastered:
            continue
        open_ = [one for one in standing.lessons if one.level is not Level.MASTERED]
        for one in sorted(open_, key=lambda each: each.level is Level.SOLVED):
            mode = Mode.DRILL if one.level is Level.SOLVED else one.next_mode
            return NextStep(standing.stage, one, mode)
    return None
