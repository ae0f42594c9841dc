"""What is noted at the start of a scenario, so that a check can say later what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from sandbox.model.base import Model
from sandbox.model.errors import NotFoundError


class NotedExam(Model):
    """An exam that was made as the scenario began. ``label`` is the scenario's name for it (several may share one)."""

    label: str
    node: str
    study_uid: str
    accession_number: str
    patient_id: str
    patient_name: str
    spoken_name: str
    modality: str
    description: str
    at: datetime
    sop_instances: tuple[str, ...]


class Memory(Model):
    """``start`` is the event after which the scenario's own time runs. ``baselines`` are what checks noted, by id."""

    start: int = 0
    exams: tuple[NotedExam, ...] = ()
    baselines: dict[str, Any] = Field(default_factory=dict)

    def labelled(self, label: str) -> tuple[NotedExam, ...]:
        """The exams called ``label``, or NotFoundError with the labels there are."""
        found = tuple(exam for exam in self.exams if exam.label == label)
        if not found:
            labels = dict.fromkeys(exam.label for exam in self.exams)
            raise NotFoundError(f"No exam of the scenario is called {label!r}.", f"There is: {', '.join(labels)}.")
        return found
