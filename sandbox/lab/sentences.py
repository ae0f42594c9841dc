"""Each kind of event in words, for feeds, timelines and the command line. One line of the table a kind.

A sentence says what happened as somebody in the department would, without the cause and without numbers that mean
nothing to a reader. ``GOOD`` says whether an event is good news, bad news, or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.dicom.explain import explain_dial, explain_rejection, explain_status
from sandbox.events.event import Event
from sandbox.model.verdict import Verdict
from sandbox.model.view import EventView

Sentence = Callable[[str, Any], str]
"""From the node's name and the event's body to the sentence."""


def event_view(event: Event) -> EventView:
    """An event as feeds and timelines show it."""
    body: Any = event.body
    facts = getattr(body, "facts", None)
    good = GOOD.get(event.kind)
    return EventView(
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        node=event.node,
        actor=event.actor,
        cause=event.cause,
        sentence=SENTENCES[event.kind](event.node, body),
        association=facts.id if facts is not None else getattr(body, "association", ""),
        good=good(body) if callable(good) else good,
    )


def counted(number: int, what: str, plural: str = "") -> str:
    """ "1 image", "3 images"."""
    return f"{number} {what if number == 1 else plural or what + 's'}"


def value_in_words(value: Any) -> str:
    """A setting's value as a sentence shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(value_in_words(item) for item in value) or "nothing"
    if isinstance(value, dict):
        return str(value.get("name") or ", ".join(f"{key} {value_in_words(item)}" for key, item in value.items()))
    return str(value) if value != "" else "nothing"


def _command(node: str, body: Any) -> str:
    where = f" on {node}" if node else ""
    said = ", ".join(f"{key} {value_in_words(value)}" for key, value in body.params.items() if key != "node")
    return f"Command {body.command}{where}{': ' + said if said else ''}."


def _saved(node: str, body: Any) -> str:
    told = [f"{c.path} from {value_in_words(c.before)} to {value_in_words(c.after)}" for c in body.changes[:3]]
    more = len(body.changes) - len(told)
    return f"{node}: configuration saved: {'; '.join(told)}{f'; and {more} more' if more > 0 else ''}."


_OF_THE_NETWORK = {"firewall": "firewall rule", "dns": "DNS", "hosts": "hosts table", "address": "address"}


def _network_changed(_node: str, body: Any) -> str:
    told = []
    for change in body.changes[:3]:
        table, _, name = change.path.partition(".")
        what = f"{_OF_THE_NETWORK.get(table, table)} {name}".strip()
        told.append(f"{what} from {value_in_words(change.before)} to {value_in_words(change.after)}")
    more = len(body.changes) - len(told)
    return f"The network was changed: {'; '.join(told)}{f'; and {more} more' if more > 0 else ''}."


def _exchanged(node: str, body: Any) -> str:
    exchange = body.exchange
    answer = "no answer came" if exchange.status < 0 else explain_status(exchange.service, exchange.status).name
    return f"{node}: {exchange.service} with {body.peer_ae or 'an unnamed AE'}: {answer}."


def _operated(node: str, body: Any) -> str:
    return f"{node}: {body.sentence.rstrip('.')}. Reason: {body.reason.rstrip('.')}."


def _gigabytes(size: int) -> str:
    return f"{size / 1_000_000_000:.2f} GB"


