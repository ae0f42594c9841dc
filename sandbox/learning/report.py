"""The incident report: one typed value made of a debrief, and its Markdown. The console sets the same value as a PDF.

It is the report that an administrator hands in afterwards, so it is about the incident and not about the score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sandbox.learning.evidence import clock
from sandbox.model.base import Model
from sandbox.model.debrief_view import DebriefView, Message

TO_WORK = "## What to take to work"
"""The heading of a lesson's debrief under which stands what prevents it the next time."""

LINES = 60
"""The most lines of the timeline that a report holds: its end is in the log."""


class Row(Model):
    """A line of a table of the report: ``when`` since the call, as minutes and seconds."""

    when: str
    who: str
    what: str


class Section(Model):
    """A heading with paragraphs, a list, and a table, each of them if it has any."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


class IncidentReport(Model):
    """What happened, for those who were not there. Plain text throughout."""

    title: str
    about: str
    sections: tuple[Section, ...]


def incident_report(told: DebriefView) -> IncidentReport:
    """The report of one attempt. What was not done is said to be missing, and not made up."""
    return IncidentReport(
        title=f"Incident report: {told.title}",
        about=_about(told),
        sections=(
            Section(title="Summary", paragraphs=_summary(told)),
            Section(title="Impact", items=_impact(told)),
            Section(title="Timeline", paragraphs=("Times are since the call came in.",), rows=_timeline(told)),
            Section(title="Root cause", paragraphs=_root_cause(told)),
            Section(title="What was done", items=_done(told)),
            Section(title="Verification", items=_verification(told)),
            Section(title="Communication", rows=_communication(told), paragraphs=_communication_missing(told)),
            Section(title="What prevents it", items=_prevention(told)),
            Section(title="Appendix: evidence", items=_evidence(told)),
        ),
    )


def markdown(report: IncidentReport) -> str:
    """The report as CommonMark, with nothing in it that would become markup by accident."""
    return "\n".join(_markdown(report)).strip() + "\n"


def _markdown(report: IncidentReport) -> Iterator[str]:
    yield from (f"# {_escaped(report.title)}", "", _escaped(report.about), "")
    for section in report.sections:
        yield from (f"## {_escaped(section.title)}", "")
        for paragraph in section.paragraphs:
            yield from (_escaped(paragraph), "")
        if section.items:
            yield from (*(f"- {_escaped(item)}" for item in section.items), "")
        if section.rows:
            yield from ("| Time | Who | What |", "| --- | --- | --- |")
            for row in section.rows:
                yield f"| {row.when} | {_escaped(row.who)} | {_escaped(row.what)} |"
            yield ""


def _escaped(text: str) -> str:
    """Text that means itself in Markdown, on one line."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))


# --- sections --------------------------------------------------------------------------------------------------------


def _about(told: DebriefView) -> str:
    when = f"{told.started_at:%A, %d %B %Y, %H:%M}. " if told.started_at else ""
    return f"{told.site}. {when}Practised in PACS Sandbox: the patients are not real."


def _summary(told: DebriefView) -> tuple[str, ...]:
    calls = [message for message in told.messages if message.kind == "ticket"]
    call = f"{calls[0].who} reported: {calls[0].text}." if calls else "Somebody called."
    if told.solved:
        end = f"It was resolved after {_minutes(told.elapsed_s)}."
    else:
        end = f"It was not resolved when the attempt ended after {_minutes(told.elapsed_s)}."
    closing = _closing(told)
    own = told.account.wrong.strip() if told.account else ""
    return tuple(text for text in (f"{call} {end}", own, closing) if text)


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return "less than a minute" if minutes < 1 else f"{minutes} minute{'s' if minutes != 1 else ''}"


def _closing(told: DebriefView) -> str:
    return next((message.text for message in reversed(told.messages) if message.kind == "closed"), "")


