"""``pacs-sandbox user``: accounts for a console that others can reach."""

from __future__ import annotations

from pathlib import Path

import click

from sandbox.cli.home import home_option


@click.group()
def user() -> None:
    """Accounts for a console that others can reach. On this machine alone none is needed."""


@user.command()
@click.argument("name")
@click.option("--role", default="trainee", show_default=True, help="trainee or instructor.")
@click.password_option("--password", help="Asked for when it is not given.")
@click.option("--database", default="", help="SQLAlchemy URL of the console's database.  [default: SQLite in the home]")
@home_option
def add(name: str, role: str, password: str, database: str, home: Path) -> None:
    """Add an account."""
    from web.accounts import add_user
    from web.db.database import Database
    from web.options import Options, from_environment

    home.mkdir(parents=True, exist_ok=True)
    options = from_environment(Options(directory=home, database=database))
    opened = Database(options.database_url)
    try:
        made = add_user(opened, name, password, role)
    finally:
        opened.close()
    click.echo(f"{made.name} can log in now.")
