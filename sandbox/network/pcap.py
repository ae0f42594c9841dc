"""Exports a capture as a classic .pcap that Wireshark dissects, with the department's own addresses and ports.

What was really exchanged are the PDUs; the packets around them are made: Ethernet, IP, TCP with handshake, sequence
numbers, acknowledgements, segments of 1460 bytes, and the end that the last PDU implies. A refused connection shows as
SYN and RST, one that timed out as SYNs without an answer.
"""

from __future__ import annotations

import heapq
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from sandbox.model.association import DialOutcome
from sandbox.network.capture import Capture, CapturedFailure, CapturedPdu
from sandbox.network.connect import IPAddress, parse_address

MSS = 1460
_FIN, _SYN, _RST, _PSH, _ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_FILE_HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
_WINDOW_SCALE = 7
_SYN_OPTIONS = struct.pack("!BBHBBBB", 2, 4, MSS, 1, 3, 3, _WINDOW_SCALE)
_WINDOW = 65535
# A receiver acknowledges at least this often within a long PDU.
_ACK_EVERY = 32 * MSS
_TICK = timedelta(microseconds=10)
# When TCP repeats a SYN that is not answered, in seconds after the first (RFC 6298, doubling from one second).
_SYN_AGAIN_S = (1, 3, 7, 15, 31, 63)
# The PDUs after which the connection is closed (PS3.8 9.3): A-ASSOCIATE-RJ, A-RELEASE-RP, A-ABORT.
_LAST_PDUS = frozenset({0x03, 0x06, 0x07})
_FIRST_PDU = 0x01


def export(capture: Capture, associations: Collection[str] | None = None) -> Iterator[bytes]:
    """The whole capture, or the given associations, as the pieces of a .pcap file."""
    return pcap(capture.entries(associations))


def pcap(entries: Iterable[CapturedPdu | CapturedFailure]) -> Iterator[bytes]:
    """A .pcap file of ``entries``, which are in the order of their time, in pieces."""
    yield _FILE_HEAD
    exporter = _Exporter()
    for entry in entries:
        yield from exporter.take(entry)
    yield from exporter.rest()


@dataclass(frozen=True)
class _End:
    address: IPAddress
    port: int


@dataclass
class _Conversation:
    """One TCP connection. Ends are the client's and the server's; ``sent`` are their next sequence numbers."""

    client: _End
    server: _End
    sent: dict[_End, int] = field(default_factory=dict)

    def other(self, end: _End) -> _End:
        return self.server if end == self.client else self.client


