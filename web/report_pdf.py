"""The incident report as a PDF: the same value as its Markdown (sandbox.learning.report), set on paper."""

from __future__ import annotations

from flask_babel import gettext as _

from sandbox.learning.report import IncidentReport
from web.pdf import Paper


def report_pdf(report: IncidentReport) -> bytes:
    """The whole document."""
    paper = Paper(report.title, report.about.partition(".")[0])
    paper.heading(report.title, 17)
    paper.paragraph(report.about, quiet=True)
    for section in report.sections:
        paper.heading(section.title)
        for paragraph in section.paragraphs:
            paper.paragraph(paragraph)
        if section.items:
            paper.items(section.items)
        if section.rows:
            paper.rows(("Time", "Who", "What"), ((row.when, row.who, row.what) for row in section.rows), (13, 22, 90))
    if paper.lacks:
        paper.paragraph(_("Some letters are not in this document's type; the Markdown report has them."), quiet=True)
    return paper.finish()
