"""The past that an archive starts with: ordered, distinct, and as confusable as real life."""

from __future__ import annotations

from collections import Counter

import pytest

from sample_dicom.history import history_orders, history_patients, make_history
from sample_dicom.studies import TINY
from sandbox.model.errors import BadInputError
from tests.sample_dicom.making import STATION, WHEN

STATIONS = dict.fromkeys(("CT", "MR", "DX", "US"), STATION)


@pytest.mark.parametrize("seed", range(5))
def test_people_share_names_but_never_numbers(seed: int) -> None:
    people = history_patients(seed, 12)
    assert people == history_patients(seed, 12)
    assert len({person.patient_id for person in people}) == 12
    families = Counter(person.name.split("^")[0] for person in people)
    assert sum(count for count in families.values() if count > 1) >= 4
    one, double = people[-2:]
    assert one.name.split("^")[:2] == double.name.split("^")[:2]
    assert abs((one.birth_date - double.birth_date).days) == 1
    assert sorted(one.patient_id)[:-1] == sorted(double.patient_id)[:-1] or len(one.patient_id) == len(
        double.patient_id
    )


def test_history_is_past_ordered_and_complete() -> None:
    orders = history_orders(3, patients=10, until=WHEN, modalities=tuple(STATIONS))
    assert [when for _, when in orders] == sorted(when for _, when in orders)
    assert all(when < WHEN for _, when in orders)
    assert all(when.date() >= order.patient.birth_date for order, when in orders)
    assert len({order.accession_number for order, _ in orders}) == len(orders)
    per_patient = Counter(order.patient.patient_id for order, _ in orders)
    assert len(per_patient) == 10
    assert set(per_patient.values()) <= {1, 2, 3}
    assert (orders[-1][1] - orders[0][1]).days > 200


def test_history_makes_the_images_it_promises() -> None:
    made = list(make_history(3, patients=3, until=WHEN, stations=STATIONS, size=TINY))
    orders = [order for order, _ in history_orders(3, patients=3, until=WHEN, modalities=tuple(STATIONS))]
    assert [order for order, _ in made] == orders
    for order, instances in made:
        assert instances
        assert {ds.PatientID for ds in instances} == {order.patient.patient_id}
        assert {ds.Modality for ds in instances} == {order.procedure.modality}
    assert len({ds.SOPInstanceUID for _, instances in made for ds in instances}) == sum(len(i) for _, i in made)


def test_no_station_no_history() -> None:
    with pytest.raises(BadInputError, match="prior"):
        list(make_history(3, patients=3, until=WHEN, stations={}))
