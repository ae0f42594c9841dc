"""What tells causes apart: the mark that each cause leaves on a call or a study, and what each test shows of it.

A *mark* is how a cause shows where it is: refused, rejected for the called title, held, counted short. Two causes of
one mark cannot be told apart by a test, only by comparing or asking. ``TELLS`` says for each kind of test or look which
marks it shows each for itself; all others give it one and the same answer ("nothing out of the ordinary"). It is an
estimate from how the protocol and this department work, and it is the same for everybody; where a scenario's causes
were tried in a lab (the generated drills), what was measured there is told instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a cause shows, where it is."""

    ADDRESS = "nothing is reached under that name or address"
    REFUSED = "the host is there and the port refuses"
    DROPPED = "no answer ever comes back"
    CALLED = "rejected for the called AE title"
    CALLING = "rejected for the calling AE title"
    LIMIT = "rejected because too many are open"
    TLS = "the TLS handshake fails"
    CONTEXT = "a presentation context is refused"
    STATUS = "an object is answered with a failure status"
    SLOW = "it breaks off in the middle"
    KEPT_NOT = "answered with success, and fewer are there"
    RULE = "routed, but not to there"
    HELD = "held in a queue, without an error"
    NOT_SENT = "it never left, or was never made"
    INDEX = "not in the index, although it was taken"
    FILES = "in the index, and it cannot be read"
    KEYS = "there, and this search does not find it"
    DESTINATION = "the destination of a move is not known"
    CONTENT = "the contents are not what they should be"
    OPEN_DOOR = "somebody is let in who should not be"
    LOOP = "the same study passes again and again"
    COMMITMENT = "storage commitment is not asked for"


MARKS: Mapping[str, Mark] = {
    "address-changed": Mark.ADDRESS,
    "answers-capped": Mark.KEYS,
    "association-limit": Mark.LIMIT,
    "associations-not-released": Mark.LIMIT,
    "authority-not-trusted": Mark.TLS,
    "blocked-by-one": Mark.STATUS,
    "called-title-mistyped": Mark.CALLED,
    "called-title-unchecked": Mark.OPEN_DOOR,
    "calling-title-changed": Mark.CALLING,
    "calling-title-unknown": Mark.CALLING,
    "cannot-call-back": Mark.ADDRESS,
    "certificate-expired": Mark.TLS,
    "certificate-for-another-name": Mark.TLS,
    "character-set": Mark.CONTENT,
    "clock-is-wrong": Mark.KEYS,
    "context-refused": Mark.CONTEXT,
    "deleted-by-hand": Mark.INDEX,
    "destination-down": Mark.REFUSED,
    "destination-held": Mark.HELD,
    "duplicate-address": Mark.ADDRESS,
    "duplicate-ae-title": Mark.DESTINATION,
    "duplicate-uid": Mark.CONTENT,
    "duplicate-uids": Mark.CONTENT,
    "edited-on-the-way": Mark.CONTENT,
    "firewall-drops": Mark.DROPPED,
    "firewall-too-wide": Mark.OPEN_DOOR,
    "goes-round": Mark.LOOP,
    "idle-connection-forgotten": Mark.DROPPED,
    "images-not-kept": Mark.KEPT_NOT,
    "import-unmatched": Mark.CONTENT,
    "index-and-files-differ": Mark.CONTENT,
    "index-drifted": Mark.CONTENT,
    "index-locked": Mark.STATUS,
    "index-lost-rows": Mark.INDEX,
    "invalid-value": Mark.STATUS,
    "limit-of-associations": Mark.LIMIT,
    "limit-too-small": Mark.LIMIT,
    "line-breaks-off": Mark.SLOW,
    "line-loses-packets": Mark.DROPPED,
    "looked-for-the-wrong-day": Mark.KEYS,
    "modality-repeats": Mark.LOOP,
    "modality-writes-it": Mark.CONTENT,
    "move-destination-unknown": Mark.DESTINATION,
    "name-in-small-letters": Mark.KEYS,
    "network-overloaded": Mark.DROPPED,
    "never-acquired": Mark.NOT_SENT,
    "never-asked": Mark.COMMITMENT,
    "never-sent": Mark.NOT_SENT,
    "next-hop-down": Mark.REFUSED,
    "no-answer-so-again": Mark.LOOP,
    "not-in-ae-table": Mark.CALLING,
    "not-listed": Mark.CALLING,
    "other-id-domain": Mark.KEYS,
    "own-title-changed": Mark.CALLING,
    "purged": Mark.INDEX,
    "purged-before-commit": Mark.INDEX,
    "return-path-blocked": Mark.DROPPED,
    "rows-without-files": Mark.FILES,
    "rule-does-not-match": Mark.RULE,
    "rule-switched-off": Mark.RULE,
    "same-uid-sent-twice": Mark.CONTENT,
    "sent-in-two-parts": Mark.NOT_SENT,
    "slow-storage": Mark.SLOW,
    "stale-name": Mark.ADDRESS,
    "storage-slow": Mark.SLOW,
    "stranger-in-table": Mark.OPEN_DOOR,
    "success-and-not-kept": Mark.KEPT_NOT,
    "success-without-keeping": Mark.KEPT_NOT,
    "syntax-refused": Mark.CONTEXT,
    "test-exam-forgotten": Mark.CONTENT,
    "timeout-too-short": Mark.SLOW,
    "tls-on-one-side": Mark.TLS,
    "two-patients-in-one": Mark.CONTENT,
    "unlisted-callers-accepted": Mark.OPEN_DOOR,
    "viewer-shows-old-copy": Mark.CONTENT,
    "volume-full": Mark.STATUS,
    "wrong-address": Mark.ADDRESS,
    "wrong-destination-address": Mark.ADDRESS,
    "wrong-patient": Mark.CONTENT,
    "wrong-port": Mark.REFUSED,
    "wrong-worklist-pick": Mark.CONTENT,
}
"""The mark of each cause that a diagnosis of ours offers. One that is not here is told apart from nothing."""

