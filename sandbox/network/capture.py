"""Keeps every PDU said in a lab, in files of a bounded size, from which packet captures and protocol views are made.

Records are appended to segment files; when all of them together would exceed the bound, the oldest segment goes. The
index in memory knows associations and in which segments they are, not single PDUs, so it is bounded as well. Both ends
of an association write; whoever reads gets one end, the acceptor's if it wrote anything, so nothing appears twice.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.model.association import DialOutcome, Direction, Side
from sandbox.network.segment import Entry, Segment, TornSegmentError, pack, read_heads, read_records

_NAME = "capture-{:08d}.seg"
# The bound is kept by dropping whole segments, so there have to be several.
_SEGMENTS = 16


@dataclass(frozen=True)
class CapturedPdu:
    """One PDU as one end sent or received it, header included, at the department's time."""

    association: str
    node: str
    side: Side
    local: str
    peer: str
    direction: Direction
    at: datetime
    data: bytes

    @property
    def source(self) -> str:
        """The address it came from."""
        return self.local if self.direction is Direction.SENT else self.peer

    @property
    def client(self) -> str:
        """The address that opened the connection."""
        return self.local if self.side is Side.REQUESTOR else self.peer

    @property
    def server(self) -> str:
        """The address that was called."""
        return self.peer if self.side is Side.REQUESTOR else self.local


@dataclass(frozen=True)
class CapturedFailure:
    """A connection that did not come about."""

    association: str
    node: str
    local: str
    peer: str
    outcome: DialOutcome
    at: datetime
    elapsed_s: float


@dataclass(frozen=True)
class CapturedAssociation:
    """What is still kept of an association: when its first and last PDU passed, and how much there is at one end."""

    association: str
    node: str
    side: Side
    local: str
    peer: str
    first_at: datetime
    last_at: datetime
    pdus: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PduHead:
    """One PDU without the most of its bytes, and where they are: ``Capture.read`` gets them."""

    node: str
    side: Side
    direction: Direction
    at: datetime
    size: int
    head: bytes
    path: Path
    offset: int

    @property
    def from_requestor(self) -> bool:
        return (self.side is Side.REQUESTOR) is (self.direction is Direction.SENT)


@dataclass(frozen=True, slots=True)
class Seen:
    """How far somebody has read an association: at which end, and in each segment up to which offset."""

    node: str = ""
    side: str = ""
    offsets: tuple[tuple[Path, int], ...] = ()


_NOTHING_SEEN = Seen()


