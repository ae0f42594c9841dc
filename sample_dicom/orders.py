"""Orders for imaging, drawn from the catalogue as a RIS would have them."""

from __future__ import annotations

import random
from datetime import datetime

from sample_dicom.people import make_patient, make_physician
from sample_dicom.procedures import procedures_for
from sandbox.model.errors import NotFoundError
from sandbox.model.patient import Order, Patient, Procedure

STAT_SHARE = 0.15
"""Share of orders that cannot wait: what an emergency department adds to the day."""


def make_order(
    rng: random.Random,
    modality: str,
    when: datetime,
    *,
    accession_prefix: str = "",
    patient: Patient | None = None,
    procedure: Procedure | None = None,
) -> Order:
    """An order for something this kind of modality does, at ``when``.

    The accession number is the prefix, two digits of the year and six digits, cut to the 16 characters of a
    Short String. A patient or a procedure that is not handed in is made up.
    """
    choices = procedures_for(modality)
    if procedure is None and not choices:
        raise NotFoundError(f"Nothing in the catalogue is done on modality {modality!r}.", "Use CT, MR, DX or US.")
    number = f"{when:%y}{rng.randrange(1_000_000):06d}"
    person = patient or make_patient(rng)
    chosen = procedure or rng.choices(choices, weights=[entry.weight for entry in choices])[0]
    return Order(
        accession_number=f"{accession_prefix[: 16 - len(number)]}{number}",
        patient=person,
        procedure=chosen,
        referring_physician=make_physician(rng),
        scheduled=when,
        stat=rng.random() < STAT_SHARE,
    )
