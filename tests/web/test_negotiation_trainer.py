"""The negotiation trainer: rounds from seeds, the comparison with what happened, and the pages around them."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydicom.uid import UID

from sandbox.model.view import AssociationView, ContextView
from tests.web.conftest import Visitor
from web.trainers import negotiation
from web.trainers.negotiation import ACCEPTED, IMPLICIT, LEVELS, NO_CLASS, NO_SYNTAX, REFUSED, Level, Round


def expected(one: Round) -> list[str]:
    """What the standard and the acceptor's list lead to."""
    found = []
    for line in one.lines:
        common = [uid for uid in one.prefers if uid in line.transfer_syntaxes]
        found.append(
            NO_CLASS if line.abstract_syntax not in one.takes else f"{ACCEPTED}:{common[0]}" if common else NO_SYNTAX
        )
    return found


def happened(one: Round, outcome: str = "released", sentence: str = "") -> AssociationView:
    contexts = []
    for place, said in enumerate(expected(one)):
        kind, _, syntax = said.partition(":")
        contexts.append(
            ContextView(
                id=2 * place + 1,
                abstract_syntax=one.lines[place].abstract_syntax,
                abstract_name="",
                transfer_syntaxes=(),
                transfer_names=(),
                result=0 if kind == ACCEPTED else int(kind),
                accepted_transfer=UID(syntax).name if syntax else "",
            )
        )
    return AssociationView(
        id="a-9",
        at=datetime(2026, 11, 23),
        source=one.caller,
        target=one.called,
        calling_ae=one.calling_ae,
        called_ae=one.called_ae,
        source_address="",
        target_address="",
        outcome=outcome,
        sentence=sentence or "Done.",
        contexts=() if outcome == "rejected" else tuple(contexts),
        first_event=1,
    )


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: str(level.number))
def test_rounds_are_of_their_seed_and_keep_to_the_standard(level: Level) -> None:
    answers: set[str] = set()
    for seed in range(60):
        one = negotiation.make(level, seed, "lab")
        assert one == negotiation.make(level, seed, "lab")
        assert len(one.lines) == len(set(one.lines)) == level.contexts
        assert IMPLICIT in one.prefers
        for abstract in {line.abstract_syntax for line in one.lines}:
            # PS3.5 10.1: the default transfer syntax is proposed for every class.
            assert any(IMPLICIT in line.transfer_syntaxes for line in one.lines if line.abstract_syntax == abstract)
        answers |= {answer.partition(":")[0] for answer in expected(one)}
        for place, answer in enumerate(expected(one)):
            assert answer in negotiation.choices(one.lines[place])
    assert answers == {ACCEPTED, NO_CLASS, NO_SYNTAX}


def test_a_right_prediction_is_right_and_a_wrong_one_is_not() -> None:
    one = negotiation.make(LEVELS[1], 4, "lab")
    said = expected(one)
    assert negotiation.compared(one, tuple(said), "", happened(one)).score == 100
    said[0] = NO_SYNTAX if said[0] != NO_SYNTAX else NO_CLASS
    told = negotiation.compared(one, tuple(said), "", happened(one))
    assert (told.right, told.asked, told.verdicts[0].is_right) == (4, 5, False)


def test_a_refused_association_answers_no_context() -> None:
    one = negotiation.make(LEVELS[3], 1, "lab")
    refused = happened(one, "rejected", "A to B: rejected (1/1/7), called AE title not recognised.")
    foreseen = negotiation.compared(one, ("",) * len(one.lines), "1/1/7", refused)
    assert foreseen.score == 100
    assert {verdict.happened for verdict in foreseen.verdicts} == {REFUSED}
    wrong = negotiation.compared(one, tuple(expected(one)), "", refused)
    assert (wrong.right, wrong.refusal) == (0, "1/1/7")


def test_a_round_is_begun_answered_and_kept(visitor: Visitor) -> None:
    assert "No round yet." in visitor.page("/trainers/negotiation/")
    round_page = visitor.post("/trainers/negotiation/", {"level": "1", "seed": "5"}).headers["Location"]
    one = negotiation.make(LEVELS[0], 5, "")
    assert "Send the request" in visitor.page(round_page)
    nothing = visitor.post(round_page, {})
    assert nothing.status_code == 400
    assert "3 contexts have no answer yet." in nothing.text
    answers = {f"context-{place}": negotiation.choices(line)[-1] for place, line in enumerate(one.lines)}
    assert visitor.post(round_page, answers).headers["Location"] == round_page
    assert "What they agreed on" in visitor.page(round_page)
    assert visitor.post(round_page, answers).status_code == 409
    assert "of 3" in visitor.page("/trainers/negotiation/")


@pytest.mark.parametrize("path", ["/trainers/negotiation/999", "/trainers/negotiation/0"])
def test_a_round_that_is_not_there_is_told(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_trainers_are_listed(visitor: Visitor) -> None:
    assert "/trainers/negotiation/" in visitor.page("/trainers/")
