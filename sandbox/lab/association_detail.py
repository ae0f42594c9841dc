"""One association as its own page shows it: both parties, the contexts side by side, what each end said of itself, an
account in sentences with the parts of the standard, and the entries of configuration that decided.

What a node of the lab takes is asked of its running configuration as it is now, and said so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.dissect import dissect
from sandbox.dicom.explain import explain_context, explain_dial, explain_rejection_fields, uid_name
from sandbox.dicom.pdus import Kind
from sandbox.dicom.syntaxes import IMPLEMENTATION_CLASS_UID
from sandbox.lab.advice import Configs, deciding, for_context, place
from sandbox.lab.associations import OUTSIDE, Story
from sandbox.lab.sentences import counted
from sandbox.lab.transcripts import Transcript
from sandbox.model.inspection import (
    Advice,
    AssociationDetail,
    Clause,
    ContextDetail,
    Party,
    Piece,
    RejectionDetail,
    UserItem,
)
from sandbox.model.view import AssociationView, ContextView

TOOLKITS: Mapping[str, str] = {
    IMPLEMENTATION_CLASS_UID: "PACS Sandbox",
    "1.2.276.0.7230010.3.": "DCMTK, or software built with it such as Orthanc",
    "1.2.826.0.1.3680043.9.3811.": "pynetdicom",
    "1.2.40.0.13.1.": "dcm4che",
    "1.2.826.0.1.3680043.2.1143.": "GDCM",
    "1.3.6.1.4.1.30071.8": "fo-dicom",
    "1.3.6.1.4.1.25403.": "ClearCanvas",
}
"""Which software an implementation class UID begins with (PS3.7 D.3.3.2)."""

Supports = Mapping[str, tuple[SupportedContext, ...]]
"""What each node of the lab takes as it runs now."""


def detail(
    view: AssociationView, story: Story, transcript: Transcript, configs: Mapping[str, Configs], supports: Supports
) -> AssociationDetail:
    """Everything of one association; ``view`` is what lists show of it."""
    asked, answered = (dissect(data).pieces if (data := transcript.first(kind)) else () for kind in _NEGOTIATION)
    abort = transcript.first(Kind.ABORT)
    known = {name: getattr(view, name) for name in type(view).model_fields}
    return AssociationDetail(
        **known,
        ended_at=story.ended_at,
        tls=story.facts.tls,
        caller=_party(story.source, view.calling_ae, view.source_address, asked),
        called=_party(story.target, view.called_ae, view.target_address, answered),
        account=tuple(_account(story, view)),
        advice=deciding(story, configs),
        rejection=_rejection(story),
        abort=dissect(abort).words if abort else "",
        details=tuple(_contexts(story, view, configs, supports, asked)),
        user_information=(
            *_user_information(asked, True, story.source, configs),
            *_user_information(answered, False, story.target, configs),
        ),
        pdus=len(transcript.heads),
        captured=transcript.size,
        steps=len(transcript.talk.steps),
    )


_NEGOTIATION = (Kind.ASSOCIATE_RQ, Kind.ASSOCIATE_AC)


def tool_of(implementation_uid: str) -> str:
    """The software behind an implementation class UID; empty if it is not known here."""
    return next((name for uid, name in TOOLKITS.items() if implementation_uid.startswith(uid)), "")


def _party(node: str, ae_title: str, address: str, pieces: tuple[Piece, ...]) -> Party:
    said = {piece.name: piece.value for piece in pieces if piece.depth == 1}
    uid = said.get("Implementation class UID", "").partition(" ")[0]
    most = said.get("Maximum length received", "").partition(" ")[0].rstrip(":")
    return Party(
        node="" if node == OUTSIDE else node,
        ae_title=ae_title,
        address=address,
        tool=tool_of(uid),
        implementation_uid=uid,
        implementation_version=said.get("Implementation version name", ""),
        maximum_pdu=int(most) if most.isdigit() else None,
    )


# --- the account -----------------------------------------------------------------------------------------------------


def _account(story: Story, view: AssociationView) -> Iterator[Clause]:
    source = story.source if story.source != OUTSIDE else "An outside tool"
    target = story.target if story.target != OUTSIDE else "the other side"
    if story.failure is not None:
        why = explain_dial(story.failure.outcome)
        where = f"{story.failure.host}:{story.failure.port}"
        yield Clause(words=f"{source} asked for a TCP connection to {where}.", part="PS3.8 9.1.1")
        yield Clause(words=f"{why.name.capitalize()}: {why.meaning}. Nothing of DICOM was said.", good=False)
        return
    where = f" from {view.source_address} to {view.target_address}" if view.source_address else ""
    yield Clause(words=f"{source} opened a TCP connection{where}.", part="PS3.8 9.1.1", good=True)
    if story.facts.tls:
        yield Clause(words=f"Both agreed on TLS: {story.facts.tls}.", part="PS3.15 B", good=True)
    asked = f"calling {view.called_ae or 'nobody by name'} and naming itself {view.calling_ae or 'nothing'}"
    proposed = counted(len(story.proposed), "presentation context")
    yield Clause(words=f"It sent an A-ASSOCIATE-RQ, {asked}, with {proposed}.", part="PS3.8 9.3.2")
    if story.rejection is not None:
        reason = explain_rejection_fields(story.rejection).reason
        words = f"{target} answered A-ASSOCIATE-RJ {story.rejection}: {reason.name}."
        yield Clause(words=words[0].upper() + words[1:], part="PS3.8 9.3.4", good=False)
        return
    if story.results:
        accepted = sum(result.accepted for result in story.results.values())
        words = f"{target} answered A-ASSOCIATE-AC: {accepted} of {counted(len(story.results), 'context')} accepted."
        yield Clause(words=words[0].upper() + words[1:], part="PS3.8 9.3.3", good=accepted == len(story.results))
    told = [exchange for _, exchange in story.told]
    for service in dict.fromkeys(exchange.service for exchange in told):
        of_it = [exchange for exchange in told if exchange.service == service]
        well = sum(exchange.status == 0 for exchange in of_it)
        words = f"{counted(len(of_it), service)}: {well} answered with success."
        yield Clause(
            words=words, part="PS3.7 10.1" if service.startswith("N-") else "PS3.7 9.1", good=well == len(of_it)
        )
    if story.outcome == "released":
        yield Clause(words="It ended in order, by A-RELEASE.", part="PS3.8 9.3.6", good=True)
    elif story.outcome == "aborted":
        yield Clause(words=f"It was broken off: {story.abort}.", part="PS3.8 9.3.8", good=False)
    else:
        yield Clause(words="It is still open." if story.results else "There is no answer yet.")


def _rejection(story: Story) -> RejectionDetail | None:
    if story.rejection is None:
        return None
    words = explain_rejection_fields(story.rejection)
    return RejectionDetail(
        result=story.rejection.result,
        result_words=words.result,
        source=story.rejection.source,
        source_words=words.source,
        reason=story.rejection.reason,
        reason_words=words.reason.name,
        meaning=words.reason.meaning,
        look=words.reason.look,
    )


# --- contexts --------------------------------------------------------------------------------------------------------


def _contexts(
    story: Story,
    view: AssociationView,
    configs: Mapping[str, Configs],
    supports: Supports,
    asked: tuple[Piece, ...],
) -> Iterator[ContextDetail]:
    taken = {context.abstract_syntax: context.transfer_syntaxes for context in supports.get(story.target, ())}
    roles = _roles(asked)
    for context in view.contexts:
        mine = taken.get(context.abstract_syntax)
        words = None if context.result is None else explain_context(context.result)
        yield ContextDetail(
            **{name: getattr(context, name) for name in type(context).model_fields},
            meaning="" if words is None else words.meaning,
            look="" if words is None else words.look,
            because=_because(story, context, mine),
            acceptor_known=story.target in supports,
            taken=mine,
            taken_names=tuple(uid_name(uid) for uid in mine or ()),
            roles=roles.get(context.abstract_name, ""),
            decided_by=() if context.result is None else tuple(for_context(story, configs, context.result)),
        )


def _because(story: Story, context: ContextView, mine: tuple[str, ...] | None) -> str:
    """Why the answer is as it is, as far as the acceptor's present settings tell."""
    target = story.target
    if context.result == 0:
        chosen = story.results[context.id].transfer_syntax
        if mine is None or chosen not in mine:
            return f"{uid_name(chosen)} is one of those offered; the acceptor chooses."
        if len(context.transfer_syntaxes) == 1:
            return f"It was the only one offered, and {target} takes it."
        return f"Of those offered it comes first in the list of {target}, whose order counts."
    if context.result == 4 and mine is not None:
        common = [uid_name(uid) for uid in mine if uid in context.transfer_syntaxes]
        if common:
            return f"As {target} runs now, it would take {common[0]}."
        return f"None of those offered is among those that {target} takes."
    if context.result == 3:
        return f"As {target} runs now, it would take this." if mine is not None else ""
    return ""


