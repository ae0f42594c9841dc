"""Random and spoilt PDUs and data sets at the port of ``archive serve``: no crash, no hang, no leak, no surprise.

Each case is one connection. What it sends follows from the seed and the case's number, so a failure names both and
shows the bytes. ``PACS_SANDBOX_FUZZ_CASES`` and ``PACS_SANDBOX_FUZZ_SEED`` ask for more, or for others.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.archive.serve import ServeOptions, serve_archive
from tests.unbreakable.conversations import Conversation, record
from tests.unbreakable.mutations import mutate
from tests.unbreakable.support import ArchiveProcess, count_in_study, ct, get_study, number_from, settled

_CASES = number_from("PACS_SANDBOX_FUZZ_CASES", 5_000)
_SEED = number_from("PACS_SANDBOX_FUZZ_SEED", 1)
_AT_ONCE = 4
_BATCH = 200
_WARM_UP = 400
_HANG_S = 20.0
_MORE_MEMORY = 96 << 20
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Case:
    """One connection: what it sends, and how it goes. ``rude`` resets it, where others close it and wait."""

    number: int
    pdus: tuple[bytes, ...]
    rude: bool

    def describe(self) -> str:
        shown = "\n".join(f"  {pdu[:4000].hex()}" for pdu in self.pdus[:40])
        return f"seed {_SEED} case {self.number}{' (reset)' if self.rude else ''}:\n{shown}"


def case(number: int, conversations: Sequence[Conversation]) -> Case:
    generator = random.Random(f"{_SEED}:{number}")
    rude = generator.random() < 0.1
    return Case(number, tuple(mutate(generator, conversations)), rude)


def play(archive: ArchiveProcess, one: Case) -> str:
    """Send it. What went wrong, in words: empty if the archive ended the connection in time."""
    with archive.connect(_HANG_S) as connection:
        try:
            connection.sendall(one.pdus[0])
            rest = b"".join(one.pdus[1:])
            if rest:
                # A request that is answered is answered before more comes, as it is with a real peer.
                if len(one.pdus[0]) > 74 and one.pdus[0][0] == 1 and not one.rude:
                    connection.settimeout(0.5)
                    with contextlib.suppress(TimeoutError):
                        connection.recv(65536)
                    connection.settimeout(_HANG_S)
                connection.sendall(rest)
            if one.rude:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                return ""
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass
        except TimeoutError:
            return "it did not end the connection"
        except OSError:
            return ""
    return ""


def run(archive: ArchiveProcess, cases: Sequence[Case]) -> list[str]:
    """Play the cases, several at once; what went wrong and with which of them."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda one: play(archive, one), cases))
    wrong = [f"{words}\n{one.describe()}" for one, words in zip(cases, outcomes, strict=True) if words]
    if logged := archive.unexpected():
        wrong += [f"{logged[0][:6000]}\n{words}" for words in _guilty(archive, cases)] or [
            f"{logged[0][:6000]}\nsomewhere in seed {_SEED} cases {cases[0].number} to {cases[-1].number}"
        ]
    return wrong


def _guilty(archive: ArchiveProcess, cases: Sequence[Case]) -> Iterator[str]:
    """Which of them it was, played again one by one."""
    for one in cases:
        play(archive, one)
        if archive.unexpected():
            yield one.describe()


@pytest.mark.timeout(0)
def test_nothing_that_is_sent_to_the_port_does_it_harm(tmp_path: Path) -> None:
    with serve_archive(ServeOptions(ae_title="WS1", directory=tmp_path / "ws1", sync="normal")) as workstation:
        at = workstation.describe()
        remotes = (f"WS1={at.host}:{at.port}",)
        with ArchiveProcess(tmp_path / "archive", remotes=remotes) as archive:
            kept = ct("1.2.3.78", "1.2.3.78.1", "1.2.3.78.1.1", b"kept" * 1000)
            with archive.associate() as association:
                assert association.store(kept).status == 0
            conversations = tuple(record(archive).values())
            wrong = run(archive, [case(-number - 1, conversations) for number in range(_WARM_UP)])
            before = archive.usage()
            for start in range(0, _CASES, _BATCH):
                batch = [case(number, conversations) for number in range(start, min(start + _BATCH, _CASES))]
                wrong += run(archive, batch)
                archive.echo()
                if len(wrong) >= number_from("PACS_SANDBOX_FUZZ_FAILURES", 1):
                    break
            assert not wrong, "\n\n".join(wrong)
            settled(archive, before, more_memory=_MORE_MEMORY, readers=_AT_ONCE)
            assert count_in_study(archive, "1.2.3.78") == 1
            status, got = get_study(archive, "1.2.3.78")
            assert status == 0
            assert got["1.2.3.78.1.1"].endswith(b"kept" * 1000)
        # What the cases left behind must not keep it from starting.
        with ArchiveProcess(tmp_path / "archive") as archive:
            archive.echo()
            assert not archive.unexpected()
