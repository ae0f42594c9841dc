"""What an administrator can try from a node: ping, port, name, C-ECHO, C-FIND, C-MOVE, C-GET, C-STORE.

Everything is done for real, in the node's name and by what its running configuration believes. That it did not work is
a result in words; only a target or a key that makes no sense is an error.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.dicom.client import Association
from sandbox.dicom.contexts import contexts_for_storage
from sandbox.dicom.contract import Peer, StoredObject, StoreRequest, StoreStatus, SupportedContext
from sandbox.dicom.explain import explain_context, explain_dial, explain_rejection, explain_status, uid_name
from sandbox.dicom.outcomes import AssociationFailure, FindResponse, MoveResponse, Outcome
from sandbox.dicom.syntaxes import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    UNCOMPRESSED,
    verification,
)
from sandbox.model.association import ContextResult, DialFailure
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.view import CommandResult
from sandbox.network.network import Network
from sandbox.network.views import PingOutcome
from sandbox.nodes.damage import DAMAGES, Damage, damaged
from sandbox.nodes.handshake import shake_hands
from sandbox.nodes.identifier import COLUMNS, cell, identifier
from sandbox.nodes.retrieved import GET_CLASSES, contexts_for
from sandbox.nodes.words import counted, refusal, sentence

if TYPE_CHECKING:
    from sandbox.nodes.node import Node

Target = str | Peer

MOST_ROWS = 500
"""Rows of a query's answer that are shown; what is beyond is counted."""

_FIND = {"PATIENT": PATIENT_ROOT_FIND}
_MOVE = {"PATIENT": PATIENT_ROOT_MOVE}
_GET = {"PATIENT": PATIENT_ROOT_GET}
_PING = {
    PingOutcome.TIMED_OUT: "does not answer to ping: no answer",
    PingOutcome.UNKNOWN_HOST: "is not a known host",
    PingOutcome.UNREACHABLE: "is unreachable",
}