def _roles(pieces: tuple[Piece, ...]) -> dict[str, str]:
    """What was proposed of roles, by the name of the SOP class."""
    found = {}
    for piece in pieces:
        if piece.name == "SCP/SCU role selection":
            name, _, role = piece.value.partition(": ")
            found[name] = role
    return found


# --- user information ------------------------------------------------------------------------------------------------

_MEANINGS: Mapping[str, str] = {
    "Maximum length received": "The longest PDU it takes; the other side must not send longer ones.",
    "Implementation class UID": "Which software this is, by a UID of its maker.",
    "Implementation version name": "Its version, as its maker calls it.",
    "Asynchronous operations window": "How many requests may be under way at once; without it, one.",
    "SCP/SCU role selection": "Who may be SCU and who SCP; without it the requestor is SCU.",
    "SOP class extended negotiation": "What else of this SOP class is supported.",
    "SOP class common extended negotiation": "To which service and general class this SOP class belongs.",
    "User identity": "Who the person or system is that asks.",
    "User identity answer": "What the other side says to that.",
}


def _user_information(
    pieces: tuple[Piece, ...], from_requestor: bool, node: str, configs: Mapping[str, Configs]
) -> Iterator[UserItem]:
    for piece in pieces:
        if piece.depth == 1 and piece.name in _MEANINGS:
            yield UserItem(
                from_requestor=from_requestor,
                name=piece.name,
                value=piece.value,
                meaning=_MEANINGS[piece.name],
                part=piece.part,
                decided_by=_decided_by(piece.name, node, configs),
            )


def _decided_by(item: str, node: str, configs: Mapping[str, Configs]) -> Advice | None:
    if item != "Maximum length received":
        return None
    return next(place(configs, node, "maximum_pdu", f"maximum PDU length of {node}", "", "PS3.8 D.1"), None)
