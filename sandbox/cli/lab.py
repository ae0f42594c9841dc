"""``pacs-sandbox lab``: one lab in the foreground, for automation and for those who need no console."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sandbox.cli.home import home_option


@click.group()
def lab() -> None:
    """Run one lab in the foreground; list the labs that run."""


@lab.command()
@click.option("--site", default="riverside", show_default=True, help="The department (see `pacs-sandbox site list`).")
@click.option("--scenario", default="", help="The drill (see `pacs-sandbox scenario list`). It brings its own site.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Same seed, same people.")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="The lab's own; kept at the end.")
@click.option("--keep", is_flag=True, help="Keep the directory at the end, to go on later with --directory.")
@click.option("--collection", default="", help="An imported collection for the archive (see `pacs-sandbox import`).")
@click.option("--json", "as_json", is_flag=True, help="First line: one JSON object with addresses, token and nodes.")
@home_option
def run(
    site: str,
    scenario: str,
    seed: int,
    directory: Path | None,
    keep: bool,
    collection: str,
    as_json: bool,
    home: Path,
) -> None:
    """Run one lab until Ctrl-C or SIGTERM.

    A lab that was kept goes on where it was when --directory names it.
    """
    from sandbox.host.process import Ending, LabOptions, run_lab
    from sandbox.lab.collections import Collections
    from sandbox.lab.directory import new_lab_id
    from sandbox.lab.trees import remove_tree
    from sandbox.model.view import ReadyLine

    lab_id = new_lab_id()
    place = directory or home / "labs" / lab_id
    chosen = Collections(home).find(collection) if collection else Collections(home).in_use
    options = LabOptions(
        directory=place,
        site=site,
        scenario=scenario,
        seed=seed,
        lab_id=lab_id,
        cache=home / "cache",
        collection=chosen,
    )

    def ready(line: ReadyLine) -> None:
        click.echo(line.model_dump_json() if as_json else _told(line))
        sys.stdout.flush()

    try:
        run_lab(options, Ending(), ready)
    finally:
        if directory is None and not keep:
            remove_tree(place)
        elif not as_json:
            click.echo(f"The lab is kept in {place}.")


@lab.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@home_option
def list_(as_json: bool, home: Path) -> None:
    """List the labs that run at the moment."""
    import json

    from sandbox.cli.running import running_labs

    found = running_labs(home)
    if as_json:
        click.echo(json.dumps([{"lab": each.id, "api": each.api, "site": each.site} for each in found]))
        return
    for each in found:
        click.echo(f"{each.id}  {each.site}  {each.scenario or 'no drill'}  {each.api}")
    if not found:
        click.echo("No lab is running. Start one with `pacs-sandbox up` or `pacs-sandbox lab run`.")


def _told(line: object) -> str:
    from sandbox.model.view import ReadyLine

    ready = ReadyLine.model_validate(line)
    width = max(len(node.name) for node in ready.nodes)
    nodes = [
        f"  {node.name.ljust(width)}  {node.ae_title.ljust(16)}  {node.address}:{node.port}".ljust(width + 44)
        + f"{node.published}"
        for node in ready.nodes
    ]
    head = f"{ready.site} is up{f' with {ready.scenario}' if ready.scenario else ''} (seed {ready.seed})."
    foot = f"API {ready.api}  token {ready.token}\nCtrl-C ends it."
    columns = f"  {'Node'.ljust(width)}  {'AE title'.ljust(16)}  In the department".ljust(width + 44) + "From outside"
    return "\n".join([head, "", columns, *nodes, "", foot])
