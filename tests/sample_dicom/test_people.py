"""Patients, procedures and orders: varied, plausible, and the same for the same seed."""

from __future__ import annotations

import random
import unicodedata
from datetime import date

import pytest
from pydicom.valuerep import PersonName

from sample_dicom.orders import make_order
from sample_dicom.people import ORIGINS, make_patient, make_physician
from sample_dicom.procedures import PROCEDURES, procedure, procedures_for
from sample_dicom.protocols import PROTOCOLS
from sandbox.model.errors import NotFoundError
from tests.sample_dicom.making import WHEN


def crowd(seed: int = 3, count: int = 400) -> list:
    rng = random.Random(seed)
    return [make_patient(rng) for _ in range(count)]


def test_the_same_seed_gives_the_same_people() -> None:
    assert crowd(3) == crowd(3)
    assert crowd(3) != crowd(4)


def test_names_keep_what_breaks_interfaces() -> None:
    names = [patient.name for patient in crowd()]
    families = {name.split("^")[0] for name in names}
    assert any("'" in family for family in families)
    assert any("-" in family for family in families)
    assert any(" " in family for family in families)
    assert sum(not name.isascii() for name in names) > 80
    # Outside Latin-1 too, so that a wrong character set shows.
    assert any(ord(letter) > 0xFF for name in names for letter in name)
    for name in names:
        assert name == unicodedata.normalize("NFC", name)
        assert PersonName(name).family_name


def test_ages_sexes_and_ids_are_those_of_a_hospital() -> None:
    people = crowd()
    ages = [(date(2025, 1, 1) - patient.birth_date).days / 365.25 for patient in people]
    assert min(ages) >= 0
    assert max(ages) < 105
    assert sum(age > 60 for age in ages) > sum(age < 20 for age in ages)
    assert {patient.sex for patient in people} == {"F", "M"}
    assert all(len(patient.patient_id) == 7 and patient.patient_id.isdigit() for patient in people)
    assert any(patient.patient_id.startswith("00") for patient in people)
    assert len({patient.patient_id for patient in people}) > 395


def test_every_name_of_every_origin_fits_a_pn() -> None:
    for origin in ORIGINS:
        for family in origin.family:
            for given in (*origin.female, *origin.male):
                assert len(f"{family}^{given}^Louise") <= 64
                assert not {"\\", "=", "^"} & set(family + given)


def test_the_catalogue_covers_four_modalities_and_every_line_has_a_protocol() -> None:
    for modality in ("CT", "MR", "DX", "US"):
        assert len(procedures_for(modality)) >= 3
    assert len({line.code for line in PROCEDURES}) == len(PROCEDURES)
    assert {line.anatomy for line in PROCEDURES} == set(PROTOCOLS)
    assert procedure("CTHEADWO").description == "CT HEAD W/O CONTRAST"
    with pytest.raises(NotFoundError, match="no procedure"):
        procedure("NOSUCH")


def test_an_order_is_drawn_from_its_modality() -> None:
    first = make_order(random.Random(5), "MR", WHEN, accession_prefix="RV")
    assert first == make_order(random.Random(5), "MR", WHEN, accession_prefix="RV")
    assert first.procedure.modality == "MR"
    assert first.accession_number.startswith("RV25")
    assert len(make_order(random.Random(5), "MR", WHEN, accession_prefix="X" * 40).accession_number) == 16
    assert "^" in make_physician(random.Random(1))
    with pytest.raises(NotFoundError, match="modality"):
        make_order(random.Random(5), "XX", WHEN)
