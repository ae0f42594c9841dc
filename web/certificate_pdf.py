"""The certificate as a PDF: the same value as its page, set on paper."""

from __future__ import annotations

from flask_babel import gettext as _

from web.pdf import Paper
from web.practice.certificate import Certificate, Passed
from web.practice.screen import OUTCOME_LOOKS, certificate_statement


def certificate_pdf(made: Certificate) -> bytes:
    """The whole document."""
    paper = Paper(_("Certificate of completion"), _("PACS Sandbox, certificate of completion"))
    paper.paragraph("PACS Sandbox", quiet=True)
    paper.heading(_("Certificate of completion"), 22)
    paper.heading(made.name, 17)
    paper.paragraph(summary(made), size=11)
    if made.stages:
        paper.heading(_("Stages mastered"))
        paper.items(made.stages)
    if made.lessons:
        paper.heading(_("Drills solved"))
        columns = (_("Drill"), _("Guided"), _("As a drill, of 100"), _("As an exam, of 100"), _("Departments"))
        rows = (
            (
                f"{one.title} ({_('mastered')})" if one.mastered else one.title,
                one.guided.on.isoformat() if one.guided else "–",
                passed(one.drill),
                passed(one.exam),
                str(one.departments),
            )
            for one in made.lessons
        )
        paper.rows(columns, rows, (54, 21, 36, 36, 26))
    if made.exams:
        paper.heading(_("Exam simulations"))
        score = _("Score, of 100")
        paper.rows((_("Handed in"), score), ((one.on.isoformat(), str(one.score)) for one in made.exams), (1, 1))
    paper.heading(_("What this is"))
    paper.paragraph(certificate_statement())
    paper.paragraph(_("SHA-256 of the contents: %(digest)s", digest=made.digest_in_groups), quiet=True, size=9)
    return paper.finish()


def summary(made: Certificate) -> str:
    """What was done, in one sentence, with the day it was issued."""
    said = _(
        "solved %(solved)s of %(all)s drills of the PACS Sandbox and mastered %(mastered)s, in %(attempts)s attempts"
        " and %(hours)s hours.",
        solved=made.solved,
        all=made.of,
        mastered=made.mastered,
        attempts=made.attempts,
        hours=made.hours,
    )
    if made.first and made.last:
        between = _("Between %(first)s and %(last)s.", first=made.first.isoformat(), last=made.last.isoformat())
        said = f"{said} {between}"
    issued = _("Issued %(day)s.", day=made.issued.isoformat())
    return f"{said} {issued}"


def passed(one: Passed | None) -> str:
    """One cell: the day, how, and the score if there is one."""
    if one is None:
        return "–"
    score = "" if one.score is None else f", {one.score}"
    return f"{one.on.isoformat()} {OUTCOME_LOOKS[one.outcome].word}{score}"
