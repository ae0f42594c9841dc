"""Matching (PS3.4 C.2.2.2): one rule for each value representation, in a table.

A key becomes a ``Matcher``: ``accepts`` decides, on the value as the index keeps it; ``narrow`` is what SQL can spare
us of what cannot match. ``narrow`` may let too much through but never too little, so both databases give the same
answers; where it is ``exact`` nothing is left to decide. Declared: person names match without regard to case and
accents, all else exactly; several values in a key of any text match like a UID list; a bare "*" is universal in every
value representation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.archive.attributes import Attribute
from sandbox.archive.header import normal_value
from sandbox.archive.names import groups
from sandbox.archive.narrowing import Bound, Narrowing, Relation

Predicate = Callable[[str], bool]
_Narrowed = tuple[Narrowing | None, bool]

# Alternatives; more would be too much for one SQL statement. SQLite takes an expression that is 1000 deep, and each
# alternative that is joined with OR makes it one deeper.
_MOST_NARROWED = 500
_LONGEST_LIKE = 200  # characters; SQLite takes a pattern of 50,000 bytes, and any part of a literal narrows
_LAST = "\U0010fffd"  # sorts after whatever may follow a prefix


class Rule(StrEnum):
    """How a value representation is matched."""

    TEXT = "single value or wildcard, case-sensitive"
    NAME = "single value or wildcard, without case and accents, any component group"
    UID = "single value or list"
    DATE = "single value or range of dates"
    TIME = "single value or range of times, by meaning"
    NUMBER = "single value, by meaning"
    SEQUENCE = "item by item"


RULES: dict[str, Rule] = {
    "AE": Rule.TEXT,
    "AS": Rule.TEXT,
    "CS": Rule.TEXT,
    "LO": Rule.TEXT,
    "LT": Rule.TEXT,
    "SH": Rule.TEXT,
    "ST": Rule.TEXT,
    "UC": Rule.TEXT,
    "UR": Rule.TEXT,
    "UT": Rule.TEXT,
    "PN": Rule.NAME,
    "UI": Rule.UID,
    "DA": Rule.DATE,
    "TM": Rule.TIME,
    "DS": Rule.NUMBER,
    "IS": Rule.NUMBER,
    "US": Rule.NUMBER,
    "SQ": Rule.SEQUENCE,
}


@dataclass(frozen=True)
class Matcher:
    """A key that restricts the answers: the attribute, the decision on one stored value, and what SQL does of it.
    ``exact``: SQL alone decides as ``accepts`` would."""

    attribute: Attribute
    accepts: Predicate
    narrow: Narrowing | None = None
    exact: bool = False


def is_universal(wanted: str) -> bool:
    """An empty key, or nothing but asterisks: matches everything, empty values too (PS3.4 C.2.2.2.3, C.2.2.2.4)."""
    return not wanted.strip("*")


def matcher(attribute: Attribute, wanted: str) -> Matcher | None:
    """The matcher for what a query asks of ``attribute``, or None if that matches everything."""
    if is_universal(wanted):
        return None
    accepts = predicate(attribute.vr, wanted)
    if attribute.multiple:
        accepts = _any_value(accepts)
    narrowing = _NARROWINGS.get(RULES[attribute.vr]) if wanted.count("\\") < _MOST_NARROWED else None
    narrow, exact = narrowing(attribute, wanted) if narrowing else (None, False)
    if narrow is not None and len(narrow) > _MOST_NARROWED:
        narrow, exact = None, False
    return Matcher(attribute, accepts, narrow, exact)


def predicate(vr: str, wanted: str) -> Predicate:
    """Whether one stored value of ``vr`` matches ``wanted`` (which is not universal)."""
    return _PREDICATES[RULES.get(vr, Rule.TEXT)](wanted)


def _any_value(accepts: Predicate) -> Predicate:
    return lambda stored: any(accepts(value) for value in stored.split("\\")) if stored else False


# -- Text: * is any run of characters, ? is any one; all else stands for itself (PS3.4 C.2.2.2.4) ---------------------


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def glob(pattern: str) -> Predicate:
    """Match a whole text against ``pattern`` in time linear in the text for each asterisk, whatever the pattern."""
    if "?" not in pattern:
        return _glob_of_asterisks(pattern)
    first, *rest = (_segment(part) for part in re.sub(r"\*+", "*", pattern).split("*"))
    if not rest:
        return lambda text: first.fullmatch(text) is not None
    *middle, last = rest
    last_length = len(pattern.rpartition("*")[2])

    def accepts(text: str) -> bool:
        found = first.match(text)
        if found is None:
            return False
        position = found.end()
        for segment in middle:
            found = segment.search(text, position)
            if found is None:
                return False
            position = found.end()
        tail = len(text) - last_length
        return tail >= position and last.fullmatch(text, tail) is not None

    return accepts


def _glob_of_asterisks(pattern: str) -> Predicate:
    """The usual wildcards need no regular expression."""
    first, *rest = pattern.split("*")
    if not rest:
        return lambda text: text == pattern
    *middle, last = rest

    def accepts(text: str) -> bool:
        if not text.startswith(first):
            return False
        position = len(first)
        for part in middle:
            found = text.find(part, position)
            if found < 0:
                return False
            position = found + len(part)
        return len(text) - len(last) >= position and text.endswith(last)

    return accepts


def _segment(part: str) -> re.Pattern[str]:
    return re.compile("".join("." if letter == "?" else re.escape(letter) for letter in part), re.DOTALL)


def _text_predicate(wanted: str) -> Predicate:
    alternatives = [part.strip(" ") for part in wanted.split("\\")]
    if not has_wildcard(wanted):
        exact = frozenset(alternatives)
        return lambda stored: stored in exact and stored != ""
    globs = [glob(part) for part in alternatives]
    return lambda stored: any(accepts(stored) for accepts in globs)


def _narrow_text(attribute: Attribute, wanted: str) -> _Narrowed:
    alternatives = tuple(part.strip(" ") for part in wanted.split("\\"))
    column = attribute.column
    if attribute.multiple:
        return tuple((Bound(column, Relation.CONTAINS, _longest_literal(part)),) for part in alternatives), False
    if has_wildcard(wanted):
        return tuple(_like(column, part) for part in alternatives), False
    if len(alternatives) == 1:
        return ((Bound(column, Relation.EQUAL, alternatives[0]),),), alternatives[0] != ""
    return ((Bound(column, Relation.ONE_OF, alternatives),),), "" not in alternatives


def _like(column: str, pattern: str) -> tuple[Bound, ...]:
    """A range on the literal beginning (which an index serves) or else the longest literal part anywhere."""
    prefix = re.split(r"[*?]", pattern, maxsplit=1)[0]
    if prefix:
        return Bound(column, Relation.AT_LEAST, prefix), Bound(column, Relation.BELOW, prefix + _LAST)
    return (Bound(column, Relation.CONTAINS, _longest_literal(pattern)),)


def _longest_literal(pattern: str) -> str:
    """The longest part without wildcards, or the beginning of it."""
    return max(re.split(r"[*?]", pattern), key=len)[:_LONGEST_LIKE]


# -- Names (PS3.4 C.2.2.2.1, PS3.5 6.2.1) ---------------------------------------------------------------------------


def _name_alternatives(wanted: str) -> list[tuple[str, ...]]:
    return [groups(part) for part in wanted.split("\\")]


def _group_predicate(pattern: str) -> Predicate:
    """One component group. "SMITH^*" also finds "SMITH": trailing empty components are not written."""
    widest, bare = _without_open_components(pattern)
    accepts = _whole_predicate(widest)
    if bare == widest:
        return accepts
    also = _whole_predicate(bare)
    return lambda stored: accepts(stored) or also(stored)


def _whole_predicate(pattern: str) -> Predicate:
    return glob(pattern) if has_wildcard(pattern) else lambda stored: stored == pattern


def _without_open_components(pattern: str) -> tuple[str, str]:
    """ "SMITH^*^*" asks for what "SMITH^*" or "SMITH" finds: the widest pattern, and what stands before it; both the
    same where no component at the end is open."""
    widest = pattern
    while pattern.endswith("^*"):
        widest, pattern = pattern, pattern[:-2].rstrip("^")
    return widest, pattern


def _name_predicate(wanted: str) -> Predicate:
    choices = [
        [None if is_universal(group) else _group_predicate(group) for group in alternative]
        for alternative in _name_alternatives(wanted)
    ]

    def accepts(stored: str) -> bool:
        have = groups(stored)
        for choice in choices:
            if len(choice) == 1:
                only = choice[0]
                if only is None or any(only(group) for group in have):
                    return True
            elif all(check is None or (index < len(have) and check(have[index])) for index, check in enumerate(choice)):
                return True
        return False

    return accepts


def _narrow_name(attribute: Attribute, wanted: str) -> _Narrowed:
    alternatives = _name_alternatives(wanted)
    if not attribute.folded or any(
        len(alternative) != 1 or is_universal(alternative[0]) for alternative in alternatives
    ):
        return None, False
    first, other = f"{attribute.column}_folded", f"{attribute.column}_other"
    choices: list[tuple[Bound, ...]] = []
    for (pattern,) in alternatives:
        widest, bare = _without_open_components(pattern)
        literal = pattern if bare == widest else bare + "*"
        choices.append(_like(first, literal) if has_wildcard(literal) else (Bound(first, Relation.EQUAL, literal),))
        anywhere = Bound(other, Relation.CONTAINS, _longest_literal(literal))
        choices.append((Bound(other, Relation.ABOVE, ""), anywhere))
    return tuple(choices), False


# -- Dates and times (PS3.4 C.2.2.2.5) --------------------------------------------------------------------------------


def _date_predicate(wanted: str) -> Predicate:
    if "-" in wanted:
        low, high = _range(wanted, "DA")
        return lambda stored: stored != "" and (not low or stored >= low) and (not high or stored <= high)
    exact = frozenset(normal_value("DA", part) for part in wanted.split("\\"))
    return lambda stored: stored in exact


def _narrow_date(attribute: Attribute, wanted: str) -> _Narrowed:
    column = attribute.column
    if attribute.multiple:
        return None, False
    if "-" in wanted:
        low, high = _range(wanted, "DA")
        bounds = [Bound(column, Relation.ABOVE, "")]
        if low:
            bounds.append(Bound(column, Relation.AT_LEAST, low))
        if high:
            bounds.append(Bound(column, Relation.AT_MOST, high))
        return (tuple(bounds),), True
    dates = tuple(normal_value("DA", part) for part in wanted.split("\\"))
    if len(dates) == 1:
        return ((Bound(column, Relation.EQUAL, dates[0]),),), True
    return ((Bound(column, Relation.ONE_OF, dates),),), True


def _range(wanted: str, vr: str) -> tuple[str, str]:
    low, _, high = wanted.partition("-")
    return normal_value(vr, low), normal_value(vr, high)


_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?\Z")


def seconds(time: str, *, last: bool = False) -> float | None:
    """A TM value in seconds since midnight; ``last`` gives the last moment that a shortened value covers, so that a
    range up to "10" ends at 10:59:59.999999. None if it is no time."""
    found = _TIME.match(time)
    if found is None:
        return None
    hour, minute, second, fraction = found.groups()
    end = "59" if last else "00"
    filled = (fraction or "").ljust(6, "9" if last else "0")
    return int(hour) * 3600 + int(minute or end) * 60 + int(second or end) + int(filled) / 1_000_000


def _time_predicate(wanted: str) -> Predicate:
    if "-" in wanted:
        low, high = _range(wanted, "TM")
        first = seconds(low) if low else 0.0
        final = seconds(high, last=True) if high else float("inf")
        if first is None or final is None:
            return lambda stored: False
        return lambda stored: (moment := seconds(stored)) is not None and first <= moment <= final
    moments = {seconds(normal_value("TM", part)) for part in wanted.split("\\")} - {None}
    return lambda stored: seconds(stored) in moments


# -- UIDs, numbers, sequences -----------------------------------------------------------------------------------------


def _uid_predicate(wanted: str) -> Predicate:
    uids = frozenset(part.strip(" \0") for part in wanted.split("\\")) - {""}
    return lambda stored: stored in uids


def _narrow_uid(attribute: Attribute, wanted: str) -> _Narrowed:
    uids = tuple(uid for part in wanted.split("\\") if (uid := part.strip(" \0")))
    if attribute.multiple:
        return None, False
    if len(uids) == 1:
        return ((Bound(attribute.column, Relation.EQUAL, uids[0]),),), True
    return ((Bound(attribute.column, Relation.ONE_OF, uids),),), True


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _number_predicate(wanted: str) -> Predicate:
    numbers = {_number(part) for part in wanted.split("\\")} - {None}
    return lambda stored: _number(stored) in numbers


def _sequence_predicate(wanted: str) -> Predicate:
    """``wanted`` is DICOM JSON of the query's items; an item matches a stored one when all its keys do."""
    items = [_item_keys(item) for item in json.loads(wanted)]
    if not any(items):
        return lambda stored: True

    def accepts(stored: str) -> bool:
        return any(
            all(check(_json_value(candidate, tag)) for tag, check in keys.items())
            for candidate in (json.loads(stored) if stored else [])
            for keys in items
            if keys
        )

    return accepts


