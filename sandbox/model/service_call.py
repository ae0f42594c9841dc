"""What one may ask whoever looks after a node to see to, in the words in which it is put to them: never the cause."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ServiceCall(StrEnum):
    """What one may ask whoever looks after a node (vendor, owner, IT) to see to."""

    STORING = "storing"
    QUERIES = "queries"
    SPEED = "speed"
    STABILITY = "stability"
    HEADERS = "headers"
    UIDS = "uids"
    OBJECTS = "objects"


CALL_TITLES: Mapping[ServiceCall, str] = {
    ServiceCall.STORING: "It refuses or loses objects that are sent to it",
    ServiceCall.QUERIES: "Its answers to queries and retrieves are wrong or not complete",
    ServiceCall.SPEED: "It answers too slowly",
    ServiceCall.STABILITY: "Its program hangs, ends by itself or does not let go of associations",
    ServiceCall.HEADERS: "What it writes into its images is wrong: values, text, the patient",
    ServiceCall.UIDS: "Its images belong together by their UIDs in a wrong way",
    ServiceCall.OBJECTS: "It makes the wrong kind of objects, or compresses them",
}
"""How each call is put to the one who is called."""
