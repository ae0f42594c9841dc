"""One name or several in a scenario file, read as several; and several names, said as a person says them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
"""``"WS2"`` or ``["WS1", "WS2"]``."""


def said(names: Sequence[str], last: str = "and") -> str:
    """ "CT1, MR1 and DX1"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else "nobody"


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 image", "2 images"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
