"""Where everything is kept: the one place that reads PACS_SANDBOX_HOME."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

VARIABLE = "PACS_SANDBOX_HOME"
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def default_home() -> Path:
    """The directory for data as this system has it, unless the environment names another."""
    named = os.environ.get(VARIABLE, "")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pacs-sandbox"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "pacs-sandbox"
    return Path(os.environ.get("XDG_DATA_HOME", "") or Path.home() / ".local" / "share") / "pacs-sandbox"


def home_option(function: FunctionT) -> FunctionT:
    """Adds ``--home`` to a command."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        default=default_home,
        show_default=f"{VARIABLE}, or the place for data of this system",
        help="Directory for labs, caches and the console's database.",
    )(function)