class Capture:
    """A capture in ``directory``, of at most ``max_bytes``. What an earlier process wrote there is still in it."""

    def __init__(self, directory: Path, max_bytes: int = 128 * 1024 * 1024) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = max(1, max_bytes // _SEGMENTS)
        self._lock = threading.Lock()
        self._lost = 0
        self._closed = False
        directory.mkdir(parents=True, exist_ok=True)
        self._segments = [Segment.reopen(path) for path in sorted(directory.glob("capture-*.seg"))]
        self._next = 1 + max((int(each.path.stem.rpartition("-")[2]) for each in self._segments), default=0)
        self._descriptor = -1

    # --- writing -----------------------------------------------------------------------------------------------------

    def record(
        self,
        association: str,
        node: str,
        side: Side,
        local: str,
        peer: str,
        direction: Direction,
        data: memoryview | bytes,
        at: datetime,
    ) -> None:
        """Keep one whole PDU. ``data`` is written before this returns and may be reused then."""
        self._append(Entry(f"{side}/{direction}", association, node, local, peer, _local_time(at)), data)

    def tcp_failure(
        self,
        local: str,
        peer: str,
        outcome: DialOutcome,
        at: datetime,
        *,
        elapsed_s: float = 0.0,
        association: str = "",
        node: str = "",
    ) -> None:
        """Keep a connection that did not come about. ``local`` needs no port, since none may have been used; ``at`` is
        when it began and ``elapsed_s`` how long the caller waited."""
        entry = Entry(f"failure/{outcome}", association, node, local, peer, _local_time(at))
        self._append(entry, repr(elapsed_s).encode())

    def _append(self, entry: Entry, data: memoryview | bytes) -> None:
        head = pack(entry, len(data))
        size = len(head) + len(data)
        with self._lock:
            if self._closed:
                return
            try:
                segment = self._segment_for(size)
                if os.writev(self._descriptor, [head, data]) != size:
                    raise OSError("The disk took only a part.")
            except OSError:
                # The disk is full or gone. An association must not fail because it is watched.
                self._lost += 1
                self._abandon_segment()
                return
            segment.note(entry, size, len(data))

    def _segment_for(self, size: int) -> Segment:
        if self._descriptor != -1 and not self._segments[-1].is_full(self._segment_bytes, size):
            return self._segments[-1]
        if size > self._max_bytes:
            raise OSError("More than the whole capture may hold.")
        self._close_segment()
        while self._segments and self._total() + max(size, self._segment_bytes) > self._max_bytes:
            self._segments.pop(0).path.unlink(missing_ok=True)
        path = self._directory / _NAME.format(self._next)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
        self._next += 1
        self._segments.append(Segment(path))
        return self._segments[-1]

    def _total(self) -> int:
        return sum(segment.size for segment in self._segments)

    def _close_segment(self) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1

    def _abandon_segment(self) -> None:
        if self._descriptor != -1:
            self._close_segment()
            if self._segments[-1].size == 0:
                self._segments.pop().path.unlink(missing_ok=True)

    # --- reading -----------------------------------------------------------------------------------------------------

    def associations(self) -> tuple[CapturedAssociation, ...]:
        """The associations of which something is kept, in the order of their first PDU."""
        found: dict[str, CapturedAssociation] = {}
        with self._lock:
            ends = self._chosen_ends(None)
            for segment in self._segments:
                for (association, node, side), part in segment.ends.items():
                    if ends.get(association) != (node, side):
                        continue
                    before = found.get(association)
                    found[association] = CapturedAssociation(
                        association=association,
                        node=node,
                        side=Side(side),
                        local=part.local,
                        peer=part.peer,
                        first_at=part.first_at if before is None else before.first_at,
                        last_at=part.last_at,
                        pdus=part.pdus + (0 if before is None else before.pdus),
                        bytes=part.bytes + (0 if before is None else before.bytes),
                    )
        return tuple(found.values())

    def pdus(self, association: str) -> Iterator[CapturedPdu]:
        """The PDUs of one association in order, from one of its ends."""
        for entry in self.entries({association}):
            if isinstance(entry, CapturedPdu):
                yield entry

    def heads(self, association: str, seen: Seen = _NOTHING_SEEN) -> tuple[bool, list[PduHead], Seen]:
        """The PDUs of one association that ``seen`` does not know, in order, without most of their bytes.

        The first value is False where they go on after what was seen, True where reading begins anew: the other end has
        turned out to tell more. What was dropped since, to keep the bound, is passed over.
        """
        with self._lock:
            node, side = self._chosen_ends({association}).get(association, ("", ""))
            parts = [
                (segment.path, part.start, part.end)
                for segment in self._segments
                if (part := segment.ends.get((association, node, side))) is not None
            ]
        is_new = (node, side) != (seen.node, seen.side)
        known = {} if is_new else dict(seen.offsets)
        found: list[PduHead] = []
        for path, start, end in parts:
            try:
                for record in read_heads(path, known.get(path, start), end, side):
                    entry = record.entry
                    known[path] = record.next
                    which, _, direction = entry.kind.partition("/")
                    if (entry.association, entry.node, which) == (association, node, side):
                        found.append(
                            PduHead(
                                node=node,
                                side=Side(side),
                                direction=Direction(direction),
                                at=entry.at,
                                size=record.size,
                                head=record.head,
                                path=path,
                                offset=record.offset,
                            )
                        )
            except (FileNotFoundError, TornSegmentError):
                continue
        return is_new, found, Seen(node, side, tuple(known.items()))

    def read(self, pdu: PduHead, start: int = 0, size: int | None = None) -> bytes:
        """Bytes of a PDU from ``start``, ``size`` of them or all. Fewer, or none, when they are kept no longer."""
        wanted = max(0, min(pdu.size - start, pdu.size if size is None else size))
        if start + wanted <= len(pdu.head):
            return pdu.head[start : start + wanted]
        try:
            with pdu.path.open("rb") as file:
                return os.pread(file.fileno(), wanted, pdu.offset + start)
        except FileNotFoundError:
            return b""

    def entries(self, associations: Collection[str] | None = None) -> Iterator[CapturedPdu | CapturedFailure]:
        """Everything, or what belongs to ``associations``, in the order in which it happened, each association from one
        of its ends. What is recorded while this runs is left out."""
        with self._lock:
            ends = self._chosen_ends(associations)
            parts = [
                (segment.path, segment.size)
                for segment in self._segments
                if associations is None or segment.holds_any(associations)
            ]
        for path, size in parts:
            try:
                for record in read_records(path, size):
                    made = _value(record.entry, record.data, ends, associations)
                    if made is not None:
                        yield made
            except (FileNotFoundError, TornSegmentError):
                # Dropped meanwhile, to keep the bound, or damaged from outside: the others are still good.
                continue

    @property
    def size(self) -> int:
        """Bytes on disk."""
        with self._lock:
            return self._total()

    @property
    def lost(self) -> int:
        """How many records could not be written."""
        return self._lost

    def clear(self) -> None:
        """Forget everything, as a lab's reset does."""
        with self._lock:
            self._close_segment()
            for segment in self._segments:
                segment.path.unlink(missing_ok=True)
            self._segments.clear()

    def close(self) -> None:
        """Write no more. Reading goes on."""
        with self._lock:
            self._closed = True
            self._close_segment()

    def _chosen_ends(self, associations: Collection[str] | None) -> dict[str, tuple[str, str]]:
        """For each association the end to read: the acceptor's where it has one, else the requestor's."""
        chosen: dict[str, tuple[str, str]] = {}
        for segment in self._segments:
            for association, node, side in segment.ends:
                if associations is not None and association not in associations:
                    continue
                if association not in chosen or (side == Side.ACCEPTOR and chosen[association][1] != Side.ACCEPTOR):
                    chosen[association] = (node, side)
        return chosen


def _local_time(at: datetime) -> datetime:
    """The department's clock has no zone; a time that has one is told in the machine's."""
    return at if at.tzinfo is None else at.astimezone().replace(tzinfo=None)


def _value(
    entry: Entry, data: bytes, ends: dict[str, tuple[str, str]], associations: Collection[str] | None
) -> CapturedPdu | CapturedFailure | None:
    first, second = entry.kind.split("/")
    if first == "failure":
        if associations is not None and entry.association not in associations:
            return None
        return CapturedFailure(
            entry.association, entry.node, entry.local, entry.peer, DialOutcome(second), entry.at, float(data)
        )
    if ends.get(entry.association) != (entry.node, first):
        return None
    return CapturedPdu(
        association=entry.association,
        node=entry.node,
        side=Side(first),
        local=entry.local,
        peer=entry.peer,
        direction=Direction(second),
        at=entry.at,
        data=data,
    )
