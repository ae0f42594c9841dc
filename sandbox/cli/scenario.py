"""``pacs-sandbox scenario``: the drills there are, and proving that one is fair."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sandbox.cli.home import home_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.drill.verify import Stage, Verification


@click.group()
def scenario() -> None:
    """List, show, lint, prove and write scenarios."""


@scenario.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_(as_json: bool) -> None:
    """List the scenarios by their symptom."""
    from sandbox.drill.load import load_scenario, scenario_slugs

    loaded = [load_scenario(slug) for slug in scenario_slugs()]
    if as_json:
        keys = {"slug", "title", "family", "site", "difficulty", "expected_minutes", "topics"}
        click.echo(json.dumps([each.model_dump(mode="json", include=keys) for each in loaded]))
        return
    width = max((len(each.slug) for each in loaded), default=0)
    for each in loaded:
        click.echo(f"{each.slug.ljust(width)}  {'●' * each.difficulty}{'○' * (5 - each.difficulty)}  {each.title}")


@scenario.command()
@click.argument("slug")
@click.option("--spoilers", is_flag=True, help="Also the diagnosis and the solution.")
def show(slug: str, spoilers: bool) -> None:
    """Show a scenario as a trainee meets it."""
    from sandbox.drill.load import load_scenario

    found = load_scenario(slug)
    click.echo(found.title)
    click.echo(f"\nSite {found.site}, difficulty {found.difficulty} of 5, {found.expected_minutes} minutes")
    click.echo("\nYou will be able to:")
    for objective in found.objectives:
        click.echo(f"  - {objective}")
    for ticket in found.ticket:
        click.echo(f"\n{ticket.subject}\n{found.texts[ticket.text].strip()}")
    if spoilers:
        told = found.diagnosis
        click.echo(f"\nDiagnosis: {told.node}, {told.layer}, {told.fault}")
        for way in (*found.solution, *found.decoy):
            click.echo(f"\n{way.title}{f' (harm: {way.harm})' if way.harm else ''}")
            for step in way.step:
                click.echo(f"  {step.command} {json.dumps(step.params, ensure_ascii=False)}")


@scenario.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def lint(names: tuple[str, ...], as_json: bool) -> None:
    """Check scenarios without running them: slugs or folders; all, and the questions, if none is named."""
    from sandbox.drill.lint import lint as lint_one
    from sandbox.drill.load import scenario_slugs
    from sandbox.drill.question_bank import lint_questions

    problems = [problem for name in names or scenario_slugs() for problem in lint_one(_folder(name))]
    problems += [] if names else lint_questions()
    if as_json:
        click.echo(json.dumps([problem.model_dump(mode="json") for problem in problems]))
    for problem in () if as_json else problems:
        click.echo(str(problem))
    if problems:
        sys.exit(1)
    if not as_json:
        click.echo("Nothing is wrong.")


@scenario.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All there are, as without a name.")
@click.option("--jobs", type=click.IntRange(1, 64), help="How many at once; three for each processor if not said.")
@home_option
@click.option("--seed", "seeds", multiple=True, type=click.IntRange(0, 2**31 - 1), help="Repeat for more than one.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def verify(
    names: tuple[str, ...], everything: bool, jobs: int | None, home: Path, seeds: tuple[int, ...], as_json: bool
) -> None:
    """Prove scenarios by running them: broken as told, solved by a good fix, and neither by nothing nor by a decoy.

    NAMES are slugs or folders; all scenarios, if none is named. The seeds of all run side by side.
    """
    from sandbox.drill.load import scenario_slugs
    from sandbox.drill.verify import SEEDS, verify_all

    def tell(folder: Path, seed: int, stage: Stage) -> None:
        if not as_json and (names or not stage.ok):
            mark = "proven" if stage.ok else "FAILED"
            click.echo(f"  {folder.name} seed {seed}  {mark}  {stage.name} ({stage.seconds:.1f} s): {stage.sentence}")

    folders = [_folder(name) for name in (names if names and not everything else scenario_slugs())]
    results = []
    for result in verify_all(folders, seeds or SEEDS, jobs=jobs or 0, cache=home / "cache", tell=tell):
        results.append(result)
        if not as_json:
            for problem in result.problems:
                click.echo(f"  {problem}")
            mark = "proven" if result.ok else "NOT PROVEN"
            click.echo(f"[{len(results)}/{len(folders)}] {result.scenario}: {mark}")
    results.sort(key=lambda result: [folder.name for folder in folders].index(result.scenario))
    if as_json:
        click.echo(json.dumps([result.model_dump(mode="json") for result in results]))
    else:
        click.echo("\n" + "\n".join(_table(results)))
    if not all(result.ok for result in results):
        sys.exit(1)


def _table(results: Sequence[Verification]) -> Iterator[str]:
    """A line for each scenario: whether it is proven, and how long its seeds took one after the other."""
    width = max((len(result.scenario) for result in results), default=0)
    yield f"{'scenario'.ljust(width)}  {'proven':10}  {'seeds':>5}  {'seconds':>7}  {'CPU s':>6}  slowest stage"
    for result in results:
        slowest = result.slowest
        yield (
            f"{result.scenario.ljust(width)}  {'yes' if result.ok else 'NO':10}  {len(result.seeds):5}"
            f"  {result.seconds:7.1f}  {result.cpu_s:6.1f}"
            f"  {f'{slowest.name} ({slowest.seconds:.1f} s)' if slowest else ''}"
        ).rstrip()
    proven = sum(result.ok for result in results)
    seconds, cpu = sum(result.seconds for result in results), sum(result.cpu_s for result in results)
    yield f"{f'{proven} of {len(results)} proven'.ljust(width)}  {'':10}  {'':5}  {seconds:7.1f}  {cpu:6.1f}"


@scenario.command()
@click.argument("slug")
@click.option("--title", default="", help="The symptom, as a list of drills shows it.")
@click.option("--site", default="riverside", show_default=True, help="The department it happens in.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="Where to put the folder.")
def new(slug: str, title: str, site: str, root: Path | None) -> None:
    """Begin a scenario: the folder SLUG with every file it needs, to be filled in."""
    from sandbox.drill.scaffold import scaffold

    folder = scaffold(slug, title=title, site=site, root=root)
    click.echo(f"Written: {folder}. Fill it in, then: pacs-sandbox scenario lint {folder}")


def _folder(name: str) -> Path:
    """A folder that is named as one, or that of the scenario with that slug."""
    from sandbox.drill.load import scenarios_folder

    return Path(name) if "/" in name or Path(name).is_dir() else scenarios_folder() / name


@scenario.command()
@click.option("--site", default="riverside", show_default=True, help="The department it happens in.")
@click.option("--count", default=3, show_default=True, type=click.IntRange(1, 50), help="How many drills to keep.")
@click.option(
    "--from", "start", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Where the dice begin."
)
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=click.IntRange(0, 2**31 - 1),
    help="Seeds to prove each on; 1, 2 and 3 if not said.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to put them; beside the other scenarios if not said.",
)
@home_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def generate(
    site: str, count: int, start: int, seeds: tuple[int, ...], folder: Path | None, home: Path, as_json: bool
) -> None:
    """Compose fresh drills from what can go wrong on a site's ways, and keep those that are proven fair.

    Each is told with the fewest looks and commands that solve it.
    """
    from sandbox.drill.generator.generate import Generator
    from sandbox.drill.load import scenarios_folder
    from sandbox.drill.verify import SEEDS

    def tell(line: str) -> None:
        if not as_json:
            click.echo(f"  {line}", err=True)

    generator = Generator(site, start, cache=home / "cache", tell=tell)
    kept = 0
    for made in generator.drills(folder or scenarios_folder(), count, seeds or SEEDS):
        kept += made.kept
        if as_json:
            click.echo(made.model_dump_json())
        elif made.kept:
            looks = "; ".join(made.looks)
            click.echo(f"{made.slug}: proven. Fewest looks: {len(made.looks)} ({looks}). Fewest commands: {made.acts}.")
        else:
            click.echo(f"{made.slug}: not kept. {made.problems[0]}")
    if kept < count:
        sys.exit(1)
