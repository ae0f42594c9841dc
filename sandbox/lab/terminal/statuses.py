"""DIMSE statuses in the words of dcmtk's log: "Refused: MoveDestinationUnknown"."""

from __future__ import annotations

from collections.abc import Mapping

_COMMON: Mapping[int, str] = {
    0x0000: "Success",
    0xFE00: "Cancel: MatchingTerminatedDueToCancelRequest",
    0xFF00: "Pending",
    0xFF01: "Pending: WarningUnsupportedOptionalKeys",
    0x0106: "Error: InvalidAttributeValue",
    0x0110: "Error: ProcessingFailure",
    0x0111: "Error: DuplicateSOPInstance",
    0x0112: "Error: NoSuchObjectInstance",
    0x0117: "Error: InvalidObjectInstance",
    0x0122: "Refused: SOPClassNotSupported",
    0x0124: "Refused: NotAuthorized",
    0x0210: "Error: DuplicateInvocation",
    0x0211: "Error: UnrecognizedOperation",
    0x0212: "Error: MistypedArgument",
    0x0213: "Error: ResourceLimitation",
}
_OF: Mapping[str, Mapping[int, str]] = {
    "C-STORE": {
        0xB000: "Warning: CoercionOfDataElements",
        0xB007: "Warning: DataSetDoesNotMatchSOPClass",
        0xB006: "Warning: ElementsDiscarded",
        0xA900: "Error: DataSetDoesNotMatchSOPClass",
    },
    "C-FIND": {0xA700: "Refused: OutOfResources", 0xA900: "Error: DataSetDoesNotMatchSOPClass"},
    "C-MOVE": {
        0xA701: "Refused: OutOfResourcesNumberOfMatches",
        0xA702: "Refused: OutOfResourcesSubOperations",
        0xA801: "Refused: MoveDestinationUnknown",
        0xA900: "Error: DataSetDoesNotMatchSOPClass",
        0xB000: "Warning: SubOperationsCompleteOneOrMoreFailures",
        0xFE00: "Cancel: SubOperationsTerminatedDueToCancelIndication",
    },
}
_RANGES: tuple[tuple[str, int, int, str], ...] = (
    ("C-STORE", 0xA700, 0xA7FF, "Refused: OutOfResources"),
    ("C-STORE", 0xA900, 0xA9FF, "Error: DataSetDoesNotMatchSOPClass"),
    ("C-STORE", 0xC000, 0xCFFF, "Error: CannotUnderstand"),
    ("C-FIND", 0xC000, 0xCFFF, "Failed: UnableToProcess"),
    ("C-MOVE", 0xC000, 0xCFFF, "Failed: UnableToProcess"),
)


def dcmtk_status(service: str, status: int) -> str:
    """A status as dcmtk's log has it; C-GET's are those of C-MOVE."""
    service = "C-MOVE" if service == "C-GET" else service
    named = _OF.get(service, {}).get(status) or _COMMON.get(status)
    if named:
        return named
    found = next((text for name, low, high, text in _RANGES if name == service and low <= status <= high), "")
    return found or f"Unknown Status: 0x{status:x}"
