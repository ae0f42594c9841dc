"""Every kind of event has a sentence, and it reads well."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from sandbox.events.event import Event
from sandbox.events.kinds import KINDS, Body, QueueFailed
from sandbox.lab.sentences import GOOD, SENTENCES, event_view, value_in_words
from sandbox.model.association import AssociationFacts, DialFailure, DialOutcome, Exchange, Rejection, Side
from sandbox.model.config_path import Change
from sandbox.model.verdict import Finding, Verdict

FACTS = AssociationFacts(
    id="a7",
    node="ROUTER",
    side=Side.ACCEPTOR,
    called_ae="ROUTERX",
    calling_ae="CT1",
    local="198.18.20.20:104",
    peer="198.18.10.11:40112",
    peer_node="CT1",
)
SAMPLES: dict[type, Any] = {
    AssociationFacts: FACTS,
    DialFailure: DialFailure(outcome=DialOutcome.REFUSED, host="archive", port=11112),
    Exchange: Exchange(service="C-STORE", message_id=1, status=0xA700),
    Rejection: Rejection(result=1, source=1, reason=7),
    Finding: Finding(id="x", check="exam_arrives", verdict=Verdict.FAIL, sentence="The ED does not get CTs."),
    str: "ABC",
    int: 2,
    float: 3.0,
    bool: True,
}


def sample(kind: str) -> Body:
    """An event body with something in every field."""
    body = KINDS[kind]
    values: dict[str, Any] = {}
    for name, field in body.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and annotation in SAMPLES:
            values[name] = SAMPLES[annotation]
        elif name == "changes":
            values[name] = (Change(path="port", before=104, after=105),)
        elif name in ("rules", "destinations"):
            values[name] = ("to-archive",)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            pytest.fail(f"{kind}: give a sample of {annotation}")
        elif bool in get_args(annotation):
            values[name] = True
        elif get_args(annotation) and annotation is not None:
            values[name] = {} if "dict" in str(annotation) else ()
    return body(**values)


def view(kind: str, body: Body | None = None) -> Any:
    return event_view(Event(9, datetime(2026, 3, 1, 8, 0), "ROUTER", "system", None, body or sample(kind)))


def test_the_table_is_complete() -> None:
    assert set(SENTENCES) == set(KINDS)
    assert set(GOOD) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_well(kind: str) -> None:
    sentence = view(kind).sentence
    assert sentence
    assert sentence[0].isupper() or sentence[0].isdigit() or sentence == "ABC"
    assert "  " not in sentence
    assert not {"None", "{", "}", "frozenset", "DialOutcome", "<"} & set(sentence.split())
    assert sentence == "ABC" or sentence.rstrip().endswith((".", "ABC"))


def test_what_happened_is_named() -> None:
    assert view("association.rejected").sentence == (
        "Association from CT1 to ROUTERX rejected: called AE title not recognised."
    )
    assert view("association.rejected").association == "a7"
    assert view("association.rejected").good is False
    assert "out of resources" in view("dimse.exchanged").sentence
    assert "port from 104 to 105" in view("node.config.saved").sentence
    assert "archive:11112" in view("association.failed").sentence


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "on"),
        (False, "off"),
        ((), "nothing"),
        (["a", "b"], "a, b"),
        ({"name": "WS1", "port": 1}, "WS1"),
        ("", "nothing"),
        (104, "104"),
    ],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert value_in_words(value) == words


def test_a_reason_that_is_a_sentence_gets_one_full_stop() -> None:
    failed = QueueFailed(destination="ROUTER", waiting=6, attempt=2, reason="ROUTER said no.", retry_in_s=4)
    event = Event(seq=1, at=datetime(2026, 1, 1), node="CT1", actor="system", cause=None, body=failed)
    assert ".." not in event_view(event).sentence
