"""GDCM's gdcmscu asks ``archive serve`` for what it can ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import RLELossless, generate_uid

from sandbox.dicom.client import Requestor
from tests.peers.exams import got_from, make_exam, sent_to
from tests.peers.gdcm import Gdcm

pytestmark = [
    pytest.mark.tools,
    pytest.mark.parametrize("outside", [Gdcm], ids=["gdcm"], indirect=True, scope="module"),
]


def test_it_echoes(outside: Gdcm) -> None:
    outside.echo()


def test_it_stores(outside: Gdcm, ours: Requestor, tmp_path: Path) -> None:
    exam = make_exam(tmp_path)
    outside.store(exam.files)
    exam.came_back(got_from(ours, outside.archive, exam.study))


def test_it_stores_compressed_and_it_stays_so(outside: Gdcm, ours: Requestor, tmp_path: Path) -> None:
    exam = make_exam(tmp_path, RLELossless)
    outside.store(exam.files)
    came = got_from(ours, outside.archive, exam.study)
    assert {ds.file_meta.TransferSyntaxUID for ds in came} == {RLELossless}
    exam.came_back(came)


def test_it_finds(outside: Gdcm, ours: Requestor, tmp_path: Path) -> None:
    exam = make_exam(tmp_path)
    sent_to(ours, outside.archive, exam)
    assert outside.matches(exam.study) == 1
    assert outside.matches(generate_uid()) == 0


def test_it_moves_to_itself(outside: Gdcm, ours: Requestor, tmp_path: Path) -> None:
    exam = make_exam(tmp_path)
    sent_to(ours, outside.archive, exam)
    outside.move(exam.study)
    exam.came_back(outside.received(exam.study))
