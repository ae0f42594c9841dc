"""The numbers of DICOM in an administrator's words: rejections, aborts, contexts, dial failures, statuses and UIDs.

Tables only, each with a test that it is complete. A name is short enough for a column, a meaning is a sentence without
its full stop, and ``look`` says where to look next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.uid import UID

from sandbox.dicom.statuses import find_status
from sandbox.dicom.words import Explanation
from sandbox.model.association import DialOutcome, Rejection

__all__ = [
    "Explanation",
    "RejectionWords",
    "describe_abort",
    "explain_abort",
    "explain_context",
    "explain_dial",
    "explain_rejection",
    "explain_rejection_fields",
    "explain_status",
    "uid_name",
]

REJECT_RESULTS: Mapping[int, str] = {1: "rejected permanently", 2: "rejected for now"}
REJECT_SOURCES: Mapping[int, str] = {
    1: "service user: the application itself said no",
    2: "service provider (ACSE): the protocol machinery said no",
    3: "service provider (presentation): the peer's resources said no",
}
REJECT_REASONS: Mapping[tuple[int, int], Explanation] = {
    (1, 1): Explanation(
        "no reason given",
        "The application refused and does not say why",
        "The peer's own log; often an access list that is not about AE titles.",
    ),
    (1, 2): Explanation(
        "application context name not supported",
        "The caller did not speak of DICOM in its request, or the peer takes it for something else",
        "Which software calls, and whether the port is really the peer's DICOM port.",
    ),
    (1, 3): Explanation(
        "calling AE title not recognised",
        "The peer does not know the title that the caller gives itself",
        "The peer's table of AEs: is the caller's title in it, letter for letter? And the caller's own AE title.",
    ),
    (1, 7): Explanation(
        "called AE title not recognised",
        "Whoever answers at this address is not, or does not know itself as, the AE that was called",
        "The AE title entered for this destination at the caller, and the peer's own title; case counts.",
    ),
    (2, 1): Explanation(
        "no reason given",
        "The peer's association control refused and does not say why; a failed user identity looks like this, too",
        "The peer's own log.",
    ),
    (2, 2): Explanation(
        "protocol version not supported",
        "The caller did not offer version 1 of the upper layer protocol",
        "Which software calls; a port scanner or a damaged request does this.",
    ),
    (3, 1): Explanation(
        "temporary congestion",
        "The peer is too busy at the moment",
        "The peer's load, and how long the caller waits before it tries again.",
    ),
    (3, 2): Explanation(
        "local limit exceeded",
        "The peer has as many associations open as it allows",
        "The peer's open associations and its limit; a caller that opens many or never closes them.",
    ),
}
_RESERVED = Explanation(
    "reserved value", "The peer sent a number to which the standard gives no meaning", "The peer's own log."
)

ABORT_SOURCES: Mapping[int, Explanation] = {
    0: Explanation(
        "service user",
        "The peer's application ended the association on purpose",
        "The peer's log at this time: a restart, an error in the application, or somebody who pressed cancel.",
    ),
    2: Explanation(
        "service provider",
        "The peer's protocol machinery ended the association",
        "What was sent last before the abort.",
    ),
}
ABORT_REASONS: Mapping[int, Explanation] = {
    0: Explanation("reason not specified", "The peer does not say why", "The peer's log."),
    1: Explanation(
        "unrecognised PDU",
        "The peer received bytes that are no DICOM PDU",
        "TLS on one side only, or something that is not DICOM on this port.",
    ),
    2: Explanation(
        "unexpected PDU",
        "The peer received a PDU that may not come at this point",
        "The capture: what was sent before.",
    ),
    3: Explanation("reserved value", "The standard gives this number no meaning", "The peer's log."),
    4: Explanation(
        "unrecognised PDU parameter", "The peer received a field it does not know", "The capture of the request."
    ),
    5: Explanation(
        "unexpected PDU parameter", "The peer received a field that may not be there", "The capture of the request."
    ),
    6: Explanation(
        "invalid PDU parameter value",
        "The peer received a field with a value it cannot take, such as a presentation context that was not accepted",
        "The capture: lengths, context ids, maximum length.",
    ),
}

CONTEXT_RESULTS: Mapping[int, Explanation] = {
    0: Explanation("accepted", "This kind of object or service may be used in the transfer syntax named"),
    1: Explanation(
        "rejected by the user",
        "The peer's application does not want this, often because of the roles proposed",
        "Role selection: who is to be SCU and who SCP.",
    ),
    2: Explanation("rejected, no reason", "The peer does not say why", "The peer's log and conformance statement."),
    3: Explanation(
        "abstract syntax not supported",
        "The peer does not take this kind of object or service at all",
        "The SOP classes that the peer is set up to accept.",
    ),
    4: Explanation(
        "transfer syntaxes not supported",
        "The peer takes this kind of object, but in none of the encodings offered",
        "The transfer syntaxes offered and accepted; compressed images are the usual case.",
    ),
}

DIAL_OUTCOMES: Mapping[DialOutcome, Explanation] = {
    DialOutcome.REFUSED: Explanation(
        "connection refused",
        "The host answered that nothing listens on this port",
        "Is the application running, and is the port number right?",
    ),
    DialOutcome.TIMED_OUT: Explanation(
        "timed out",
        "Nothing came back: the host is down or a firewall drops the packets",
        "Firewall rules between the two, the address, whether the host is up.",
    ),
    DialOutcome.UNKNOWN_HOST: Explanation(
        "unknown host",
        "The name could not be turned into an address",
        "The spelling of the host name, and DNS.",
    ),
    DialOutcome.UNREACHABLE: Explanation(
        "unreachable",
        "There is no route to this address",
        "The address, its network and the gateway.",
    ),
    DialOutcome.RESET: Explanation(
        "connection reset",
        "The connection was broken off as soon as it was made",
        "A firewall that rejects, a proxy or load balancer in between, or an application that has just crashed.",
    ),
}


# Registered later than the dictionary that pydicom brings along.
NEWER_NAMES: Mapping[str, str] = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.9.100.1": "Waveform Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.9.100.2": "Waveform Acquisition Presentation State Storage",
}


@dataclass(frozen=True)
class RejectionWords:
    """The three numbers of a rejection, each in words."""

    result: str
    source: str
    reason: Explanation


def explain_rejection_fields(rejection: Rejection) -> RejectionWords:
    """What each of the three numbers means (PS3.8 table 9-21)."""
    return RejectionWords(
        REJECT_RESULTS.get(rejection.result, "reserved value"),
        REJECT_SOURCES.get(rejection.source, "reserved value"),
        REJECT_REASONS.get((rejection.source, rejection.reason), _RESERVED),
    )


def explain_rejection(rejection: Rejection) -> Explanation:
    """Why an association was rejected, in one explanation."""
    return explain_rejection_fields(rejection).reason


def explain_abort(source: int, reason: int) -> Explanation:
    """Why an association was aborted. The reason counts only where the provider aborted (PS3.8 9.3.8)."""
    if source == 2:
        return ABORT_REASONS.get(reason, _RESERVED)
    return ABORT_SOURCES.get(source, _RESERVED)


def describe_abort(source: int, reason: int) -> str:
    """A received A-ABORT in a clause: "the peer aborted (service provider: unrecognised PDU)"."""
    if source == 2:
        return f"the peer aborted (service provider: {explain_abort(source, reason).name})"
    return f"the peer aborted ({ABORT_SOURCES[source].name if source in ABORT_SOURCES else f'source {source}'})"


def explain_context(result: int) -> Explanation:
    """The acceptor's answer to one presentation context (PS3.8 table 9-18)."""
    return CONTEXT_RESULTS.get(result, _RESERVED)


def explain_dial(outcome: DialOutcome) -> Explanation:
    """Why no TCP connection came about."""
    return DIAL_OUTCOMES[outcome]


def explain_status(service: str, status: int) -> Explanation:
    """A DIMSE status as this service ("C-STORE") means it; -1 is no answer at all."""
    return find_status(service, status)


def uid_name(uid: str) -> str:
    """The name of a SOP class, transfer syntax or other registered UID; the UID itself if it has none."""
    return NEWER_NAMES.get(uid) or (str(UID(uid).name) if uid else "")
