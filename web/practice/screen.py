"""How what was practised looks on a page: the word, tone and icon of every level, outcome and state."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from sandbox.learning.topics import FAMILIES, topic_of
from web.practice.filters import State
from web.practice.mastery import Level
from web.practice.record import Outcome
from web.words import Look, told

LEVEL_LOOKS: Mapping[Level, Look] = {
    Level.NEW: Look(_("New"), "quiet", "circle-dotted"),
    Level.TRIED: Look(_("Tried"), "warn", "circle-dashed"),
    Level.GUIDED: Look(_("Done with the coach"), "busy", "compass"),
    Level.HELPED: Look(_("Solved with hints"), "busy", "bulb"),
    Level.SOLVED: Look(_("Solved unaided"), "good", "circle-check"),
    Level.MASTERED: Look(_("Mastered"), "good", "award"),
}
STATE_LOOKS: Mapping[State, Look] = {
    State.NEW: Look(_("New"), "quiet", "circle-dotted"),
    State.TRIED: Look(_("Tried, not solved"), "warn", "circle-dashed"),
    State.SOLVED: Look(_("Solved"), "good", "circle-check"),
    State.DUE: Look(_("Due again"), "warn", "calendar-due"),
}
OUTCOME_LOOKS: Mapping[Outcome, Look] = {
    Outcome.GAVE_UP: Look(_("Given up"), "quiet", "flag"),
    Outcome.FAILED_EXAM: Look(_("Exam not passed"), "bad", "circle-x"),
    Outcome.GUIDED: Look(_("Solved with the coach"), "busy", "compass"),
    Outcome.SHOWN: Look(_("Solved with every hint"), "busy", "bulb"),
    Outcome.HELPED: Look(_("Solved with hints"), "busy", "bulb"),
    Outcome.UNAIDED: Look(_("Solved unaided"), "good", "circle-check"),
    Outcome.FLUENT: Look(_("Solved unaided, and well"), "good", "award"),
}


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        level_looks=LEVEL_LOOKS,
        state_looks=STATE_LOOKS,
        outcome_looks=OUTCOME_LOOKS,
        families=FAMILIES,
        topic_words=topic_words,
    )


def topic_words(topic: str) -> str:
    """A topic's title in the language of the page, by its id."""
    return told(topic_of(topic).title)


def certificate_statement() -> str:
    """What a certificate is and what it is not."""
    return gettext(
        "This is a record of practice in a simulated department. It is no certification, and no body that certifies"
        " has any part in it. It lists what stands in the console's records, which are kept by their owner; whoever"
        " relies on it should see the person work. The file of its contents has the SHA-256 below when nothing in it"
        " was changed since."
    )