WIRE = frozenset({Mark.ADDRESS, Mark.REFUSED, Mark.DROPPED})
CALL = WIRE | {Mark.CALLED, Mark.CALLING, Mark.LIMIT, Mark.TLS}
TRANSFER = CALL | {Mark.CONTEXT, Mark.STATUS, Mark.SLOW}


@dataclass(frozen=True)
class Tells:
    """``what`` a test of this kind tells, ``shows`` the marks that each give it an answer of their own, ``cost`` in
    efforts: 1 is a glance or a tool, 3 a patient on the table."""

    title: str
    what: str
    shows: frozenset[Mark]
    cost: int = 1


TELLS: Mapping[str, Tells] = {
    "tool.ping": Tells(
        "a ping",
        "whether the host is on and reachable; nothing about ports, titles or images",
        frozenset({Mark.ADDRESS, Mark.DROPPED}),
    ),
    "tool.lookup": Tells("a look-up of the name", "which address a name leads to", frozenset({Mark.ADDRESS})),
    "tool.port": Tells("a test of the port", "whether somebody listens at that port", WIRE),
    "tool.tls": Tells("a TLS handshake", "whether certificate and trust are in order", WIRE | {Mark.TLS}),
    "tool.echo": Tells("a C-ECHO", "whether an association is accepted: network, titles, limits, TLS", CALL),
    "tool.find": Tells(
        "a C-FIND", "whether it is found, and by which keys", CALL | {Mark.INDEX, Mark.KEYS, Mark.NOT_SENT}
    ),
    "tool.move": Tells("a C-MOVE", "whether it can be fetched, and by whom", TRANSFER | {Mark.DESTINATION, Mark.FILES}),
    "tool.get": Tells("a C-GET", "whether it can be fetched over the same association", TRANSFER | {Mark.FILES}),
    "tool.store": Tells("a C-STORE", "whether an object is accepted and taken", TRANSFER | {Mark.KEPT_NOT}, 2),
    "tool.clock": Tells("a look at the clock", "whether a node knows what time it is", frozenset()),
    "tool.propose": Tells(
        "an association with contexts of one's own", "which objects and encodings are accepted", CALL | {Mark.CONTEXT}
    ),
    "study.retrieve": Tells(
        "a retrieve", "whether a user can have the study", TRANSFER | {Mark.DESTINATION, Mark.FILES, Mark.INDEX}
    ),
    "exam.acquire": Tells(
        "an exam on the table", "everything that a new exam meets on its way", TRANSFER | {Mark.RULE, Mark.HELD}, 3
    ),
    "exam.send": Tells("sending the study again", "everything that it meets on its way", TRANSFER | {Mark.KEPT_NOT}, 2),
    "open.log": Tells("the log", "every call that went wrong, with the reason", TRANSFER | {Mark.LOOP}),
    "open.association": Tells(
        "the association", "who called whom, what was accepted, and each status", TRANSFER | {Mark.KEPT_NOT}
    ),
    "open.queue": Tells("the queue", "whether something waits, and the last error", TRANSFER | {Mark.HELD, Mark.LOOP}),
    "open.config": Tells(
        "the configuration",
        "what a node believes: titles, addresses, rules, limits",
        frozenset({Mark.CALLED, Mark.CALLING, Mark.REFUSED, Mark.RULE, Mark.OPEN_DOOR, Mark.COMMITMENT, Mark.LOOP}),
    ),
    "open.studies": Tells(
        "counting per hop",
        "where the study still is, and where it is no longer",
        frozenset({Mark.NOT_SENT, Mark.INDEX, Mark.KEPT_NOT, Mark.RULE, Mark.KEYS}),
    ),
    "open.follow": Tells(
        "following the study hop by hop",
        "the last place that has all of it",
        frozenset({Mark.NOT_SENT, Mark.INDEX, Mark.KEPT_NOT, Mark.RULE, Mark.HELD, Mark.KEYS, Mark.LOOP}),
    ),
    "open.instance": Tells(
        "the image and its header", "what the object itself says", frozenset({Mark.CONTENT, Mark.FILES, Mark.KEYS})
    ),
    "open.header": Tells(
        "the header",
        "what the object itself says, element by element",
        frozenset({Mark.CONTENT, Mark.FILES, Mark.KEYS}),
    ),
    "open.compare": Tells(
        "two copies side by side", "what one has and the other has not", frozenset({Mark.CONTENT, Mark.KEPT_NOT})
    ),
    "open.history": Tells(
        "the history of changes",
        "who changed which setting, and when",
        frozenset({Mark.CALLED, Mark.CALLING, Mark.REFUSED, Mark.RULE, Mark.HELD, Mark.OPEN_DOOR}),
    ),
    "archive.orphans": Tells(
        "a search for orphans", "whether index and files agree", frozenset({Mark.INDEX, Mark.FILES}), 2
    ),
    "archive.journal": Tells(
        "the archive's journal", "what was done to the archive, by whom", frozenset({Mark.INDEX, Mark.CONTENT})
    ),
    "archive.bin": Tells("the archive's bin", "what was deleted and can come back", frozenset({Mark.INDEX})),
    "archive.jobs": Tells("the archive's jobs", "whether one holds the index", frozenset({Mark.STATUS})),
    "archive.volumes": Tells(
        "the archive's volumes", "whether all of them are mounted", frozenset({Mark.FILES, Mark.STATUS})
    ),
    "node.certificate.show": Tells("the certificate", "for whom, by whom, until when", frozenset({Mark.TLS})),
    "ask": Tells(
        "a question", "what people saw and did themselves", frozenset({Mark.NOT_SENT, Mark.KEYS, Mark.OPEN_DOOR})
    ),
}
"""By the name of an act. What is not here tells causes apart by chance only."""


def tells(name: str) -> Tells | None:
    """The row of an act."""
    return TELLS.get(name)


def same_answer(kind: Tells, true: Mark, other: Mark | None) -> bool:
    """Whether a test of this kind would have given the same answer, had the cause left the mark ``other``."""
    if other is None or other is true:
        return True
    return true not in kind.shows and other not in kind.shows
