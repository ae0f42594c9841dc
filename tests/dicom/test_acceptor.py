"""What a server answers on the wire, byte for byte, to peers that keep the rules and to those that do not."""

from __future__ import annotations

import contextlib
import struct
import threading

import pytest

from sandbox.dicom import syntaxes
from sandbox.dicom.contract import Services, StoreRequest, StoreStatus, Timeouts
from sandbox.dicom.messages import decode_command, encode_command
from sandbox.model.association import Direction, Side
from tests.dicom.support import (
    ABORT,
    CT,
    EXPLICIT,
    IMPLICIT,
    RELEASE_RQ,
    ScriptedPeer,
    associate_rq,
    item,
    pdu,
    pdv,
    serving,
    wait_until,
)

ECHO = encode_command(
    {
        "AffectedSOPClassUID": syntaxes.VERIFICATION,
        "CommandField": 0x30,
        "MessageID": 1,
        "CommandDataSetType": 0x0101,
    }
)
MESSAGE_ID = struct.pack("<HHLH", 0x0000, 0x0110, 2, 1)
STORE = encode_command(
    {
        "AffectedSOPClassUID": CT,
        "CommandField": 0x01,
        "MessageID": 2,
        "Priority": 0,
        "CommandDataSetType": 1,
        "AffectedSOPInstanceUID": "1.2.3",
    }
)
FOR_CT = [(1, CT, (EXPLICIT,))]
OBJECT = struct.pack("<HH2sH", 0x0008, 0x0018, b"UI", 6) + b"1.2.3\0"


def rejection_of(request: bytes, **policy: object) -> tuple[int, ...]:
    with serving(**policy) as served, ScriptedPeer.connect(served.port) as peer:
        kind, body = peer.send(request).read()
        assert kind == 3
        told = served.told.wait_for("rejected")[0]
        assert (told.result, told.source, told.reason) == tuple(body[1:])
        assert served.told.names() == ["requested", "rejected"]
        assert served.server.active == 0
        return tuple(body[1:])


def status_of(peer: ScriptedPeer) -> int:
    kind, body = peer.read()
    assert kind == 4
    return decode_command(body[6:])["Status"]


@pytest.mark.parametrize(
    ("request_pdu", "policy", "expected"),
    [
        (associate_rq(called="ARCHIV"), {}, (1, 1, 7)),
        (associate_rq(called="archive"), {}, (1, 1, 7)),
        (associate_rq(called=""), {"ignore_called_ae": True}, (1, 1, 7)),
        (associate_rq(), {"calling_ae": frozenset({"CT1"})}, (1, 1, 3)),
        (associate_rq(calling=""), {}, (1, 1, 3)),
        (associate_rq(application_context="1.2.3"), {}, (1, 1, 2)),
        (associate_rq(version=2), {}, (1, 2, 2)),
        (associate_rq(version=0), {}, (1, 2, 2)),
        (associate_rq(), {"maximum_associations": 0}, (2, 3, 2)),
    ],
)
def test_each_rejection_has_its_three_numbers(
    request_pdu: bytes, policy: dict[str, object], expected: tuple[int, ...]
) -> None:
    assert rejection_of(request_pdu, **policy) == expected


def test_the_protocol_version_is_a_bit_and_not_a_number() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(version=3))


def test_outer_spaces_of_ae_titles_do_not_count() -> None:
    with serving(calling_ae=frozenset({"CT1"})) as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(called="  ARCHIVE", calling=" CT1"))


def test_any_called_title_will_do_where_an_administrator_said_so() -> None:
    with serving(ignore_called_ae=True) as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(called="WHATEVER"))


def test_all_128_contexts_are_answered_each_with_its_result() -> None:
    contexts = [
        (2 * index + 1, uid, syntax)
        for index, (uid, syntax) in enumerate(
            [(CT, ["1.2.3.4"]), ("1.2.3", [IMPLICIT])] + [(syntaxes.VERIFICATION, [IMPLICIT])] * 126
        )
    ]
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        kind, body = peer.send(associate_rq(contexts=contexts)).read()
        assert kind == 2
        results = served.told.wait_for("accepted")[0]
        assert [result.id for result in results] == [number for number, _, _ in contexts]
        assert [result.result for result in results[:3]] == [4, 3, 0]
        assert body.count(b"\x21\x00") >= 128


