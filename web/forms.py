"""What forms and addresses bring in besides their meaning: where to go back to, which must be the console's own, and
whole numbers, of which anything may come."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_path(target: str) -> str:
    """``target`` if it is a path of this console, else nothing: a form must not send anybody elsewhere."""
    parts = urlsplit(target)
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if is_own else ""


def whole(text: str, otherwise: int = 0) -> int:
    """The whole number that ``text`` is in plain digits; ``otherwise`` for everything else, and for one so long that
    nobody meant it."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else otherwise
