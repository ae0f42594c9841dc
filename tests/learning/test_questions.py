"""Questions: what makes sense, how choices are shuffled, and what each kind of answer is worth."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.learning.questions import (
    Kind,
    Question,
    is_reference,
    is_right,
    number,
    right_answer,
    score,
    shuffled,
    shuffled_partners,
)

WHY = "Because it is so."
STEM = "Something happened in the department. What do you do?"


def option(text: str, **over: Any) -> dict[str, Any]:
    return {"text": text, "why": WHY, **over}


def question(kind: Kind, **over: Any) -> Question:
    known: dict[str, Any] = {
        "id": "one",
        "topic": "cdip:storage",
        "difficulty": 1,
        "kind": kind,
        "stem": STEM,
        "reference": ["PS3.4 B"],
    }
    match kind:
        case Kind.SINGLE:
            known["choices"] = [option("a", right=True), option("b"), option("c"), option("d")]
        case Kind.SEVERAL:
            known["choices"] = [option("a", right=True), option("b", right=True), option("c"), option("d")]
        case Kind.ORDER:
            known["choices"] = [option(text) for text in "abcd"]
        case Kind.MATCH:
            known["choices"] = [option(text, match=text.upper()) for text in "abc"]
        case Kind.NUMBER:
            known |= {"answer": 7.5, "tolerance": 0.05, "why": WHY}
    return Question.model_validate(known | over)


@pytest.mark.parametrize(
    ("kind", "answer", "points"),
    [
        (Kind.SINGLE, ("a",), 1),
        (Kind.SINGLE, ("b",), 0),
        (Kind.SINGLE, (), 0),
        (Kind.SEVERAL, ("a", "b"), 1),
        (Kind.SEVERAL, ("b", "a"), 1),
        (Kind.SEVERAL, ("a",), 0.5),
        (Kind.SEVERAL, ("a", "c"), 0),
        (Kind.SEVERAL, ("a", "b", "c"), 0.5),
        (Kind.SEVERAL, ("a", "b", "c", "d"), 0),
        (Kind.ORDER, ("a", "b", "c", "d"), 1),
        (Kind.ORDER, ("b", "a", "c", "d"), 2 / 3),
        (Kind.ORDER, ("d", "c", "b", "a"), 0),
        (Kind.ORDER, ("a", "b", "", "d"), 0),
        (Kind.MATCH, ("a", "b", "c"), 1),
        (Kind.MATCH, ("a", "c", "b"), 1 / 3),
        (Kind.MATCH, ("", "b", ""), 1 / 3),
        (Kind.NUMBER, ("7.5",), 1),
        (Kind.NUMBER, ("7,54",), 1),
        (Kind.NUMBER, ("7.56",), 0),
        (Kind.NUMBER, ("about seven",), 0),
    ],
)
def test_partial_credit_is_given_where_there_is_something_partial(
    kind: Kind, answer: tuple[str, ...], points: float
) -> None:
    one = question(kind)
    assert score(one, answer) == pytest.approx(points)
    assert is_right(one, answer) is (points == 1)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_right_answer_scores_in_full(kind: Kind) -> None:
    assert score(question(kind), right_answer(question(kind))) == 1


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("16378", 16378),
        ("16 378", 16378),
        ("16,378", 16378),
        ("43,2", 43.2),
        (" 43.2 ", 43.2),
        ("-1024", -1024),
        ("1e3", None),
        ("1.2.3", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_people_type_them(typed: str, value: float | None) -> None:
    assert number(typed) == value


def test_choices_are_shuffled_by_the_seed_and_an_order_never_gives_itself_away() -> None:
    one = question(Kind.SINGLE)
    assert shuffled(one, 1) == shuffled(one, 1)
    assert len({shuffled(one, seed) for seed in range(40)}) > 5
    order = question(Kind.ORDER)
    assert all(shuffled(order, seed) != order.keys for seed in range(200))
    match = question(Kind.MATCH)
    assert sorted(shuffled_partners(match, 3)) == list(match.keys)


@pytest.mark.parametrize(
    ("kind", "over", "says"),
    [
        (Kind.SINGLE, {"choices": [option("a"), option("b"), option("c")]}, "one of them right"),
        (Kind.SINGLE, {"topic": "cdip:cooking"}, "topics of the curriculum"),
        (Kind.SINGLE, {"also": ["cdip:storage"]}, "does not repeat"),
        (Kind.SINGLE, {"reference": ["the standard"]}, "known forms"),
        (Kind.SINGLE, {"answer": 4}, "belong to a number"),
        (Kind.SINGLE, {"choices": [option("a", right=True), option("a"), option("c")]}, "differ"),
        (Kind.SEVERAL, {"choices": [option(text, right=True) for text in "abcd"]}, "one wrong"),
        (Kind.MATCH, {"choices": [option("a", match="A"), option("b", match="A"), option("c", match="C")]}, "its own"),
        (Kind.NUMBER, {"why": ""}, "and a why"),
    ],
)
def test_what_makes_no_sense_is_refused(kind: Kind, over: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        question(kind, **over)


def test_references_name_a_place() -> None:
    good = ("PS3.8 9.3.4", "PS3.4 C.4.2.1.5", "PS3.16 TID 1500", "RFC 9325 3.1", "IHE RAD SWF.b", "HL7 v2.5.1 ch. 3")
    assert all(is_reference(one) for one in good)
    assert not any(is_reference(one) for one in ("PS3.8 section 9", "PS3.1", "DICOM", "RFC", "see the manual"))
