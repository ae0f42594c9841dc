"""Values that DICOM does not allow, as a strict archive sees them; a lenient one keeps them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement

from sandbox.archive.archive import MISMATCH, SUCCESS, Archive
from tests.archive.support import instance, request

WRONG = {
    "StudyDate": ("2024.01.31", "10 characters, over 8"),
    "StudyTime": ("10:22:33", "no valid time"),
    "AccessionNumber": ("A" * 17, "17 characters, over 16"),
    "PatientName": ("Smith\\John", "2 values"),
    "StudyDescription": ("CT\\HEAD", "2 values"),
    "PatientSex": ("male", "no valid code string"),
    "PatientBirthDate": ("19701301", "no valid date"),
    "StationName": ("X" * 17, "17 characters, over 16"),
}
RIGHT = {
    "StudyDate": "20240229",
    "StudyTime": "235959.123456",
    "AccessionNumber": "A" * 16,
    "PatientName": "M" * 64 + "=" + "W" * 64,
    "PatientSex": "O",
    "PatientBirthDate": "",
    "SeriesNumber": "-1",
}


def stored(archive: Archive, keyword: str, value: str) -> tuple[int, str]:
    ds = instance()
    ds[keyword] = DataElement(keyword, dictionary_VR(keyword), value, validation_mode=config.IGNORE)
    answer = archive.store(request(ds))
    return answer.status, answer.comment


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("keyword", WRONG)
def test_a_strict_archive_refuses_what_is_not_allowed_and_says_what(tmp_path: Path, keyword: str) -> None:
    value, said = WRONG[keyword]
    with Archive(tmp_path, ae_title="ARCHIVE") as archive:
        assert stored(archive, keyword, value)[0] == SUCCESS
        archive.refuses_invalid_values = True
        status, comment = stored(archive, keyword, value)
        assert status == MISMATCH
        assert keyword in comment
        assert said in comment
        assert archive.counts().instances == 1


@pytest.mark.parametrize("keyword", RIGHT)
def test_what_is_allowed_is_kept(tmp_path: Path, keyword: str) -> None:
    with Archive(tmp_path, ae_title="ARCHIVE") as archive:
        archive.refuses_invalid_values = True
        assert stored(archive, keyword, RIGHT[keyword])[0] == SUCCESS
