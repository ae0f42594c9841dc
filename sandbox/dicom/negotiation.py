"""Whether an association is accepted, and for what: the acceptor's judgement and the contexts in pynetdicom's terms.

The judgement is a table of the rejections of PS3.8 9.3.4 in the order in which they are looked for. What a requestor
or acceptor then agrees on context by context is pynetdicom's negotiation.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from typing import Protocol

from pydicom.uid import UID
from pynetdicom import AE, _config, build_role
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext

from sandbox.dicom.agreement import Memory, Offer
from sandbox.dicom.contract import AcceptorPolicy, Role, SupportedContext
from sandbox.dicom.pdus import APPLICATION_CONTEXT, FIXED, AssociateRequest
from sandbox.dicom.syntaxes import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from sandbox.model.ae_title import same_title
from sandbox.model.association import ContextResult, ProposedContext, Rejection

UNSUPPORTED_VERSION = Rejection(result=1, source=2, reason=2)
UNSUPPORTED_APPLICATION_CONTEXT = Rejection(result=1, source=1, reason=2)
CALLED_AE_UNKNOWN = Rejection(result=1, source=1, reason=7)
CALLING_AE_UNKNOWN = Rejection(result=1, source=1, reason=3)
TEMPORARY_CONGESTION = Rejection(result=2, source=3, reason=1)
LIMIT_EXCEEDED = Rejection(result=2, source=3, reason=2)


# Kinds of answer that one offer gets: from several peers, or from one before and after its configuration changed.
MOST_ANSWERS = 8

UserItem = MaximumLengthNotification | ImplementationClassUIDNotification | ImplementationVersionNameNotification


class Proposal(Protocol):
    """A context to be proposed: SupportedContext and ProposedContext both are one. Ids are given anew."""

    @property
    def abstract_syntax(self) -> str: ...
    @property
    def transfer_syntaxes(self) -> tuple[str, ...]: ...


class LocalAE(AE):
    """Our application entity for pynetdicom. It counts no threads: the server does the counting of associations."""

    def __init__(self, ae_title: str, maximum_pdu: int) -> None:
        super().__init__(ae_title)
        self.maximum_pdu_size = maximum_pdu
        self.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        self.implementation_version_name = IMPLEMENTATION_VERSION_NAME

    @cached_property
    def user_information(self) -> tuple[UserItem, ...]:
        """What we say of ourselves in every negotiation (PS3.7 D.3.3.1 and D.3.3.2). Made once, since checking a UID
        costs more than sending it; nobody changes it."""
        length, implementation, version = (
            MaximumLengthNotification(),
            ImplementationClassUIDNotification(),
            ImplementationVersionNameNotification(),
        )
        length.maximum_length_received = self.maximum_pdu_size
        implementation.implementation_class_uid = self.implementation_class_uid
        version.implementation_version_name = self.implementation_version_name
        return length, implementation, version

    @property
    def active_associations(self) -> list[object]:  # type: ignore[override]
        return []


def quieten_pynetdicom() -> None:
    """Keep pynetdicom's own account of things out of the logs: ours is made from what an Observer is told.

    pydicom's complaints about values that peers send go, too: Python keeps the text of every warning for good, so a
    peer could fill memory with them. Called when a server or requestor is made, not on import. These settings are
    process-wide, and none changes what goes over the wire.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    logger = logging.getLogger("pynetdicom")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL + 1)
    logger = logging.getLogger("pydicom")
    if logger.level in (logging.NOTSET, logging.WARNING):
        # The latter is what pydicom sets itself when it is imported.
        logger.setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")