class NodeTools:
    """The tools of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    # --- network -----------------------------------------------------------------------------------------------------

    def ping(self, host: str) -> CommandResult:
        """An ICMP echo. It says whether the host is on and reachable, and nothing of its applications."""
        answer = self._network.ping(self._node.name, host)
        where = host if answer.address in ("", host) else f"{host} ({answer.address})"
        if answer.outcome is PingOutcome.REPLY:
            return CommandResult(ok=True, sentence=f"{where} answers to ping in {answer.ms:g} ms.")
        facts = (answer.reason,) if answer.reason else ()
        return CommandResult(ok=False, sentence=f"{where} {_PING[answer.outcome]}.", facts=facts)

    def port(self, host: str, port: int) -> CommandResult:
        """Whether a TCP port can be connected to. Nothing is said on the connection."""
        answer = self._network.probe_port(self._node.name, host, port, timeout=self._node.running.connect_timeout_s)
        if isinstance(answer, DialFailure):
            return _not_dialled(f"{host}:{port}", answer)
        return CommandResult(
            ok=True, sentence=f"Port {port} of {host} ({answer.address}) is open; it connected in {answer.ms:g} ms."
        )

    def lookup(self, host: str) -> CommandResult:
        """What a name resolves to here: this node's hosts table first, then the department's DNS."""
        node, seen = self._node.name, self._network.describe()
        found = self._network.resolve(node, host)
        if found.source == "literal":
            known = ", ".join(sorted(name for name, address in seen.dns.items() if address == found.address))
            fact = f"In the DNS it is {known}." if known else "The DNS has no name for it."
            return CommandResult(ok=True, sentence=f"{host} is an address.", facts=(fact,))
        key = host.lower().rstrip(".")
        names = (key, f"{key}.{seen.domain.lower()}")
        table = seen.hosts_tables.get(node, {})
        own = next((table[name] for name in names if name in table), "")
        told = next((seen.dns[name] for name in names if name in seen.dns), "")
        facts: tuple[str, ...] = (
            f"Hosts table of {node}: {own or 'no entry'}.",
            f"DNS server of {seen.domain}: {told or 'no such name'}.",
        )
        if own and told and own != told:
            facts = (*facts, f"They differ, and {node} goes by its own hosts table.")
        if not found.found:
            return CommandResult(ok=False, sentence=f"{host} is not known to the DNS.", facts=facts)
        return CommandResult(
            ok=True, sentence=f"{host} is {found.address}.", facts=(f"From the {found.source}.", *facts)
        )

    def tls(self, host: str, port: int, name: str = "") -> CommandResult:
        """A TLS handshake as this node would make it, and what certificate was shown. Nothing of DICOM is said."""
        seen = shake_hands(self._node, host, port, name)
        where = f"{host}:{port}"
        if isinstance(seen, DialFailure):
            return _not_dialled(where, seen)
        facts: list[str] = []
        now = self._node.now().astimezone(UTC)
        if seen.protocol:
            facts.append(f"Agreed on {seen.protocol} with {seen.cipher}.")
        for fact in seen.chain:
            signed = "by itself" if fact.issuer == fact.subject else f"by {fact.issuer} (key {fact.issuer_key})"
            facts += [
                f"The certificate is for {fact.subject}, signed {signed}.",
                f"Names in it: {', '.join(fact.names) or 'none'}.",
                f"Valid from {fact.since:%Y-%m-%d} to {fact.until:%Y-%m-%d %H:%M} UTC: {_left(fact.until - now)}.",
                f"The name {seen.wanted} is {'in it' if seen.name_matches else 'not in it'}.",
            ]
        if seen.trouble:
            return CommandResult(ok=False, sentence=f"No TLS with {where}: {seen.trouble}.", facts=tuple(facts))
        return CommandResult(ok=True, sentence=f"{where} speaks TLS, and its certificate is good.", facts=tuple(facts))

    # --- DICOM -------------------------------------------------------------------------------------------------------

    def echo(self, target: Target, calling_ae: str | None = None) -> CommandResult:
        """C-ECHO, as this node or under another calling AE title."""
        peer = self._peer(target)
        opened = self._open(peer, verification(), calling_ae=calling_ae)
        if isinstance(opened, CommandResult):
            return opened
        with opened:
            answer = opened.echo()
        facts = _context_facts(opened.contexts)
        if answer.succeeded:
            text = f"{_name(peer)} answered the C-ECHO in {answer.duration_ms:.1f} ms."
            return CommandResult(
                ok=True, sentence=text, facts=("Status 0000, success.", *facts), association=opened.facts.id
            )
        return _unanswered("C-ECHO", peer, answer, opened, facts)

    def find(self, target: Target, level: str, keys: Mapping[str, str], root: str = "") -> CommandResult:
        """C-FIND at a level ("STUDY") with keys by DICOM keyword; the usual columns of the level are asked for too.
        ``root`` is "PATIENT" or "STUDY", the information model; empty: the one that has the level."""
        peer = self._peer(target)
        query = identifier(level, keys, with_columns=True)
        model = _model(_FIND, level, root, STUDY_ROOT_FIND)
        opened = self._open(peer, [_plain(model)])
        if isinstance(opened, CommandResult):
            return opened
        columns = tuple(dict.fromkeys([*COLUMNS[level], *keys]))
        with opened:
            matches, rows, last = _matches(opened.find(model, query), columns)
        status = None if last is None else last.status
        facts = _status_facts("C-FIND", status, "" if last is None else last.comment or last.failure)
        if status != 0:
            words = "no answer" if status is None else explain_status("C-FIND", status).name
            text = f"The query to {_name(peer)} failed: {words}."
        else:
            text = f"{_name(peer)} has {counted(matches, 'match', 'matches')}."
            if matches > len(rows):
                text += f" The first {len(rows)} are shown."
        return CommandResult(
            ok=status == 0,
            sentence=text,
            facts=facts,
            columns=columns if rows else (),
            rows=rows,
            association=opened.facts.id,
        )

    def find_dropping(self, target: Target, level: str, keys: Mapping[str, str], root: str = "") -> CommandResult:
        """The same query, then again with each matching key left out in turn, over one association: the counts show
        which key it is that excludes. What a key that is only asked for returns makes no difference and is kept."""
        peer = self._peer(target)
        matching = [key for key, value in keys.items() if value]
        if not matching:
            raise BadInputError("There is no key with a value to leave out.", "Give at least one key a value.")
        model = _model(_FIND, level, root, STUDY_ROOT_FIND)
        tries = {"": identifier(level, keys, with_columns=True)}
        for key in matching:
            tries[key] = identifier(level, {**keys, key: ""}, with_columns=True)
        opened = self._open(peer, [_plain(model)])
        if isinstance(opened, CommandResult):
            return opened
        counts: dict[str, int | None] = {}
        why = ""
        with opened:
            for key, query in tries.items():
                number, _, last = _matches(opened.find(model, query), ())
                counts[key] = number if last is not None and last.status == 0 else None
                if counts[key] is None and last is not None:
                    words = last.failure if last.status is None else refusal("C-FIND", last.status, last.comment)
                    why = why or f"{f'Without {key}' if key else 'With all keys'}: {words}."
                if not opened.is_open:
                    break
        rows = tuple(
            (
                "all keys" if not key else f"without {key}",
                keys[key] if key else "",
                "failed" if counts.get(key) is None else str(counts[key]),
            )
            for key in tries
        )
        return CommandResult(
            ok=None not in counts.values() and len(counts) == len(tries),
            sentence=_culprit(counts),
            facts=(why,) if why else (),
            columns=("Query", "Value left out", "Matches"),
            rows=rows,
            association=opened.facts.id,
        )

    def move(
        self, target: Target, destination_ae: str, level: str, keys: Mapping[str, str], root: str = ""
    ) -> CommandResult:
        """C-MOVE: ask ``target`` to send what ``keys`` name to the AE title ``destination_ae``, which it must know."""
        peer = self._peer(target)
        query = identifier(level, keys)
        model = _model(_MOVE, level, root, STUDY_ROOT_MOVE)
        opened = self._open(peer, [_plain(model)])
        if isinstance(opened, CommandResult):
            return opened
        with opened:
            last = _last(opened.move(model, query, destination_ae))
        return _moved("C-MOVE", f"{_name(peer)} to {destination_ae}", last, opened)

    def get(self, target: Target, level: str, keys: Mapping[str, str], root: str = "") -> CommandResult:
        """C-GET: fetch what ``keys`` name over the same association, into this node's own store."""
        peer = self._peer(target)
        store = self._node.store
        if store is None:
            return CommandResult(ok=False, sentence=f"{self._node.name} has nowhere to put images.")
        query = identifier(level, keys)
        model = _model(_GET, level, root, STUDY_ROOT_GET)

        def keep(request: StoreRequest) -> StoreStatus:
            return store.store(request)

        opened = self._open(peer, [_plain(model), *contexts_for(GET_CLASSES)], roles=GET_CLASSES)
        if isinstance(opened, CommandResult):
            return opened
        with opened:
            last = _last(opened.get(model, query, keep))
        return _moved("C-GET", f"{_name(peer)} to {self._node.name}", last, opened)

    def send(self, target: Target, study_uid: str) -> CommandResult:
        """C-STORE every image of a study in this node's store, at once and past the queue."""
        store = self._node.store
        objects = () if store is None else store.objects(study_uid)
        if not objects:
            raise NotFoundError(f"{self._node.name} does not have this study.", "Look at the list of its studies.")
        return self.send_objects(target, objects)

    def send_objects(self, target: Target, objects: Sequence[StoredObject]) -> CommandResult:
        """C-STORE these files over one association."""
        peer = self._peer(target)
        if not objects:
            return CommandResult(ok=False, sentence="There is nothing to send.")
        opened = self._open(peer, contexts_for_storage(objects))
        if isinstance(opened, CommandResult):
            return opened
        sent = 0
        failures: dict[str, int] = {}
        with opened:
            for item in objects:
                answer = opened.store(item)
                if answer.succeeded or answer.is_warning:
                    sent += 1
                else:
                    reason = _reason("C-STORE", answer)
                    failures[reason] = failures.get(reason, 0) + 1
                if not opened.is_open:
                    break
        facts = (
            *(f"{counted(number, 'image')}: {reason}" for reason, number in failures.items()),
            *_context_facts(opened.contexts),
        )
        text = f"{sent} of {counted(len(objects), 'image')} sent to {_name(peer)}."
        return CommandResult(ok=sent == len(objects), sentence=text, facts=facts, association=opened.facts.id)

    def send_damaged(self, target: Target, item: StoredObject, damage: Damage) -> CommandResult:
        """C-STORE of one object, or of a test object made of it that is wrong in one way (sandbox.nodes.damage)."""
        peer = self._peer(target)
        with tempfile.TemporaryDirectory(dir=self._node.context.directory) as place:
            try:
                made = damaged(item, damage, Path(place))
            except (OSError, ValueError) as wrong:
                why = getattr(wrong, "strerror", None) or str(wrong)
                return CommandResult(ok=False, sentence=f"The image cannot be read on {self._node.name}: {why}.")
            context = SupportedContext(made.sop_class, (made.transfer_syntax,))
            opened = self._open(peer, [context] if damage is not Damage.NONE else contexts_for_storage([made]))
            if isinstance(opened, CommandResult):
                return opened
            with opened:
                answer = opened.store(made)
        facts = (
            f"What was sent: {DAMAGES[damage].text}",
            f"SOP Instance UID {made.sop_instance}.",
            *_context_facts(opened.contexts),
        )
        if answer.succeeded or answer.is_warning:
            words = explain_status("C-STORE", answer.status or 0).name
            text = f"{_name(peer)} took it: status {answer.status:04X}, {words}."
            return CommandResult(ok=True, sentence=text, facts=facts, association=opened.facts.id)
        text = f"{_name(peer)} did not take it: {_reason('C-STORE', answer)}."
        return CommandResult(ok=False, sentence=text, facts=facts, association=opened.facts.id)

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _network(self) -> Network:
        return self._node.context.network

    def _peer(self, target: Target) -> Peer:
        if isinstance(target, Peer):
            return target
        peer = self._node.caller.peer(target)
        if peer is None:
            known = ", ".join(remote.name for remote in self._node.running.remotes) or "nothing"
            raise NotFoundError(f"{self._node.name} has no {target!r} in its AE table.", f"It has: {known}.")
        return peer

    def _open(
        self,
        peer: Peer,
        contexts: Sequence[SupportedContext],
        *,
        calling_ae: str | None = None,
        roles: Sequence[str] = (),
    ) -> Association | CommandResult:
        opened = self._node.caller.requestor.associate(peer, contexts, calling_ae=calling_ae, roles=roles)
        return _not_opened(peer, opened) if isinstance(opened, AssociationFailure) else opened