def test_unknown_user_information_is_skipped_and_ours_is_there() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        _, body = peer.send(associate_rq(user_items=item(0x77, b"whatever"))).read()
        assert item(0x52, syntaxes.IMPLEMENTATION_CLASS_UID.encode()) in body
        assert item(0x55, syntaxes.IMPLEMENTATION_VERSION_NAME.encode()) in body


def test_a_client_that_proposes_the_scu_role_is_not_refused() -> None:
    role = item(0x54, struct.pack(">H", len(CT)) + CT.encode() + bytes((1, 0)))
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        _, body = peer.send(associate_rq(contexts=FOR_CT, user_items=role)).read()
        assert served.told.wait_for("accepted")[0][0].result == 0
        assert role in body


@pytest.mark.parametrize(
    ("sent", "source_and_reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", (2, 1)),
        (b"\x16\x03\x01\x00\xa5\x01" + bytes(160), (2, 1)),
        (pdu(4, pdv(1, 3, ECHO)), (2, 2)),
        (RELEASE_RQ, (2, 2)),
        (struct.pack(">BxL", 1, 0xFFFFFFF0), (2, 6)),
        (pdu(1, b"short"), (2, 6)),
        (pdu(1, bytes(68) + b"\x10\x00\xff\xff"), (2, 6)),
    ],
)
def test_what_is_no_request_is_aborted_with_the_reason(sent: bytes, source_and_reason: tuple[int, int]) -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        kind, body = peer.send(sent).read()
        assert (kind, tuple(body[2:])) == (7, source_and_reason)
        caller, reason = served.told.wait_for("unspoken")
        assert caller.is_outside
        assert reason
        assert peer.is_closed_by_peer()


def test_tls_to_a_plain_port_is_called_by_its_name() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.send(b"\x16\x03\x01\x00\xa5\x01" + bytes(160)).read()
        assert "TLS" in served.told.wait_for("unspoken")[1]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x09\x00\x00\x00\x00\x04....", 1),
        (associate_rq(), 2),
        (pdu(4, pdv(3, 3, ECHO)), 6),
        (pdu(4, pdv(1, 2, b"data without command")), 6),
        (pdu(4, pdv(1, 3, b"nonsense")), 6),
        (pdu(4, struct.pack(">LBB", 5000, 1, 3) + ECHO), 6),
        (pdu(5, b""), 6),
        (struct.pack(">BxL", 4, 0x7FFFFFFF), 6),
    ],
)
def test_what_may_not_come_in_an_association_aborts_it(sent: bytes, reason: int) -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        kind, body = peer.associate().send(sent).read()
        assert (kind, tuple(body[2:])) == (7, (2, reason))
        assert served.told.wait_for("aborted")
        wait_until(lambda: served.server.active == 0)


@pytest.mark.parametrize(
    "sent", [b"\x09\x00\x00\x00\x00\x04....", associate_rq(), struct.pack(">BxL", 4, 0x7FFFFFFF), pdu(5, b"12345678")]
)
def test_what_its_header_condemns_is_shown_as_far_as_it_was_read(sent: bytes) -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate().send(sent).read()
        served.told.wait_for("aborted")
    *_, (_, direction, shown), (_, _, abort) = served.told.pdus
    assert direction is Direction.RECEIVED
    assert len(shown) >= 6
    assert sent.startswith(shown)
    assert abort[0] == 7


