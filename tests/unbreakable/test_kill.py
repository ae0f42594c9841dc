"""kill -9 of ``archive serve`` at a random moment while four senders store, again and again on the same directory.

What was answered 0000 is there afterwards and whole, what is visible is whole, nothing is left half-way, and it starts
again each time without anybody's help. ``PACS_SANDBOX_KILL_ROUNDS`` asks for more rounds.
"""

from __future__ import annotations

import random
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.dicom.client import Association
from sandbox.dicom.contract import Timeouts
from tests.unbreakable.support import (
    READY_S,
    ArchiveProcess,
    count_in_study,
    ct,
    encoded_ct,
    find,
    get_study,
    number_from,
)

_ROUNDS = number_from("PACS_SANDBOX_KILL_ROUNDS", 5)
_SEED = number_from("PACS_SANDBOX_KILL_SEED", 1)
_SENDERS = 4
_SIZES = (200, 10_000, 300_000, 10_000_000)
_LIKELY = (40, 40, 18, 2)
_LATEST_S = 0.8


@dataclass
class _Sent:
    """What one round's senders sent, by SOP Instance UID, and which of it was answered with what."""

    contents: dict[str, bytes] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    refused: list[object] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)


def _send(archive: ArchiveProcess, study: str, sender: int, sent: _Sent) -> None:
    """Store instances of all sizes until the archive is gone."""
    generator = random.Random(f"{_SEED}:{study}:{sender}")
    try:
        association: Association = archive.associate(timeouts=Timeouts(acse=5, dimse=20))
    except (AssertionError, OSError):
        return
    for number in range(100_000):
        uid = f"{study}.{sender}.{number}"
        content = generator.randbytes(generator.choices(_SIZES, _LIKELY)[0])
        ds = ct(study, f"{study}.{sender}", uid, content)
        sent.contents[uid] = encoded_ct(ds)
        outcome = association.store(ds)
        if outcome.status == 0:
            sent.answered.add(uid)
            sent.first.set()
        elif outcome.status is None:
            return
        else:
            sent.refused.append(outcome)


def _wait(seconds: float) -> None:
    """The moment of the kill is what the test is about; nothing tells it but the clock."""
    select.select([], [], [], seconds)


def _in_threads(work: Callable[[int], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(_SENDERS)]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.timeout(0)
def test_what_was_answered_0000_survives_kill_9(tmp_path: Path) -> None:
    generator = random.Random(_SEED)
    archive = ArchiveProcess(tmp_path / "archive")
    answered, visible = 0, 0
    archive.start()
    try:
        for number in range(_ROUNDS):
            study, sent = f"1.2.826.9.{_SEED}.{number}", _Sent()
            threads = _in_threads(lambda sender, study=study, sent=sent: _send(archive, study, sender, sent))  # type: ignore[misc]
            # Some kills come while the first instances do.
            if generator.random() < 0.8:
                assert sent.first.wait(READY_S)
            _wait(generator.random() * _LATEST_S)
            archive.kill()
            for thread in threads:
                thread.join(READY_S)
                assert not thread.is_alive()
            archive.start()
            _check(archive, study, sent, f"seed {_SEED} round {number}")
            answered += len(sent.answered)
            visible += count_in_study(archive, study)
        assert not archive.unexpected()
        # The counts of all rounds, from an index that was killed so often, and from the files alone.
        assert _total(archive) == visible
        archive.stop()
        for file in archive.directory.glob("index.sqlite*"):
            file.unlink()
        archive.start()
        assert _total(archive) == visible
    finally:
        archive.stop()
    print(f"kill -9: {_ROUNDS} rounds, {answered} answered 0000, 0 lost")


def _check(archive: ArchiveProcess, study: str, sent: _Sent, where: str) -> None:
    assert not sent.refused, (where, sent.refused[:3])
    status, got = get_study(archive, study)
    assert status == 0, where
    assert sent.answered <= got.keys(), (where, "lost", sorted(sent.answered - got.keys()))
    assert all(sent.contents[uid] == data for uid, data in got.items()), (where, "not what was sent")
    assert count_in_study(archive, study) == len(got), where
    store = archive.directory / "store"
    assert not list((store / "incoming").iterdir()), (where, "left half-way")
    assert {path.stem for path in (store / "files").glob(f"*/{study}.*.dcm")} == got.keys(), where


def _total(archive: ArchiveProcess) -> int:
    found = find(archive, "STUDY", StudyInstanceUID="", NumberOfStudyRelatedInstances=None)
    return sum(int(one.NumberOfStudyRelatedInstances) for one in found)
