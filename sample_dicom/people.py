"""Who comes through the door: patients and physicians with the names, ages and numbers of a mixed town.

Names keep their accents, hyphens, apostrophes and several parts, since those are what break real interfaces.
All of it is drawn from the generator handed in and invented; nobody here exists.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.model.patient import Patient

ISSUER = "RIVERSIDE"
"""Assigning authority of the department's patient IDs (0010,0021)."""

CENSUS_DAY = date(2025, 1, 1)
"""Ages are drawn as of this day, so that the same seed gives the same birth date whenever it is asked."""


@dataclass(frozen=True)
class Origin:
    """A set of names that occur together, and how often the town meets them."""

    weight: int
    family: tuple[str, ...]
    female: tuple[str, ...]
    male: tuple[str, ...]


ORIGINS: tuple[Origin, ...] = (
    Origin(
        30,
        (
            "Smith",
            "Johnson",
            "Walker",
            "Harris",
            "Baker",
            "Clarke",
            "Turner",
            "Hughes",
            "Bennett",
            "Foster",
            "Whitfield",
            "Ashworth",
            "Smith-Jones",
            "Taylor-Reid",
            "St. Clair",
            "Fitzgerald-Moore",
        ),
        ("Margaret", "Susan", "Emily", "Grace", "Hannah", "Mary Ann", "Olivia", "Patricia"),
        ("James", "William", "Robert", "George", "Thomas", "Samuel", "Edward", "Daniel"),
    ),
    Origin(
        10,
        ("O'Brien", "O'Connor", "McCarthy", "MacDonald", "O'Sullivan", "Byrne", "Ó Dálaigh", "Nic Dhonnchadha"),
        ("Siobhán", "Aoife", "Niamh", "Maeve", "Órla"),
        ("Seán", "Ciarán", "Liam", "Pádraig", "Declan"),
    ),
    Origin(
        12,
        ("Müller", "Schäfer", "Köhler", "Weiß", "von der Heide", "Jäger", "Schneider", "Groß-Bölting"),
        ("Käthe", "Ursula", "Annemarie", "Anneliese", "Bärbel"),
        ("Jürgen", "Günther", "Karl-Heinz", "Björn", "Matthias"),
    ),
    Origin(
        12,
        ("Peña", "García Márquez", "Núñez", "de la Cruz", "Rodríguez", "Ibáñez López", "Muñoz", "Santos"),
        ("María José", "Inés", "Lucía", "Begoña", "Concepción"),
        ("José", "Ángel", "Jesús", "Íñigo", "Andrés"),
    ),
    Origin(
        9,
        ("Wałęsa", "Dąbrowski", "Wójcik", "Kowalczyk", "Żukowski", "Šimek", "Dvořák", "Horváth"),
        ("Małgorzata", "Zofia", "Agnieszka", "Jiřina", "Zsófia"),
        ("Łukasz", "Paweł", "Stanisław", "Jiří", "Gábor"),
    ),
    Origin(
        7,
        ("Ångström", "Sjöberg", "Lindqvist", "Sørensen", "Østergaard", "Hämäläinen", "Þórsdóttir"),
        ("Åsa", "Ingrid", "Solveig", "Päivi", "Märta"),
        ("Åke", "Søren", "Jörgen", "Väinö", "Håkon"),
    ),
    Origin(
        8,
        ("Dupré", "Lefèvre", "d'Aubigné", "Le Goff", "Beaulieu", "Châtelain", "van den Berg", "D'Angelo"),
        ("Zoé", "Anne-Marie", "Hélène", "Maëlle", "Francesca"),
        ("François", "Jean-Luc", "Benoît", "Noël", "Niccolò"),
    ),
    Origin(
        12,
        ("Nguyễn", "Trần", "Patel", "Singh", "Khan", "Chen", "Kim", "Tanaka", "Al-Masri", "Yılmaz", "Şahin"),
        ("Thị Hương", "Priya", "Fatima", "Mei-Ling", "Soo-jin", "Elif"),
        ("Văn Đức", "Arjun", "Ahmed", "Wei", "Kenji", "Mehmet"),
    ),
    Origin(
        6,
        ("Okafor", "Mensah", "Diallo", "N'Diaye", "Abebe", "Mbeki"),
        ("Chiamaka", "Adwoa", "Aïssatou", "Amara"),
        ("Chinedu", "Kwame", "Moussa", "Tendai"),
    ),
)

MIDDLE: tuple[str, ...] = ("A", "B", "C", "E", "J", "L", "M", "R", "T", "Louise", "James", "Marie")

PHYSICIANS: tuple[str, ...] = (
    "Hartmann^Ilse^^Dr.",
    "Okonkwo^Ngozi^^Dr.",
    "Castañeda^Luis^^Dr.",
    "Fairweather^Judith^^Dr.",
    "Lindström^Per^^Dr.",
    "Rao^Sunita^^Dr.",
    "O'Malley^Brendan^^Dr.",
    "Tremblay^Geneviève^^Dr.",
    "Nowak^Bożena^^Dr.",
    "Whitaker^Simon^^Dr.",
    "Haddad^Rania^^Dr.",
    "Kobayashi^Jun^^Dr.",
)

AGE_BANDS: tuple[tuple[int, int, int], ...] = (
    (6, 0, 9),
    (8, 10, 19),
    (18, 20, 39),
    (28, 40, 59),
    (30, 60, 79),
    (10, 80, 96),
)
"""(weight, youngest, oldest in years): imaging sees more of the old than the census does."""


def make_patient(rng: random.Random) -> Patient:
    """A plausible patient. The ID is seven digits and mostly keeps leading zeros, as many hospitals' do."""
    sex = "F" if rng.random() < 0.52 else "M"
    family, given = make_name(rng, sex)
    name = f"{family}^{given}"
    if rng.random() < 0.3:
        name += f"^{rng.choice(MIDDLE)}"
    return Patient(patient_id=make_patient_id(rng), issuer=ISSUER, name=name, birth_date=make_birth_date(rng), sex=sex)


def make_name(rng: random.Random, sex: str) -> tuple[str, str]:
    """A family and a given name of one origin."""
    origin = rng.choices(ORIGINS, weights=[entry.weight for entry in ORIGINS])[0]
    return rng.choice(origin.family), rng.choice(origin.female if sex == "F" else origin.male)


def make_patient_id(rng: random.Random) -> str:
    """A number as a registration desk hands it out; the zeros in front are part of it."""
    return f"{rng.randrange(1_000, 900_000):07d}"


def make_birth_date(rng: random.Random) -> date:
    """A birth date by the ages that an imaging department sees."""
    _, youngest, oldest = rng.choices(AGE_BANDS, weights=[band[0] for band in AGE_BANDS])[0]
    days = rng.randrange(youngest * 365, (oldest + 1) * 365)
    return CENSUS_DAY - timedelta(days=days + days // 1461)


def make_physician(rng: random.Random) -> str:
    """A referring or performing physician as a PN (PS3.5 6.2.1), with the prefix in the fourth component."""
    return rng.choice(PHYSICIANS)
