"""Every rule of PS3.4 C.2.2.2 that the archive declares, on values; and that SQL never drops what a rule finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select

from sandbox.archive.attributes import ATTRIBUTES, Attribute, Level
from sandbox.archive.header import normal_value
from sandbox.archive.index.conditions import condition_of
from sandbox.archive.index.schema import metadata, studies
from sandbox.archive.matching import RULES, glob, is_universal, matcher, predicate
from sandbox.archive.names import folded_columns

_BY_KEYWORD = {(a.level, a.keyword): a for a in ATTRIBUTES}


def attribute(keyword: str, level: Level = Level.STUDY) -> Attribute:
    return _BY_KEYWORD[level, keyword]


def test_every_attribute_has_a_rule() -> None:
    assert {a.vr for a in ATTRIBUTES} <= set(RULES)


@pytest.mark.parametrize(
    ("vr", "wanted", "stored", "matches"),
    [
        # single value, case-sensitive but for names
        ("LO", "P1", "P1", True),
        ("LO", "p1", "P1", False),
        ("LO", "P1", "P11", False),
        ("LO", "P1", "", False),
        ("CS", "CT", "CT", True),
        ("CS", "CT\\MR", "MR", True),
        ("PN", "doe^jane", "Doe^Jane", True),
        ("PN", "MULLER^JURGEN", "Müller^Jürgen", True),
        ("PN", "Müller^Jürgen", "MULLER^JURGEN", True),
        ("PN", "SORENSEN*", "Sørensen^Åse", True),
        ("PN", "Doe^Jane", "Doe^Jane^^", True),
        ("PN", "Doe^Jane^^^", "Doe^Jane", True),
        ("PN", "Doe", "Doe^Jane", False),
        ("PN", "Doe^*", "Doe", True),
        ("PN", "Doe^*", "Doe^Jane", True),
        ("PN", "Doe^*", "Doerr", False),
        ("PN", "Doe^*^*", "Doe", True),
        ("PN", "Doe^*^*", "Doe^Jane", True),
        ("PN", "Doe^^*", "Doe^Jane", False),
        ("PN", "Doe^Jane^^*^*", "Doe^Jane", True),
        ("PN", "Doe^*^*", "Doerr", False),
        ("PN", "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PN", "やまだ^たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PN", "YAMADA*=山田*", "Yamada^Tarou=山田^太郎", True),
        ("PN", "YAMADA*=鈴木*", "Yamada^Tarou=山田^太郎", False),
        ("PN", "か", "が", False),
        ("PN", "홍^?동", "홍^길동", True),
        # wildcards
        ("LO", "P*", "P123", True),
        ("LO", "*23", "P123", True),
        ("LO", "P*3", "P123", True),
        ("LO", "P?23", "P123", True),
        ("LO", "P?3", "P123", False),
        ("LO", "?", "", False),
        ("LO", "*2*2*", "1212", True),
        ("LO", "a*a", "a", False),
        ("LO", "A_1", "A_1", True),
        ("LO", "A_1", "AX1", False),
        ("LO", "A_*", "AX1", False),
        ("LO", "50%*", "50% dose", True),
        ("LO", "50%*", "500 dose", False),
        ("LO", "[a]*", "[a]b", True),
        ("LO", "[a]*", "ab", False),
        ("LO", "a.c*", "abc", False),
        # dates
        ("DA", "20260102", "20260102", True),
        ("DA", "20260102", "20260103", False),
        ("DA", "2026.01.02", "20260102", True),
        ("DA", "20260101-20260131", "20260101", True),
        ("DA", "20260101-20260131", "20260131", True),
        ("DA", "20260101-20260131", "20260201", False),
        ("DA", "20260101-", "20271231", True),
        ("DA", "20260101-", "20251231", False),
        ("DA", "-20260131", "19700101", True),
        ("DA", "-20260131", "20260201", False),
        ("DA", "-20260131", "", False),
        ("DA", "20260101-20260131", "", False),
        # times, by meaning
        ("TM", "2230", "223000", True),
        ("TM", "223000", "2230", True),
        ("TM", "22:30", "223000.000000", True),
        ("TM", "2230", "223001", False),
        ("TM", "10-11", "103000", True),
        ("TM", "10-11", "115959.9", True),
        ("TM", "10-11", "120000", False),
        ("TM", "1030-", "1030", True),
        ("TM", "-1030", "102959.999", True),
        ("TM", "10-11", "", False),
        ("TM", "10-11", "nonsense", False),
        ("TM", "nonsense", "103000", False),
        # UIDs
        ("UI", "1.2.3", "1.2.3", True),
        ("UI", "1.2.3\\1.2.4", "1.2.4", True),
        ("UI", "1.2.3\\1.2.4", "1.2.5", False),
        ("UI", "1.2.*", "1.2.3", False),
        # numbers, by meaning
        ("IS", "1", "1", True),
        ("IS", "01", "1", True),
        ("IS", "1", "10", False),
        ("IS", "x", "1", False),
        ("DS", "70.0", "70", True),
        ("US", "512", "512", True),
    ],
)
def test_rule(vr: str, wanted: str, stored: str, matches: bool) -> None:
    assert predicate(vr, wanted)(normal_value(vr, stored)) is matches


@pytest.mark.parametrize("wanted", ["", "*", "**"])
def test_universal(wanted: str) -> None:
    assert is_universal(wanted)
    assert matcher(attribute("StudyDate"), wanted) is None


def test_any_of_several_stored_values_matches() -> None:
    found = matcher(attribute("ModalitiesInStudy"), "MR")
    assert found is not None
    assert found.accepts("CT\\MR")
    assert not found.accepts("CT\\SR")
    assert not found.accepts("CT\\MRX")
    assert not found.accepts("")


def test_a_wildcard_does_not_reach_across_values() -> None:
    found = matcher(attribute("ModalitiesInStudy"), "C*R")
    assert found is not None
    assert not found.accepts("CT\\MR")


def test_a_hostile_pattern_costs_no_time() -> None:
    assert not glob("*a" * 200 + "b")("a" * 600)


def test_sql_offers_a_name_without_the_components_that_are_left_open() -> None:
    asked = attribute("PatientName", Level.PATIENT)
    found = matcher(asked, "doe^*^*")
    assert found is not None
    assert found.narrow is not None
    assert found.narrow[0][0].value == "DOE"


_LETTERS = st.text(alphabet="aAbB_%*?^=[éøß ", max_size=6)


@settings(max_examples=150, deadline=None)
@given(wanted=_LETTERS, stored=_LETTERS, keyword=st.sampled_from(["PatientName", "PatientID"]))
def test_sql_offers_whatever_the_rule_accepts(wanted: str, stored: str, keyword: str) -> None:
    asked = attribute(keyword, Level.PATIENT)
    found = matcher(asked, wanted)
    kept = normal_value(asked.vr, stored)
    if found is None or found.narrow is None or not found.accepts(kept):
        return
    values = {asked.column: kept}
    if asked.folded:
        values[f"{asked.column}_folded"], values[f"{asked.column}_other"] = folded_columns(kept)
    with _ENGINE.begin() as connection:
        connection.execute(insert(studies).values(**values, received=0, study_instance_uid="1.2"))
        try:
            assert connection.scalar(select(studies.c.id).where(condition_of(studies, found.narrow))) is not None
        finally:
            connection.execute(studies.delete())


_ENGINE = create_engine("sqlite://")
metadata.create_all(_ENGINE)
