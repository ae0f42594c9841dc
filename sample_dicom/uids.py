"""Unique identifiers made from what they identify, so that the same seed always names the same objects alike."""

from __future__ import annotations

import hashlib

from pydicom.uid import UID

NAMESPACE = "pacs-sandbox/sample-dicom/1"


def make_uid(*parts: object) -> UID:
    """A UID of the UUID form (PS3.5 B.2) from the hash of its parts.

    122 hashed bits keep labs of different seeds apart; the version bits say "custom" (RFC 9562, version 8).
    """
    text = "\x1f".join((NAMESPACE, *(str(part) for part in parts)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    number = number & ~(0xF << 76) | (0x8 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return UID(f"2.25.{number}")


IMPLEMENTATION_UID = make_uid("implementation")
IMPLEMENTATION_VERSION = "PACS_SANDBOX_1"


def make_number(below: int, *parts: object) -> int:
    """A number from 0 to ``below`` - 1 from the hash of its parts: for study IDs, random generators and the like."""
    text = "\x1f".join((NAMESPACE, "number", *(str(part) for part in parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below
