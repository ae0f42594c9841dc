"""What a progress file brings in was written by anybody, or by another version: it breaks no page."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from sandbox.drill.question_bank import question_bank
from tests.web.conftest import Visitor
from web.exam.paper import Paper, QuestionItem, TopicRow
from web.trainers import twins
from web.trainers.twins import Round

PAIR = twins.make(3)
ROUND = Round(pair=PAIR, labs=("a", "b"), said=PAIR.causes[0]).model_dump(mode="json")


def bring_in(visitor: Visitor, kind: str, document: object) -> None:
    """Import a progress file with one finished sitting."""
    at = "2026-11-20T10:00:00Z"
    sitting = {"kind": kind, "started": at, "finished": at, "score": 40, "document": document}
    whole = {"format": "pacs-sandbox-progress", "version": 1, "exported": at, "sittings": [sitting]}
    file = (io.BytesIO(json.dumps(whole).encode()), "progress.json")
    assert visitor.post("/progress/import", {"file": file}, token_from="/progress/").status_code == 302


@pytest.mark.parametrize("handed_in", [True, False])
def test_an_exam_of_another_version_from_a_file_breaks_no_page(visitor: Visitor, handed_in: bool) -> None:
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    strange = (("zz", "d", "f", "a", "a"), ("",), ("1" * 5000,))
    items = tuple(
        QuestionItem(question=question, topic="gone:topic", answer=answer)
        for question in question_bank()
        for answer in strange
    )
    rows = (TopicRow(topic="gone:topic", asked=3, right=1, points=1.0),)
    paper = Paper(
        seed=1, length="endless", focus="moon", begun=at, deadline=None, items=items, rows=rows,
        submitted=at if handed_in else None,
    )  # fmt: skip
    bring_in(visitor, "exam", paper.model_dump(mode="json"))
    assert "Drawn by another version" in visitor.page("/exam/")
    page = visitor.page("/exam/1/result" if handed_in else "/exam/1/")
    assert ("Drawn by another version" in page) is handed_in
    if not handed_in:
        kinds = {
            question_bank()[item.question].kind: place for place, item in enumerate(items, 1) if "zz" in item.answer
        }
        for place in kinds.values():
            visitor.page(f"/exam/1/{place}")


@pytest.mark.parametrize(
    "wrong", [{"begun": "2026-11-20T10:00:00"}, {"rows": [{"topic": "x", "points": float("nan")}]}]
)
def test_an_exam_that_cannot_be_counted_or_dated_is_not_shown(visitor: Visitor, wrong: dict[str, object]) -> None:
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    paper = Paper(seed=1, length="short", focus="both", begun=at, deadline=None, items=(), submitted=at)
    bring_in(visitor, "exam", paper.model_dump(mode="json") | wrong)
    assert "No exam yet." in visitor.page("/exam/")
    assert visitor.get("/exam/1/result").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 200),
        ({"pair": ROUND["pair"] | {"causes": ["moon", "sun"], "offered": ["moon", "sun"]}}, 404),
        ({"seen": [{"look": "the {moon}", "a": "x", "b": "y"}]}, 404),
        ({"everything": [{"look": "{modality:>99999999999}", "a": "x", "b": "y"}]}, 404),
    ],
    ids=["as it was", "causes", "a look that was taken", "a look"],
)
def test_a_round_that_names_what_there_is_not_breaks_no_page(
    visitor: Visitor, wrong: dict[str, object], status: int
) -> None:
    bring_in(visitor, "twins", ROUND | wrong)
    assert visitor.get("/trainers/twins/1").status_code == status
    for page in ("/", "/trainers/", "/trainers/twins/"):
        visitor.page(page)
