"""``pacs-sandbox site``: the departments that there are, and whether they are sound."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def site() -> None:
    """List and lint sites."""


@site.command("list")
def list_() -> None:
    """List the sites."""
    from sandbox.lab.site import load_site, site_slugs

    for slug in site_slugs():
        click.echo(f"{slug}  {load_site(slug).title}")


@site.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def lint(files: tuple[Path, ...]) -> None:
    """Check site files (all that come with the product, if none is named)."""
    from sandbox.lab.site import sites_folder
    from sandbox.lab.site_check import check_site_file

    problems = [
        problem for path in files or tuple(sorted(sites_folder().glob("*.toml"))) for problem in check_site_file(path)
    ]
    for problem in problems:
        click.echo(str(problem))
    if problems:
        sys.exit(1)
    click.echo("Nothing is wrong.")
