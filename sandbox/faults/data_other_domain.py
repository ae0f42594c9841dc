"""Patient IDs of another register: the number is right, and it means somebody only together with who issued it."""

from __future__ import annotations

from pydantic import Field

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import OtherDomain


class DataOtherDomain(OnModality):
    """``data.other_domain``: what ``node`` acquires has the patients' IDs of another register, issued by ``issuer``.

    One number for each person, ``prefix`` and five digits; name, birth date and sex are right. Seen from outside:
    ``findscu`` by the department's own patient ID finds what the others made and not this; by name it finds both, with
    two Patient IDs and two Issuers of Patient ID. Mended by ``node.service_call`` about ``headers``; what was archived
    meanwhile by ``archive.merge``, ``archive.move_study`` or ``archive.edit``, once it is sure who is who.
    """

    kind = "data.other_domain"
    symptoms = (
        "One person is two patients: a search by the one ID does not find what was made under the other.",
        "Exams of one modality have another issuer of the patient ID than everybody else's.",
    )

    issuer: str = Field(min_length=1, max_length=64)
    prefix: str = Field("", max_length=16)

    def explanation(self) -> str:
        return (
            f"{self.node} wrote the patient IDs of {self.issuer} into its images, not those of the department. A "
            "patient ID is a number in somebody's register: without its issuer it is nobody's, and in two registers "
            "one person is two patients until somebody who is sure of it says that they are one."
        )

    def break_it(self, department: Department) -> Undo:
        other = OtherDomain(issuer=self.issuer, prefix=self.prefix, where=self.where)
        return impair(department, self.node, "data", "headers", other)
