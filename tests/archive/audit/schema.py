"""The schema of PS3.15 A.5.1 as far as its structure goes: elements in their order, and attributes."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from xml.etree import ElementTree

# Each child in order, with how often it may come: 1, ? (or none), + (one or more), * (any number).
CHILDREN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "AuditMessage": (
        ("EventIdentification", "1"),
        ("ActiveParticipant", "+"),
        ("AuditSourceIdentification", "1"),
        ("ParticipantObjectIdentification", "*"),
    ),
    "EventIdentification": (("EventID", "1"), ("EventTypeCode", "*"), ("EventOutcomeDescription", "?")),
    "ActiveParticipant": (("RoleIDCode", "*"),),
    "AuditSourceIdentification": (("AuditSourceTypeCode", "*"),),
    "ParticipantObjectIdentification": (
        ("ParticipantObjectIDTypeCode", "1"),
        ("ParticipantObjectName|ParticipantObjectQuery", "1"),
        ("ParticipantObjectDetail", "*"),
        ("ParticipantObjectDescription", "*"),
    ),
    "ParticipantObjectDescription": (("MPPS", "*"), ("Accession", "*"), ("SOPClass", "*")),
    "SOPClass": (("Instance", "*"),),
}
_CODED = {"csd-code": r"\S+", "codeSystemName": r"\S+", "originalText": r".+"}
# Required attributes with what they match, and optional ones.
REQUIRED: Mapping[str, Mapping[str, str]] = {
    "EventIdentification": {"EventDateTime": r".+", "EventOutcomeIndicator": r"0|4|8|12"},
    "EventID": _CODED,
    "EventTypeCode": _CODED,
    "RoleIDCode": _CODED,
    "ParticipantObjectIDTypeCode": _CODED,
    "ActiveParticipant": {"UserID": r".*", "UserIsRequestor": r"true|false"},
    "AuditSourceIdentification": {"AuditSourceID": r".+"},
    "AuditSourceTypeCode": {"csd-code": r"[1-9]"},
    "ParticipantObjectIdentification": {"ParticipantObjectID": r".+"},
    "ParticipantObjectDetail": {"type": r".+", "value": r"[A-Za-z0-9+/=]*"},
    "Accession": {"Number": r".+"},
    "SOPClass": {"NumberOfInstances": r"\d+"},
}
OPTIONAL: Mapping[str, Mapping[str, str]] = {
    "EventIdentification": {"EventActionCode": r"[CRUDE]"},
    "ActiveParticipant": {
        "AlternativeUserID": r".*",
        "UserName": r".*",
        "NetworkAccessPointID": r".+",
        "NetworkAccessPointTypeCode": r"[1-5]",
    },
    "ParticipantObjectIdentification": {
        "ParticipantObjectTypeCode": r"[1-4]",
        "ParticipantObjectTypeCodeRole": r"1?\d|2[0-6]",
        "ParticipantObjectDataLifeCycle": r"1?\d",
        "ParticipantObjectSensitivity": r".*",
    },
    "SOPClass": {"UID": r"[\d.]+"},
}
_TIMES = {"1": (1, 1), "?": (0, 1), "+": (1, 1 << 30), "*": (0, 1 << 30)}


def check(element: ElementTree.Element) -> None:
    """Fails where an element is not what the schema says."""
    name = element.tag
    required, optional = REQUIRED.get(name, {}), OPTIONAL.get(name, {})
    assert set(required) <= set(element.attrib) <= set(required) | set(optional), (name, element.attrib)
    for attribute, value in element.attrib.items():
        assert re.fullmatch((required | optional)[attribute], value, re.DOTALL), (name, attribute, value)
    left = list(element)
    for names, times in CHILDREN.get(name, ()):
        least, most = _TIMES[times]
        found = 0
        while left and left[0].tag in names.split("|"):
            check(left.pop(0))
            found += 1
        assert least <= found <= most, (name, names, found)
    assert not left, (name, [child.tag for child in left])
    if name == "EventIdentification":
        assert datetime.fromisoformat(element.attrib["EventDateTime"]).tzinfo is not None
    if name == "ParticipantObjectQuery":
        base64.b64decode(element.text or "", validate=True)


def parsed(text: str) -> ElementTree.Element:
    """A message that keeps to the schema."""
    assert "\n" not in text
    root = ElementTree.fromstring(text)
    assert root.tag == "AuditMessage"
    check(root)
    return root
