"""C-FIND for Patient Root and Study Root (PS3.4 C.4.1): one answer for each entity at the level that was asked.

An answer holds the keys that were asked and are supported, the unique keys down to the level, the level itself,
Retrieve AE Title, and Specific Character Set where text needs it. Keys below the level and unknown ones are left out,
and then every answer is FF01 instead of FF00. Rows are read as they are answered; a C-CANCEL ends that at the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from sqlalchemy import Select, String, literal, select
from sqlalchemy.exc import SQLAlchemyError

from sandbox.archive.answers import AnswerEncoder
from sandbox.archive.attributes import UNIQUE_KEY, Attribute, Level, lookup
from sandbox.archive.charset import TEXT_VRS, choose
from sandbox.archive.identifier import (
    QUERY_RETRIEVE_LEVEL,
    SPECIFIC_CHARACTER_SET,
    Refusal,
    Target,
    read_target,
    value_text,
)
from sandbox.archive.index.index import Index
from sandbox.archive.index.rows import FROM, column_of
from sandbox.archive.index.schema import TABLE, studies
from sandbox.archive.matching import RULES, Matcher, Rule, matcher
from sandbox.dicom.contract import FindAnswer, Query

PENDING, PENDING_WITHOUT_SOME_KEYS, CANCELLED = 0xFF00, 0xFF01, 0xFE00
OUT_OF_RESOURCES = 0xA700

_RETRIEVE_AE_TITLE = 0x00080054
_INSTANCE_AVAILABILITY = 0x00080056
_NO_KEYS = frozenset({SPECIFIC_CHARACTER_SET, QUERY_RETRIEVE_LEVEL, _RETRIEVE_AE_TITLE, _INSTANCE_AVAILABILITY})
_ROWS_AT_A_TIME = 200


@dataclass(frozen=True)
class Question:
    """A sound C-FIND identifier: what to answer, what to match, and whether some of it is beyond us."""

    target: Target
    answered: tuple[Attribute, ...]
    matchers: tuple[Matcher, ...]
    incomplete: bool
    with_availability: bool
    items_asked: dict[int, list[dict[str, object]]]


def read_question(sop_class: str, identifier: Dataset) -> Question | Refusal:
    """What an identifier asks, or why it is refused."""
    target = read_target(sop_class, identifier)
    if isinstance(target, Refusal):
        return target
    known = lookup(target.level)
    asked = {attribute.tag: attribute for attribute in (UNIQUE_KEY[level] for level in target.unique)}
    matchers: list[Matcher] = []
    items_asked: dict[int, list[dict[str, object]]] = {}
    incomplete = False
    for tag in (int(tag) for tag in identifier.keys()):  # noqa: SIM118 - iterating a Dataset converts every element
        if tag in _NO_KEYS or not tag & 0xFFFF:
            continue
        attribute = known.get(tag)
        if attribute is None:
            incomplete = True
            continue
        asked[tag] = attribute
        wanted = value_text(identifier, tag, attribute.vr, target.terms)
        if attribute.vr == "SQ" and wanted:
            items_asked[tag] = json.loads(wanted)
        if (found := matcher(attribute, wanted)) is not None:
            matchers.append(found)
    return Question(
        target=target,
        answered=tuple(asked.values()),
        matchers=tuple(matchers),
        incomplete=incomplete,
        with_availability=_INSTANCE_AVAILABILITY in identifier,
        items_asked=items_asked,
    )


def find(index: Index, ae_title: str, query: Query) -> Iterator[FindAnswer]:
    """The answers to a query, one by one. A failure or a cancel is the last, and carries no identifier."""
    question = read_question(query.sop_class, query.identifier)
    if isinstance(question, Refusal):
        yield FindAnswer(question.status, comment=question.comment)
        return
    status = PENDING_WITHOUT_SOME_KEYS if question.incomplete else PENDING
    encoder = _encoder(question, query.transfer_syntax, ae_title)
    try:
        for values in _matches(index, question):
            if query.is_cancelled():
                yield FindAnswer(CANCELLED)
                return
            encoded = encoder.encode(values)
            if encoded is not None:
                yield FindAnswer(status, encoded=encoded)
            else:
                yield FindAnswer(status, _answer(question, values, ae_title))
    except SQLAlchemyError:
        yield FindAnswer(OUT_OF_RESOURCES, comment="The index cannot be read at the moment")


def _matches(index: Index, question: Question) -> Iterator[tuple[str, ...]]:
    """The values of ``question.answered`` for each entity that matches."""
    position = {attribute.tag: place for place, attribute in enumerate(question.answered)}
    checks = [(position[found.attribute.tag], found.accepts) for found in question.matchers]
    at_patient = question.target.level is Level.PATIENT
    previous: object = None
    with index.connect() as connection:
        rows = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(_statement(question))
        for row in rows:
            values = tuple(map(str, row[: len(position)]))
            if at_patient:
                if row[-1] == previous:
                    continue
                if all(accepts(values[place]) for place, accepts in checks):
                    previous = row[-1]
                    yield values
            elif all(accepts(values[place]) for place, accepts in checks):
                yield values


def _statement(question: Question) -> Select[*tuple[Any, ...]]:
    """The rows to look at: narrowed as far as SQL can without dropping a match. Patients come study by study, the
    newest first; the first that matches speaks for the patient."""
    level = question.target.level
    columns = [column_of(attribute) for attribute in question.answered]
    columns.append(studies.c.patient_key if level is Level.PATIENT else literal("", String))
    statement = select(*columns).select_from(FROM[level])
    for found in question.matchers:
        if found.narrow is not None:
            statement = statement.where(found.narrow(TABLE[found.attribute.level]))
    if level is Level.PATIENT:
        statement = statement.order_by(studies.c.patient_key, studies.c.id.desc())
    return statement


def _encoder(question: Question, transfer_syntax: str, ae_title: str) -> AnswerEncoder:
    fixed = {QUERY_RETRIEVE_LEVEL: ("CS", question.target.level.value), _RETRIEVE_AE_TITLE: ("AE", ae_title)}
    if question.with_availability:
        fixed[_INSTANCE_AVAILABILITY] = ("CS", "ONLINE")
    return AnswerEncoder(transfer_syntax, [(a.tag, a.vr) for a in question.answered], fixed)


def _answer(question: Question, values: tuple[str, ...], ae_title: str) -> Dataset:
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
