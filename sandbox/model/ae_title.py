"""AE titles (PS3.8 9.3.2, PS3.5 6.2): at most 16 characters, outer spaces not significant, case-sensitive."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from sandbox.model.errors import BadInputError

MAX_LENGTH = 16


def ae_title(text: str) -> str:
    """Return ``text`` without its outer spaces, or raise BadInputError if it is no AE title."""
    title = text.strip(" ")
    if not title:
        raise BadInputError("The AE title is empty.", "Enter 1 to 16 characters.")
    if len(title) > MAX_LENGTH:
        raise BadInputError(f"The AE title {title!r} has {len(title)} characters.", "At most 16 are allowed.")
    if "\\" in title or not title.isascii() or not title.isprintable():
        raise BadInputError(
            f"The AE title {title!r} holds a character that is not allowed.",
            "Use plain letters, digits and signs, no backslash.",
        )
    return title


def _validated(text: str) -> str:
    try:
        return ae_title(text)
    except BadInputError as wrong:
        raise ValueError(str(wrong)) from wrong


AETitle = Annotated[str, AfterValidator(_validated)]


def same_title(left: str, right: str) -> bool:
    """Whether two titles name the same AE: outer spaces aside, every character and its case must agree."""
    return left.strip(" ") == right.strip(" ")
