"""What was searched for, marked in a text: everything is escaped, and only our own marks are markup."""

from __future__ import annotations

import re

from markupsafe import Markup, escape


def marked(text: str, terms: tuple[str, ...]) -> Markup:
    """``text`` with every occurrence of the terms, whatever their case, in a mark."""
    wanted = [re.escape(term) for term in sorted(terms, key=len, reverse=True) if term]
    if not wanted:
        return escape(text)
    pieces = re.split(f"({'|'.join(wanted)})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup('<mark class="found">{}</mark>').format(piece) if place % 2 else escape(piece)
        for place, piece in enumerate(pieces)
    )
