"""What a conformance statement says of statuses, rejections and matching: one line each, with the numbers taken from
the code that sends them. A test compares the lines with the constants of that code, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.archive import archive, commitment, commitment_service, identifier, query
from sandbox.archive import retrieve as archive_retrieve
from sandbox.archive.audit import messages
from sandbox.archive.matching import Rule
from sandbox.dicom import dispatch, negotiation, retrieve, scp, storing
from sandbox.model.association import Rejection

_ACCEPTOR = "A fault within the archive; its log has the particulars."
_UNREADABLE = "The identifier is missing, too long, or no data set in the accepted transfer syntax."

_OTHER_CLASS = "The presentation context was accepted for another SOP class than the command names."


@dataclass(frozen=True)
class StatusLine:
    """A status that the archive sends, and when."""

    service: str
    status: int
    when: str


STATUSES: tuple[StatusLine, ...] = (
    StatusLine("C-ECHO", scp.SUCCESS, "Always."),
    StatusLine("C-ECHO", storing.SOP_CLASS_NOT_SUPPORTED, _OTHER_CLASS),
    StatusLine("C-STORE", archive.SUCCESS, "File and index entry are durable. Also for an instance that is here."),
    StatusLine("C-STORE", archive.INVALID_INSTANCE, "Affected SOP Instance UID is missing or no UID."),
    StatusLine("C-STORE", storing.SOP_CLASS_NOT_SUPPORTED, _OTHER_CLASS),
    StatusLine("C-STORE", archive.NOT_AUTHORIZED, "The instance was rejected here by a rejection note (IOCM)."),
    StatusLine("C-STORE", archive.OUT_OF_RESOURCES, "Disk or quota is full, or the index cannot be written."),
    StatusLine(
        "C-STORE",
        archive.MISMATCH,
        "SOP Class or Instance UID of command and data set differ, or one of SOP Class, SOP Instance, Study Instance "
        "and Series Instance UID is missing or no UID.",
    ),
    StatusLine(
        "C-STORE",
        archive.INCOMPLETE,
        "Stored and durable, but Modality is missing, or Rows, Columns or Bits Allocated of an image.",
    ),
    StatusLine("C-STORE", archive.CANNOT_UNDERSTAND, "The data set is missing, truncated, or cannot be parsed."),
    StatusLine("C-STORE", storing.STORE_FAILED, _ACCEPTOR),
    StatusLine("C-FIND", query.PENDING, "A match; every key was supported."),
    StatusLine("C-FIND", query.PENDING_WITHOUT_SOME_KEYS, "A match; a key that is not supported was left out."),
    StatusLine("C-FIND", scp.SUCCESS, "No more matches. Without an identifier."),
    StatusLine("C-FIND", query.CANCELLED, "After a C-CANCEL."),
    StatusLine("C-FIND", query.OUT_OF_RESOURCES, "The index cannot be read."),
    StatusLine(
        "C-FIND",
        identifier.MISMATCH,
        "Query/Retrieve Level is missing or not in the model, or a unique key above it has not exactly one value.",
    ),
    StatusLine("C-FIND", storing.SOP_CLASS_NOT_SUPPORTED, _OTHER_CLASS),
    StatusLine("C-FIND", storing.CANNOT_UNDERSTAND, _UNREADABLE),
    StatusLine("C-FIND", scp.FIND_FAILED, _ACCEPTOR),
    *(
        line
        for service, failed in (("C-MOVE", retrieve.MOVE_FAILED), ("C-GET", retrieve.GET_FAILED))
        for line in (
            StatusLine(service, retrieve.PENDING, "After each sub-operation, with all four counts."),
            StatusLine(service, retrieve.SUCCESS, "Every instance was stored; or none is here. No count of remaining."),
            StatusLine(service, retrieve.SOME_FAILED, "Some failed, or were stored with a warning; Failed UID List."),
            StatusLine(service, retrieve.CANCELLED, "After a C-CANCEL, with the count of remaining sub-operations."),
            StatusLine(service, archive_retrieve.CANNOT_COUNT, "The index cannot be read."),
            StatusLine(service, retrieve.ALL_FAILED, "No instance was delivered; the reason is in Error Comment."),
            StatusLine(
                service,
                identifier.MISMATCH,
                "As for C-FIND; also when the unique key of the level is missing, empty, or holds a wildcard.",
            ),
            StatusLine(service, storing.SOP_CLASS_NOT_SUPPORTED, _OTHER_CLASS),
            StatusLine(service, storing.CANNOT_UNDERSTAND, _UNREADABLE),
            StatusLine(service, failed, _ACCEPTOR),
        )
    ),
    StatusLine("C-MOVE", retrieve.UNKNOWN_DESTINATION, "Move Destination is not in the AE table."),
    StatusLine("N-ACTION", commitment_service.SUCCESS, "The request is on disk and will be reported on."),
    StatusLine("N-ACTION", commitment_service.NO_SUCH_INSTANCE, "Not the well-known instance of the push model."),
    StatusLine("N-ACTION", commitment_service.INVALID_ARGUMENT, "Transaction UID or references make no sense."),
    StatusLine("N-ACTION", commitment_service.NO_SUCH_ACTION, "Another action type than 1."),
    StatusLine("N-ACTION", commitment_service.PROCESSING_FAILURE, "The requester is not in the AE table."),
    StatusLine("N-ACTION", commitment.RESOURCE_LIMITATION, "The request cannot be kept."),
    StatusLine("any", dispatch._DUPLICATE_INVOCATION, "The message ID is that of a request not answered yet."),
    StatusLine(
        "any", dispatch._UNRECOGNISED_OPERATION, "The command is no operation, or none of the context's SOP class."
    ),
    StatusLine("any", dispatch._INVALID_ARGUMENT_VALUE, "A DIMSE-N request holds a value that cannot be."),
    StatusLine(
        "any",
        dispatch._MISTYPED_ARGUMENT,
        "A DIMSE-C request lacks its SOP class, or a DIMSE-N request what every one of its kind has.",
    ),
)

FAILURE_REASONS: tuple[tuple[int, str], ...] = (
    (commitment.NO_SUCH_INSTANCE, "The instance is not here."),
    (commitment.CLASS_INSTANCE_CONFLICT, "The instance is here, with another SOP class."),
    (commitment.CLASS_NOT_SUPPORTED, "The SOP class is no storage class."),
    (commitment.PROCESSING_FAILURE, "The file could not be read back, or is not what the index says."),
    (commitment.RESOURCE_LIMITATION, "The index cannot be read at the moment."),
    (commitment.DUPLICATE_TRANSACTION, "The Transaction UID is in use for another request."),
)
"""Failure Reason (0008,1197) of a storage commitment report, and when."""

REJECTIONS: tuple[tuple[Rejection, str], ...] = (
    (negotiation.UNSUPPORTED_VERSION, "Bit 0 of the protocol version is not set."),
    (negotiation.UNSUPPORTED_APPLICATION_CONTEXT, "The application context name is not the DICOM one."),
    (negotiation.CALLED_AE_UNKNOWN, "The called AE title is not the archive's (case-sensitive)."),
    (negotiation.CALLING_AE_UNKNOWN, "The calling AE title is none, or calling AE titles are checked and it is new."),
    (
        negotiation.TEMPORARY_CONGESTION,
        "Another process holds the index so long that a write has failed, and still does, and only storage is "
        "proposed; or the archive is stopping. "
        "(Before it has opened its store it does not listen.)",
    ),
    (negotiation.LIMIT_EXCEEDED, "The limit of associations is reached."),
)

ABORTS: tuple[tuple[int, str], ...] = (
    (1, "A PDU of a type that the standard does not know."),
    (2, "A PDU that may not come in this state."),
    (6, "A PDU whose lengths or contents make no sense, or that is beyond every bound."),
)
"""Reasons of an A-ABORT of source 2 (service provider) that the archive sends, and when."""

AUDITED: tuple[tuple[str, str], ...] = tuple(
    (f"{code.meaning} ({code.value})", when)
    for code, when in (
        (messages.APPLICATION_ACTIVITY, "The archive starts or stops."),
        (messages.BEGIN_TRANSFERRING, "A C-MOVE or C-GET begins; one for each patient."),
        (
            messages.INSTANCES_TRANSFERRED,
            "A C-MOVE or C-GET is over, or instances came: one for each association and study, with how many of which "
            "SOP class.",
        ),
        (messages.INSTANCES_ACCESSED, "An administrator edits, merges, moves, splits, rejects, restores or exports."),
        (messages.STUDY_DELETED, "An administrator deletes a study."),
        (messages.QUERY, "Each C-FIND, with its keys."),
        (
            messages.SECURITY_ALERT,
            "An unknown calling AE is rejected or a TLS handshake fails (Node Authentication); an administrator "
            "empties the bin, makes the index anew or mends orphans (Use of Restricted Function).",
        ),
    )
)
"""The audit messages that the archive writes, and when."""

RULE_WORDS: dict[Rule, str] = {
    Rule.TEXT: "S, W, L",
    Rule.NAME: "S, W, L",
    Rule.UID: "S, L",
    Rule.DATE: "S, R",
    Rule.TIME: "S, R",
    Rule.NUMBER: "S, L",
    Rule.SEQUENCE: "Q",
}
"""How each rule is written in the table of keys: single value, wildcard, list, range, sequence."""


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def wrapped(*paragraphs: str) -> str:
    """Paragraphs apart from each other."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