def test_what_had_arrived_when_it_was_interrupted_is_not_served() -> None:
    def store(request: StoreRequest) -> StoreStatus:
        peer.send(pdu(4, pdv(3, 3, ECHO)))
        for association in list(served.server._all):
            association.interrupt("power cut")
        return StoreStatus(0)

    with serving(Services(store=store)) as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(contexts=[*FOR_CT, (3, syntaxes.VERIFICATION, (IMPLICIT,))]))
        peer.send(pdu(4, pdv(1, 3, STORE)) + pdu(4, pdv(1, 2, OBJECT)))
        assert status_of(peer) == 0
        assert peer.read() == (7, bytes(4))
        assert served.told.wait_for("aborted") == ("power cut",)


def test_pdvs_may_be_fragmented_anywhere_and_packed_together() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate()
        peer.send(b"".join(pdu(4, pdv(1, 1, ECHO[at : at + 1])) for at in range(len(ECHO) - 1)))
        peer.send(pdu(4, pdv(1, 3, ECHO[-1:])))
        assert status_of(peer) == 0
        halves = pdv(1, 1, ECHO[:9]) + pdv(1, 3, ECHO[9:])
        for byte in pdu(4, halves):
            peer.send(bytes((byte,)))
        assert status_of(peer) == 0
        other = ECHO.replace(MESSAGE_ID, MESSAGE_ID[:-2] + b"\2\0")
        peer.send(pdu(4, halves + pdv(1, 1, other[:9]) + pdv(1, 3, other[9:])))
        assert (status_of(peer), status_of(peer)) == (0, 0)


def test_an_object_in_many_fragments_arrives_as_it_was_sent() -> None:
    got: list[StoreRequest] = []
    services = Services(store=lambda request: got.append(request) or StoreStatus(0))
    data = OBJECT + bytes(range(256)) * 900
    with serving(services) as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(contexts=FOR_CT)).send(pdu(4, pdv(1, 3, STORE)))
        for at in range(0, len(data), 5000):
            last = 2 if at + 5000 >= len(data) else 0
            peer.send(pdu(4, pdv(1, last, data[at : at + 5000])))
        assert status_of(peer) == 0
    assert bytes(got[0].dataset) == data
    assert (got[0].sop_class, got[0].sop_instance, got[0].transfer_syntax) == (CT, "1.2.3", EXPLICIT)


@pytest.mark.parametrize("end", [ABORT, b"", RELEASE_RQ])
def test_half_an_object_never_reaches_the_store(end: bytes) -> None:
    got: list[StoreRequest] = []
    services = Services(store=lambda request: got.append(request) or StoreStatus(0))
    with serving(services) as served:
        with ScriptedPeer.connect(served.port) as peer:
            peer.associate(associate_rq(contexts=FOR_CT))
            peer.send(pdu(4, pdv(1, 3, STORE)) + pdu(4, pdv(1, 0, OBJECT)) + end)
            if end == RELEASE_RQ:
                assert peer.read()[0] == 6
        served.told.wait_for("released" if end == RELEASE_RQ else "aborted")
        wait_until(lambda: served.server.active == 0)
    assert got == []


def test_a_peer_that_vanishes_ends_its_association_quietly() -> None:
    with serving() as served:
        with ScriptedPeer.connect(served.port) as peer:
            peer.associate().send(pdu(4, pdv(1, 3, ECHO))[:10])
        assert "closed" in served.told.wait_for("aborted")[0]
        wait_until(lambda: not served.server._all)


def test_an_abort_by_the_peer_is_told_with_its_source() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate().send(pdu(7, bytes((0, 0, 2, 1))))
        assert "unrecognised PDU" in served.told.wait_for("aborted")[0]


def test_release_is_answered_and_the_peer_closes_first() -> None:
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        assert peer.associate().send(RELEASE_RQ).read() == (6, bytes(4))
        served.told.wait_for("released")
        assert served.told.names() == ["requested", "accepted", "released"]


def test_a_connection_that_never_speaks_is_closed_after_the_acse_time() -> None:
    with serving(timeouts=Timeouts(acse=0.1)) as served, ScriptedPeer.connect(served.port) as peer:
        assert peer.is_closed_by_peer()
        assert "no A-ASSOCIATE-RQ" in served.told.wait_for("unspoken")[1]


