"""The conformance statement of one archive, section by section in the order of PS3.2.

Whatever can differ between two archives, or between two versions of this one, is read from the options, the acceptor's
policy and the tables by which it runs; only what those cannot say is written out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydicom.charset import python_encoding

from sandbox.archive.audit.sinks import KEPT, LIMIT, MOST_KEPT_BACK
from sandbox.archive.conformance.services import services
from sandbox.archive.conformance.tables import (
    ABORTS,
    AUDITED,
    REJECTIONS,
    table,
    wrapped,
)
from sandbox.archive.serve import ServeOptions, acceptor_policy
from sandbox.dicom import syntaxes
from sandbox.dicom.contexts import MOST_CONTEXTS, contexts_for_storage
from sandbox.dicom.contract import AcceptorPolicy, StoredObject, SupportedContext
from sandbox.dicom.explain import explain_abort, explain_rejection, uid_name
from sandbox.dicom.tls import CIPHERS
from sandbox.model.config import ClientCertificates

_STORAGE = frozenset(syntaxes.STORAGE_CLASSES)


def statement(options: ServeOptions, web: str = "") -> str:
    """The whole statement in Markdown, without a heading comment. ``web`` is what DICOMweb says of itself, if it is
    served."""
    policy = acceptor_policy(options)
    parts = [
        "# DICOM conformance statement",
        wrapped(
            f"PACS Sandbox archive, version {syntaxes.IMPLEMENTATION_VERSION_NAME}, AE title {options.ae_title}. In "
            "the form of PS3.2, for `pacs-sandbox archive serve`; the archive of a department is the same code. "
            "It is a training system and no medical device."
        ),
        _overview(policy, web),
        _introduction(),
        _model(),
        _specification(options, policy),
        *services(),
        _interfaces(options),
        *([web] if web else []),
        "## 5 Media interchange\n\nNone. Part 10 files are kept on disk and imported, but no media profile is claimed.",
        _character_sets(),
        _security(options),
        _annexes(),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


# -- 1 to 3 -----------------------------------------------------------------------------------------------------------


def _overview(policy: AcceptorPolicy, web: str) -> str:
    stored = [context for context in policy.contexts if context.abstract_syntax in _STORAGE]
    rows = [(f"Storage: {len(stored)} SOP classes (annex A.1)", "", "yes (C-MOVE, C-GET)", "yes")]
    rows += [
        (uid_name(context.abstract_syntax), f"`{context.abstract_syntax}`", "no", "yes")
        for context in policy.contexts
        if context not in stored
    ]
    more = "DICOMweb is served beside it (section 4.5)." if web else "DICOMweb is not served in this configuration."
    return "\n\n".join(
        (
            "## 1 Conformance statement overview",
            "Table 1: network services.",
            table(("SOP class", "UID", "user (SCU)", "provider (SCP)"), rows),
            f"{more} Media interchange is not supported. Modality worklist, MPPS and print are not services of the "
            "archive.",
        )
    )


def _introduction() -> str:
    return "\n\n".join(
        (
            "## 2 Revision",
            "This text is made by `pacs-sandbox archive conformance` from the tables and the configuration that the "
            "archive runs by; run it with the options of `archive serve` for yours.",
            "## 3 Introduction",
            wrapped(
                "For administrators and integrators who know DICOM. Paragraphs of the standard are those of the "
                "current edition. Conformance does not promise that two systems work together; try them."
            ),
        )
    )


# -- 4.1, 4.2 ---------------------------------------------------------------------------------------------------------


def _model() -> str:
    return "\n\n".join(
        (
            "## 4 Networking",
            "### 4.1 Implementation model",
            wrapped(
                "One application entity keeps instances on disk and answers for them. It receives them by C-STORE, "
                "answers C-FIND, sends by C-MOVE over an association of its own and by C-GET over the caller's, takes "
                "storage commitment requests and reports on them over an association of its own. It runs from when it "
                "is started until it is stopped; each association has its own thread, and its requests are served one "
                "after the other.",
            ),
        )
    )


def _specification(options: ServeOptions, policy: AcceptorPolicy) -> str:
    times = policy.timeouts
    callers = (
        "only these: " + ", ".join(sorted(policy.calling_ae))
        if policy.calling_ae is not None
        else "any (they can be checked against the AE table)"
    )
    general = (
        ("Application context name", "`1.2.840.10008.3.1.1.1`"),
        ("AE title", f"{options.ae_title}; called AE title checked, case-sensitive, outer spaces not significant"),
        ("Calling AE titles accepted", callers),
        ("Maximum PDU length offered", f"{policy.maximum_pdu} bytes; the peer's is honoured, 0 is no limit"),
        ("Associations accepted at once", f"{policy.maximum_associations}; half-open connections do not count"),
        ("Associations initiated at once", "one for each C-MOVE under way, one for a storage commitment report"),
        ("Asynchronous operations", "not negotiated: one operation at a time"),
        ("Implementation Class UID", f"`{syntaxes.IMPLEMENTATION_CLASS_UID}`"),
        ("Implementation Version Name", syntaxes.IMPLEMENTATION_VERSION_NAME),
        ("Role selection", "answered; a caller may be SCP of storage classes (C-GET) and of storage commitment"),
        ("Extended negotiation", "not supported: no relational queries, no combined date-time, no fuzzy names"),
        ("User identity negotiation", "not supported; the item is passed over"),
    )
    waits = (
        ("ARTIM: A-ASSOCIATE, A-RELEASE, A-ABORT", f"{times.acse:g}"),
        ("response to a request", f"{times.dimse:g}"),
        ("a silent peer", f"{times.network:g}"),
        ("TCP connection", f"{times.connect:g}"),
    )
    rejections = [(str(numbers), explain_rejection(numbers).name, when) for numbers, when in REJECTIONS]
    aborts = [(f"2/{reason}", explain_abort(2, reason).name, when) for reason, when in ABORTS]
    return "\n\n".join(
        (
            "### 4.2 AE specification: the archive",
            "#### 4.2.1 Association policies",
            table(("what", "value"), general),
            "Seconds waited for",
            table(("what", "seconds"), waits),
            "Rejections sent (result/source/reason). No other is.",
            table(("numbers", "meaning", "when"), rejections),
            "Aborts sent as service provider (source/reason). As service user, source 0, when it stops.",
            table(("numbers", "meaning", "when"), aborts),
            "#### 4.2.2 Association initiation: presentation contexts proposed",
            wrapped(
                "For C-MOVE: one context for each SOP class and transfer syntax of what is to be sent, and one "
                f"more for each SOP class that can be sent uncompressed, at most {MOST_CONTEXTS}, those that "
                "serve most instances first. Roles are not "
                "selected. What is not accepted in the syntax it is stored in goes out in the one beside it:"
            ),
            table(("stored in", "proposed, in this order"), _proposed()),
            f"For a storage commitment report: {uid_name(syntaxes.STORAGE_COMMITMENT)} in "
            f"{_syntax_names(syntaxes.UNCOMPRESSED)}, role selection SCU 0, SCP 1.",
            "#### 4.2.3 Association acceptance: presentation contexts accepted",
            wrapped(
                "Of the transfer syntaxes offered in a context the first of this list that was offered is accepted. "
                "All contexts are answered: an unknown abstract syntax with 3, none of its transfer syntaxes with 4, "
                "one for which no proposed role is possible with 1. 2 (no reason) is never sent, since there always is "
                "a reason."
            ),
            table(
                ("abstract syntax", "transfer syntaxes", "role of the caller", "extended negotiation"),
                _accepted(policy),
            ),
            "Verification, storage, query, retrieve and commitment may be mixed on one association.",
        )
    )


def _proposed() -> list[tuple[str, str]]:
    rows = []
    for syntax in syntaxes.ALL_TRANSFER_SYNTAXES:
        proposed = contexts_for_storage([StoredObject(Path("x"), "1.2.3", "1.2.4", syntax)])
        names = dict.fromkeys(uid for context in proposed for uid in context.transfer_syntaxes)
        rows.append((uid_name(syntax), ", ".join(uid_name(uid) for uid in names)))
    return rows


def _accepted(policy: AcceptorPolicy) -> list[tuple[str, ...]]:
    rows: dict[tuple[str, ...], None] = {}
    for context in policy.contexts:
        name = uid_name(context.abstract_syntax)
        if context.abstract_syntax in _STORAGE:
            name = "each storage SOP class of annex A.1"
        rows[name, _syntaxes_of(context), "SCU or SCP" if context.peer_may_be_scp else "SCU", "none"] = None
    return list(rows)


def _syntaxes_of(context: SupportedContext) -> str:
    if set(context.transfer_syntaxes) == set(syntaxes.ALL_TRANSFER_SYNTAXES):
        return f"all {len(context.transfer_syntaxes)} of annex A.2"
    return _syntax_names(context.transfer_syntaxes)


def _syntax_names(uids: Sequence[str]) -> str:
    return ", ".join(uid_name(uid) for uid in uids)


# -- 4.3 to 8 ---------------------------------------------------------------------------------------------------------


def _interfaces(options: ServeOptions) -> str:
    remotes = [(one.ae_title, one.host, str(one.port), "yes" if one.tls else "no") for one in options.remotes]
    ports = f"TCP port {options.port} in the clear" if options.port else "a free TCP port in the clear"
    if options.tls_port is not None:
        ports += f", {f'port {options.tls_port}' if options.tls_port else 'another free port'} over TLS"
    return "\n\n".join(
        (
            "### 4.3 Network interfaces",
            f"TCP/IP, IPv4 or IPv6, at {options.host}: {ports}. Host names are looked up by the system.",
            "### 4.4 Configuration",
            wrapped(
                "AE title, address, ports, AE table, certificates and the place of store and index are options of "
                "`archive serve`. Move destinations and requesters of storage commitment are looked up in the AE table:"
            ),
            table(("AE title", "host", "port", "TLS"), remotes) if remotes else "No remote AE is configured.",
        )
    )


def _character_sets() -> str:
    terms = ", ".join(f"`{term}`" for term in sorted(python_encoding) if term)
    return "\n\n".join(
        (
            "## 6 Support of character sets",
            f"Read, matched and answered, with the default repertoire ISO-IR 6: {terms}.",
            wrapped(
                "Instances keep the set they came in. A query is matched in whatever set it comes. Its answers are in "
                "ASCII without Specific Character Set where that is enough, else in the set of the query if that can "
                "carry them, else in ISO_IR 100 for one that named none, else in ISO_IR 192. What cannot be decoded "
                "becomes U+FFFD in answers and stays as it is in the instance."
            ),
        )
    )


def _security(options: ServeOptions) -> str:
    asked = {
        ClientCertificates.NONE: "are not asked for",
        ClientCertificates.WANTED: "are checked if there are any",
        ClientCertificates.REQUIRED: "are required",
    }[options.client_certificates]
    state = f"A TLS port is configured; client certificates {asked}." if options.tls_port is not None else ""
    return "\n\n".join(
        (
            "## 7 Security",
            wrapped(
                "Secure transport by TLS (PS3.15 annex B, BCP 195 RFC 9325): TLS 1.3, and 1.2 with forward secrecy and "
                f"authenticated encryption (OpenSSL's `{CIPHERS}`); older versions are refused. Client certificates "
                "can be ignored, or required of the authority that is configured. A requestor checks certificate and "
                f"name of whom it calls. No session resumption, compression or renegotiation. {state}"
            ),
            _audit(options),
            "AE titles are checked as in 4.2.1. User identity, digital signatures and de-identification are not "
            "supported.",
        )
    )


def _audit(options: ServeOptions) -> str:
    if not options.audit:
        return "No audit trail is kept in this configuration."
    target = options.audit_syslog
    over = "UDP (RFC 5426)" if target is not None and not target.tls else "TLS (RFC 5425)"
    sent = (
        f"It is sent to {target.host}:{target.port} over {over}."
        if target is not None
        else ("It can be sent to a syslog server over UDP (RFC 5426) or TLS (RFC 5425).")
    )
    return "\n\n".join(
        (
            wrapped(
                "Audit trail messages (PS3.15 A.5, in the XML of A.5.1) go to a file in the archive's directory that "
                f"is only added to; at {LIMIT >> 20} MiB a new one is begun, and {KEPT} full ones are kept. {sent} "
                "Messages are written after the event, by a thread of their own; what a full disk does not take waits "
                f"in memory, up to {MOST_KEPT_BACK >> 20} MiB; when more come than can be written the log says how "
                "many were lost. What is read by DICOMweb makes no message."
            ),
            table(("message", "when"), AUDITED),
        )
    )


def _annexes() -> str:
    classes = [(uid_name(uid), f"`{uid}`") for uid in syntaxes.STORAGE_CLASSES]
    kept = [(uid_name(uid), f"`{uid}`") for uid in syntaxes.ALL_TRANSFER_SYNTAXES]
    return "\n\n".join(
        (
            "## 8 Annexes",
            "### A.1 Storage SOP classes",
            table(("SOP class", "UID"), classes),
            "### A.2 Transfer syntaxes of storage, in order of preference",
            table(("transfer syntax", "UID"), kept),
            "### A.3 Specialisations and private elements",
            "No standard extended, specialised or private SOP class; the archive adds no element to an instance.",
        )
    )
