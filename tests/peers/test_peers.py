"""Outside implementations ask ``archive serve`` for the five services, and answer them to our client and our archive.
What went round must be what was sent: every element, and the pixels byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, generate_uid

from sandbox.dicom.client import Requestor
from tests.archive.support import STUDY_FIND, STUDY_MOVE, identifier
from tests.peers.dcmjs_dimse import DcmjsDimse
from tests.peers.dcmtk import Dcmtk
from tests.peers.exams import NAME, PATIENT_ID, Exam, got_from, make_exam, opened, sent_to
from tests.peers.orthanc import Orthanc
from tests.peers.outside import ASKED, TITLE, At, Outside, Service
from tests.peers.stock import Stock

pytestmark = pytest.mark.tools

PEERS: tuple[type[Outside], ...] = (Dcmtk, Orthanc, DcmjsDimse, Stock)
# dcmjs-dimse leaves the choice of the transfer syntax to the archive; stock storescu proposes no compressed one.
COMPRESS = (Dcmtk, Orthanc)


def asking(service: Service) -> pytest.MarkDecorator:
    return _each([kind for kind in PEERS if service in kind.asks])


def answering(service: Service) -> pytest.MarkDecorator:
    return _each([kind for kind in PEERS if service in kind.answers])


def _each(kinds: Sequence[type[Outside]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("outside", kinds, ids=[kind.name for kind in kinds], indirect=True, scope="module")


def server(outside: Outside) -> At:
    return At(TITLE, outside.port)


@pytest.fixture
def exam(tmp_path: Path) -> Exam:
    return make_exam(tmp_path)


# --- as client of archive serve -----------------------------------------------------------------------------------


@asking(Service.ECHO)
def test_it_echoes(outside: Outside) -> None:
    outside.echo()


@asking(Service.STORE)
def test_it_stores(outside: Outside, exam: Exam, ours: Requestor) -> None:
    outside.store(exam.files)
    exam.came_back(got_from(ours, outside.archive, exam.study))


@_each(COMPRESS)
def test_it_stores_compressed_and_it_stays_so(outside: Outside, ours: Requestor, tmp_path: Path) -> None:
    compressed_exam = make_exam(tmp_path, RLELossless)
    outside.store(compressed_exam.files)
    came = got_from(ours, outside.archive, compressed_exam.study)
    assert {ds.file_meta.TransferSyntaxUID for ds in came} == {RLELossless}
    compressed_exam.came_back(came)


@asking(Service.FIND)
def test_it_finds(outside: Outside, exam: Exam, ours: Requestor) -> None:
    sent_to(ours, outside.archive, exam)
    assert outside.find(exam.study) == [dict(zip(ASKED, (NAME, PATIENT_ID, "3"), strict=True))]
    assert outside.find(generate_uid()) == []


@asking(Service.MOVE)
def test_it_moves_to_itself(outside: Outside, exam: Exam, ours: Requestor) -> None:
    sent_to(ours, outside.archive, exam)
    outside.move(exam.study)
    exam.came_back(outside.received(exam.study))


@asking(Service.GET)
def test_it_gets(outside: Outside, exam: Exam, ours: Requestor) -> None:
    sent_to(ours, outside.archive, exam)
    exam.came_back(outside.get(exam.study))


# --- as server of our client and our archive ----------------------------------------------------------------------


@answering(Service.ECHO)
def test_it_is_echoed(outside: Outside, ours: Requestor) -> None:
    with opened(ours, server(outside)) as association:
        assert association.echo().status == 0


@answering(Service.STORE)
def test_it_is_stored_to(outside: Outside, exam: Exam, ours: Requestor) -> None:
    sent_to(ours, server(outside), exam)
    exam.came_back(outside.received(exam.study))


@answering(Service.FIND)
def test_it_is_searched(outside: Outside, exam: Exam, ours: Requestor) -> None:
    """Stock qrscp answers once for each instance, the others once for the study."""
    sent_to(ours, server(outside), exam)
    keys = {"StudyInstanceUID": exam.study, "PatientName": "", "PatientID": ""}
    with opened(ours, server(outside)) as association:
        *found, last = association.find(STUDY_FIND, identifier("STUDY", **keys))
    assert last.status == 0, last
    answers = {(str(one.identifier.PatientID), str(one.identifier.PatientName)) for one in found if one.identifier}
    assert answers == {(PATIENT_ID, NAME)}


@answering(Service.MOVE)
def test_it_moves_to_our_archive(outside: Outside, exam: Exam, ours: Requestor) -> None:
    sent_to(ours, server(outside), exam)
    with opened(ours, server(outside)) as association:
        asked = identifier("STUDY", StudyInstanceUID=exam.study)
        *_, last = association.move(STUDY_MOVE, asked, outside.archive.title)
    assert (last.status, last.completed, last.failed) == (0, 3, 0), last
    exam.came_back(got_from(ours, outside.archive, exam.study))


@answering(Service.GET)
def test_our_client_gets_from_it(outside: Outside, exam: Exam, ours: Requestor) -> None:
    sent_to(ours, server(outside), exam)
    exam.came_back(got_from(ours, server(outside), exam.study))


@answering(Service.STORE)
def test_our_archive_moves_to_it(outside: Outside, ours: Requestor, tmp_path: Path) -> None:
    """Asked by our own client; what it does not take compressed comes decompressed."""
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless):
        one = make_exam(tmp_path, syntax)
        sent_to(ours, outside.archive, one)
        with opened(ours, outside.archive) as association:
            *_, last = association.move(STUDY_MOVE, identifier("STUDY", StudyInstanceUID=one.study), TITLE)
        assert (last.status, last.completed, last.failed) == (0, 3, 0), last
        one.came_back(outside.received(one.study))
