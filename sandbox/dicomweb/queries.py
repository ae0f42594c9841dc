"""QIDO-RS (PS3.18 10.6): searches for studies, series and instances, answered as DICOM JSON.

Matching is the archive's own, so a search finds what the same C-FIND finds. What is returned for each level is a table
(10.6.3.3) that includefield adds to. What the archive does not know to match or to return is told in a Warning header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Flask, Response, request
from pydicom.datadict import tag_for_keyword

from sandbox.archive.attributes import UNIQUE_KEY, Attribute, Level, lookup
from sandbox.archive.matching import is_universal
from sandbox.dicomweb import json_model
from sandbox.dicomweb.accept import Offer
from sandbox.dicomweb.json_model import JsonObject
from sandbox.dicomweb.service import Service, check_uids
from sandbox.model.errors import BadInputError

DICOM_JSON = "application/dicom+json"
JSON_OFFERS = (Offer(DICOM_JSON), Offer("application/json"))
JSON_WORDS = f"{DICOM_JSON} or application/json"

_ALWAYS: dict[Level, str] = {
    Level.STUDY: "StudyDate StudyTime AccessionNumber ModalitiesInStudy ReferringPhysicianName PatientName PatientID "
    "PatientBirthDate PatientSex StudyInstanceUID StudyID NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances",
    Level.SERIES: "Modality SeriesDescription SeriesInstanceUID SeriesNumber NumberOfSeriesRelatedInstances "
    "PerformedProcedureStepStartDate PerformedProcedureStepStartTime RequestAttributesSequence",
    Level.IMAGE: "SOPClassUID SOPInstanceUID InstanceNumber Rows Columns BitsAllocated NumberOfFrames",
}

_OPTIONS = frozenset(
    {"includefield", "limit", "offset", "fuzzymatching", "emptyvaluematching", "multiplevaluematching", "accept"}
)
_UNSUPPORTED = {
    "fuzzymatching": "Only literal matching has been performed.",
    "emptyvaluematching": "Empty Value Matching has not been performed.",
    "multiplevaluematching": "Multiple Value Matching has not been performed.",
}

_INSTANCE_AVAILABILITY, _RETRIEVE_URL, _SPECIFIC_CHARACTER_SET = 0x00080056, 0x00081190, 0x00080005
_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z")
_LONGEST_VALUE = 1024
_MOST_DIGITS = 12

_DATE = r"\d{4}\.?\d{2}\.?\d{2}"
_TIME = r"\d{2}:?(?:\d{2}:?(?:\d{2}(?:\.\d{1,6})?)?)?"
_FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "DA": (
        re.compile(rf"{_DATE}|{_DATE}-(?:{_DATE})?|-{_DATE}"),
        "a date or a range of dates, such as 20260101-20260131",
    ),
    "TM": (re.compile(rf"{_TIME}|{_TIME}-(?:{_TIME})?|-{_TIME}"), "a time or a range, such as 0800-1200"),
    "UI": (re.compile(r"[0-9.]{1,64}"), "a UID or a list of UIDs"),
    "IS": (re.compile(r"[+-]?\d{1,12}"), "a whole number"),
    "DS": (re.compile(r"[+-]?[\d.]{1,14}(?:[eE][+-]?\d{1,3})?"), "a number"),
    "US": (re.compile(r"\d{1,5}"), "a whole number"),
}
"""What a value that is matched must look like, where its VR says so (PS3.5 6.2)."""


@dataclass(frozen=True)
class Asked:
    """A sound search: what to match and to return, which page, and what of it is beyond us."""

    keys: Mapping[Attribute, str]
    answered: tuple[Attribute, ...]
    limit: int
    offset: int
    warnings: tuple[str, ...]


def always_returned() -> dict[Level, tuple[str, ...]]:
    """What an answer holds unasked (PS3.18 10.6.3.3), beside Retrieve URL and Instance Availability."""
    return {level: tuple(keywords.split()) for level, keywords in _ALWAYS.items()}


def add_routes(app: Flask, service: Service) -> None:
    prefix = service.options.prefix
    for path, level in (
        ("/studies", Level.STUDY),
        ("/series", Level.SERIES),
        ("/studies/<study>/series", Level.SERIES),
        ("/instances", Level.IMAGE),
        ("/studies/<study>/instances", Level.IMAGE),
        ("/studies/<study>/series/<series>/instances", Level.IMAGE),
    ):
        app.add_url_rule(prefix + path, f"search {path}", _view(service, level))


def _view(service: Service, level: Level) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        media = service.choice(JSON_OFFERS, JSON_WORDS).offer.media
        asked = read_search(level, path, service.options.most_results)
        found = service.archive.search(level, asked.keys, asked.answered, limit=asked.limit, offset=asked.offset)
        warnings = list(asked.warnings)
        if found.more and not request.args.get("limit"):
            warnings.append(
                "The number of results exceeded the maximum supported by the server. "
                "Additional results can be requested."
            )
        # Nothing found is said by the status alone (10.6.3.1).
        answer = Response(status=204)
        if found.values:
            shown = [_result(service, level, asked.answered, values) for values in found.values]
            answer = Response(json.dumps(shown, ensure_ascii=False), mimetype=media)
        for warning in warnings:
            answer.headers.add("Warning", f"299 {service.base_url()}: {warning}")
        return answer

    return view


def read_search(level: Level, path: Mapping[str, str], most: int) -> Asked:
    """What the request's path and parameters ask. Raises BadInputError where they make no sense."""
    known = {attribute.tag: attribute for attribute in lookup(level).values()}
    keys: dict[Attribute, str] = {}
    nested: dict[Attribute, JsonObject] = {}
    warnings: list[str] = []
    for name in request.args:
        if name in _OPTIONS:
            continue
        tags = _attribute_path(name)
        values = request.args.getlist(name)
        attribute = known.get(tags[0])
        if attribute is None or (len(tags) > 1 and attribute.vr != "SQ"):
            warnings.append(f"Matching on {_safe(name)} is not supported and has not been performed.")
            continue
        text = _value(name, values, json_model.vr_of(tags[-1]))
        if len(tags) > 1:
            _nest(nested.setdefault(attribute, {}), tags[1:], text)
        elif attribute.vr == "SQ" and not is_universal(text):
            raise BadInputError(f"{name} is a sequence.", "Name an attribute of its items: Sequence.Attribute=value.")
        else:
            keys[attribute] = text
    keys |= {attribute: json.dumps([item]) for attribute, item in nested.items()}
    check_uids(*path.values())
    for step, uid in path.items():
        own = UNIQUE_KEY[_PATH_LEVELS[step]]
        if keys.get(own, uid) != uid:
            raise BadInputError(f"{own.keyword} is asked twice, in the path and as a parameter.", "Leave one out.")
        keys[own] = uid
    warnings += [
        f"The {name} parameter is not supported. {told}" for name, told in _UNSUPPORTED.items() if _is_true(name)
    ]
    return Asked(
        keys=keys,
        answered=_answered(level, path, known, keys),
        limit=min(_whole("limit", most), most),
        offset=_whole("offset", 0),
        warnings=tuple(warnings),
    )


