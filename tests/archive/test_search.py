"""Relational search: any key of a level or above, pages that fit together."""

from __future__ import annotations

import json

import pytest

from sandbox.archive.archive import Archive
from sandbox.archive.attributes import UNIQUE_KEY, Level, lookup
from sandbox.archive.search import Found
from tests.archive.support import instance, store, uid

TAG = {level: {a.keyword: a for a in lookup(level).values()} for level in Level}


def find(archive: Archive, level: Level, *, limit: int = 100, offset: int = 0, **keys: str) -> Found:
    asked = {TAG[level][keyword]: text for keyword, text in keys.items()}
    return archive.search(level, asked, [UNIQUE_KEY[level]], limit=limit, offset=offset)


def uids(found: Found, level: Level) -> list[str]:
    return [values[UNIQUE_KEY[level].tag] for values in found.values]


def test_keys_of_higher_levels_select_without_their_unique_keys(archive: Archive) -> None:
    jane = instance(PatientName="Doe^Jane", Modality="CT")
    john = instance(PatientName="Doe^John", PatientID="P2", Modality="MR")
    store(archive, jane, john)
    assert uids(find(archive, Level.IMAGE, PatientName="doe^john"), Level.IMAGE) == [john.SOPInstanceUID]
    assert uids(find(archive, Level.SERIES, Modality="CT"), Level.SERIES) == [jane.SeriesInstanceUID]
    assert uids(find(archive, Level.STUDY, ModalitiesInStudy="MR"), Level.STUDY) == [john.StudyInstanceUID]
    assert find(archive, Level.STUDY, PatientName="Nobody").values == ()


@pytest.mark.parametrize("keys", [{}, {"PatientName": "DOE*"}, {"StudyTime": "1000-1100"}])
def test_pages_fit_together(archive: Archive, keys: dict[str, str]) -> None:
    everyone = [instance(PatientName=f"Doe^{number}") for number in range(7)]
    store(archive, *everyone)
    pages = [find(archive, Level.STUDY, limit=3, offset=offset, **keys) for offset in (0, 3, 6, 9)]
    assert [page.more for page in pages] == [True, True, False, False]
    together = [found for page in pages for found in uids(page, Level.STUDY)]
    assert together == [ds.StudyInstanceUID for ds in reversed(everyone)]


def test_a_sequence_is_matched_item_by_item(archive: Archive) -> None:
    step = instance()
    step.RequestAttributesSequence = [instance()]
    step.RequestAttributesSequence[0].ScheduledProcedureStepID = "SPS7"
    store(archive, step, instance())
    asked = json.dumps([{"00400009": {"vr": "SH", "Value": ["SPS7"]}}])
    found = find(archive, Level.SERIES, RequestAttributesSequence=asked)
    assert uids(found, Level.SERIES) == [step.SeriesInstanceUID]


def test_what_lies_below_a_study_a_series_and_an_instance(archive: Archive) -> None:
    study, one, two = uid(), uid(), uid()
    stored = [instance(StudyInstanceUID=study, SeriesInstanceUID=series) for series in (one, one, two)]
    store(archive, *stored, instance())

    def below(*uids: str) -> list[str]:
        return [found.sop_instance for found in archive.objects(*uids)]

    names = [ds.SOPInstanceUID for ds in stored]
    assert below(study) == names
    assert below(study, one) == names[:2]
    assert below(study, one, names[1]) == [names[1]]
    assert below(study, two, names[1]) == []
    assert below(study, uid()) == []
    assert below(uid()) == []
