"""What each service of the archive does: section 4.2.4 of its conformance statement."""

from __future__ import annotations

from sandbox.archive.attributes import AT_LEVEL, LEVELS, KeyType
from sandbox.archive.commitment_service import Backoff
from sandbox.archive.conformance.tables import FAILURE_REASONS, RULE_WORDS, STATUSES, table, wrapped
from sandbox.archive.identifier import LEVELS_OF
from sandbox.archive.matching import RULES, Rule
from sandbox.dicom import syntaxes
from sandbox.dicom.explain import explain_status, uid_name

_QUERY = {
    syntaxes.PATIENT_ROOT_FIND: "C-FIND",
    syntaxes.STUDY_ROOT_FIND: "C-FIND",
    syntaxes.PATIENT_ROOT_MOVE: "C-MOVE",
    syntaxes.STUDY_ROOT_MOVE: "C-MOVE",
    syntaxes.PATIENT_ROOT_GET: "C-GET",
    syntaxes.STUDY_ROOT_GET: "C-GET",
}


def services() -> tuple[str, ...]:
    """The section, paragraph by paragraph, in Markdown."""
    return (
        "#### 4.2.4 SOP specific conformance",
        "##### Verification\n\n" + _statuses("C-ECHO"),
        _storage(),
        _query_retrieve(),
        "##### C-MOVE and C-GET\n\n"
        + wrapped(
            "The unique key of the level holds one value or, below the patient, several; those above it one. An empty "
            "key sends nothing. Sub-operations carry the AE title and message ID of the requester as move originator. "
            "An instance that no accepted context takes is one failed sub-operation, and the rest goes on. A "
            "destination that is known but refuses, rejects or does not answer is A702, with which of them in the "
            "comment and in the log. A damaged or missing file is not sent. C-GET sends on contexts of which the "
            "caller has the SCP role, converted to the accepted transfer syntax where the table of 4.2.2 allows it."
        )
        + "\n\n"
        + _statuses("C-MOVE")
        + "\n\n"
        + _statuses("C-GET"),
        _commitment(),
        "##### Statuses of every service\n\n" + _statuses("any"),
    )


def _storage() -> str:
    return "\n\n".join(
        (
            "##### Storage",
            wrapped(
                "Level 2 (full): every element survives byte for byte, private ones included, in the transfer syntax "
                "received. Nothing is coerced and nothing discarded, so the warnings B000 and B006 are never sent. Of "
                "the elements of its IOD the four UIDs that an instance is kept by are needed (A900); where Modality, "
                "or Rows, Columns or Bits Allocated of an image, are missing it is kept and answered with B007; the "
                "others are not checked. Digital signatures are kept and not checked. 0110 is not used: a fault "
                "within the archive is C211.",
                "An instance whose SOP Instance UID is here already is answered with 0000 and changes nothing; if the "
                "second copy differs, the first is kept and the log says so. Half-received instances are never "
                "visible. Instances stay until an administrator deletes them.",
                "A Key Object Selection document with a title of CID 7011 (IHE IOCM) hides at once what it names and "
                "is here: it is out of queries and retrieves and is refused (0124) when it comes again. Instances "
                "that a note names and that come only after it are not hidden.",
            ),
            _statuses("C-STORE"),
        )
    )


def _query_retrieve() -> str:
    models = [(uid_name(uid), f"`{uid}`", service, ", ".join(LEVELS_OF[uid])) for uid, service in _QUERY.items()]
    rules = [(vr, RULE_WORDS[rule], rule.value) for vr, rule in sorted(RULES.items())]
    parts = [
        "##### Query/Retrieve",
        table(("information model", "UID", "service", "levels"), models),
        wrapped(
            "Queries are hierarchical: a unique key above the level holds exactly one value, without a wildcard. One "
            "answer for each entity of the level. An answer holds what was asked of the supported keys, the unique "
            "keys down to the level, Query/Retrieve Level, Retrieve AE Title and, where needed, Specific Character "
            "Set; Instance Availability (always ONLINE) if asked. Keys of levels above may be asked for and matched at "
            "every level; keys of levels below and keys not in the table are left out, and the answers are FF01. "
            "Answers come in no promised order."
        ),
        "Keys of each level: U unique, R required, O optional. Matching: S single value, W wildcard, L list of "
        "values, R range, Q item by item; universal for all. *Computed* keys are counted or gathered from what is "
        "stored.",
    ]
    for level in LEVELS:
        rows = [
            (
                attribute.keyword,
                f"({attribute.tag >> 16:04X},{attribute.tag & 0xFFFF:04X})",
                attribute.vr,
                attribute.key.value,
                RULE_WORDS[RULES[attribute.vr]],
                ", ".join(
                    word
                    for word, holds in (("computed", attribute.computed), ("several values", attribute.multiple))
                    if holds
                ),
            )
            for attribute in sorted(AT_LEVEL[level], key=lambda one: (list(KeyType).index(one.key), one.tag))
        ]
        parts += [f"{level} level", table(("key", "tag", "VR", "type", "matching", ""), rows)]
    parts += [
        "Matching by value representation",
        table(("VR", "matching", "rule"), rules),
        wrapped(
            f"Person names ({Rule.NAME.value}): trailing empty components are not significant; a query with one "
            "component group matches any group of the stored name, one with several is matched group by group. "
            "`SMITH^*` also finds `SMITH`. Values of all other representations are matched with regard to case. `*` is "
            "any run of characters and `?` any one; `_`, `%` and brackets stand for themselves. A key of asterisks "
            "alone is universal and finds empty values. Of a key with several values any may match, of a stored "
            "attribute with several any may, and all are returned. Dates and times match by meaning (`2230` is "
            "`223000`); ranges are inclusive and may be open; date and time ranges apply separately."
        ),
        _statuses("C-FIND"),
    ]
    return "\n\n".join(parts)


def _commitment() -> str:
    backoff = Backoff()
    reasons = [(f"{reason:04X}", explain_status("N-ACTION", reason).name, when) for reason, when in FAILURE_REASONS]
    return "\n\n".join(
        (
            "##### Storage commitment, push model",
            wrapped(
                "Action type 1. The requester, known by its calling AE title, must be in the AE table. The report "
                "comes on a later association that the archive opens, with the same Transaction UID: event type 1 if "
                "all are committed, 2 when some are not. An instance is committed only after its file was "
                "read back whole. "
                f"A report that was not heard is made again after {backoff.first:g} s, later each time, at most every "
                f"{backoff.maximum:g} s, for {backoff.give_up / 86400:g} days, also across a restart. Commitment has "
                "no end of its own; it does not hinder an administrator's delete."
            ),
            _statuses("N-ACTION"),
            "Failure Reason (0008,1197)",
            table(("reason", "meaning", "when"), reasons),
        )
    )


def _statuses(service: str) -> str:
    rows = [
        (f"{line.status:04X}", explain_status(line.service, line.status).name, line.when)
        for line in STATUSES
        if line.service == service
    ]
    return f"Statuses of {service if service != 'any' else 'any service'}\n\n" + table(
        ("status", "meaning", "when"), rows
    )
