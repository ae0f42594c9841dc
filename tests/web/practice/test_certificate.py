"""The certificate lists what the records have and nothing else, and its digest is of its contents."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta

from sandbox.model.view import AttemptState
from tests.web.conftest import Visitor
from tests.web.practice.made import MONDAY, done, drill
from tests.web.stand_in import StandIn
from web.practice.certificate import Certificate, certificate, clean_name
from web.practice.modes import Mode
from web.practice.overview import overview
from web.practice.record import Outcome, Practised


def made(*history: Practised, name: str = "Anna Müller") -> Certificate:
    seen = overview((drill("a"), drill("b")), (), history, MONDAY + timedelta(days=30))
    return certificate(seen, [(MONDAY + timedelta(days=2), 74)] if history else [], name)


def test_only_what_was_solved_stands_on_it() -> None:
    found = made(
        done("a", seed=1, mode=Mode.GUIDED, hints=4),
        done("a", day=1, seed=2, hints=1, score=60),
        done("a", day=2, seed=3, score=91),
        done("a", day=3, seed=4, mode=Mode.EXAM, state="given-up", score=10),
        done("b", day=4, state="given-up"),
        done("b", day=5, state="running"),
    )
    (lesson,) = found.lessons
    assert (lesson.slug, lesson.departments, lesson.mastered) == ("a", 3, True)
    assert lesson.guided is not None
    assert lesson.guided.score is None, "guided is not scored"
    assert lesson.drill is not None
    assert (lesson.drill.score, lesson.drill.outcome) == (91, Outcome.FLUENT)
    assert lesson.exam is None, "an exam that was not passed is not listed as one"
    assert (found.solved, found.mastered, found.of, found.attempts) == (1, 1, 2, 5)
    assert found.hours == 1.2
    assert found.exams[0].score == 74


def test_nothing_done_is_an_empty_certificate() -> None:
    assert made().is_empty


def test_the_digest_changes_with_anything_on_it() -> None:
    one = made(done("a"))
    assert one.digest == made(done("a")).digest
    assert len({one.digest, made(done("a"), name="Ben").digest, made(done("a", score=81)).digest}) == 3
    assert one.digest == hashlib.sha256(one.document()).hexdigest()
    assert one.digest_in_groups.replace(" ", "") == one.digest


def test_a_name_is_one_printable_line() -> None:
    assert clean_name(" Anna\n\tMüller\x00 ") == "Anna Müller"
    assert len(clean_name("x" * 500)) == 80


def test_page_pdf_and_contents_say_the_same(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    assert "There is nothing on it yet." in visitor.page("/certificate/")
    assert visitor.get("/certificate/certificate.pdf?name=A").status_code == 400
    lab.state = AttemptState.SOLVED
    visitor.page(lab_path + "/")
    assert visitor.get("/certificate/certificate.pdf").status_code == 400, "a name is asked for"
    page = visitor.page("/certificate/?name=Anna+%3Cb%3EM%C3%BCller")
    assert "Anna &lt;b&gt;Müller" in page
    assert "It is no certification" in page
    contents = visitor.get("/certificate/certificate.json?name=Anna+%3Cb%3EM%C3%BCller")
    shown = re.search(r'certificate-digest.*?class="mono">([0-9a-f ]+)<', page)
    assert shown
    assert shown.group(1).replace(" ", "") == hashlib.sha256(contents.data).hexdigest()
    assert json.loads(contents.data)["lessons"][0]["slug"] == "drill"
    pdf = visitor.get("/certificate/certificate.pdf?name=Anna")
    assert pdf.data.startswith(b"%PDF-")
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="pacs-sandbox-certificate.pdf"'