def _item_keys(item: Mapping[str, Any]) -> dict[str, Predicate]:
    keys: dict[str, Predicate] = {}
    for tag, element in item.items():
        vr = element.get("vr", "UN")
        if vr == "SQ":
            nested = json.dumps(element.get("Value", []))
            keys[tag] = _sequence_predicate(nested)
        elif not is_universal(text := _json_value(item, tag)):
            keys[tag] = _any_value(predicate(vr, text))
    return keys


def _json_value(item: Mapping[str, Any], tag: str) -> str:
    """An element of a DICOM JSON item as text; a nested sequence as JSON."""
    element = item.get(tag, {})
    values = element.get("Value", [])
    if element.get("vr") == "SQ":
        return json.dumps(values)
    return "\\".join(_json_text(value) for value in values)


def _json_text(value: Any) -> str:
    if isinstance(value, dict):
        named = [value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(named).rstrip("=")
    return "" if value is None else str(value)


_PREDICATES: dict[Rule, Callable[[str], Predicate]] = {
    Rule.TEXT: _text_predicate,
    Rule.NAME: _name_predicate,
    Rule.UID: _uid_predicate,
    Rule.DATE: _date_predicate,
    Rule.TIME: _time_predicate,
    Rule.NUMBER: _number_predicate,
    Rule.SEQUENCE: _sequence_predicate,
}

_NARROWINGS: dict[Rule, Callable[[Attribute, str], _Narrowed]] = {
    Rule.TEXT: _narrow_text,
    Rule.NAME: _narrow_name,
    Rule.UID: _narrow_uid,
    Rule.DATE: _narrow_date,
}
"""Times, numbers and sequences are few beside the keys they come with, and are decided by ``accepts`` alone."""
