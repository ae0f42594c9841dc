"""What all commands share: groups that load a command when it is used, and errors told in a sentence."""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from sandbox.model.errors import SandboxError

BAD_INPUT = 2
"""The exit status of whatever a person can mend."""


_OF_PATHS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.ENOSPC, errno.EDQUOT})
"""What is wrong with a place in the file system, rather than with the program."""


class LazyGroup(click.Group):
    """A group whose commands are named by a table and imported one at a time."""

    def __init__(self, *, commands_table: Mapping[str, tuple[str, str]], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._table = commands_table
        self.params.append(
            click.Option(
                ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version, help="The version."
            )
        )

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._table:
            return None
        module, _, name = self._table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._table.items()])


def guarded(command: click.Command) -> None:
    """Run the command line. What a person can mend is told in a sentence; everything else is a traceback."""
    try:
        command.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has read enough.
        sys.stderr.close()
        sys.exit(0)
    except OSError as wrong:
        # A path that cannot be used is told as such; without one it is a fault of the program.
        if not wrong.filename or wrong.errno not in _OF_PATHS:
            raise
        click.echo(f"{wrong.filename}: {wrong.strerror}.", err=True)
        click.echo("Choose another place with --home or PACS_SANDBOX_HOME, or mend this one.", err=True)
        sys.exit(BAD_INPUT)
    except SandboxError as wrong:
        click.echo(wrong.sentence, err=True)
        if wrong.mend:
            click.echo(wrong.mend, err=True)
        sys.exit(BAD_INPUT)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    # Imported here: it costs as much as all else that a command line needs.
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(version("pacs-sandbox"))
    except PackageNotFoundError:
        click.echo("not installed")
    ctx.exit()