def _waiting(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 1 else "less than a second"


_LOOKED_AT = {
    "config": "the configuration",
    "log": "the log",
    "queue": "the queue",
    "studies": "the studies",
    "association": "an association",
    "history": "the history of the configuration",
    "follow": "where a study is",
    "header": "a header",
    "compare": "two headers beside each other",
}
"""What can be opened, in words; whatever is not here is told by its own name."""

SENTENCES: Mapping[str, Sentence] = {
    "lab.started": lambda node, b: (
        f"The department of {b.site} is up again after an interruption." if b.recovered else f"{b.site} is up."
    ),
    "lab.reset": lambda node, b: "The department was put back to its start.",
    "lab.stopped": lambda node, b: "The department was shut down.",
    "command.issued": _command,
    "command.finished": lambda node, b: b.sentence,
    "probe.started": lambda node, b: f"The check {b.check} tries for itself.",
    "node.started": lambda node, b: (
        f"{node} started and listens as {b.ae_title} on {b.address}"
        f"{', for TLS on ' + b.tls_address if b.tls_address else ''}"
        f"{', with DICOMweb at ' + b.dicomweb if b.dicomweb else ''}."
    ),
    "node.stopped": lambda node, b: f"{node} stopped{': ' + b.reason if b.reason else ''}.",
    "node.config.saved": _saved,
    "network.changed": _network_changed,
    "node.logged": lambda node, b: f"{node}: {b.text}",
    "association.requested": lambda node, b: (
        f"{b.facts.calling_ae} at {b.facts.local if b.facts.side == 'requestor' else b.facts.peer} asks "
        f"{b.facts.called_ae} for an association."
    ),
    "association.failed": lambda node, b: (
        f"{node} could not connect to {b.facts.called_ae} at {b.failure.host}:{b.failure.port}: "
        f"{explain_dial(b.failure.outcome).name}."
    ),
    "association.accepted": lambda node, b: (
        f"Association from {b.facts.calling_ae} to {b.facts.called_ae}: "
        f"{sum(context.accepted for context in b.contexts)} of {counted(len(b.contexts), 'context')} accepted."
    ),
    "association.rejected": lambda node, b: (
        f"Association from {b.facts.calling_ae} to {b.facts.called_ae} rejected: {explain_rejection(b.rejection).name}."
    ),
    "association.released": lambda node, b: f"Association from {b.facts.calling_ae} to {b.facts.called_ae} released.",
    "association.aborted": lambda node, b: (
        f"Association from {b.facts.calling_ae} to {b.facts.called_ae} aborted: {b.reason.rstrip('.')}."
    ),
    "connection.unspoken": lambda node, b: (
        f"{b.peer_node or b.peer} connected to {node} and never asked for an association: {b.reason.rstrip('.')}."
    ),
    "dimse.exchanged": _exchanged,
    "exam.acquired": lambda node, b: (
        f"{node} scanned {b.patient_name} ({b.patient_id}): {b.description}, {counted(b.instances, 'image')}, "
        f"accession number {b.accession_number or 'missing'}."
    ),
    "instance.stored": lambda node, b: (
        f"{node} had this image already." if b.duplicate else f"{node} stored an image from {b.calling_ae or node}."
    ),
    "study.routed": lambda node, b: (
        f"{node} routes study {b.accession_number or b.study_uid} to {', '.join(b.destinations)} "
        f"by {', '.join(b.rules)}."
        if b.destinations
        else f"{node} has no rule for study {b.accession_number or b.study_uid}; it goes nowhere."
    ),
    "queue.sent": lambda node, b: f"{node} sent an image to {b.destination}.",
    "queue.failed": lambda node, b: (
        f"{node} could not send to {b.destination} ({counted(b.waiting, 'image')} waiting): {b.reason.rstrip('.')}. "
        f"Attempt {b.attempt}; the next in {_waiting(b.retry_in_s)}."
    ),
    "queue.entry.died": lambda node, b: f"{node} gave up sending an image to {b.destination}: {b.reason.rstrip('.')}.",
    "queue.held": lambda node, b: (
        f"{node}: the queue for {b.destination} is held{': ' + b.reason if b.reason else ''}."
    ),
    "queue.resumed": lambda node, b: f"{node}: the queue for {b.destination} runs again.",
    "queue.redriven": lambda node, b: (
        f"{node}: {counted(b.entries, 'image')} for {b.destination} put back into the queue."
    ),
    "queue.discarded": lambda node, b: (
        f"{node}: {counted(b.entries, 'image')} for {b.destination} thrown away{': ' + b.reason if b.reason else ''}."
    ),
    "commitment.requested": lambda node, b: (
        f"{node} asked {b.peer} to take charge of {counted(b.instances, 'image')} (storage commitment)."
    ),
    "commitment.reported": lambda node, b: (
        f"{b.peer} told {node} that it has taken charge of {counted(b.committed, 'image')}."
        if not b.failed
        else f"{b.peer} told {node} that it has taken charge of {counted(b.committed, 'image')} and not of {b.failed}: "
        f"{', '.join(explain_status('N-EVENT-REPORT', reason).name for reason in b.reasons)}."
    ),
    "archive.deleted": _operated,
    "archive.restored": _operated,
    "archive.bin.emptied": _operated,
    "archive.reindexed": _operated,
    "archive.orphans.mended": _operated,
    "archive.edited": _operated,
    "archive.merged": _operated,
    "archive.split": _operated,
    "archive.study.moved": _operated,
    "archive.rejected": _operated,
    "archive.undone": _operated,
    "archive.exported": _operated,
    "archive.watermark.passed": lambda node, b: (
        f"{node} is {b.percent} % full, above its high watermark ({_gigabytes(b.used)} of {_gigabytes(b.quota)})."
    ),
    "archive.watermark.cleared": lambda node, b: (
        f"{node} is {b.percent} % full, below its high watermark again ({_gigabytes(b.used)} of {_gigabytes(b.quota)})."
    ),
    "archive.filled": lambda node, b: f"{node} takes no more images: {b.reason.rstrip('.')}.",
    "background.paused": lambda node, b: "The quiet flow of ordinary exams rests.",
    "background.resumed": lambda node, b: "The quiet flow of ordinary exams goes on.",
    "fault.applied": lambda node, b: f"Fault {b.fault} applied. {b.explanation}".strip(),
    "fault.undone": lambda node, b: f"Fault {b.fault} undone.",
    "ticket.received": lambda node, b: f"Ticket {b.ticket} from {b.sender}: {b.subject}.",
    "ticket.asked": lambda node, b: f"Asked {b.to}: {b.text}",
    "ticket.answered": lambda node, b: f"{b.sender}: {b.text}",
    "ticket.updated": lambda node, b: f"Update for those who wait (ticket {b.ticket}): {b.text}",
    "ticket.closed": lambda node, b: f"Ticket {b.ticket} closed: {b.cause}",
    "attempt.account.written": lambda node, b: "Own account skipped." if b.skipped else "Own account written.",
    "attempt.note.written": lambda node, b: f"Note {b.note}: {b.text}",
    "attempt.note.removed": lambda node, b: f"Note {b.note} was taken out.",
    "attempt.evidence.pinned": lambda node, b: f"Pinned as evidence{' on ' + node if node else ''}: {b.text}",
    "attempt.evidence.unpinned": lambda node, b: f"Evidence {b.pin} was unpinned.",
    "attempt.hint.revealed": lambda node, b: f"Hint {b.number} was read.",
    "attempt.diagnosis.committed": lambda node, b: f"Diagnosis: {b.node}, {b.layer}, {b.fault}.",
    "attempt.check.started": lambda node, b: "The fix is being checked.",
    "attempt.check.finished": lambda node, b: b.finding.sentence,
    "attempt.evidence.opened": lambda node, b: (
        f"Looked at {_LOOKED_AT.get(b.what, b.what)}{' of ' + node if node else ''}."
    ),
    "attempt.closed": lambda node, b: (
        "The drill is solved." if b.solved else "The drill was given up." if b.gave_up else "The drill is over."
    ),
}
"""Every kind of event, and what is said of it. A test compares the keys with sandbox.events.kinds."""

_VERDICTS = {Verdict.PASS: True, Verdict.FAIL: False, Verdict.COULD_NOT_TELL: None}

GOOD: Mapping[str, bool | Callable[[Any], bool | None]] = {
    "command.finished": lambda b: None if b.ok else False,
    "node.started": True,
    "node.logged": lambda b: False if b.level == "error" else None,
    "association.failed": False,
    "association.rejected": False,
    "association.aborted": False,
    "association.accepted": lambda b: None if any(context.accepted for context in b.contexts) else False,
    "dimse.exchanged": lambda b: None if b.exchange.status in (0x0000, 0xFE00) else False,
    "instance.stored": True,
    "study.routed": lambda b: None if b.destinations else False,
    "queue.sent": True,
    "queue.failed": False,
    "queue.entry.died": False,
    "queue.held": False,
    "queue.resumed": True,
    "queue.discarded": False,
    "commitment.reported": lambda b: not b.failed,
    "archive.watermark.passed": False,
    "archive.watermark.cleared": True,
    "archive.filled": False,
    "attempt.check.finished": lambda b: _VERDICTS[b.finding.verdict],
    "attempt.closed": lambda b: b.solved,
}
"""Whether an event is good news (True), bad news (False) or neither (absent, or None)."""
