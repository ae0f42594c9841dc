"""Which SOP classes and transfer syntaxes there are, and ready lists of presentation contexts made of them.

A node states what it supports with these lists; nothing here decides for it. Order is preference: an acceptor takes the
first of its transfer syntaxes that was offered (PS3.8 annex B).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pynetdicom import AllStoragePresentationContexts

from sandbox.dicom.contract import SupportedContext

IMPLEMENTATION_CLASS_UID = "2.25.104357064339435926528706149044554620106"
IMPLEMENTATION_VERSION_NAME = "PACS_SANDBOX_01"

VERIFICATION = "1.2.840.10008.1.1"
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
WORKLIST_FIND = "1.2.840.10008.5.1.4.31"

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"

UNCOMPRESSED: tuple[str, ...] = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
# Readable without a codec, so one may stand in for another where a peer takes only some of them.
CONVERTIBLE: frozenset[str] = frozenset((*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN))
# What something is sent in where a peer does not take it as it is stored, the best first.
FALLBACKS: tuple[str, ...] = (*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
# Compressed ones that codecs.py decodes; a list of its own, since proposing contexts needs no codec in memory.
_DECODED: tuple[str, ...] = (
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.92",
    "1.2.840.10008.1.2.4.93",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.5",
)
DECODABLE: frozenset[str] = frozenset(_DECODED)
# All that carry their pixels with them; the JPIP ones only point at a server.
COMPRESSED: tuple[str, ...] = (
    *_DECODED,
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.4.111",
    "1.2.840.10008.1.2.4.112",
    "1.2.840.10008.1.2.4.100",
    "1.2.840.10008.1.2.4.100.1",
    "1.2.840.10008.1.2.4.101",
    "1.2.840.10008.1.2.4.101.1",
    "1.2.840.10008.1.2.4.102",
    "1.2.840.10008.1.2.4.102.1",
    "1.2.840.10008.1.2.4.103",
    "1.2.840.10008.1.2.4.103.1",
    "1.2.840.10008.1.2.4.104",
    "1.2.840.10008.1.2.4.104.1",
    "1.2.840.10008.1.2.4.105",
    "1.2.840.10008.1.2.4.105.1",
    "1.2.840.10008.1.2.4.106",
    "1.2.840.10008.1.2.4.106.1",
    "1.2.840.10008.1.2.4.107",
    "1.2.840.10008.1.2.4.108",
    "1.2.840.10008.1.2.8.1",
)
ALL_TRANSFER_SYNTAXES: tuple[str, ...] = (
    *UNCOMPRESSED,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    *COMPRESSED,
)

_RETIRED_STORAGE: tuple[str, ...] = (
    "1.2.840.10008.5.1.1.27",
    "1.2.840.10008.5.1.1.29",
    "1.2.840.10008.5.1.1.30",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.5",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.8",
    "1.2.840.10008.5.1.4.1.1.9",
    "1.2.840.10008.5.1.4.1.1.9.1",
    "1.2.840.10008.5.1.4.1.1.10",
    "1.2.840.10008.5.1.4.1.1.11",
    "1.2.840.10008.5.1.4.1.1.12.3",
    "1.2.840.10008.5.1.4.1.1.77.1",
    "1.2.840.10008.5.1.4.1.1.77.2",
    "1.2.840.10008.5.1.4.1.1.88.1",
    "1.2.840.10008.5.1.4.1.1.88.2",
    "1.2.840.10008.5.1.4.1.1.88.3",
    "1.2.840.10008.5.1.4.1.1.88.4",
    "1.2.840.10008.5.1.4.1.1.129",
    "1.2.840.10008.5.1.4.34.1",
)
# Of the sister standards for security and for testing materials (DICOS, DICONDE), with the same information model.
_SISTER_STORAGE: tuple[str, ...] = (
    "1.2.840.10008.5.1.4.1.1.501.1",
    "1.2.840.10008.5.1.4.1.1.501.2.1",
    "1.2.840.10008.5.1.4.1.1.501.2.2",
    "1.2.840.10008.5.1.4.1.1.501.3",
    "1.2.840.10008.5.1.4.1.1.501.4",
    "1.2.840.10008.5.1.4.1.1.501.5",
    "1.2.840.10008.5.1.4.1.1.501.6",
    "1.2.840.10008.5.1.4.1.1.601.1",
    "1.2.840.10008.5.1.4.1.1.601.2",
)
# Every storage SOP class of the standard, and the retired ones that old equipment still sends. Not those of PS3.4 GG:
# hanging protocols, implant templates and the like belong to no patient and no study.
STORAGE_CLASSES: tuple[str, ...] = tuple(
    sorted(
        {
            *(str(context.abstract_syntax) for context in AllStoragePresentationContexts),
            *_RETIRED_STORAGE,
            *_SISTER_STORAGE,
        }
    )
)


def can_transcode(stored: str, wanted: str) -> bool:
    """Whether instances in ``stored`` can be had in ``wanted`` (see transcode.py), as far as these tell."""
    return stored == wanted or (wanted in CONVERTIBLE and (stored in CONVERTIBLE or stored in DECODABLE))


def verification() -> tuple[SupportedContext, ...]:
    """C-ECHO."""
    return (SupportedContext(VERIFICATION, UNCOMPRESSED),)


def storage_contexts(
    sop_classes: Iterable[str] = STORAGE_CLASSES,
    transfer_syntaxes: Sequence[str] = ALL_TRANSFER_SYNTAXES,
    *,
    peer_may_be_scp: bool = False,
) -> tuple[SupportedContext, ...]:
    """C-STORE of these classes. ``peer_may_be_scp`` lets a client of C-GET receive them on its own association."""
    return tuple(SupportedContext(uid, tuple(transfer_syntaxes), peer_may_be_scp) for uid in sop_classes)


def query_retrieve_find() -> tuple[SupportedContext, ...]:
    """C-FIND under Patient Root and Study Root."""
    return _plain(PATIENT_ROOT_FIND, STUDY_ROOT_FIND)


def query_retrieve_move() -> tuple[SupportedContext, ...]:
    """C-MOVE under Patient Root and Study Root."""
    return _plain(PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE)


def query_retrieve_get() -> tuple[SupportedContext, ...]:
    """C-GET under Patient Root and Study Root; needs storage contexts with ``peer_may_be_scp`` beside it."""
    return _plain(PATIENT_ROOT_GET, STUDY_ROOT_GET)


def worklist_find() -> tuple[SupportedContext, ...]:
    """C-FIND of the modality worklist."""
    return _plain(WORKLIST_FIND)


def storage_commitment() -> tuple[SupportedContext, ...]:
    """Storage commitment, push model (PS3.4 J): asked of us, or reported to us by whoever proposes to be its SCP."""
    return (SupportedContext(STORAGE_COMMITMENT, UNCOMPRESSED, peer_may_be_scp=True),)


def _plain(*uids: str) -> tuple[SupportedContext, ...]:
    return tuple(SupportedContext(uid, UNCOMPRESSED) for uid in uids)
