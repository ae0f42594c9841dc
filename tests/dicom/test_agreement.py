"""What is remembered of a negotiation is what pynetdicom would answer again, and nobody is let in by it."""

from __future__ import annotations

import struct
import threading
from typing import Any

import pytest
from pynetdicom import AE, build_role
from pynetdicom import association as stock
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dul import DULServiceProvider

from sandbox.dicom import syntaxes
from sandbox.dicom.agreement import LONGEST_REMEMBERED, Memory
from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contract import Peer, Role, SupportedContext
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.pdus import FIXED
from sandbox.model.association import Side
from tests.dicom.support import (
    CT,
    EXPLICIT,
    IMPLICIT,
    MR,
    RELEASE_RP,
    Recorder,
    ScriptedPeer,
    associate_ac,
    associate_rq,
    item,
    make_requestor,
    pdu,
    pdv,
    scripted_acceptor,
    serving,
)

CONTEXTS = [(1, CT, (EXPLICIT, IMPLICIT)), (3, "1.2.3", (IMPLICIT,)), (5, MR, (EXPLICIT,)), (7, MR, ("1.2.4",))]
ROLE = item(0x54, struct.pack(">H", len(CT)) + CT.encode() + b"\1\1")
IDENTITY = item(0x58, bytes((1, 0)) + struct.pack(">H", 3) + b"joe" + bytes(2))


def answer_to(port: int, request: bytes) -> bytes:
    with ScriptedPeer.connect(port) as peer:
        kind, body = peer.send(request).read()
        peer.send(pdu(5, bytes(4))).read()
        return pdu(kind, body)


# --- the acceptor -------------------------------------------------------------------------------------------------


def test_the_answer_is_the_same_again_and_to_other_titles_with_their_titles() -> None:
    with serving() as served:
        first, again = (answer_to(served.port, associate_rq(contexts=CONTEXTS, user_items=ROLE)) for _ in range(2))
        other = answer_to(served.port, associate_rq(calling="SOMEBODY", contexts=CONTEXTS, user_items=ROLE))
        assert len(served.server.agreements) == 1
    assert first[0] == 2
    assert again == first
    assert other[FIXED:] == first[FIXED:]
    assert (other[10:26], other[26:42]) == (b"ARCHIVE".ljust(16), b"SOMEBODY".ljust(16))
    told = served.told.all("accepted", Side.ACCEPTOR)
    assert len(told) == 3
    assert told[0] == told[1] == told[2]
    assert [(one.id, one.result) for one in told[0][0]] == [(1, 0), (3, 3), (5, 0), (7, 4)]


def test_the_answer_is_the_one_of_a_stock_server() -> None:
    ae = AE("ARCHIVE")
    ae.maximum_pdu_size = 131072
    ae.implementation_class_uid = syntaxes.IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = syntaxes.IMPLEMENTATION_VERSION_NAME
    contexts = syntaxes.storage_contexts((CT, MR), peer_may_be_scp=True)
    for context in contexts:
        ae.add_supported_context(context.abstract_syntax, list(context.transfer_syntaxes), scu_role=True, scp_role=True)
    request = associate_rq(contexts=CONTEXTS, user_items=ROLE)
    server = ae.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        expected = answer_to(server.server_address[1], request)
    finally:
        server.shutdown()
    with serving(contexts=contexts) as served:
        assert [answer_to(served.port, request) for _ in range(2)] == [expected] * 2


def test_a_request_known_from_a_friend_is_still_judged() -> None:
    with serving(calling_ae=frozenset({"FRIEND"})) as served:
        assert answer_to(served.port, associate_rq(calling="FRIEND"))[0] == 2
        with ScriptedPeer.connect(served.port) as peer:
            assert peer.send(associate_rq(calling="STRANGER")).read() == (3, bytes((0, 1, 1, 3)))
        with ScriptedPeer.connect(served.port) as peer:
            assert peer.send(associate_rq("ELSEWHERE", "FRIEND")).read() == (3, bytes((0, 1, 1, 7)))
        with ScriptedPeer.connect(served.port) as peer:
            assert peer.send(associate_rq(calling="FRIEND", version=2)).read() == (3, bytes((0, 1, 2, 2)))


