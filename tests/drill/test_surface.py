"""The surface of a run: the same for a seed, another for another, and never out of the bounds of the standard."""

from __future__ import annotations

from datetime import datetime

import pytest

from sandbox.checks.memory import Memory, NotedExam
from sandbox.drill.surface import Surface
from sandbox.drill.typos import mistyped
from sandbox.lab.site import load_site
from sandbox.model import moment
from sandbox.model.ae_title import ae_title
from sandbox.model.errors import BadInputError, SandboxError

NOW = datetime(2025, 3, 3, 7, 40)  # a Monday


def exam(label: str, number: int) -> NotedExam:
    return NotedExam(
        label=label,
        node="CT1",
        study_uid=f"1.2.{number}",
        accession_number=f"A{number}",
        patient_id="0001",
        patient_name="Müller^Käthe",
        spoken_name="Käthe Müller",
        modality="CT",
        description="CT HEAD",
        at=datetime(2025, 2, 28, 15, number),
        sop_instances=("1", "2"),
    )


def surface(seed: int = 1) -> Surface:
    memory = Memory(exams=(exam("trauma", 1), exam("friday", 2), exam("friday", 3)))
    return Surface(load_site("riverside"), seed, NOW, memory)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{patient} ({accession})", "Käthe Müller (A1)"),
        ("{family_name} of {friday.patient_name}", "Müller of Müller^Käthe"),
        ("{friday.accession} {friday.2.accession} {friday.last.time}", "A2 A3 15:03"),
        ("{friday.count} on {friday.first.day}", "2 on Friday"),
        ("{person.ct_tech.first}, {person.ct_tech.name}, {person.ct_tech.extension}", "Dana, Dana Whitlock, 4411"),
        ("{person.ed_physician.first}", "Amir"),
        ("{ae:ROUTER} {port:ARCHIVE} {title:WS2}", "ROUTER 11112 Emergency department workstation"),
        ("{now.time} {now.day}", "07:40 Monday"),
        ("no placeholder { at all", "no placeholder { at all"),
    ],
)
def test_placeholders(text: str, filled: str) -> None:
    assert surface().fill(text) == filled


@pytest.mark.parametrize(
    "text",
    ["{}" + "{patint}", "{friday.9.accession}", "{person.nobody.name}", "{ae:NOWHERE}", "{friday.1.2.3}", "{a:b}"],
)
def test_what_means_nothing_is_told(text: str) -> None:
    with pytest.raises(SandboxError) as refused:
        surface().fill(text)
    assert refused.value.mend


def test_values_are_filled_wherever_they_stand() -> None:
    value = {"set": {"remotes.{ae:ROUTER}.port": "{patient}"}, "list": ["{accession}", 3], "flag": True}
    assert surface().fill_all(value) == {
        "set": {"remotes.ROUTER.port": "Käthe Müller"},
        "list": ["A1", 3],
        "flag": True,
    }


def test_a_seed_gives_the_same_surface_again_and_another_seed_another() -> None:
    text = "{typo:ROUTER} {pick:a|b|c|d|e|f|g|h}"
    assert surface(4).fill(text) == surface(4).fill(text)
    assert len({surface(seed).fill(text) for seed in range(12)}) > 6


def test_a_choice_may_be_broken_over_two_lines() -> None:
    broken, whole = "{pick:a long one|another\nlong one|a third}", "{pick:a long one|another long one|a third}"
    assert {surface(seed).fill(broken) for seed in range(12)} == {"a long one", "another long one", "a third"}
    assert all(surface(seed).fill(broken) == surface(seed).fill(whole) for seed in range(12))


def test_a_choice_may_hold_other_placeholders() -> None:
    text = "{pick:{person.ct_tech.first} said so.|{patient} said so.}"
    assert {surface(seed).fill(text) for seed in range(12)} == {"Dana said so.", "Käthe Müller said so."}


@pytest.mark.parametrize("title", ["ROUTER", "CT1", "A", "ARCHIVE_SERVER_1"])
def test_a_typo_is_a_title_that_nobody_has(title: str) -> None:
    site = load_site("riverside")
    taken = {str(node.config["ae_title"]) for node in site.nodes} | {title}
    for seed in range(60):
        slip = mistyped(title, taken, Surface(site, seed, NOW).random("typo"))
        assert slip not in taken
        assert ae_title(slip) == slip


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("friday 15:10", datetime(2025, 2, 28, 15, 10)),
        ("monday 07:30", datetime(2025, 3, 3, 7, 30)),
        ("monday 08:00", datetime(2025, 2, 24, 8, 0)),
        ("yesterday 22:05", datetime(2025, 3, 2, 22, 5)),
        ("today 07:00", datetime(2025, 3, 3, 7, 0)),
        ("-25 min", datetime(2025, 3, 3, 7, 15)),
        ("-3 h", datetime(2025, 3, 3, 4, 40)),
        ("-2 d", datetime(2025, 3, 1, 7, 40)),
        ("", NOW),
    ],
)
def test_moments_of_the_past(text: str, at: datetime) -> None:
    assert moment.before(text, NOW) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("monday 07:00", datetime(2025, 3, 3, 7, 0)),
        ("monday 09:00", datetime(2025, 3, 3, 9, 0)),
        ("tuesday 07:40", datetime(2025, 3, 4, 7, 40)),
        ("sunday 07:40", datetime(2025, 3, 9, 7, 40)),
        ("", NOW),
    ],
)
def test_the_day_on_which_a_scenario_starts(text: str, at: datetime) -> None:
    assert moment.after(text, NOW) == at


@pytest.mark.parametrize("text", ["someday 10:00", "friday", "friday 25:00", "-5 weeks", "10:00"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(BadInputError):
        moment.before(text, NOW)
