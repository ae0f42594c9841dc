"""Writes a drill: a cause on a way of a site, in the form and the files of every other scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from sample_dicom.procedures import procedures_for
from sandbox.drill.generator.causes import CAUSES, Cause, Table
from sandbox.drill.generator.ways import ExamWay
from sandbox.drill.load import FILE_NAME
from sandbox.model.errors import BadInputError, ConflictError

ALTERNATIVES = 6
"""How many causes the diagnosis of a drill that stands alone offers, the right one among them."""

OPENINGS = (
    "Hello. **{patient}**, {procedure}, accession {accession}, is still not on {place}.",
    "I am looking for {accession}, {patient}, on {place}. It was made at {time} and it is not here.",
    "Somebody is asking me for **{patient}**'s {procedure}. On {place} there is nothing under {accession}.",
)
MIDDLES = (
    "At {modality} they say it is done and on their screen. What {other} makes gets {elsewhere} as always.",
    "They finished it on {modality} at {time}; I asked. Exams from {other} still get {elsewhere}, so not all is down.",
)
ENDINGS = (
    "Can you find out where it is, and whether the next one will come?",
    "I have a patient waiting for an answer. What shall I say?",
    "Please have a look. And tell me whether I should worry about the others.",
)


def compose(
    where: ExamWay, cause: Cause, seed: int, others: Sequence[str], *, alternatives: int = ALTERNATIVES
) -> tuple[Table, Mapping[str, str]]:
    """The scenario's tables, and its texts by file name. ``others`` are the values of the causes offered beside it, up
    to ``alternatives`` with it."""
    wrong = cause.on(where)
    caller = where.site.people[seed % len(where.site.people)]
    procedure = procedures_for(where.modality.config["modality"])[0]
    scene: Table = {
        "title": f"{where.modality.title}: exams do not show up in {where.place.location.split(',')[0]}",
        "family": "where-is-my-study",
        "site": where.site.slug,
        "difficulty": 2,
        "expected_minutes": 15,
        "topics": ["cdip:storage", "ciip:operations"],
        "objectives": [
            "Follow an exam hop by hop and find the last place that has it.",
            "Choose the look that leaves the fewest causes over.",
        ],
        "fault": [wrong.fault],
        "exam": [
            {"id": "missed", "node": where.modality.name, "procedure": procedure.code, "images": 1, "at": "-30 min"}
        ],
        "ticket": [{"from": caller.id, "subject": "{patient}: not there", "text": "ticket.md"}],
        "check": _checks(where),
        "invariant": _invariants(where, others_suffer=wrong.others_suffer),
        "hint": [{"text": text} for text in _hints(where, wrong.hints)],
        "diagnosis": _diagnosis(wrong.node, cause, others, alternatives),
        "outside": _outside(where),
        "solution": list(wrong.solutions),
        "decoy": list(wrong.decoys),
    }
    return scene, {
        "ticket.md": _ticket(where, seed),
        "debrief.md": f"## What happened\n\n{cause.text}. {cause.learnt}\n",
    }


def write(folder: Path, scene: Table, texts: Mapping[str, str]) -> None:
    """The scenario as a folder. ConflictError when there is one already."""
    if folder.exists():
        raise ConflictError(f"{folder.name} is there already.", "Remove it, or generate with another seed.")
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(tomli_w.dumps(scene, multiline_strings=False), encoding="utf-8")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _checks(where: ExamWay) -> list[Table]:
    modality, place = where.modality.name, where.place.name
    return [
        {"id": "new-exam-arrives", "kind": "exam_arrives", "node": modality, "at": place, "images": 1},
        {"id": "waiting-exam-is-there", "kind": "studies_present", "exams": "missed", "at": place, "within_s": 15},
    ]


def _invariants(where: ExamWay, *, others_suffer: bool) -> list[Table]:
    places = [where.elsewhere.name] if others_suffer else [where.place.name, where.elsewhere.name]
    return [
        {"id": "others-flow", "kind": "exam_arrives", "node": where.other.name, "at": places, "images": 1},
        {"id": "names-are-checked", "kind": "called_ae_checked", "node": where.router.name},
        {"id": "strangers-refused", "kind": "unknown_ae_refused", "node": where.router.name},
        {"id": "nothing-lost", "kind": "nothing_lost"},
    ]


def _hints(where: ExamWay, last: tuple[str, str]) -> tuple[str, ...]:
    modality, router, place = where.modality.name, where.router.name, where.place.name
    return (
        f"Follow {{accession}}: {modality}, {router}, {place}. Which is the last that has it, and does it wait there?",
        f"Compare with an exam of {where.other.name}, and with what {where.elsewhere.name} has. What is different?",
        *last,
    )


def _diagnosis(node: str, cause: Cause, others: Sequence[str], alternatives: int) -> Table:
    offered = [cause.value, *(value for value in others if value != cause.value)][:alternatives]
    # In the order of the causes: with the right one first, two drills of one seed, which are shuffled alike, would show
    # each its own at the same place.
    choices = [{"value": value, "text": one.text} for value, one in CAUSES.items() if value in offered]
    return {"node": node, "layer": cause.layer, "fault": cause.value, "choices": choices}


def _outside(where: ExamWay) -> list[Table]:
    """A query at the place, from somebody whom it knows."""
    known = where.place.config["remotes"]
    if not known:
        raise BadInputError(f"{where.place.name} knows nobody.", "Enter somebody in its AE table.")
    place = where.place.name
    command = (
        f"findscu -v -S -aet {known[0]['ae_title']} -aec {{ae:{place}}} {{published:{place}}} "
        "-k QueryRetrieveLevel=STUDY -k AccessionNumber={accession} -k StudyInstanceUID"
    )
    return [{"command": command, "healthy": "Find Response: 1 (Pending)"}]


def _ticket(where: ExamWay, seed: int) -> str:
    names: dict[str, Any] = {
        "place": _spoken(where.place.title),
        "modality": _spoken(where.modality.title),
        "other": _spoken(where.other.title),
        "elsewhere": f"to {_spoken(where.elsewhere.title)}",
    }
    parts = (OPENINGS[seed % 3], MIDDLES[seed // 3 % 2], ENDINGS[seed // 6 % 3])
    text = "\n\n".join(parts)
    for name, words in names.items():
        text = text.replace(f"{{{name}}}", words)
    return text + "\n"


def _spoken(title: str) -> str:
    """ "Reading room workstation" within a sentence; CT stays CT."""
    is_word = title[1:2].islower()
    return f"the {title[0].lower() if is_word else title[0]}{title[1:]}"
