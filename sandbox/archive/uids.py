"""UIDs (PS3.5 9.1): the rule that stands between what a peer sends and what becomes a file name."""

from __future__ import annotations

import re

MAX_LENGTH = 64

_FORM = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")


def is_uid(text: str) -> bool:
    """Whether ``text`` is at most 64 characters of digits and single dots, beginning and ending with a digit.

    Leading zeros in a component, which the standard forbids and old devices send, are let through: they do no harm.
    """
    return 0 < len(text) <= MAX_LENGTH and _FORM.match(text) is not None
