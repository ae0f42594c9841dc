"""What the association inspector shows: an association in all its detail, what was said step by step, PDUs down to the
byte and data sets down to the element. Numbers as the standard has them, words beside them.

Bytes are hexadecimal text. Offsets count from the first byte of what they are about (a PDU, a command set, a data set).
"""

from __future__ import annotations

from datetime import datetime

from sandbox.model.base import Model
from sandbox.model.view import AssociationView, ContextView


class Advice(Model):
    """A place that decides: a setting of a node (``path``; ``field`` is the same with lines by position, as the form
    names its fields), or the network's page where ``node`` is empty.

    It says what stands there now, as anybody could look up, and never that it is wrong. ``saved`` is what will be in
    force after a restart, where that differs.
    """

    node: str = ""
    path: str = ""
    field: str = ""
    title: str
    value: str = ""
    saved: str = ""
    words: str = ""
    part: str = ""


class Party(Model):
    """One end of an association. ``tool`` says which software an outside one is, as it told of itself (PS3.7 D.3.3.2);
    sizes are in bytes, 0 is no limit, None is unknown."""

    node: str = ""
    ae_title: str = ""
    address: str = ""
    tool: str = ""
    implementation_uid: str = ""
    implementation_version: str = ""
    maximum_pdu: int | None = None


class UserItem(Model):
    """One item of the user information of a request or an answer (PS3.7 D.3.3), in words."""

    from_requestor: bool
    name: str
    value: str
    meaning: str = ""
    part: str = ""
    decided_by: Advice | None = None


class ContextDetail(ContextView):
    """A presentation context, proposed against accepted. ``taken`` are the transfer syntaxes in which the acceptor, a
    node of this lab, takes this abstract syntax as it runs now, in its order of preference; None where it takes none of
    it, or is not ours (``acceptor_known`` False)."""

    meaning: str = ""
    look: str = ""
    because: str = ""
    acceptor_known: bool = False
    taken: tuple[str, ...] | None = None
    taken_names: tuple[str, ...] = ()
    roles: str = ""
    decided_by: tuple[Advice, ...] = ()


class RejectionDetail(Model):
    """The three numbers of an A-ASSOCIATE-RJ and what each means (PS3.8 9.3.4)."""

    result: int
    result_words: str
    source: int
    source_words: str
    reason: int
    reason_words: str
    meaning: str
    look: str


class Clause(Model):
    """One sentence of what happened, and the part of the standard it is about."""

    words: str
    part: str = ""
    good: bool | None = None


class AssociationDetail(AssociationView):
    """An association as its own page shows it. ``pdus`` and ``captured`` (bytes) are what the capture still holds."""

    ended_at: datetime | None = None
    tls: str = ""
    caller: Party = Party()
    called: Party = Party()
    account: tuple[Clause, ...] = ()
    advice: tuple[Advice, ...] = ()
    rejection: RejectionDetail | None = None
    abort: str = ""
    details: tuple[ContextDetail, ...] = ()
    user_information: tuple[UserItem, ...] = ()
    pdus: int = 0
    captured: int = 0
    steps: int = 0


class Unspoken(Model):
    """Somebody connected to a node and never asked for an association: a port test, a scanner, TLS on a plain port."""

    seq: int
    at: datetime
    node: str
    peer: str
    peer_node: str = ""
    reason: str


class Step(Model):
    """One thing that was said: a DIMSE message, or a PDU that is no data. ``pdus`` are the numbers of its first and
    last PDU.

    ``request`` is the number of the step that this one answers and ``answer`` that of its final answer, 0 for none.
    ``duration_ms`` is the time from request to final answer. Sizes in bytes, ``status`` None where there is none.
    """

    number: int
    at: datetime
    since_ms: float
    from_requestor: bool
    name: str
    words: str = ""
    tone: str = "quiet"
    is_message: bool = False
    first_pdu: int
    last_pdu: int
    context_id: int = 0
    message_id: int = 0
    request: int = 0
    answer: int = 0
    sop_class_name: str = ""
    sop_instance: str = ""
    priority: str = ""
    status: int | None = None
    status_text: str = ""
    meaning: str = ""
    look: str = ""
    comment: str = ""
    size: int = 0
    duration_ms: float | None = None
    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    destination: str = ""
    originator: str = ""
    trouble: str = ""
    part: str = ""


class Steps(Model):
    """A page of steps, oldest first, of ``total``."""

    total: int
    steps: tuple[Step, ...]


class Element(Model):
    """A data element (PS3.5 7.1). ``length`` None is undefined; ``depth`` counts sequences around it; ``note`` says
    what the value means, and for a ``bad`` one what is wrong."""

    depth: int = 0
    tag: str
    vr: str = ""
    keyword: str = ""
    name: str = ""
    length: int | None = 0
    value: str = ""
    note: str = ""
    start: int = 0
    bad: bool = False


class Elements(Model):
    """The elements of a command set or data set as far as they are shown; ``more`` tells that there are others."""

    elements: tuple[Element, ...] = ()
    more: bool = False
    trouble: str = ""


class StepDetail(Model):
    """One step with all that was in it. ``data`` is there for a message that has a data set."""

    step: Step
    command: Elements = Elements()
    data: Elements | None = None
    data_size: int = 0
    transfer_syntax: str = ""
    transfer_name: str = ""


class PduLine(Model):
    """One PDU of the capture, by its number from 1. ``kind`` is its first byte (PS3.8 9.3.1)."""

    number: int
    at: datetime
    since_ms: float
    from_requestor: bool
    kind: int
    name: str
    size: int
    words: str = ""
    step: int = 0
    bad: bool = False


class PduLines(Model):
    """A page of PDUs, oldest first, of ``total``."""

    total: int
    pdus: tuple[PduLine, ...]


class Piece(Model):
    """An item or field of a PDU, where it lies, and what it means."""

    number: int
    depth: int
    name: str
    value: str = ""
    note: str = ""
    part: str = ""
    start: int
    length: int
    bad: bool = False


class PduDetail(Model):
    """One PDU decoded, with a window of its bytes (``data``, from offset ``start``)."""

    pdu: PduLine
    pieces: tuple[Piece, ...]
    more: bool = False
    start: int = 0
    data: str = ""
