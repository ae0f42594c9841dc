"""Words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    name: str
    meaning: str = ""
    look: str = ""


def describe_abort(source: int, reason: int) -> str:
    return f"abort {source}/{reason}"


def explain_dial(o):
    return Explanation(str(o), str(o))


def explain_rejection(o):
    return Explanation(str(o), str(o))
