"""``pacs-sandbox up``: the console and the lab host."""

from __future__ import annotations

from pathlib import Path

import click

from sandbox.cli.home import home_option


@click.command()
@home_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8042, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option("--database", default="", help="SQLAlchemy URL of the console's database.  [default: SQLite in the home]")
@click.option(
    "--published-on-loopback",
    is_flag=True,
    help="For a container whose port is published on 127.0.0.1 only: no login is needed.",
)
def up(home: Path, host: str, port: int, database: str, published_on_loopback: bool) -> None:
    """Open the console: the department in your browser. It prints its address; Ctrl-C ends it and all its labs.

    Only this machine can reach it, unless --host says otherwise; then everybody must log in
    (see `pacs-sandbox user`).
    """
    from web.options import Options
    from web.serve import serve

    home.mkdir(parents=True, exist_ok=True)
    serve(
        Options(
            directory=home,
            host=host,
            port=port,
            database=database,
            published_on_loopback=published_on_loopback,
        )
    )