def test_the_limit_holds_for_known_requests() -> None:
    with serving(maximum_associations=1) as served, ScriptedPeer.connect(served.port) as first:
        first.associate()
        with ScriptedPeer.connect(served.port) as peer:
            assert peer.send(associate_rq()).read() == (3, bytes((0, 2, 3, 2)))


def test_what_a_handler_may_judge_is_not_remembered() -> None:
    with serving() as served:
        assert answer_to(served.port, associate_rq(user_items=IDENTITY))[0] == 2
        assert len(served.server.agreements) == 0


def test_an_association_agreed_before_is_served_as_the_first(served_twice: list[tuple[int, bytes]]) -> None:
    assert served_twice[0] == served_twice[1]


@pytest.fixture
def served_twice() -> list[tuple[int, bytes]]:
    """A message on a context that was refused, in the first association and in one like it."""
    answers = []
    with serving() as served:
        for _ in range(2):
            with ScriptedPeer.connect(served.port) as peer:
                answers.append(peer.associate(associate_rq(contexts=CONTEXTS)).send(pdu(4, pdv(3, 3, b"x"))).read())
    return answers


# --- the requestor ------------------------------------------------------------------------------------------------


def requests_of(requestor: Requestor, count: int, **how: Any) -> list[bytes]:
    """The A-ASSOCIATE-RQs that a requestor sends to a peer that rejects them."""
    contexts = tuple(SupportedContext(abstract, transfer) for _, abstract, transfer in CONTEXTS)
    seen = []
    for _ in range(count):

        def script(peer: ScriptedPeer) -> None:
            kind, body = peer.read()
            seen.append(pdu(kind, body))
            peer.send(pdu(3, bytes((0, 1, 1, 1))))

        with scripted_acceptor(script) as port:
            assert isinstance(requestor.associate(Peer("PEER", "127.0.0.1", port), contexts, **how), AssociationFailure)
    return seen


def test_the_request_is_the_one_of_a_stock_client() -> None:
    ae = AE("MODALITY")
    ae.implementation_class_uid = syntaxes.IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = syntaxes.IMPLEMENTATION_VERSION_NAME
    for _, abstract, transfer in CONTEXTS[:3]:
        ae.add_requested_context(abstract, list(transfer))
    ae._requested_contexts.append(stock.PresentationContext())
    ae._requested_contexts[-1].abstract_syntax = MR
    ae._requested_contexts[-1].transfer_syntax = ["1.2.4"]
    seen = []

    def script(peer: ScriptedPeer) -> None:
        kind, body = peer.read()
        seen.append(pdu(kind, body))
        peer.send(pdu(3, bytes((0, 1, 1, 1))))

    with scripted_acceptor(script) as port:
        roles = [build_role(CT, scp_role=True), build_role(MR, scu_role=True, scp_role=True)]
        ae.associate("127.0.0.1", port, ae_title="PEER", max_pdu=131072, ext_neg=roles)
    ours = requests_of(make_requestor(), 2, roles=(CT, Role(MR, scu=True, scp=True)))
    assert ours == [*seen, *seen]


def test_other_roles_are_another_request() -> None:
    requestor = make_requestor()
    plain, with_role = (requests_of(requestor, 1, roles=roles)[0] for roles in ((), (CT,)))
    assert plain[FIXED:] != with_role[FIXED:]
    assert requests_of(requestor, 1, calling_ae="OTHER")[0][26:42] == b"OTHER".ljust(16)


