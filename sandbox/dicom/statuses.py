"""DIMSE statuses in words, service by service (PS3.4, PS3.7 annex C).

The same number means different things in different services (A900 is a mismatch in both C-STORE and C-FIND, but of an
object in one and of a query in the other), so each service has its own table over the general one. Whole ranges that
the standard leaves to the implementation (Cxxx) have one entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.dicom.words import Explanation


@dataclass(frozen=True)
class _Range:
    first: int
    last: int
    words: Explanation


_E = Explanation
_PEER_LOG = "The peer's log at this time."

NO_ANSWER = _E(
    "no answer",
    "The association ended or the wait was over before an answer came",
    "How the association ended, the response timeout, the link.",
)

GENERAL: Mapping[int, Explanation] = {
    0x0000: _E("success", "Done"),
    0x0001: _E("requested optional attributes are not supported", "Done, but not everything asked for", _PEER_LOG),
    0x0105: _E("no such attribute", "An attribute was named that the object does not have", _PEER_LOG),
    0x0106: _E("invalid attribute value", "A value is outside what is allowed here", "The values sent."),
    0x0107: _E("attribute list error", "Done, but some attributes were not taken", "The attributes listed."),
    0x0110: _E("processing failure", "The peer failed while it worked on the request", _PEER_LOG),
    0x0111: _E("duplicate SOP instance", "An object with this UID is there already", "Where the UID was used before."),
    0x0112: _E("no such SOP instance", "The peer has no object with this UID", "The UID, and whether it ever arrived."),
    0x0113: _E("no such event type", "The peer does not know this kind of event", "Conformance statements."),
    0x0114: _E("no such argument", "The peer does not know an argument of the request", "Conformance statements."),
    0x0115: _E("invalid argument value", "An argument has a value that is not allowed", "The values sent."),
    0x0116: _E("attribute value out of range", "Done, but a value was outside its range", "The values sent."),
    0x0117: _E("invalid SOP instance", "The object's UID breaks the rules for UIDs", "How the sender makes its UIDs."),
    0x0118: _E("no such SOP class", "The peer does not know this kind of object", "Conformance statements."),
    0x0119: _E("class-instance conflict", "The object with this UID is of another kind", "The UIDs of the request."),
    0x0120: _E("missing attribute", "A required attribute is not there", "The attribute that the answer names."),
    0x0121: _E("missing attribute value", "A required attribute is empty", "The attribute that the answer names."),
    0x0122: _E(
        "SOP class not supported",
        "The peer does not take this kind of object, although the context was accepted",
        "The SOP class of the object and that of the presentation context.",
    ),
    0x0123: _E("no such action type", "The peer does not know this action", "Conformance statements."),
    0x0124: _E(
        "not authorised",
        "The peer knows who asks and does not allow it",
        "The rights of this AE title at the peer.",
    ),
    0x0131: _E("duplicate transaction UID", "This transaction was asked for before", "How transaction UIDs are made."),
    0x0210: _E("duplicate invocation", "A request with this message id is still being worked on", "The sender."),
    0x0211: _E(
        "unrecognised operation",
        "The peer does not know this operation for this SOP class",
        "Which service was asked on which presentation context.",
    ),
    0x0212: _E("mistyped argument", "An argument is of the wrong kind for it", "The request's command set."),
    0x0213: _E("resource limitation", "The peer ran out of something it needs", "Disk, memory and load at the peer."),
    0xFE00: _E("cancelled", "The operation was stopped because the requester asked for it", "Who sent the C-CANCEL."),
}

_OUT_OF_RESOURCES = _E(
    "out of resources",
    "The peer has no room left for the object, nearly always disk space",
    "Free disk space at the peer, and its quotas.",
)
_STORE: Mapping[int, Explanation] = {
    0xA700: _OUT_OF_RESOURCES,
    0xA900: _E(
        "data set does not match SOP class",
        "The object is not what the request said it is",
        "SOP Class UID and SOP Instance UID in the object and in the request.",
    ),
    0xB000: _E(
        "coercion of data elements",
        "Stored, but the peer changed something in it",
        "What the peer coerces: patient data from its own records, usually.",
    ),
    0xB006: _E("elements discarded", "Stored, but the peer left some elements out", "Private elements, above all."),
    0xB007: _E(
        "data set does not match SOP class (warning)",
        "Stored, although it is not quite what its SOP class asks for",
        "Required elements of the object.",
    ),
    0xC000: _E("cannot understand", "The peer could not read the object", "Is the object whole? Its transfer syntax."),
    0xC211: _E(
        "error in the storage application",
        "The receiving application failed on this object",
        "The receiver's log; try another object to see whether it is this one only.",
    ),
}
_FIND: Mapping[int, Explanation] = {
    0xFF00: _E("pending", "A match; more may come"),
    0xFF01: _E(
        "pending, with warning",
        "A match; the peer could not use some of the optional keys",
        "Which keys the peer supports.",
    ),
    0xA700: _E("out of resources", "The peer cannot answer the query now", "Load and memory at the peer."),
    0xA900: _E(
        "identifier does not match SOP class",
        "The query does not fit the information model: wrong level, or a key of an upper level is missing",
        "Query/Retrieve Level, and the unique keys of the levels above.",
    ),
    0xB001: _E("response limit reached", "There are more matches than the peer gives", "Ask for less."),
    0xC000: _E("unable to process", "The peer could not work on the query", _PEER_LOG),
    0xC311: _E("error in the query application", "The peer's application failed on this query", _PEER_LOG),
}
_RETRIEVE: Mapping[int, Explanation] = {
    0xFF00: _E("pending", "Objects are being sent"),
    0xA701: _E("cannot count matches", "The peer cannot say how many objects there are to send", "The peer's load."),
    0xA702: _E(
        "cannot perform sub-operations",
        "Not one object could be delivered",
        "The way from the peer to the destination: does it answer there, does it accept, does it take these objects?",
    ),
    0xA900: _E(
        "identifier does not match SOP class",
        "The request does not say what to send in a way that fits the model, such as an empty Study Instance UID",
        "Query/Retrieve Level and the unique keys.",
    ),
    0xB000: _E(
        "done, with failures or warnings",
        "Some of the objects were not delivered or only with a warning",
        "The counts, and the list of failed SOP Instance UIDs.",
    ),
    0xC000: _E("unable to process", "The peer could not work on the request", _PEER_LOG),
}
_MOVE: Mapping[int, Explanation] = {
    **_RETRIEVE,
    0xA801: _E(
        "move destination unknown",
        "The peer does not know the AE title to which it should send",
        "The peer's table of AEs: it needs title, host and port of the destination.",
    ),
    0xC511: _E("error in the retrieve application", "The peer's application failed on this request", _PEER_LOG),
}
_GET: Mapping[int, Explanation] = {
    **_RETRIEVE,
    0xC411: _E("error in the retrieve application", "The peer's application failed on this request", _PEER_LOG),
}

SERVICES: Mapping[str, Mapping[int, Explanation]] = {
    "C-ECHO": {},
    "C-STORE": _STORE,
    "C-FIND": _FIND,
    "C-MOVE": _MOVE,
    "C-GET": _GET,
    "N-EVENT-REPORT": {},
    "N-GET": {},
    "N-SET": {
        0x0110: _E(
            "processing failure",
            "The step may no longer be changed, being completed or discontinued, or the peer failed",
            "The state of the step at the peer.",
        )
    },
    "N-ACTION": {},
    "N-CREATE": {},
    "N-DELETE": {},
}

_FAILED_BY_APPLICATION = _E(
    "unable to process", "The peer's application failed; the last three digits are its own", _PEER_LOG
)
RANGES: Mapping[str, tuple[_Range, ...]] = {
    "C-STORE": (
        _Range(0xA700, 0xA7FF, _OUT_OF_RESOURCES),
        _Range(0xA900, 0xA9FF, _STORE[0xA900]),
        _Range(0xC000, 0xCFFF, _STORE[0xC000]),
    ),
    "C-FIND": (_Range(0xA700, 0xA7FF, _FIND[0xA700]), _Range(0xC000, 0xCFFF, _FAILED_BY_APPLICATION)),
    "C-MOVE": (_Range(0xC000, 0xCFFF, _FAILED_BY_APPLICATION),),
    "C-GET": (_Range(0xC000, 0xCFFF, _FAILED_BY_APPLICATION),),
}
# By the first digit alone (PS3.7 annex C.1), for what no table knows.
_CLASSES: tuple[_Range, ...] = (
    _Range(0x0001, 0x0001, _E("warning", "Done, with a reservation", _PEER_LOG)),
    _Range(0xFF00, 0xFF01, _E("pending", "Not finished yet")),
    _Range(0xB000, 0xBFFF, _E("warning", "Done, with a reservation that is the peer's own", _PEER_LOG)),
    _Range(0xA000, 0xAFFF, _E("failure", "Refused, with a number of the peer's own", _PEER_LOG)),
    _Range(0xC000, 0xCFFF, _E("failure", "Failed, with a number of the peer's own", _PEER_LOG)),
    _Range(0x0100, 0x02FF, _E("failure", "Failed, with a number to which the standard gives no meaning", _PEER_LOG)),
)
_UNKNOWN = _E("unknown status", "The standard gives this number no meaning", "The peer's conformance statement.")


def find_status(service: str, status: int) -> Explanation:
    """The words for ``status`` as an answer of ``service``: exact, by range, in general, by class, in that order."""
    if status < 0:
        return NO_ANSWER
    own = SERVICES.get(service, {})
    if status in own:
        return own[status]
    for span in RANGES.get(service, ()):
        if span.first <= status <= span.last:
            return span.words
    if status in GENERAL:
        return GENERAL[status]
    return next((span.words for span in _CLASSES if span.first <= status <= span.last), _UNKNOWN)