# --- results in words -------------------------------------------------------------------------------------------------


def _name(peer: Peer) -> str:
    return f"{peer.ae_title} ({peer.host}:{peer.port})"


def _left(time: timedelta) -> str:
    """How long a certificate is still good for, or how long it has not been: in days, or hours where that is less."""
    hours = int(abs(time).total_seconds() // 3600)
    size = counted(hours // 24, "day") if hours >= 24 else counted(hours, "hour")
    return f"{size} left" if time >= timedelta(0) else f"ended {size} ago"


def _not_dialled(where: str, failure: DialFailure) -> CommandResult:
    words = explain_dial(failure.outcome)
    waited = f" after {failure.elapsed_s:.1f} s" if failure.elapsed_s >= 0.1 else ""
    address = f" The address is {failure.address}." if failure.address and not where.startswith(failure.address) else ""
    return CommandResult(
        ok=False,
        sentence=f"No connection to {where}: {words.name}{waited}.",
        facts=(f"{sentence(words.meaning)}{address}",),
    )


def _not_opened(peer: Peer, failure: AssociationFailure) -> CommandResult:
    facts: tuple[str, ...]
    if failure.dial is not None:
        result = _not_dialled(_name(peer), failure.dial)
        text, facts = result.sentence, result.facts
    elif failure.rejection is not None:
        words = explain_rejection(failure.rejection)
        text = f"{_name(peer)} rejected the association: {words.name} ({failure.rejection})."
        facts = (
            f"Called AE title {failure.facts.called_ae}, calling AE title {failure.facts.calling_ae}.",
            sentence(words.meaning),
        )
    else:
        text, facts = failure.sentence, _context_facts(failure.contexts)
    return CommandResult(ok=False, sentence=text, facts=facts, association=failure.facts.id)


def _context_facts(contexts: Sequence[ContextResult]) -> tuple[str, ...]:
    return tuple(
        f"{uid_name(context.abstract_syntax)}: accepted in {uid_name(context.transfer_syntax)}."
        if context.accepted
        else f"{uid_name(context.abstract_syntax)}: not accepted, {explain_context(context.result).name}."
        for context in contexts
    )


def _status_facts(service: str, status: int | None, comment: str) -> tuple[str, ...]:
    facts: tuple[str, ...] = ()
    if status is not None:
        facts = (f"Status {status:04X}, {explain_status(service, status).name}.",)
    return (*facts, sentence(comment)) if comment else facts


def _reason(service: str, answer: Outcome) -> str:
    if answer.status is None:
        return answer.failure
    return refusal(service, answer.status, answer.comment)


def _unanswered(
    service: str, peer: Peer, answer: Outcome, association: Association, facts: tuple[str, ...]
) -> CommandResult:
    text = f"{_name(peer)} accepted the association, but the {service} failed: {_reason(service, answer)}."
    return CommandResult(ok=False, sentence=text, facts=facts, association=association.facts.id)


def _moved(service: str, way: str, last: MoveResponse | None, association: Association) -> CommandResult:
    if last is None or last.status is None:
        why = "no answer" if last is None else last.failure or "no answer"
        return CommandResult(ok=False, sentence=f"{way}: {why}.", association=association.facts.id)
    words = explain_status(service, last.status)
    counts = [
        counted(number, "image") + f" {what}"
        for number, what in ((last.completed, "sent"), (last.failed, "failed"), (last.warning, "with a warning"))
        if number
    ]
    ok = last.status == 0
    if ok:
        text = f"{way}: {', '.join(counts) or 'nothing matched, nothing was sent'}."
    else:
        text = f"{way}: {words.name}" + (f"; {', '.join(counts)}." if counts else ".")
    facts = [f"Status {last.status:04X}, {words.name}."]
    if not ok:
        facts += [sentence(part) for part in (words.meaning, words.look) if part]
    facts += [sentence(part) for part in (last.comment, last.failure) if part]
    facts += [f"Failed: {uid}" for uid in last.failed_uids[:10]]
    told = (
        ("sent", last.completed),
        ("failed", last.failed),
        ("sent with a warning", last.warning),
        ("not tried", last.remaining),
    )
    rows = tuple((what, str(number)) for what, number in told if number is not None)
    return CommandResult(
        ok=ok and bool(last.completed),
        sentence=text,
        facts=tuple(facts),
        columns=("Sub-operations", "Images") if rows else (),
        rows=rows,
        association=association.facts.id,
    )


def _model(models: Mapping[str, str], level: str, root: str, otherwise: str) -> str:
    """The information model's SOP class: the one that was asked for, or the one that has the level."""
    return models.get(root or level, otherwise)


def _matches(
    answers: Iterable[FindResponse], columns: Sequence[str]
) -> tuple[int, tuple[tuple[str, ...], ...], FindResponse | None]:
    """How many matched, the first of them as rows, and the final response."""
    rows: list[tuple[str, ...]] = []
    matches, last = 0, None
    for answer in answers:
        last = answer
        if answer.is_pending and answer.identifier is not None:
            matches += 1
            if len(rows) < MOST_ROWS and columns:
                rows.append(tuple(cell(answer.identifier, column) for column in columns))
    return matches, tuple(rows), last


def _culprit(counts: Mapping[str, int | None]) -> str:
    """Which key excludes, in a sentence, from the matches without each (the empty key: with all)."""
    everything = counts.get("")
    if everything is None:
        return "The query itself failed."
    more = {key: number for key, number in counts.items() if key and number is not None and number > everything}
    told = counted(everything, "match", "matches")
    if not more:
        return f"{told} with all keys, and no more without any one of them."
    best = max(more, key=lambda key: more[key])
    return f"{told} with all keys; without {best} there {'is' if more[best] == 1 else 'are'} {more[best]}."


def _last(responses: Iterable[MoveResponse]) -> MoveResponse | None:
    last = None
    for response in responses:
        last = response
    return last


def _plain(uid: str) -> SupportedContext:
    return SupportedContext(uid, UNCOMPRESSED)
