"""What the served archive answers to association requests, beside what tests/dicom/test_acceptor.py reads."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sandbox.archive.serve import Remote, ServeOptions, serve_archive
from sandbox.dicom import syntaxes
from sandbox.dicom.messages import C_ECHO_RQ
from tests.archive.checklist.wire import EVERYTHING, Wire
from tests.archive.support import CT, instance
from tests.dicom.support import EXPLICIT, IMPLICIT


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ({"called": "OTHER"}, (1, 1, 7)),
        ({"called": "archive"}, (1, 1, 7)),
        ({"calling": "STRANGER"}, (1, 1, 3)),
        ({"calling": "ct1"}, (1, 1, 3)),
        ({}, ()),
        ({"called": " ARCHIVE", "calling": "  CT1"}, ()),
    ],
)
def test_titles_are_those_of_the_ae_table(tmp_path: Path, titles: dict[str, str], expected: tuple[int, ...]) -> None:
    remotes = (Remote.parse("CT1=127.0.0.1:104"),)
    options = ServeOptions(ae_title="ARCHIVE", directory=tmp_path, remotes=remotes, strict_calling=True, sync="normal")
    with serve_archive(options) as running, Wire(running.describe().port, **titles) as wire:  # type: ignore[arg-type]
        assert wire.rejection == expected


def test_each_context_has_its_own_answer(port: int) -> None:
    contexts = [("1.2.3.4", IMPLICIT), (CT, "1.2.3.4"), (syntaxes.STUDY_ROOT_FIND, EXPLICIT), (CT, EXPLICIT)]
    # Nobody but the archive is SCP of its queries: neither role is left for the caller.
    with Wire(port, contexts, roles=[(syntaxes.STUDY_ROOT_FIND, 0, 1)]) as wire:
        assert {number: result for number, (result, _) in wire.results.items()} == {1: 3, 3: 4, 5: 1, 7: 0}
        assert wire.store(instance(), on=7).status == 0


def test_a_client_that_proposes_the_scu_role_in_so_many_words_is_served(port: int) -> None:
    with Wire(port, EVERYTHING, roles=[(abstract, 1, 0) for abstract, _ in EVERYTHING]) as wire:
        assert {result for result, _ in wire.results.values()} == {0}
        assert wire.store(instance()).status == 0


def test_ten_silent_connections_do_not_lock_anybody_out(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(60)]
    with Wire(port) as wire:
        (answer,) = wire.ask(1, {"AffectedSOPClassUID": syntaxes.VERIFICATION, "CommandField": C_ECHO_RQ})
        assert answer.status == 0
    for one in silent:
        one.close()
