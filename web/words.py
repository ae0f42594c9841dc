"""How values look on a page: sizes, times, names of people, and the word, tone and icon of every state.

Tables with a completeness test, so that no state is shown by colour alone and none is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from babel.dates import format_date
from flask_babel import get_locale, gettext, lazy_gettext
from markdown_it import MarkdownIt
from markupsafe import Markup
from pydicom.uid import UID

from sandbox.model.debrief_view import Lane
from sandbox.model.verdict import Verdict
from sandbox.model.view import AttemptState, NodeState, QueueState


class Look(NamedTuple):
    """How a state is told: a word, a tone (good, bad, warn, busy, quiet) for its colour, an icon for its shape."""

    word: str
    tone: str
    icon: str


NODE_STATES: Mapping[NodeState, Look] = {
    NodeState.RUNNING: Look(lazy_gettext("Running"), "good", "circle-check"),
    NodeState.STOPPED: Look(lazy_gettext("Stopped"), "quiet", "player-stop"),
    NodeState.FAILED: Look(lazy_gettext("Failed"), "bad", "alert-triangle"),
}
QUEUE_STATES: Mapping[QueueState, Look] = {
    QueueState.IDLE: Look(lazy_gettext("Idle"), "quiet", "circle-check"),
    QueueState.SENDING: Look(lazy_gettext("Sending"), "busy", "send"),
    QueueState.WAITING: Look(lazy_gettext("Waiting to retry"), "warn", "clock"),
    QueueState.HELD: Look(lazy_gettext("On hold"), "bad", "player-pause"),
}
VERDICTS: Mapping[Verdict, Look] = {
    Verdict.PASS: Look(lazy_gettext("Passed"), "good", "circle-check"),
    Verdict.FAIL: Look(lazy_gettext("Failed"), "bad", "circle-x"),
    Verdict.COULD_NOT_TELL: Look(lazy_gettext("Could not tell"), "warn", "help-circle"),
}
ATTEMPT_STATES: Mapping[AttemptState, Look] = {
    AttemptState.RUNNING: Look(lazy_gettext("In progress"), "busy", "activity"),
    AttemptState.SOLVED: Look(lazy_gettext("Solved"), "good", "circle-check"),
    AttemptState.GIVEN_UP: Look(lazy_gettext("Given up"), "quiet", "flag"),
}
OUTCOMES: Mapping[str, Look] = {
    "requested": Look(lazy_gettext("Requested"), "busy", "activity"),
    "accepted": Look(lazy_gettext("Open"), "busy", "plug-connected"),
    "released": Look(lazy_gettext("Completed"), "good", "circle-check"),
    "rejected": Look(lazy_gettext("Rejected"), "bad", "circle-x"),
    "aborted": Look(lazy_gettext("Aborted"), "bad", "alert-triangle"),
    "failed": Look(lazy_gettext("Not connected"), "bad", "plug-connected-x"),
}
TIMELINE_GROUPS: Mapping[str, Look] = {
    "fault": Look(lazy_gettext("Fault"), "bad", "alert-triangle"),
    "symptom": Look(lazy_gettext("Symptom"), "warn", "activity"),
    "investigation": Look(lazy_gettext("Investigation"), "busy", "search"),
    "change": Look(lazy_gettext("Change"), "busy", "adjustments"),
    "check": Look(lazy_gettext("Check"), "good", "clipboard-check"),
    "hint": Look(lazy_gettext("Hint"), "warn", "bulb"),
    "diagnosis": Look(lazy_gettext("Diagnosis"), "busy", "stethoscope"),
    "ticket": Look(lazy_gettext("Ticket"), "quiet", "message-circle"),
    "trace": Look(lazy_gettext("Trace"), "quiet", "eye"),
    "recovery": Look(lazy_gettext("Recovery"), "good", "circle-check"),
    "pin": Look(lazy_gettext("Pinned"), "busy", "pin"),
    "note": Look(lazy_gettext("Note"), "quiet", "note"),
}
LANES: Mapping[Lane, str] = {
    Lane.YOU: lazy_gettext("You"),
    Lane.DEPARTMENT: lazy_gettext("Department"),
    Lane.PEOPLE: lazy_gettext("People"),
}
GRAPH_KINDS: Mapping[str, Look] = {
    "fault": Look(lazy_gettext("Cause"), "bad", "alert-triangle"),
    "event": Look(lazy_gettext("What it did"), "warn", "settings"),
    "symptom": Look(lazy_gettext("Symptom"), "warn", "activity"),
    "trace": Look(lazy_gettext("Trace"), "quiet", "eye"),
    "ticket": Look(lazy_gettext("Call"), "quiet", "phone"),
    "change": Look(lazy_gettext("Your change"), "busy", "adjustments"),
    "recovery": Look(lazy_gettext("Recovery"), "good", "circle-check"),
}
PATH_KINDS: Mapping[str, Look] = {
    "look": Look(lazy_gettext("Look"), "busy", "search"),
    "conclude": Look(lazy_gettext("Conclude"), "busy", "stethoscope"),
    "act": Look(lazy_gettext("Act"), "warn", "adjustments"),
    "verify": Look(lazy_gettext("Verify"), "good", "clipboard-check"),
    "tell": Look(lazy_gettext("Tell"), "quiet", "message-circle"),
}
ROLE_ICONS: Mapping[str, str] = {
    "modality": "scan",
    "router": "route",
    "archive": "archive",
    "workstation": "device-desktop",
    "ris": "clipboard-check",
}
DIFFICULTIES = (
    "",
    lazy_gettext("Introductory"),
    lazy_gettext("Easy"),
    lazy_gettext("Moderate"),
    lazy_gettext("Hard"),
    lazy_gettext("Expert"),
)
UNKNOWN = Look(lazy_gettext("Unknown"), "quiet", "help-circle")

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])


def look(table: Mapping[str, Look], value: str) -> Look:
    """The row for ``value``; a value this version does not know is still shown, by its own word."""
    return table.get(value, UNKNOWN._replace(word=str(value).replace("-", " ").capitalize()))


def markdown(text: str) -> Markup:
    """CommonMark with raw HTML escaped, as scenario texts are written."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - markdown-it escapes; html is off


