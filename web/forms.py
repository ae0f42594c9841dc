"""What forms and addresses bring in besides their meaning: where to go back to, which must be the console's own, whole
numbers, of which anything may come, and text that goes out again in a header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LONGEST_FILTER = 200
"""The most that a list is narrowed by; a lab takes no more."""


def own_path(target: str) -> str:
    """``target`` if it is a path of this console, else nothing: a form must not send anybody elsewhere."""
    # Browsers take "//" and "/\\" for the beginning of a host, and leave tabs and ends of lines out.
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_own else ""


def whole(text: str, otherwise: int = 0, *, least: int = 0, most: int = 99_999_999_999) -> int:
    """The whole number that ``text`` is in plain digits; ``otherwise`` for everything else: for what is out of bounds,
    and for one so long that nobody meant it."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return otherwise
    return number if least <= (number := int(text)) <= most else otherwise


def port(text: str) -> int:
    """The TCP port that ``text`` is; 0 for what is none."""
    return whole(text, 0, least=1, most=65535)


def filters(given: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What a list is to be narrowed by, by name; empty where nothing was given."""
    return {name: given.get(name, "").strip()[:LONGEST_FILTER] for name in names}


def for_header(text: str) -> str:
    """``text`` as a header can carry it: what is no printed ASCII character, such as a new line, is a question mark."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)