def test_a_peer_that_answers_otherwise_than_before_is_understood() -> None:
    requestor = make_requestor(told := Recorder())
    contexts = (SupportedContext(CT, (EXPLICIT, IMPLICIT)), SupportedContext(MR, (EXPLICIT, IMPLICIT)))
    accepted = []
    for context_id, syntax in ((1, EXPLICIT), (3, IMPLICIT), (1, EXPLICIT)):

        def script(peer: ScriptedPeer, context_id: int = context_id, syntax: str = syntax) -> None:
            _, request = peer.read()
            peer.send(associate_ac(request, context_id, syntax)).read()
            peer.send(RELEASE_RP)

        with scripted_acceptor(script) as port:
            association = requestor.associate(Peer("PEER", "127.0.0.1", port), contexts)
            assert isinstance(association, Association)
            accepted.append([(one.id, one.transfer_syntax) for one in association.contexts if one.accepted])
            association.release()
    assert accepted == [[(1, EXPLICIT)], [(3, IMPLICIT)], [(1, EXPLICIT)]]
    assert told.names(Side.REQUESTOR) == ["requested", "accepted", "released"] * 3


def test_pynetdicom_negotiates_once_for_many_associations() -> None:
    with serving() as served:
        requestor = served.requestor()
        agreements = []
        for _ in range(3):
            with requestor.associate(served.peer, syntaxes.verification()) as association:  # type: ignore[union-attr]
                assert association.echo().succeeded
                assert association._inner.send_c_echo(9).Status == 0
                agreements.append(association._inner.agreement)
                assert association._inner.requestor.ae_title == "MODALITY"
                assert association._inner.requestor.primitive.called_ae_title == "ARCHIVE"
        assert agreements[0] is agreements[1] is agreements[2]
        assert len(served.server.agreements) == 1


# --- the memory ---------------------------------------------------------------------------------------------------


def test_the_memory_forgets_what_was_asked_for_longest_ago() -> None:
    memory: Memory[bytes, int] = Memory(2)
    memory.put(b"a", 1)
    memory.put(b"b", 2)
    assert memory.get(b"a") == 1
    memory.put(b"c", 3)
    assert (memory.get(b"a"), memory.get(b"b"), memory.get(b"c"), len(memory)) == (1, None, 3, 2)


def test_an_immoderate_request_is_not_remembered() -> None:
    memory: Memory[bytes, int] = Memory()
    memory.put(bytes(LONGEST_REMEMBERED + 1), 1)
    assert len(memory) == 0


def test_the_memory_holds_under_many_threads() -> None:
    memory: Memory[bytes, int] = Memory(4)

    def use() -> None:
        for number in range(500):
            memory.put(bytes((number % 16,)), number)
            memory.get(bytes((number % 7,)))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(memory) == 4


# --- standing in for pynetdicom -----------------------------------------------------------------------------------


def test_ours_have_every_attribute_that_pynetdicoms_have() -> None:
    """Their constructors are not called: what a new pynetdicom adds there must be added here."""
    theirs = stock.Association(AE("STOCK"), "requestor")
    with serving() as served:
        association = served.requestor().associate(served.peer, syntaxes.verification())
        assert isinstance(association, Association)
        with association:
            ours = association._inner
            assert isinstance(theirs.dul, DULServiceProvider)
            assert isinstance(theirs.dimse, DIMSEServiceProvider)
            pairs: list[tuple[object, object]] = [
                (theirs, ours),
                (theirs.dul, ours.dul),
                (theirs.dimse, ours.dimse),
                (theirs.requestor, ours.requestor),
                (theirs.acceptor, ours.acceptor),
            ]
            of_threads = vars(threading.Thread()).keys()
            for stock_one, our_one in pairs:
                needed = vars(stock_one).keys() - (of_threads if stock_one in (theirs, theirs.dul) else set())
                missing = sorted(name for name in needed if not hasattr(our_one, name))
                assert missing == [], type(our_one)
            assert ours._handlers == theirs._handlers
