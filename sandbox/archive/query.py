"""C-FIND for Patient Root and Study Root (PS3.4 C.4.1): one answer for each entity at the level that was asked.

An answer holds the keys that were asked and are supported, the unique keys down to the level, the level itself,
Retrieve AE Title, and Specific Character Set where text needs it. Keys below the level and unknown ones are left out,
and then every answer is FF01 instead of FF00. Rows are read as they are answered; a C-CANCEL ends that at the next one.
Whatever is the same for all queries of one kind is made once: the statement, and the encoder of the answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from sqlalchemy import Select, literal_column, select

from sandbox.archive.answers import AnswerEncoder
from sandbox.archive.attributes import UNIQUE_KEY, Attribute, Level, lookup
from sandbox.archive.charset import TEXT_VRS, choose
from sandbox.archive.identifier import (
    QUERY_RETRIEVE_LEVEL,
    SPECIFIC_CHARACTER_SET,
    Keys,
    Refusal,
    Target,
    keys_in,
    read_target,
)
from sandbox.archive.index.conditions import condition, parameters
from sandbox.archive.index.index import Index
from sandbox.archive.index.reader import Rows
from sandbox.archive.index.rows import FROM, column_of
from sandbox.archive.index.schema import TABLE, studies
from sandbox.archive.matching import RULES, Matcher, Rule, matcher
from sandbox.archive.narrowing import Shape, shape_of, values_of
from sandbox.dicom.contract import FindAnswer, Query
from sandbox.model.errors import UnavailableError

PENDING, PENDING_WITHOUT_SOME_KEYS, CANCELLED = 0xFF00, 0xFF01, 0xFE00
OUT_OF_RESOURCES = 0xA700

_RETRIEVE_AE_TITLE = 0x00080054
_INSTANCE_AVAILABILITY = 0x00080056
_NO_KEYS = frozenset({SPECIFIC_CHARACTER_SET, QUERY_RETRIEVE_LEVEL, _RETRIEVE_AE_TITLE, _INSTANCE_AVAILABILITY})
# The first few are answered soon.
_FIRST_AT_A_TIME, _ROWS_AT_A_TIME = 32, 256
_ENCODERS_AT_A_TIME = 256


@dataclass(frozen=True)
class Question:
    """A sound C-FIND identifier: what to answer, what to match, and whether some of it is beyond us."""

    target: Target
    answered: tuple[Attribute, ...]
    matchers: tuple[Matcher, ...]
    incomplete: bool
    with_availability: bool
    items_asked: dict[int, list[dict[str, object]]]


def read_question(sop_class: str, keys: Keys) -> Question | Refusal:
    """What an identifier asks, or why it is refused."""
    target = read_target(sop_class, keys)
    if isinstance(target, Refusal):
        return target
    known = _known(target.level)
    asked = {UNIQUE_KEY[level].tag: UNIQUE_KEY[level] for level in target.unique}
    matchers: list[Matcher] = []
    items_asked: dict[int, list[dict[str, object]]] = {}
    incomplete = False
    for tag, wanted in keys.texts.items():
        if tag in _NO_KEYS or not tag & 0xFFFF:
            continue
        attribute = known.get(tag)
        if attribute is None:
            incomplete = True
            continue
        asked[tag] = attribute
        if not wanted:
            continue
        if attribute.vr == "SQ":
            items_asked[tag] = json.loads(wanted)
        if (found := matcher(attribute, wanted)) is not None:
            matchers.append(found)
    return Question(
        target=target,
        answered=tuple(asked.values()),
        matchers=tuple(matchers),
        incomplete=incomplete,
        with_availability=_INSTANCE_AVAILABILITY in keys.texts,
        items_asked=items_asked,
    )


_known = lru_cache(lookup)


def find(index: Index, ae_title: str, query: Query) -> Iterator[FindAnswer]:
    """The answers to a query, one by one. A failure or a cancel is the last, and carries no identifier."""
    question = read_question(query.sop_class, keys_in(query))
    if isinstance(question, Refusal):
        yield FindAnswer(question.status, comment=question.comment)
        return
    status = PENDING_WITHOUT_SOME_KEYS if question.incomplete else PENDING
    kind, values_asked = kind_of(question)
    encode = _encoder(query.transfer_syntax, *kind[:2], ae_title, question.with_availability).encode
    matches = _matches(question, index.reader.rows(statement, kind, values_asked))
    size = _FIRST_AT_A_TIME
    try:
        while batch := list(islice(matches, size)):
            is_last, size = len(batch) < size, _ROWS_AT_A_TIME
            for place, values in enumerate(batch, 1):
                encoded = encode(values)
                if encoded is not None:
                    # Made faster than a C-CANCEL is looked for: whoever sends them does that between two writes.
                    yield FindAnswer(status, encoded=encoded, at_hand=is_last or place < len(batch))
                elif query.is_cancelled():
                    yield FindAnswer(CANCELLED)
                    return
                else:
                    yield FindAnswer(status, _answer(question, values, ae_title))
    except UnavailableError:
        yield FindAnswer(OUT_OF_RESOURCES, comment="The index cannot be read at the moment")


def kind_of(question: Question) -> tuple[tuple[Any, ...], list[str]]:
    """What ``statement`` is made from, which is hashable, and the values of its parameters."""
    tags = tuple([attribute.tag for attribute in question.answered])
    narrowed = [(found.attribute.level, found.narrow) for found in question.matchers if found.narrow is not None]
    shapes = tuple([(level, shape_of(narrow)) for level, narrow in narrowed])
    return (question.target.level, tags, shapes), [value for _, narrow in narrowed for value in values_of(narrow)]


def _matches(question: Question, rows: Rows) -> Iterator[Sequence[str]]:
    """The values of ``question.answered`` for each entity that matches."""
    answered = question.answered
    position = {attribute.tag: place for place, attribute in enumerate(answered)}
    checks = [(position[found.attribute.tag], found.accepts) for found in question.matchers if not found.exact]
    at_patient = question.target.level is Level.PATIENT
    numbers = any(attribute.computed for attribute in answered)
    previous: object = None
    for row in rows:
        values: Sequence[str] = [str(value) for value in row] if numbers else row
        if at_patient and row[-1] == previous:
            continue
        if not checks or all(accepts(values[place]) for place, accepts in checks):
            previous = row[-1]
            yield values[: len(answered)] if at_patient else values


def statement(level: Level, tags: tuple[int, ...], shapes: tuple[tuple[Level, Shape], ...]) -> Select[*tuple[Any, ...]]:
    """The statement for the attributes with these tags at ``level``, and for narrowings of these shapes (each of an
    attribute of the level it comes with). Patients come study by study, the newest first; the first that matches
    speaks for the patient."""
    known = _known(level)
    columns = [column_of(known[tag]) for tag in tags]
    if level is Level.PATIENT:
        columns.append(studies.c.patient_key)
    made = select(*columns).select_from(FROM[level])
    values = parameters()
    for of_level, shape in shapes:
        made = made.where(condition(TABLE[of_level], shape, values))
    if level is Level.PATIENT:
        # SQLite would rather read the whole index of an order than sort the few rows of a key. It has none of this one.
        order = studies.c.patient_key.concat(literal_column("''")) if shapes else studies.c.patient_key
        made = made.order_by(order, studies.c.id.desc())
    return made


@lru_cache(_ENCODERS_AT_A_TIME)
def _encoder(
    transfer_syntax: str, level: Level, tags: tuple[int, ...], ae_title: str, with_availability: bool
) -> AnswerEncoder:
    fixed = {QUERY_RETRIEVE_LEVEL: ("CS", level.value), _RETRIEVE_AE_TITLE: ("AE", ae_title)}
    if with_availability:
        fixed[_INSTANCE_AVAILABILITY] = ("CS", "ONLINE")
    known = _known(level)
    return AnswerEncoder(transfer_syntax, [(tag, known[tag].vr) for tag in tags], fixed)


def _answer(question: Question, values: Sequence[str], ae_title: str) -> Dataset:
    answer = Dataset()
    charset = choose(
        (text for a, text in zip(question.answered, values, strict=True) if a.vr in TEXT_VRS or a.vr == "SQ"),
        question.target.terms,
    )
    if charset:
        _put(answer, SPECIFIC_CHARACTER_SET, "CS", charset.split("\\"))
    _put(answer, QUERY_RETRIEVE_LEVEL, "CS", question.target.level.value)
    _put(answer, _RETRIEVE_AE_TITLE, "AE", ae_title)
    if question.with_availability:
        _put(answer, _INSTANCE_AVAILABILITY, "CS", "ONLINE")
    for attribute, text in zip(question.answered, values, strict=True):
        _put(answer, attribute.tag, attribute.vr, _value(question, attribute, text))
    return answer


def _put(answer: Dataset, tag: int, vr: str, value: object) -> None:
    """Values are kept as they were received, so they are not validated again on the way out."""
    answer.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))


def _value(question: Question, attribute: Attribute, text: str) -> object:
    rule = RULES[attribute.vr]
    if rule is Rule.SEQUENCE:
        asked = question.items_asked.get(attribute.tag, [])
        return [_item(item, asked) for item in json.loads(text)] if text else []
    if rule is Rule.NUMBER:
        return (int(text) if attribute.vr == "US" else text) if text else None
    if attribute.multiple and "\\" in text:
        return text.split("\\")
    return text


def _item(stored: dict[str, object], asked: list[dict[str, object]]) -> Dataset:
    """One stored item with the elements that the query's items name; all of them if they name none."""
    names = {tag for item in asked for tag in item}
    return Dataset.from_json({tag: element for tag, element in stored.items() if not names or tag in names})