def _impact(told: DebriefView) -> tuple[str, ...]:
    impact = told.impact
    named = f"Accession numbers: {', '.join(impact.exams)}." if impact.exams else ""
    lasted = f"From the first failure to the recovery: {_minutes(impact.seconds)}." if impact.seconds else ""
    harm = [line.sentence for line in told.harm if not line.by_trainee]
    own = [f"In the course of the repair: {line.sentence}" for line in told.harm if line.by_trainee]
    return tuple(text for text in (impact.sentence, named, lasted, *harm, *own) if text)


WHO = {"you": "Administrator", "department": "Department", "people": "People"}
"""The lanes of the timeline in a report's words."""


def _timeline(told: DebriefView) -> tuple[Row, ...]:
    shown = [entry for entry in told.timeline if entry.group not in ("hint", "note")]
    return tuple(
        Row(when=clock(entry.elapsed_s), who=WHO.get(entry.lane, ""), what=entry.sentence) for entry in shown[:LINES]
    )


def _root_cause(told: DebriefView) -> tuple[str, ...]:
    found = next((part for part in told.diagnosis if part.part == "fault"), None)
    said = f"Diagnosed as: {found.said}." if found and found.said else "No diagnosis was committed."
    right = "" if found is None or found.was_right else f"The lesson's answer: {found.right}."
    causes = told.faults or ("Nothing was broken.",)
    return (*causes, " ".join(text for text in (said, right) if text))


def _done(told: DebriefView) -> tuple[str, ...]:
    changes = tuple(f"{clock(entry.elapsed_s)}  {entry.sentence}" for entry in told.timeline if entry.group == "change")
    did = told.account.did.strip() if told.account else ""
    own = (did,) if did else ()
    return (*own, *changes) or ("Nothing was changed.",)


def _verification(told: DebriefView) -> tuple[str, ...]:
    if not told.findings:
        return ("The department was not checked.",)
    return tuple(f"{finding.verdict.value}: {finding.sentence}" for finding in told.findings)


SAID = {
    "ticket": "{who} called",
    "asked": "Asked {who}",
    "answered": "{who} answered",
    "updated": "Update",
    "closed": "Closed",
}
"""Who speaks in a message, by its kind."""


def _communication(told: DebriefView) -> tuple[Row, ...]:
    return tuple(Row(when=clock(message.elapsed_s), who=_who(message), what=message.text) for message in told.messages)


def _who(message: Message) -> str:
    return SAID.get(message.kind, "{who}").format(who=message.who)


def _communication_missing(told: DebriefView) -> tuple[str, ...]:
    kinds = {message.kind for message in told.messages}
    missing = [
        text
        for kind, text in (("updated", "an update while people waited"), ("closed", "a closing message"))
        if kind not in kinds
    ]
    return (f"Missing: {' and '.join(missing)}.",) if missing else ()


def _prevention(told: DebriefView) -> tuple[str, ...]:
    own = told.account.differently.strip() if told.account else ""
    return (*((own,) if own else ()), *lessons(told.text)) or ("Nothing was written down.",)


def lessons(text: str) -> tuple[str, ...]:
    """What a lesson's debrief says to take to work, item by item, without its markup."""
    _, found, after = text.partition(TO_WORK)
    if not found:
        return ()
    items: list[str] = []
    for line in after.splitlines():
        if line.startswith("## "):
            break
        if line.startswith("- "):
            items.append(line[2:].strip())
        elif line.startswith("  ") and items:
            items[-1] += f" {line.strip()}"
    return tuple(_plain(item) for item in items)


def _plain(text: str) -> str:
    return re.sub(r"[*`_]{1,2}(\S(?:.*?\S)?)[*`_]{1,2}", r"\1", text)


def _evidence(told: DebriefView) -> tuple[str, ...]:
    clues = _sentences(f"{clue.text} {clue.sentence}" for clue in told.evidence)
    pins = [f"{clock(e.elapsed_s)}  {e.sentence}" for e in told.timeline if e.group == "pin"]
    said = (f"In the administrator's words: {told.said_evidence}",) if told.said_evidence else ()
    return (*said, *pins, *clues) or ("No evidence was kept.",)


def _sentences(lines: Iterable[str]) -> Sequence[str]:
    return [" ".join(line.split()) for line in lines]