def told(text: str) -> str:
    """What the lab took from one of its tables (a setting's title, a command's help), in the reader's language."""
    return gettext(text) if text else text


def size(count: int) -> str:
    """Bytes for people: 0.5 MB, in powers of ten as disks are sold."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return gettext("%(count)s bytes", count=count)


def duration(seconds: float) -> str:
    """45 s, 3 min 20 s, 1 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole % 60 else f"{whole // 60} min"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def on_the_clock(seconds: float) -> str:
    """Minutes and seconds since the phone rang: "04:10"; hours where there are any."""
    hours, rest = divmod(round(abs(seconds)), 3600)
    shown = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{'−' if seconds < 0 else ''}{f'{hours}:' if hours else ''}{shown}"


def ago(seconds: float) -> str:
    return gettext("just now") if seconds < 5 else gettext("%(time)s ago", time=duration(seconds))


def clock(at: datetime) -> str:
    """Time of day with seconds. A lab's times are the department's own and have no zone; they are shown as they are."""
    return at.strftime("%H:%M:%S")


def day(at: datetime) -> str:
    """ "Friday, 20 November": a department's past may be days ago."""
    return format_date(at, "EEEE, d MMMM", locale=get_locale() or "en")


def day_clock(at: datetime) -> str:
    """ "Fri 17:30:00"."""
    return f"{format_date(at, 'EEE', locale=get_locale() or 'en')} {clock(at)}"


def moment(at: datetime) -> str:
    """Date and time: the department's own, or where a zone is known, as this machine's clock had it."""
    return (at if at.tzinfo is None else at.astimezone()).strftime("%Y-%m-%d %H:%M:%S")


def since(at: datetime) -> str:
    return ago((datetime.now(UTC) - at.astimezone(UTC)).total_seconds())


def dicom_date(text: str) -> str:
    """A DA value (20260131) as 2026-01-31; anything else as it stands, since a wrong date is evidence."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def dicom_time(text: str) -> str:
    """A TM value (093000.000) as 09:30."""
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else text


def person(name: str) -> str:
    """A PN value's first component group as people write it: Family, Given. What does not parse is shown raw."""
    family, _, rest = name.split("=")[0].partition("^")
    given = rest.replace("^", " ").strip()
    return f"{family}, {given}" if given else family


def uid_name(uid: str) -> str:
    """A registered UID by its name (PS3.6 A); another as it stands."""
    return UID(uid).name


def initials(name: str) -> str:
    words = [word for word in name.replace(".", " ").split() if word[0].isalpha() and word.lower() not in ("dr", "the")]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def setting(value: object) -> str:
    """A configuration value as a difference shows it."""
    match value:
        case None:
            return gettext("nothing")
        case True:
            return gettext("on")
        case False:
            return gettext("off")
        case float() if value.is_integer():
            return str(int(value))
        case list() | tuple():
            return ", ".join(setting(item) for item in value) or gettext("nothing")
        case dict():
            return " ".join(setting(item) for item in value.values())
        case _:
            return str(value) or gettext("empty")


FILTERS = {
    "clock": clock,
    "day": day,
    "day_clock": day_clock,
    "dicom_date": dicom_date,
    "dicom_time": dicom_time,
    "duration": duration,
    "initials": initials,
    "markdown": markdown,
    "moment": moment,
    "on_the_clock": on_the_clock,
    "person": person,
    "setting": setting,
    "since": since,
    "size": size,
    "told": told,
    "uid_name": uid_name,
}
TABLES = {
    "node_states": NODE_STATES,
    "queue_states": QUEUE_STATES,
    "verdicts": VERDICTS,
    "attempt_states": ATTEMPT_STATES,
    "outcomes": OUTCOMES,
    "timeline_groups": TIMELINE_GROUPS,
    "lanes_words": LANES,
    "graph_kinds": GRAPH_KINDS,
    "path_kinds": PATH_KINDS,
    "role_icons": ROLE_ICONS,
    "difficulties": DIFFICULTIES,
}
