"""An audit message as the XML of PS3.15 A.5.1, on one line: so a file of them can be read line by line.

Written by hand in the order of the schema. Whatever a peer said is escaped; control characters, which XML 1.0 cannot
hold, become U+FFFD.
"""

from __future__ import annotations

import re
from base64 import b64encode
from ipaddress import ip_address

from sandbox.archive.audit.messages import Code, Message, Participant, ParticipantObject

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    | {character: f"&#{ord(character)};" for character in "\x85\u2028\u2029"}
)
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def to_xml(message: Message) -> str:
    """The whole document, without a line break."""
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?><AuditMessage>',
        f'<EventIdentification EventActionCode="{message.action}" EventDateTime="{message.at.isoformat()}" '
        f'EventOutcomeIndicator="{message.outcome}">',
        _code("EventID", message.event),
        *(_code("EventTypeCode", kind) for kind in message.types),
        f"<EventOutcomeDescription>{_escaped(message.description)}</EventOutcomeDescription>"
        if message.description
        else "",
        "</EventIdentification>",
        *(_participant(one) for one in message.participants),
        # 4: application server process tier (A.5.1.2.1).
        f'<AuditSourceIdentification AuditSourceID="{_escaped(message.source)}">'
        '<AuditSourceTypeCode csd-code="4"/></AuditSourceIdentification>',
        *(_object(one) for one in message.objects),
        "</AuditMessage>",
    ]
    return "".join(parts)


def _escaped(text: str) -> str:
    return _IMPOSSIBLE.sub("\ufffd", text).translate(_ESCAPES)


def _code(element: str, code: Code) -> str:
    return (
        f'<{element} csd-code="{code.value}" codeSystemName="{code.system}" originalText="{_escaped(code.meaning)}"/>'
    )


def _participant(one: Participant) -> str:
    attributes = f'UserID="{_escaped(one.user_id)}"'
    if one.alternative_id:
        attributes += f' AlternativeUserID="{_escaped(one.alternative_id)}"'
    attributes += f' UserIsRequestor="{"true" if one.is_requestor else "false"}"'
    if one.address:
        kind = "2" if _is_ip(one.address) else "1"
        attributes += f' NetworkAccessPointID="{_escaped(one.address)}" NetworkAccessPointTypeCode="{kind}"'
    roles = "".join(_code("RoleIDCode", role) for role in one.roles)
    return f"<ActiveParticipant {attributes}>{roles}</ActiveParticipant>"


def _object(one: ParticipantObject) -> str:
    attributes = (
        f'ParticipantObjectID="{_escaped(one.id)}" ParticipantObjectTypeCode="{one.kind}" '
        f'ParticipantObjectTypeCodeRole="{one.role}"'
    )
    if one.life_cycle:
        attributes += f' ParticipantObjectDataLifeCycle="{one.life_cycle}"'
    parts = [f"<ParticipantObjectIdentification {attributes}>", _code("ParticipantObjectIDTypeCode", one.id_type)]
    if one.query is None:
        parts.append(f"<ParticipantObjectName>{_escaped(one.name)}</ParticipantObjectName>")
    else:
        parts.append(f"<ParticipantObjectQuery>{_base64(one.query)}</ParticipantObjectQuery>")
    parts += [f'<ParticipantObjectDetail type="{kind}" value="{_base64(value)}"/>' for kind, value in one.details]
    if one.accession or one.sop_classes:
        parts.append("<ParticipantObjectDescription>")
        if one.accession:
            parts.append(f'<Accession Number="{_escaped(one.accession)}"/>')
        parts += [
            f'<SOPClass UID="{_escaped(uid)}" NumberOfInstances="{number}"/>' for uid, number in one.sop_classes.items()
        ]
        parts.append("</ParticipantObjectDescription>")
    parts.append("</ParticipantObjectIdentification>")
    return "".join(parts)


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _is_ip(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