_PATH_LEVELS = {"study": Level.STUDY, "series": Level.SERIES}


def _answered(
    level: Level, path: Mapping[str, str], known: Mapping[int, Attribute], keys: Iterable[Attribute]
) -> tuple[Attribute, ...]:
    """The attributes of the level, those of the levels above that the path does not name, those that are matched, and
    those of includefield that there are."""
    by_keyword = {attribute.keyword: attribute for attribute in known.values()}
    named = {_PATH_LEVELS[step] for step in path}
    keywords = [UNIQUE_KEY[upper].keyword for upper in (Level.STUDY, Level.SERIES) if upper.depth < level.depth]
    for upper in _ALWAYS:
        if upper.depth <= level.depth and upper not in named:
            keywords += _ALWAYS[upper].split()
    found = {by_keyword[keyword]: None for keyword in keywords} | dict.fromkeys(keys)
    for field in (field.strip() for text in request.args.getlist("includefield") for field in text.split(",")):
        if field == "all":
            found |= dict.fromkeys(known.values())
        elif field and (attribute := known.get(_attribute_path(field)[0])) is not None:
            found[attribute] = None
    return tuple(found)


def _attribute_path(name: str) -> tuple[int, ...]:
    """``PatientName``, ``00100010`` or ``RequestAttributesSequence.ScheduledProcedureStepID`` as tags."""
    tags: list[int] = []
    for part in name.split("."):
        tag = int(part, 16) if _TAG.match(part) else tag_for_keyword(part)
        if tag is None:
            raise BadInputError(
                f"{part[:64]!r} is neither a parameter nor an attribute.", "Name it by keyword or as ggggeeee."
            )
        tags.append(tag)
    return tuple(tags)


