"""Our archive with an index of many studies, for what grows with them. The rows are written as C-STORE writes them, the
files are left out: nothing that is asked here opens one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.archive.attributes import STORED
from sandbox.archive.header import Header
from sandbox.archive.index.database import open_database, sqlite_url
from sandbox.archive.index.index import Index, InstanceRecord
from sandbox.archive.store import Sync
from tests.bench.images import Question
from tests.bench.peers import KINDS, OURS, Peer

_ROOT = "2.25.777"
_AT_A_TIME = 1000
_ALONE = "19991231"
_TAGS = {attribute.keyword: attribute.tag for attribute in STORED}
_CT_IMAGE, _EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"


def question(studies: int) -> Question:
    """The same exact key as on the small index, for a patient in the middle."""
    return Question((f"PatientID=L{studies // 2}", "StudyDate", "PatientName", "AccessionNumber"), 1)


def range_question() -> Question:
    """A range of dates with one study in it, however many there are."""
    return Question((f"StudyDate={_ALONE[:6]}01-{_ALONE}", "PatientID", "PatientName", "AccessionNumber"), 1)


@contextmanager
def served(directory: Path, studies: int, sink: int) -> Iterator[int]:
    """`archive serve` on an index of so many studies; gives its port."""
    store = directory / "store"
    store.mkdir(parents=True)
    index = Index(open_database(sqlite_url(store / "index.sqlite"), Sync.NORMAL))
    numbers = iter(range(studies))
    while some := list(itertools.islice(numbers, _AT_A_TIME)):
        index.add_many([_record(number) for number in some])
    index.close()
    peer = Peer(next(kind for kind in KINDS if kind.name == OURS), directory, sink)
    try:
        peer.start()
        yield peer.port
    finally:
        peer.stop()


def _record(number: int) -> InstanceRecord:
    study = f"{_ROOT}.{number}"
    values = {
        "PatientID": f"L{number}",
        "PatientName": f"NAME{number % 5000}^GIVEN{number}",
        "PatientBirthDate": "19600101",
        "StudyInstanceUID": study,
        "StudyDate": f"20{number % 24:02}{number % 12 + 1:02}{number % 28 + 1:02}" if number else _ALONE,
        "AccessionNumber": f"A{number}",
        "SeriesInstanceUID": f"{study}.1",
        "Modality": "CT",
    }
    header = Header({_TAGS[keyword]: value for keyword, value in values.items()})
    # Old enough not to be looked for among the newest files at start.
    received = time.time() - 86400
    return InstanceRecord(
        header, _CT_IMAGE, f"{study}.1.1", _EXPLICIT, f"{number % 256:02x}/{study}.dcm", 9000, received
    )
