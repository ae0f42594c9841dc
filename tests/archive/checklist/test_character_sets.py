"""Text in whatever character set on a socket: stored in one, asked for in another, answered legibly.

Each name is stored by C-STORE in its own set and asked for in every set that has its letters (PS3.5 6.1, PS3.3
C.12.1.1.2); what comes back is decoded by the Specific Character Set that the answer itself names.
"""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from tests.archive.checklist.wire import Wire
from tests.archive.support import identifier, instance

NAMES = {
    "ISO_IR 100": "Müller^Jörg",
    "ISO_IR 101": "Dvořák^Žofie",
    "ISO_IR 144": "Люкceмбypг",
    "ISO_IR 126": "Διονυσιος",
    "ISO_IR 138": "שרון^דבורה",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 192": "Wáng^小東=王^小東",
    "GB18030": "Wang^XiaoDong=王^小东",
    "GBK": "Zhang^XiaoDong=张^小东",
    "\\ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "\\ISO 2022 IR 149": "Hong^Gildong=洪^吉洞=홍^길동",
}


def stored(charset: str, name: str) -> Dataset:
    return instance(SpecificCharacterSet=charset.split("\\"), PatientName=name, PatientID="P")


def asked(charset: str | None, name: str) -> Dataset:
    keys = identifier("STUDY", PatientName=name, StudyInstanceUID="")
    if charset is not None:
        keys.SpecificCharacterSet = charset.split("\\")
    return keys


@pytest.mark.parametrize("charset", NAMES)
def test_stored_in_one_set_and_asked_in_another(port: int, charset: str) -> None:
    name = NAMES[charset]
    ds = stored(charset, name)
    with Wire(port) as wire:
        assert wire.store(ds).status == 0
        for asking in (charset, "ISO_IR 192", "GB18030", None):
            # Who names no set asks in ASCII: by what is left of the name then.
            pattern = name if asking is not None else "*"
            match, last = wire.find(asked(asking, pattern))
            assert (match.status, last.status) == (0xFF00, 0)
            assert str(match.dataset.PatientName) == name
            assert match.dataset.StudyInstanceUID == ds.StudyInstanceUID
        assert [one.status for one in wire.find(asked("ISO_IR 192", "Nobody^名"))] == [0]


@pytest.mark.parametrize("charset", NAMES)
def test_the_answer_is_in_the_askers_set_where_that_can_carry_it(port: int, charset: str) -> None:
    with Wire(port) as wire:
        assert wire.store(stored("ISO_IR 192", NAMES[charset])).status == 0
        match, _ = wire.find(asked(charset, NAMES[charset]))
    named = match.dataset.SpecificCharacterSet
    assert (named if isinstance(named, str) else "\\".join(named)) == charset
    assert str(match.dataset.PatientName) == NAMES[charset]


def test_one_whose_set_cannot_carry_it_is_answered_in_unicode(port: int) -> None:
    with Wire(port) as wire:
        assert wire.store(stored("ISO_IR 144", NAMES["ISO_IR 144"])).status == 0
        match, _ = wire.find(asked("ISO_IR 100", "*"))
    assert match.dataset.SpecificCharacterSet == "ISO_IR 192"
    assert str(match.dataset.PatientName) == NAMES["ISO_IR 144"]


def test_ascii_needs_no_character_set(port: int) -> None:
    with Wire(port) as wire:
        assert wire.store(stored("ISO_IR 100", "Doe^John")).status == 0
        match, _ = wire.find(asked("ISO_IR 192", "Doe*"))
    assert "SpecificCharacterSet" not in match.dataset


def test_names_match_without_case_and_accents_in_any_group(port: int) -> None:
    with Wire(port) as wire:
        assert wire.store(stored("ISO_IR 100", "Müller^Jörg")).status == 0
        assert wire.store(stored("\\ISO 2022 IR 87", NAMES["\\ISO 2022 IR 87"])).status == 0
        for charset, pattern, found in (
            ("ISO_IR 100", "MULLER^*", 1),
            ("ISO_IR 192", "müll*", 1),
            ("ISO_IR 192", "山田*", 1),
            ("\\ISO 2022 IR 87", "やまだ^*", 1),
            (None, "yamada^tarou", 1),
            ("ISO_IR 192", "山?^太郎", 1),
            ("ISO_IR 192", "田山*", 0),
        ):
            assert len(wire.find(asked(charset, pattern))) == found + 1, pattern