def _value(name: str, values: Sequence[str], vr: str) -> str:
    if len(values) > 1 and vr != "UI":
        raise BadInputError(f"{name} is given more than once.", "Only UIDs can be listed.")
    text = "\\".join(values)
    if vr == "UI":
        text = text.replace(",", "\\")
    if len(text) > _LONGEST_VALUE and vr != "UI":
        raise BadInputError(f"The value of {name} is too long.", f"At most {_LONGEST_VALUE} characters are taken.")
    form, words = _FORMS.get(vr, (None, ""))
    if form is not None and not is_universal(text):
        for part in text.split("\\"):
            if form.fullmatch(part.strip()) is None:
                raise BadInputError(f"{part[:64]!r} is no value for {name}.", f"Give {words}.")
    return text


def _nest(item: JsonObject, tags: Sequence[int], text: str) -> None:
    """Put a key of a sequence's items where it belongs in the DICOM JSON of the one item that is asked."""
    vr = json_model.vr_of(tags[0])
    if len(tags) == 1:
        item[json_model.key(tags[0])] = json_model.element(vr, text.split("\\") if text else ())
    else:
        inner = item.setdefault(json_model.key(tags[0]), {"vr": "SQ", "Value": [{}]})
        _nest(inner["Value"][0], tags[1:], text)


def _whole(name: str, otherwise: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise BadInputError(f"{name} must be a whole number.", f"Write {name}=100, or leave it out.")
    return int(text)


def _is_true(name: str) -> bool:
    text = request.args.get(name, "false").lower()
    if text not in ("true", "false"):
        raise BadInputError(f"{name} must be true or false.", "Leave it out if in doubt.")
    return text == "true"


def _safe(name: str) -> str:
    """A name of attributes holds nothing that a header must not."""
    return name[:128]


def _result(service: Service, level: Level, answered: Sequence[Attribute], values: Mapping[int, str]) -> JsonObject:
    found = {json_model.key(attribute.tag): _element(attribute, values[attribute.tag]) for attribute in answered}
    uids = {upper: values.get(UNIQUE_KEY[upper].tag, "") for upper in (Level.STUDY, Level.SERIES, Level.IMAGE)}
    where = service.url(uids[Level.STUDY], uids[Level.SERIES], uids[Level.IMAGE])
    found[json_model.key(_RETRIEVE_URL)] = json_model.element("UR", [where])
    if level is not Level.SERIES:
        found[json_model.key(_INSTANCE_AVAILABILITY)] = json_model.element("CS", ["ONLINE"])
    if not all(text.isascii() for text in values.values()):
        found[json_model.key(_SPECIFIC_CHARACTER_SET)] = json_model.element("CS", ["ISO_IR 192"])
    return dict(sorted(found.items()))


def _element(attribute: Attribute, text: str) -> JsonObject:
    if attribute.vr == "SQ":
        return {"vr": "SQ", "Value": json.loads(text)} if text else {"vr": "SQ"}
    if not text:
        return {"vr": attribute.vr}
    values = text.split("\\") if attribute.multiple else [text]
    form = _JSON_VALUES.get(attribute.vr, str)
    return json_model.element(attribute.vr, (form(value) if value else None for value in values))


_JSON_VALUES: dict[str, Callable[[str], object]] = {
    "PN": json_model.name,
    "IS": json_model.number,
    "DS": json_model.number,
    "US": json_model.number,
}
