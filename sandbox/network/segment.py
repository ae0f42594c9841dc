"""One segment file of a capture: how a record is laid out, and what is known of a segment without reading it.

A record is a fixed head (magic, lengths, time), five short texts and the bytes as they were. A process that was killed
while writing leaves at most one torn record at the end, which is cut off when the segment is opened again.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

# Magic, size of the data, microseconds since 1970 on the department's clock, sizes of the five texts.
_HEAD = struct.Struct("<4sIqBHHHH")
_MAGIC = b"PDU1"
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
# Read at once of a record: its head, texts, and the beginning of its bytes with most command sets whole.
_GLANCE = 768
# Bounds what is kept in memory for a segment, however short its associations are.
_MOST_ENDS = 2000


class TornSegmentError(Exception):
    """A segment's bytes are not records. ``at`` is the offset up to which they are."""

    def __init__(self, at: int) -> None:
        super().__init__(f"No record at offset {at}.")
        self.at = at


@dataclass(frozen=True, slots=True)
class Entry:
    """What a record says beside its bytes. ``kind`` is "side/direction" of a PDU, or "failure/outcome"."""

    kind: str
    association: str
    node: str
    local: str
    peer: str
    at: datetime


def pack(entry: Entry, size: int) -> bytes:
    """A record's head and texts, to be followed by ``size`` bytes of data."""
    texts = [text.encode() for text in (entry.kind, entry.association, entry.node, entry.local, entry.peer)]
    head = _HEAD.pack(_MAGIC, size, (entry.at - _EPOCH) // _MICROSECOND, *(len(text) for text in texts))
    return b"".join((head, *texts))


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read. ``size`` is that of all of it, ``data_size`` that of its bytes."""

    entry: Entry
    size: int
    data_size: int
    data: bytes


def read_records(path: Path, size: int | None = None, *, data: bool = True) -> Iterator[Record]:
    """The records in the first ``size`` bytes of a segment, or in all of it; TornSegmentError at what is none. With
    ``data`` False their bytes are passed over."""
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size if size is None else size
        at = 0
        while at < end:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size or head[:4] != _MAGIC:
                raise TornSegmentError(at)
            _, data_size, microseconds, *lengths = _HEAD.unpack(head)
            before_data = _HEAD.size + sum(lengths)
            if at + before_data + data_size > end:
                raise TornSegmentError(at)
            entry = _entry(file.read(sum(lengths)), lengths, microseconds)
            content = file.read(data_size) if data else b""
            if not data:
                file.seek(data_size, os.SEEK_CUR)
            yield Record(entry, before_data + data_size, data_size, content)
            at += before_data + data_size


@dataclass(frozen=True, slots=True)
class RecordHead:
    """A record without the most of its bytes: ``head`` are the first of them, ``offset`` is where they lie in the file,
    ``next`` where the next record begins."""

    entry: Entry
    size: int
    head: bytes
    offset: int
    next: int


def read_heads(path: Path, start: int, end: int, side: str = "") -> Iterator[RecordHead]:
    """The heads of the records between two offsets, each by a single read; TornSegmentError at what is none. Of the
    other ``side``'s only the length is looked at."""
    wanted = side.encode()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while start < end:
            read = os.pread(descriptor, _GLANCE, start)
            if len(read) < _HEAD.size or read[:4] != _MAGIC:
                raise TornSegmentError(start)
            _, size, microseconds, *lengths = _HEAD.unpack_from(read)
            texts = _HEAD.size + sum(lengths)
            if len(read) < texts:
                raise TornSegmentError(start)
            offset, start = start + texts, start + texts + size
            if not read.startswith(wanted, _HEAD.size):
                continue
            entry = _entry(read[_HEAD.size : texts], lengths, microseconds)
            yield RecordHead(entry, size, read[texts : texts + size], offset, start)
    finally:
        os.close(descriptor)


def _entry(texts: bytes, lengths: list[int], microseconds: int) -> Entry:
    parts, start = [], 0
    for length in lengths:
        parts.append(texts[start : start + length].decode(errors="replace"))
        start += length
    kind, association, node, local, peer = parts
    return Entry(kind, association, node, local, peer, _EPOCH + microseconds * _MICROSECOND)


@dataclass(slots=True)
class EndPart:
    """What one segment holds of one end of an association: all of it between the offsets ``start`` and ``end``."""

    local: str
    peer: str
    first_at: datetime
    last_at: datetime
    pdus: int = 0
    bytes: int = 0
    start: int = 0
    end: int = 0


@dataclass
class Segment:
    """A segment file and what is in it: parts by (association, node, side), and associations whose dial failed."""

    path: Path
    size: int = 0
    ends: dict[tuple[str, str, str], EndPart] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    failures: int = 0

    @classmethod
    def reopen(cls, path: Path) -> Segment:
        """Read a segment that an earlier process wrote, and cut off a torn end."""
        segment = cls(path)
        try:
            for record in read_records(path, data=False):
                segment.note(record.entry, record.size, record.data_size)
        except TornSegmentError as torn:
            os.truncate(path, torn.at)
        return segment

    def note(self, entry: Entry, size: int, data_size: int) -> None:
        """Take a record of ``size`` bytes in all, ``data_size`` of them data, into the account."""
        offset = self.size
        self.size += size
        side, _, _ = entry.kind.partition("/")
        if side == "failure":
            self.failures += 1
            self.failed.add(entry.association)
            return
        key = (entry.association, entry.node, side)
        part = self.ends.get(key)
        if part is None:
            part = self.ends[key] = EndPart(entry.local, entry.peer, entry.at, entry.at, start=offset)
        part.last_at = entry.at
        part.end = self.size
        part.pdus += 1
        part.bytes += data_size

    def is_full(self, limit: int, size: int) -> bool:
        """Whether another ``size`` bytes belong into a new segment."""
        return self.size > 0 and (
            self.size + size > limit or len(self.ends) >= _MOST_ENDS or self.failures >= _MOST_ENDS
        )

    def holds_any(self, associations: Collection[str]) -> bool:
        """Whether anything of ``associations`` is in here."""
        return any(end[0] in associations for end in self.ends) or not self.failed.isdisjoint(associations)
