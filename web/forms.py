"""What forms bring in besides their fields' meaning: addresses to go back to, which must be the console's own."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_path(target: str) -> str:
    """``target`` if it is a path of this console, else nothing: a form must not send anybody elsewhere."""
    parts = urlsplit(target)
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if is_own else ""
