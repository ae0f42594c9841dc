"""The linter's rule for what a trainee reads before anything was checked: no claim in that list may tell what is wrong.

A claim speaks of the department as people want it. One that can only be put in the words of the cause is ``kept_back``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.checks.check import Check
from sandbox.drill.load import FILE_NAME
from sandbox.drill.problem import Problem

ASSOCIATION = ("associations", "lets go", "let go", "hang up")
CALLERS = ("callers that nobody", "program", "open door", "strangers")
CERTIFICATE = ("certificate", "encrypt", "listen in", "tls", "clock", "expire", "valid until")
CLOCK = ("clock", "minutes apart", "summer time")
DOWN = ("answers to a call", "is running", "starts", "crash")
LINE = ("pause", "idle", "connection", "the line", "network", "packet", "bandwidth", "delay")
NAMES = ("looks up", "led to", "by its address", "by its name", "resolve", "dns")
OTHER_IMAGE = ("one uid", "same uid", "a uid of", "instance uid")
READDRESSED = ("address",)
VALUE = ("writes", "turns away", "does not allow", "spelling", "small letters", "described as", "as dicom")
WIDER = ("firewall", "nothing passes", "lets nothing through", "both directions")

CAUSE_WORDS_OF: Mapping[str, tuple[str, ...]] = {
    "archive.files_without_rows": ("index", "database", "files"),
    "archive.header_drift": ("index", "database", "files"),
    "archive.index_older": ("index", "database", "files", "backup", "images that are there"),
    "archive.locked_index": ("index", "database", "lock"),
    "archive.purged": ("purge", "removes", "removed", "retention", "confirmed to have"),
    "archive.rows_without_files": ("index", "database", "files"),
    "archive.strangers_study": CALLERS,
    "archive.volume_full": ("disk", "volume", "room left", "is full"),
    "config.ae_title": ("ae title", "goes by", "is called"),
    "config.called_ae_title": ("ae title", "calls it by", "by its right name"),
    "config.limit": ("at most", "limit", "agreed", "answers"),
    "config.remote_host": ("address", "host", "calls back"),
    "config.remote_missing": ("ae table", "has entered", "is entered"),
    "config.remote_port": ("port ", "listens"),
    "config.rule": ("rule", "confirmed to have", "removes", "goes no further", "not only"),
    "config.saved_not_running": ("restart", "saved"),
    "config.set": ("ae title", "purge", "removes", "confirmed to have", "setting"),
    "config.sop_classes": ("sop class", "kind of image", "context"),
    "config.timeout": ("timeout", "waits for"),
    "config.transfer_syntaxes": ("syntax", "compress", "encod", "all along"),
    "config.unlisted_callers": CALLERS,
    "data.changed_description": ("description", "described"),
    "data.character_set": ("character set", "umlaut", "accents"),
    "data.compressed": ("syntax", "compress", "encod"),
    "data.duplicate_uid": OTHER_IMAGE,
    "data.enhanced": ("sop class", "enhanced", "context"),
    "data.extra_objects": ("sop class", "context"),
    "data.other_domain": ("issuer", "domain", "register", "patient id"),
    "data.private_capture": ("private", "sop class"),
    "data.shared_study": OTHER_IMAGE,
    "data.split_study": OTHER_IMAGE,
    "data.value": VALUE,
    "data.wrong_patient": ("worklist", "wrong patient"),
    "link.bandwidth": LINE,
    "link.blackhole": LINE,
    "link.idle_drop": LINE,
    "link.latency": LINE,
    "link.mtu": LINE,
    "link.one_way": (*LINE, *WIDER),
    "link.reset": LINE,
    "network.duplicate_address": ("address", "answers for itself", "each of them answers"),
    "network.firewall_missing": WIDER,
    "network.firewall_rule": WIDER,
    "network.readdressed": READDRESSED,
    "network.stale_dns": NAMES,
    "process.crash_looping": DOWN,
    "process.down": DOWN,
    "process.hung": DOWN,
    "process.leaking": ASSOCIATION,
    "queue.held": ("left waiting", "queue for", "on hold", "held", "resume"),
    "service.answers_capped": ("at most", "limit", "agreed"),
    "service.discards": ("throws away", "success", "keeps all that", "keep all that"),
    "service.slow": ("answers within", "slow", "in time"),
    "service.status": ("refused", "behind it", "came before them", "passes"),
    "time.expiry": CERTIFICATE,
    "time.skew": CLOCK,
    "time.utc": CLOCK,
    "tls.expired": CERTIFICATE,
    "tls.mismatch": CERTIFICATE,
    "tls.untrusted": CERTIFICATE,
    "tls.wrong_authority": CERTIFICATE,
    "tls.wrong_name": CERTIFICATE,
}
"""By kind of fault, words that give it away in a claim."""

NOTHING_BROKEN = ("broken", "as it was all along", "why his search", "why her search", "there all the time")
"""Words that tell that nothing is wrong with the department, where that is to be found out."""


@dataclass(frozen=True)
class Answer:
    """What a lesson is about: the kinds of its faults, the broken ``node`` among all ``nodes``, and words that tell a
    cause where they stand beside that node."""

    faults: tuple[str, ...]
    node: str
    nodes: tuple[str, ...]
    words: tuple[str, ...]

    def told_by(self, check: Check) -> str:
        """The word of the claim that gives the answer away; empty when there is none."""
        text = check.title
        words = {word for kind in self.faults for word in CAUSE_WORDS_OF.get(kind, ())} or set(NOTHING_BROKEN)
        found = [word for word in sorted(words) if re.search(rf"\b{re.escape(word)}", text.lower())]
        named = [node for node in self.nodes if re.search(rf"\b{re.escape(node)}\b", text)]
        # In the words of the check itself a claim reads alike in every lesson, so it tells nothing of this one.
        if check.says and named == [self.node]:
            rest = text.replace(self.node, "").lower()
            found += [word for word in self.words if re.search(rf"\b{re.escape(word)}s?\b", rest)]
        return found[0] if found else ""


def claim_problems(claims: Iterable[tuple[str, Check]], answer: Answer) -> Iterator[Problem]:
    """Every claim, with its place in the file, that is shown before it was judged and tells the answer."""
    for key, check in claims:
        word = "" if check.kept_back else answer.told_by(check)
        if word:
            sentence = f"{check.title!r} is read before anything is checked, and gives the cause away with {word!r}."
            mend = "Say what people want to see again, or set kept_back = true: then it is told when it was judged."
            yield Problem(file=FILE_NAME, key=key, sentence=sentence, mend=mend)