class _Exporter:
    """Makes packets of entries, one after the other, with times that never run backwards."""

    def __init__(self) -> None:
        self._open: dict[str, _Conversation] = {}
        self._last = datetime.min
        self._packets = 0
        # SYNs yet to be repeated, which other packets may precede.
        self._later: list[tuple[datetime, int, bytes]] = []

    def take(self, entry: CapturedPdu | CapturedFailure) -> Iterator[bytes]:
        yield from self._due(entry.at)
        if isinstance(entry, CapturedFailure):
            yield from self._failure(entry)
        else:
            yield from self._pdu(entry)

    def rest(self) -> Iterator[bytes]:
        """What is still to come after the last entry."""
        yield from self._due(datetime.max)

    def _pdu(self, pdu: CapturedPdu) -> Iterator[bytes]:
        talk = self._open.get(pdu.association)
        if talk is None:
            client, server = _end(pdu.client, pdu.association), _end(pdu.server, pdu.association)
            if client is None or server is None:
                return
            talk = self._open[pdu.association] = _conversation(client, server, pdu.association)
            if pdu.data[:1] == bytes([_FIRST_PDU]):
                yield from self._handshake(talk, pdu.at - 3 * _TICK)
        sender = talk.client if pdu.source == pdu.client else talk.server
        receiver = talk.other(sender)
        unacknowledged = 0
        for start in range(0, len(pdu.data), MSS):
            piece = pdu.data[start : start + MSS]
            is_last = start + MSS >= len(pdu.data)
            yield self._tcp(talk, sender, _ACK | (_PSH if is_last else 0), pdu.at, piece)
            unacknowledged += len(piece)
            if is_last or unacknowledged >= _ACK_EVERY:
                unacknowledged = 0
                yield self._tcp(talk, receiver, _ACK, pdu.at + _TICK)
        if pdu.data[:1] and pdu.data[0] in _LAST_PDUS:
            # Whoever received it closes.
            at = pdu.at + 2 * _TICK
            yield self._tcp(talk, receiver, _FIN | _ACK, at)
            yield self._tcp(talk, sender, _FIN | _ACK, at + _TICK)
            yield self._tcp(talk, receiver, _ACK, at + 2 * _TICK)
            del self._open[pdu.association]

    def _handshake(self, talk: _Conversation, at: datetime) -> Iterator[bytes]:
        yield self._tcp(talk, talk.client, _SYN, at)
        yield self._tcp(talk, talk.server, _SYN | _ACK, at + _TICK)
        yield self._tcp(talk, talk.client, _ACK, at + 2 * _TICK)

    def _failure(self, failure: CapturedFailure) -> Iterator[bytes]:
        # Every attempt has a source port of its own, or Wireshark takes one for a repetition of the other.
        seed = f"{failure.local} {failure.association} {failure.at}"
        client, server = _end(failure.local, seed), _end(failure.peer, seed)
        if client is None or server is None or failure.outcome is DialOutcome.UNKNOWN_HOST:
            return
        talk = _conversation(client, server, seed)
        match failure.outcome:
            case DialOutcome.REFUSED:
                yield self._tcp(talk, client, _SYN, failure.at)
                yield self._tcp(talk, server, _RST | _ACK, failure.at + _TICK)
            case DialOutcome.RESET:
                yield from self._handshake(talk, failure.at)
                yield self._tcp(talk, server, _RST | _ACK, failure.at + 3 * _TICK)
            case _:
                first = talk.sent[client]
                yield self._tcp(talk, client, _SYN, failure.at)
                for seconds in _SYN_AGAIN_S:
                    if failure.outcome is not DialOutcome.TIMED_OUT or seconds >= failure.elapsed_s:
                        break
                    talk.sent[client] = first
                    frame = self._frame(talk, client, _SYN, b"")
                    heapq.heappush(self._later, (failure.at + timedelta(seconds=seconds), self._packets, frame))

    def _tcp(self, talk: _Conversation, sender: _End, flags: int, at: datetime, payload: bytes = b"") -> bytes:
        return self._packet(self._frame(talk, sender, flags, payload), at)

    def _frame(self, talk: _Conversation, sender: _End, flags: int, payload: bytes) -> bytes:
        receiver = talk.other(sender)
        options = _SYN_OPTIONS if flags & _SYN else b""
        segment = struct.pack(
            "!HHIIBBHHH",
            sender.port,
            receiver.port,
            talk.sent[sender],
            talk.sent[receiver] if flags & _ACK else 0,
            (20 + len(options)) // 4 << 4,
            flags,
            _WINDOW,
            0,
            0,
        )
        consumed = len(payload) + (1 if flags & (_SYN | _FIN) else 0)
        talk.sent[sender] = (talk.sent[sender] + consumed) % 2**32
        self._packets += 1
        return _frame(sender.address, receiver.address, segment + options + payload, self._packets)

    def _due(self, until: datetime) -> Iterator[bytes]:
        while self._later and self._later[0][0] <= until:
            at, _, frame = heapq.heappop(self._later)
            yield self._packet(frame, at)

    def _packet(self, frame: bytes, at: datetime) -> bytes:
        self._last = max(self._last, at)
        # The department's clock shows local time, and so does Wireshark.
        seconds = self._last.timestamp()
        head = struct.pack("<IIII", int(seconds) & 0xFFFFFFFF, self._last.microsecond, len(frame), len(frame))
        return head + frame


def _conversation(client: _End, server: _End, seed: str) -> _Conversation:
    first = zlib.crc32(seed.encode())
    return _Conversation(client, server, {client: first, server: first ^ 0x5A5A5A5A})


def _end(text: str, seed: str) -> _End | None:
    """ "198.18.10.11:40112", "[::1]:4242", or an address alone, which gets a port that follows from ``seed``."""
    address = parse_address(text.strip("[]"))
    if address is not None:
        return _End(address, 49152 + zlib.crc32(seed.encode()) % 16384)
    host, _, port = text.rpartition(":")
    address = parse_address(host.strip("[]"))
    return None if address is None or not port.isdecimal() else _End(address, int(port))


def _frame(source: IPAddress, target: IPAddress, segment: bytes, number: int) -> bytes:
    """An Ethernet frame around a TCP segment, checksums filled in."""
    macs = _mac(target) + _mac(source)
    if isinstance(source, IPv4Address) and isinstance(target, IPv4Address):
        ends = source.packed + target.packed
        pseudo = ends + struct.pack("!BBH", 0, 6, len(segment))
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), number & 0xFFFF, 0x4000, 64, 6, 0) + ends
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        kind = b"\x08\x00"
    else:
        ends = _as_v6(source) + _as_v6(target)
        pseudo = ends + struct.pack("!II", len(segment), 6)
        head = struct.pack("!IHBB", 0x60000000, len(segment), 6, 64) + ends
        kind = b"\x86\xdd"
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    return macs + kind + head + segment


def _as_v6(address: IPAddress) -> bytes:
    return address.packed if isinstance(address, IPv6Address) else b"\0" * 10 + b"\xff\xff" + address.packed


def _mac(address: IPAddress) -> bytes:
    """A locally administered address that follows from the IP address: 198.18.10.11 is 02:00:c6:12:0a:0b."""
    return b"\x02\x00" + address.packed[-4:]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): a sum in one's complement is the remainder of division by 0xFFFF."""
    total = int.from_bytes(data + b"\0" * (len(data) % 2), "big")
    remainder = total % 0xFFFF
    return 0xFFFF - (remainder if remainder or not total else 0xFFFF)