def _is_title(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and "\\" not in text


_CHECKS: tuple[tuple[Rejection, Callable[[AssociateRequest, AcceptorPolicy], bool]], ...] = (
    # Bit 0 is version 1 and a requestor may name later versions beside it: the bit counts, not the number.
    (UNSUPPORTED_VERSION, lambda request, policy: not request.protocol_version & 1),
    (UNSUPPORTED_APPLICATION_CONTEXT, lambda request, policy: request.application_context != APPLICATION_CONTEXT),
    (
        CALLED_AE_UNKNOWN,
        lambda request, policy: (
            not _is_title(request.called_ae)
            or not (policy.ignore_called_ae or same_title(request.called_ae, policy.ae_title))
        ),
    ),
    (
        CALLING_AE_UNKNOWN,
        lambda request, policy: (
            not _is_title(request.calling_ae)
            or (policy.calling_ae is not None and request.calling_ae not in policy.calling_ae)
        ),
    ),
)


def judge(request: AssociateRequest, policy: AcceptorPolicy) -> Rejection | None:
    """Why this request is rejected, or None. The limit of associations is the server's to judge."""
    return next((rejection for rejection, fails in _CHECKS if fails(request, policy)), None)


def decode_request(tidied: bytes) -> A_ASSOCIATE:
    """pynetdicom's primitive of a request. Raises ValueError where its contents make no sense."""
    pdu = A_ASSOCIATE_RQ()
    try:
        pdu.decode(tidied)
        return pdu.to_primitive()
    except Exception as wrong:
        # pynetdicom raises whatever the malformed field led to; it is the PDU that is wrong.
        raise ValueError(f"an A-ASSOCIATE-RQ that cannot be read: {wrong}") from wrong


@cache
def _uid(uid: str) -> UID:
    return UID(uid)


@cache
def _transfer_syntaxes(uids: tuple[str, ...]) -> tuple[UID, ...]:
    """As a presentation context takes them: pynetdicom judges each UID, which for hundreds of contexts that take the
    same is most of the time in which a server starts."""
    context = PresentationContext()
    context.transfer_syntax = [_uid(uid) for uid in uids]
    return tuple(context.transfer_syntax)


def supported(contexts: Iterable[SupportedContext]) -> list[PresentationContext]:
    """What an acceptor supports. Made once in a process for all servers that support the same, since it is thousands
    of UIDs: negotiation reads it and does not change it.

    The SCU role is offered explicitly, so that a client which proposes it in so many words is not refused; a plain None
    would leave role selection unanswered (PS3.7 D.3.3.4).
    """
    return list(_supported(tuple(contexts)))


@cache
def _supported(contexts: tuple[SupportedContext, ...]) -> tuple[PresentationContext, ...]:
    return tuple(
        _context(index, context, scu_role=True, scp_role=context.peer_may_be_scp)
        for index, context in enumerate(contexts)
    )


def proposed_lines(contexts: Sequence[Proposal]) -> tuple[ProposedContext, ...]:
    """What a requestor proposes in our terms, with the ids 1, 3, 5 and so on."""
    return tuple(
        ProposedContext(
            id=2 * index + 1,
            abstract_syntax=context.abstract_syntax,
            transfer_syntaxes=tuple(context.transfer_syntaxes),
        )
        for index, context in enumerate(contexts)
    )


def offer(lines: Sequence[ProposedContext], roles: Sequence[Role], ae: LocalAE) -> Offer:
    """The same as pynetdicom encodes it, ready to be sent any number of times."""
    contexts = [_context(index, line) for index, line in enumerate(lines)]
    request = A_ASSOCIATE()
    request.application_context_name = UID(APPLICATION_CONTEXT)
    request.calling_ae_title = request.called_ae_title = ae.ae_title
    request.presentation_context_definition_list = contexts
    request.user_information = [
        *ae.user_information,
        *(build_role(role.sop_class, scu_role=role.scu, scp_role=role.scp) for role in roles),
    ]
    return Offer(lines, contexts, request, A_ASSOCIATE_RQ(request).encode()[FIXED:], Memory(MOST_ANSWERS))


def _context(
    index: int, given: Proposal, scu_role: bool | None = None, scp_role: bool | None = None
) -> PresentationContext:
    context = PresentationContext()
    if index < 128:
        context.context_id = 2 * index + 1
    context.abstract_syntax = _uid(given.abstract_syntax)
    context._transfer_syntax = list(_transfer_syntaxes(tuple(given.transfer_syntaxes)))
    context.scu_role = scu_role
    context.scp_role = scp_role
    return context


def results(
    accepted: Iterable[PresentationContext], rejected: Iterable[PresentationContext]
) -> tuple[ContextResult, ...]:
    """The answers to all contexts in order of their ids."""
    answers = [
        ContextResult(
            id=context.context_id or 0,
            abstract_syntax=str(context.abstract_syntax or ""),
            result=context.result if context.result is not None else 2,
            transfer_syntax=str(context.transfer_syntax[0]) if context.result == 0 and context.transfer_syntax else "",
        )
        for context in (*accepted, *rejected)
    ]
    return tuple(sorted(answers, key=lambda answer: answer.id))
