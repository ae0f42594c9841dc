"""Who is imaged and why: patients, procedures and orders, as the department's RIS would know them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from sandbox.model.base import Model


class Patient(Model):
    """A person. ``name`` is in PN form (PS3.5 6.2.1), ``Family^Given^Middle``; it may hold accents and hyphens."""

    patient_id: str = Field(min_length=1, max_length=64)
    issuer: str = ""
    name: str = Field(min_length=1, max_length=64)
    birth_date: date
    sex: str = Field(pattern="^[MFO]$")

    @property
    def spoken_name(self) -> str:
        """The name as a person says it: given name first."""
        family, _, rest = self.name.partition("^")
        return f"{rest.replace('^', ' ').strip()} {family}".strip()


class Procedure(Model):
    """A line of the department's procedure catalogue: what can be ordered, and what it makes.

    ``series`` and ``images`` bound what one acquisition yields; ``anatomy`` names the phantom that draws it.
    ``laterality`` is L, R, B, U (PS3.3 10.7) or empty where the body part has no sides. ``weight`` says how often the
    procedure is ordered beside the others of its modality.
    """

    code: str = Field(max_length=16)
    modality: str = Field(min_length=2, max_length=16)
    description: str = Field(max_length=64)
    body_part: str = Field(max_length=16)
    anatomy: str
    laterality: str = Field(default="", pattern="^[LRBU]?$")
    weight: int = Field(default=1, ge=0)


class Order(Model):
    """One requested imaging procedure (PS3.3 C.4.12): for whom, what, by whom, when."""

    accession_number: str = Field(min_length=1, max_length=16)
    patient: Patient
    procedure: Procedure
    referring_physician: str = ""
    scheduled: datetime
    stat: bool = False