def test_a_connection_that_drips_is_closed_after_the_acse_time_too() -> None:
    with serving(timeouts=Timeouts(acse=0.2)) as served, ScriptedPeer.connect(served.port) as peer:
        for byte in associate_rq():
            if served.told.names():
                break
            with contextlib.suppress(OSError):
                peer.send(bytes((byte,)))
            threading.Event().wait(0.005)
        assert served.told.names() == ["unspoken"]


def test_a_silent_association_is_aborted_after_the_network_time() -> None:
    with serving(timeouts=Timeouts(acse=1, network=0.1)) as served, ScriptedPeer.connect(served.port) as peer:
        assert peer.associate().read()[0] == 7
        assert "silent" in served.told.wait_for("aborted")[0]


def test_half_open_connections_do_not_use_up_the_limit() -> None:
    with serving(maximum_associations=1) as served:
        silent = [ScriptedPeer.connect(served.port) for _ in range(30)]
        with ScriptedPeer.connect(served.port) as peer:
            peer.associate()
            assert served.server.active == 1
            with ScriptedPeer.connect(served.port) as second:
                assert second.send(associate_rq()).read()[0] == 3
        wait_until(lambda: served.server.active == 0)
        with ScriptedPeer.connect(served.port) as third:
            third.associate()
        for one in silent:
            one.sock.close()


def test_the_peers_maximum_length_is_honoured() -> None:
    # 40 bytes: six of header leave 34 for a fragment of the echo response's command set of 66 bytes.
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(maximum=40)).send(pdu(4, pdv(1, 3, ECHO)))
        command, last = b"", 0
        while not last:
            kind, body = peer.read()
            assert kind == 4
            assert len(body) <= 40
            last = body[5] & 2
            command += body[6:]
        assert decode_command(command)["Status"] == 0


def test_an_unknown_operation_is_0211() -> None:
    strange = encode_command({"CommandField": 0x0040, "MessageID": 4, "CommandDataSetType": 0x0101})
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate().send(pdu(4, pdv(1, 3, strange)))
        assert status_of(peer) == 0x0211


def test_a_store_on_a_context_of_another_class_is_0122() -> None:
    services = Services(store=lambda request: StoreStatus(0))
    with serving(services) as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(contexts=[(1, "1.2.840.10008.5.1.4.1.1.4", (EXPLICIT,))]))
        peer.send(pdu(4, pdv(1, 3, STORE)) + pdu(4, pdv(1, 2, OBJECT)))
        assert status_of(peer) == 0x0122


def test_a_store_service_that_fails_is_c211_and_the_association_goes_on() -> None:
    def store(request: StoreRequest) -> StoreStatus:
        raise RuntimeError("disk on fire")

    with serving(Services(store=store)) as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(associate_rq(contexts=[*FOR_CT, (3, syntaxes.VERIFICATION, (IMPLICIT,))]))
        peer.send(pdu(4, pdv(1, 3, STORE)) + pdu(4, pdv(1, 2, OBJECT)))
        assert status_of(peer) == 0xC211
        peer.send(pdu(4, pdv(3, 3, ECHO)))
        assert status_of(peer) == 0


def test_every_pdu_is_seen_once_whole_and_after_the_request_was_told() -> None:
    request = associate_rq()
    with serving() as served, ScriptedPeer.connect(served.port) as peer:
        peer.associate(request).send(pdu(4, pdv(1, 3, ECHO)))
        status_of(peer)
        peer.send(RELEASE_RQ).read()
        served.told.wait_for("released")
    seen = [(direction, data[0]) for _, direction, data in served.told.pdus]
    received, sent = Direction.RECEIVED, Direction.SENT
    assert seen == [(received, 1), (sent, 2), (received, 4), (sent, 4), (received, 5), (sent, 6)]
    assert served.told.pdus[0][2] == request
    assert all(struct.unpack_from(">L", data, 2)[0] + 6 == len(data) for _, _, data in served.told.pdus)
    assert [exchange.service for exchange in served.told.exchanges(Side.ACCEPTOR)] == ["C-ECHO"]
