"""The linter: silent about what is right; about what is wrong it names file, key and mend."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from sandbox.drill.lint import lint
from sandbox.drill.lint_claims import CAUSE_WORDS_OF
from sandbox.drill.lint_content import CAUSE_WORDS
from sandbox.drill.load import scenarios_folder
from sandbox.drill.scaffold import scaffold
from sandbox.faults.registry import faults
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from tests.drill.support import write_tiny

ANSWER = '[[answer]]\nto = "{to}"\nabout = "{about}"\ntext = "{text}"\n\n'
LAST_HINT = '[[hint]]\ntext = "Set it to {ae:ROUTER}, save, restart."\n'


def test_a_sound_scenario_has_no_problems(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path)
    assert lint(folder) == []
    assert lint(folder / "scenario.toml") == []


@pytest.mark.parametrize(
    ("old", "new", "key", "sentence", "mend"),
    [
        # structure
        ("difficulty = 1", "dificulty = 1", "difficulty", "missing", "dificulty"),
        ("difficulty = 1", "difficulty = 1\nexpect_minutes = 3", "expect_minutes", "no key", "expected_minutes"),
        ("difficulty = 1", "difficulty = 9", "difficulty", "less than or equal to 5", ""),
        ('from = "sonographer"', 'form = "sonographer"', "ticket[1].from", "missing", "'form'"),
        ("[[exam]]", "[[exams]]", "exams", "no key", "'exam'"),
        ("difficulty = 1", 'difficulty = 1\nslug = "x"', "slug", "not yours", "folder"),
        ("difficulty = 1", "difficulty = = 1", "", "no TOML", "line"),
        # site and nodes
        ('site = "riverside"', 'site = "riversides"', "site", "no site", "riverside"),
        ('node = "US1"\npeer', 'node = "US11"\npeer', "fault[1]", "no node 'US11'", "US1"),
        ('[diagnosis]\nnode = "US1"', '[diagnosis]\nnode = "US9"', "diagnosis.node", "no node", "US1"),
        ('at = "ARCHIVE"\nimages', 'at = "ARCHIV"\nimages', "check[1]", "no node 'ARCHIV'", "ARCHIVE"),
        # faults
        ('kind = "config.called_ae_title"', 'kind = "config.called_ae"', "fault[1]", "no fault", "called_ae_title"),
        ('peer = "ROUTER"', 'pear = "ROUTER"', "fault[1]", "no parameter 'pear'", "'peer'"),
        ('peer = "ROUTER"', 'peer = "WS1"', "fault[1]", "cannot happen here", "ROUTER"),
        ('value = "{typo:ROUTER}"', 'value = "{tipo:ROUTER}"', "fault[1]", "means nothing", "ae"),
        ('value = "{typo:ROUTER}"', 'value = "A VERY LONG AE TITLE"', "fault[1]", "20 characters", ""),
        # exams
        ('procedure = "USRENAL"', 'procedure = "USRENALS"', "exam[1].procedure", "cannot do", "USRENAL"),
        ('node = "US1"\nprocedure', 'node = "WS1"\nprocedure', "exam[1].node", "makes no exams", "modality"),
        ('at = "-20 min"', 'at = "soonish"', "exam[1].at", "no moment", "friday"),
        ('at = "-20 min"', 'same_patient = "kidneys"', "exam[1].same_patient", "no other exam", ""),
        ('at = "-20 min"', 'namesake_of = "kidney"', "exam[1].namesake_of", "no other exam", ""),
        ('starts = "tuesday 09:00"', 'starts = "tuesday 29:00"', "starts", "no moment", "friday"),
        (
            '[[fault]]\nkind = "config.called_ae_title"\nnode = "US1"\npeer = "ROUTER"\nvalue = "{typo:ROUTER}"',
            '[[fault]]\nkind = "tls.expired"\nnode = "ROUTER"',
            "starts",
            "the machine's clock",
            "any hour",
        ),
        # checks
        ('kind = "exam_arrives"', 'kind = "exam_arrive"', "check[1]", "no check", "exam_arrives"),
        ('exams = "kidney"', 'exams = "kidneys"', "check[2]", "No exam", "kidney"),
        ('id = "us-is-archived"\n', "", "check[1]", "needs an id", ""),
        ('id = "kidney-is-there"', 'id = "us-is-archived"', "check or invariant", "occurs 2 times", "own"),
        (
            'exams = "kidney"',
            'says = "US1 knows its AE title."\nexams = "kidney"',
            "check[2].says",
            "'ae title'",
            "kept_",
        ),
        (
            'exams = "kidney"',
            'says = "US1 is rejected no more."\nexams = "kidney"',
            "check[2].says",
            "'rejected'",
            "kep",
        ),
        ('exams = "kidney"', 'kept_bak = true\nexams = "kidney"', "check[2]", "no parameter", "kept_back"),
        # answers
        (LAST_HINT, ANSWER.format(to="sonografer", about="see", text="Red.") + LAST_HINT, "answer[1].to", "Nobody", ""),
        (LAST_HINT, ANSWER.format(to="mr_tech", about="colour", text="Red.") + LAST_HINT, "answer[1].about", "", ""),
        (
            LAST_HINT,
            ANSWER.format(to="mr_tech", about="again", text="Red.") + LAST_HINT,
            "answer[1].about",
            "",
            "tries",
        ),
        (
            LAST_HINT,
            ANSWER.format(to="mr_tech", about="see", text="{patent}") + LAST_HINT,
            "answer[1].text",
            "means",
            "",
        ),
        (LAST_HINT, ANSWER.format(to="mr_tech", about="see", text=" ") + LAST_HINT, "answer[1].text", "no text", ""),
        (LAST_HINT, 2 * ANSWER.format(to="mr_tech", about="see", text="A.") + LAST_HINT, "answer", "2 times", "one"),
        # people, tickets, texts
        ('from = "sonographer"', 'from = "sonografer"', "ticket[1].from", "Nobody", "sonographer"),
        ("{patient}'s kidneys", "{patent}'s kidneys", "ticket[1].subject", "means nothing", "patient"),
        ('text = "ticket.md"', 'text = "tickets.md"', "ticket.text", "cannot be read", "ticket.md"),
        ("Look at US1, where {accession} waits.", "See {stomach.accession}", "hint[1].text", "means nothing", ""),
        # the cause is not to be given away
        ("Ultrasound images do not", "Wrong AE title, images do not", "title", "gives the cause away", "sees"),
        ("{patient}'s kidneys", "Association rejected", "ticket[1].subject", "gives the cause away", ""),
        # ladder, diagnosis
        (LAST_HINT, "", "hint", "3 rungs", "worked step"),
        ('fault = "called-title-mistyped"', 'fault = "gremlins"', "diagnosis.fault", "not among", "wrong-port"),
        ('layer = "association"', 'layer = "associations"', "diagnosis.layer", "no layer", "association"),
        ('value = "never-sent"', 'value = "wrong-port"', "diagnosis.choices", "occurs 2 times", ""),
        # ways
        ('command = "queue.discard"', 'command = "queue.discrad"', "decoy[2].step[1]", "no command", "queue.discard"),
        ("set = { check_called_ae = false }", "sett = { a = 1 }", "decoy[1].step[1]", "no parameter", "'set'"),
        ('command = "node.restart"\nnode = "US1"', 'command = "node.restart"', "solution[1].step[2]", "node", ""),
        ('node = "US1"\ndestination', 'node = "US01"\ndestination', "decoy[2].step[1].node", "no node", "US1"),
        ('harm = "It is gone."\n', "", "decoy[2].harm", "harm", "debrief"),
        ('fails = ["names-are-checked"]\n', "", "decoy[1].fails", "which check", "names-are-checked"),
        ('fails = ["names-are-checked"]', 'fails = ["names"]', "decoy[1].fails", "no check", "names-are-checked"),
        ('title = "Correct the title"', 'title = "Correct the title"\nharm = "x"', "solution[1]", "no harm", "decoy"),
        ('title = "Throw away what waits"', 'title = "Correct the title"', "solution or decoy", "2 times", ""),
        # words
        ('family = "it-will-not-send"', 'family = "it-wont-send"', "family", "no family", "it-will-not-send"),
        ('topics = ["cdip:negotiation"]', 'topics = ["cdip:negotiating"]', "topics[1]", "no topic", "negotiation"),
        ('event = "association.rejected"', 'event = "association.reject"', "evidence[1].event", "no event", "rejected"),
    ],
)
def test_each_problem_names_key_and_mend(
    tmp_path: Path, old: str, new: str, key: str, sentence: str, mend: str
) -> None:
    problems = lint(write_tiny(tmp_path, spoil={old: new}))
    assert problems, "the linter saw nothing"
    found = [problem for problem in problems if problem.key == key]
    assert found, [str(problem) for problem in problems]
    assert sentence in found[0].sentence, found[0]
    assert mend in found[0].mend, found[0]
    assert found[0].file.endswith((".toml", ".md"))


def test_problems_in_texts_name_the_text(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path)
    (folder / "debrief.md").write_text("It was {nobody.knows}.", encoding="utf-8")
    (folder / "ticket.md").write_text("  \n", encoding="utf-8")
    files = {problem.file: problem for problem in lint(folder)}
    assert "means nothing" in files["debrief.md"].sentence
    assert "no text" in files["ticket.md"].sentence


def test_a_slug_is_kebab_case_and_names_no_cause(tmp_path: Path) -> None:
    keys = [problem.sentence for problem in lint(write_tiny(tmp_path, slug="Router_rule"))]
    assert any("no slug" in sentence for sentence in keys)
    assert any("gives the cause away" in sentence for sentence in lint_sentences(tmp_path / "second"))


def lint_sentences(root: Path) -> list[str]:
    return [problem.sentence for problem in lint(write_tiny(root, slug="routing-rule-of-the-router"))]


def test_several_problems_are_told_at_once(tmp_path: Path) -> None:
    spoil = {'from = "sonographer"': 'from = "x"', 'layer = "association"': 'layer = "y"', LAST_HINT: ""}
    assert len(lint(write_tiny(tmp_path, spoil=spoil))) == 3


def test_a_folder_without_a_scenario(tmp_path: Path) -> None:
    assert "scenario.toml" in lint(tmp_path)[0].sentence


def test_cause_words_are_in_order() -> None:
    assert list(CAUSE_WORDS) == sorted(CAUSE_WORDS)


def test_every_fault_has_its_words_for_claims() -> None:
    assert set(CAUSE_WORDS_OF) == set(faults())


def test_what_is_told_when_it_was_judged_may_name_the_cause(tmp_path: Path) -> None:
    spoil = {'exams = "kidney"': 'says = "US1 knows its AE title."\nkept_back = true\nexams = "kidney"'}
    assert lint(write_tiny(tmp_path, spoil=spoil)) == []


def test_where_nothing_is_broken_no_claim_says_so(tmp_path: Path) -> None:
    folder = scenarios_folder() / "the-clinics-hand-never-came"
    text = (folder / "scenario.toml").read_text(encoding="utf-8")
    copy = tmp_path / folder.name
    copytree(folder, copy)
    (copy / "scenario.toml").write_text(text.replace("kept_back = true\n", ""), encoding="utf-8")
    assert [(problem.key, "'broken'" in problem.sentence) for problem in lint(copy)] == [("invariant[1].says", True)]


def test_a_new_scenario_lints_as_it_is_written(tmp_path: Path) -> None:
    folder = scaffold("mr-images-not-archived", title="MR images do not reach the archive", root=tmp_path)
    assert lint(folder) == []
    with pytest.raises(ConflictError):
        scaffold("mr-images-not-archived", root=tmp_path)
    with pytest.raises(BadInputError):
        scaffold("MR Images", root=tmp_path)
    with pytest.raises(NotFoundError):
        scaffold("mr-at-night", site="nowhere", root=tmp_path)
    with pytest.raises(BadInputError):
        scaffold("mr-at-night", title='"quoted"', root=tmp_path)
