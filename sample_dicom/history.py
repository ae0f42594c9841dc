"""The past of a department: prior studies that its archive holds before the first trainee arrives.

Searching is made realistic on purpose: several patients share a family name, and one pair differs only in what people
overlook (a middle initial, two digits of the ID, a birth date a day apart).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from sample_dicom.orders import make_order
from sample_dicom.people import make_patient
from sample_dicom.procedures import procedures_for
from sample_dicom.station import DEFAULT, Size, Station
from sample_dicom.studies import make_study
from sandbox.model.errors import BadInputError
from sandbox.model.patient import Order, Patient

YEARS = 6
"""How far back priors go."""

MODALITY_WEIGHTS: Mapping[str, int] = {"DX": 5, "CT": 4, "US": 3, "MR": 2}


def make_history(
    seed: int,
    *,
    patients: int,
    until: datetime,
    stations: Mapping[str, Station],
    size: Size = DEFAULT,
) -> Iterator[tuple[Order, list[Dataset]]]:
    """Orders and their images, oldest first, each patient with one to three of them before ``until``.

    ``stations`` names the station for each modality (CT, MR, DX, US) that the department has; others are not ordered.
    """
    for order, when in history_orders(seed, patients=patients, until=until, modalities=tuple(stations)):
        station = stations[order.procedure.modality]
        yield order, list(make_study(order, seed=seed, when=when, station=station, size=size))


def history_orders(
    seed: int, *, patients: int, until: datetime, modalities: tuple[str, ...]
) -> list[tuple[Order, datetime]]:
    """What make_history will make, without the images: (order, acquired at), oldest first."""
    able = [modality for modality in sorted(modalities) if procedures_for(modality)]
    if not able:
        raise BadInputError("No station can make a prior study.", "Give a station for CT, MR, DX or US.")
    rng = random.Random(f"history {seed}")  # noqa: S311 - invention, not secrecy
    out: list[tuple[Order, datetime]] = []
    used: set[str] = set()
    for patient in history_patients(seed, patients):
        for _ in range(rng.choices((1, 2, 3), weights=(5, 3, 2))[0]):
            modality = rng.choices(able, weights=[MODALITY_WEIGHTS.get(name, 1) for name in able])[0]
            when = _working_hour(rng, patient, until)
            order = make_order(rng, modality, when, accession_prefix="RV", patient=patient)
            while order.accession_number in used:
                order = make_order(rng, modality, when, accession_prefix="RV", patient=patient)
            used.add(order.accession_number)
            out.append((order, when + timedelta(minutes=rng.randrange(2, 25))))
    return sorted(out, key=lambda entry: (entry[1], entry[0].accession_number))


def history_patients(seed: int, count: int) -> list[Patient]:
    """The people of the history: no two with one ID; from three people on, the last two are easily mixed up."""
    rng = random.Random(f"history patients {seed}")  # noqa: S311 - invention, not secrecy
    people: list[Patient] = []
    taken: set[str] = set()
    while len(people) < count:
        if len(people) == count - 1 and count > 1:
            person = _double(rng, people[-1])
        elif len(people) in (1, 4) and count > 3:
            person = _relative(rng, people[-1])
        else:
            person = make_patient(rng)
        if person.patient_id not in taken:
            taken.add(person.patient_id)
            people.append(person)
    return people


def _relative(rng: random.Random, other: Patient) -> Patient:
    """Somebody else of the same family name."""
    family = other.name.split("^")[0]
    person = make_patient(rng)
    return person.model_copy(update={"name": "^".join([family, *person.name.split("^")[1:]])})


def _double(rng: random.Random, other: Patient) -> Patient:
    """Whom a tired clerk takes for the other: same name but for an initial, two digits swapped, born a day apart."""
    family, given = [*other.name.split("^"), ""][:2]
    digits = list(other.patient_id)
    places = [index for index in range(1, len(digits) - 1) if digits[index] != digits[index + 1]]
    if places:
        at = rng.choice(places)
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
    else:
        digits[-1] = str((int(digits[-1]) + 1) % 10)
    born = other.birth_date + timedelta(days=rng.choice((-1, 1)))
    initial = "J" if not other.name.endswith("^J") else "I"
    return other.model_copy(
        update={"patient_id": "".join(digits), "name": f"{family}^{given}^{initial}", "birth_date": born}
    )


def _working_hour(rng: random.Random, patient: Patient, until: datetime) -> datetime:
    """A moment within the last years, mostly by day, after the patient was born and at least an hour ago."""
    latest = until - timedelta(hours=1)
    earliest = max(latest.date() - timedelta(days=365 * YEARS), patient.birth_date + timedelta(days=1))
    span = max(0, (latest.date() - earliest).days)
    # Recent priors are likelier than old ones.
    day = latest.date() - timedelta(days=int(span * rng.random() ** 1.7))
    hour = rng.choices((*range(7, 19), 20, 22, 2), weights=[6] * 12 + [3, 2, 1])[0]
    when = datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=until.tzinfo)
    return min(when, latest)
