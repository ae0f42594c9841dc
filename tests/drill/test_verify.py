"""A proof that cannot fail proves nothing: each stage goes red when what it guards is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sandbox.checks.called_ae_checked import CalledAEChecked
from sandbox.checks.check import Check, Judgement, passed
from sandbox.checks.exam_arrives import ExamArrives
from sandbox.checks.memory import Memory
from sandbox.checks.studies_present import StudiesPresent
from sandbox.drill.attempt import Attempt
from sandbox.drill.load import read_scenario, scenarios_folder
from sandbox.drill.verify import Proof, SeedResult, Verification, in_good_order, verify, verify_all
from sandbox.faults.config_called_ae_title import CalledAETitle
from sandbox.lab.site import Site
from sandbox.nodes.department import Department
from tests.drill.support import quiet_site, write_tiny


class QuickProof(Proof):
    """A proof in a department without earlier years, of the stages that a test asks about."""

    only: frozenset[str] = frozenset()

    def site(self) -> Site:
        return quiet_site()

    def _stage(self, name: str, prove: Callable[[], str]) -> bool:
        if self.only and name != "inject" and name not in self.only:
            return True
        return super()._stage(name, prove)


Prove = Callable[..., dict[str, bool]]

HEALTHY, SYMPTOM, NOTHING, RESET = "healthy", "symptom", "doing nothing", "reset"
WELL, BROKEN = "outside tools, well", "outside tools, broken"
ANY_NAME, DISCARD = "decoy: Let ROUTER answer to any name", "decoy: Throw away what waits"
CORRECT = "solution: Correct the title"
STEP_THAT_FAILS = 'command = "tool.echo"\nnode = "US1"\nremote = "ROUTER"'


@pytest.fixture
def prove(tmp_path: Path) -> Prove:
    """Runs stages of the tiny scenario (``spoil`` spoils its text) and returns how each ended."""

    def run(
        *only: str, spoil: Mapping[str, str] | None = None, proof_class: type[QuickProof] = QuickProof
    ) -> dict[str, bool]:
        folder = write_tiny(tmp_path / "scenarios", spoil=spoil)
        proof = proof_class(read_scenario(folder), 5, tmp_path / "labs")
        proof.only = frozenset(only)
        proof.run()
        for stage in proof.stages:
            print(stage)
        return {stage.name: stage.ok for stage in proof.stages}

    return run


def always_passes(check_class: type[Check], monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(self: Check, department: Department, memory: Memory) -> Judgement:
        return passed("All is well, whatever is the case.")

    monkeypatch.setattr(check_class, "judge", judge)


def test_a_fair_lesson_is_proven_in_every_stage(prove: Prove) -> None:
    stages = {HEALTHY, WELL, "inject", SYMPTOM, BROKEN, NOTHING, ANY_NAME, DISCARD, CORRECT, RESET}
    assert prove() == dict.fromkeys(stages, True)


def test_red_when_a_check_always_passes(prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    always_passes(ExamArrives, monkeypatch)
    stages = prove(SYMPTOM, DISCARD)
    assert not stages[SYMPTOM]
    assert not stages[DISCARD], "it no longer fails all that it names"


def test_red_when_every_check_always_passes(prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    for check_class in (ExamArrives, StudiesPresent, CalledAEChecked):
        always_passes(check_class, monkeypatch)
    stages = prove(SYMPTOM, NOTHING)
    assert not stages[SYMPTOM]
    assert not stages[NOTHING]


def test_red_when_a_decoy_would_pass(prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    always_passes(CalledAEChecked, monkeypatch)
    stages = prove(SYMPTOM, ANY_NAME, CORRECT)
    assert not stages[ANY_NAME]
    assert stages[SYMPTOM]
    assert stages[CORRECT]


def test_red_when_a_decoy_is_caught_by_something_else_than_it_says(prove: Prove) -> None:
    assert not prove(ANY_NAME, spoil={'fails = ["names-are-checked"]': 'fails = ["nothing-lost"]'})[ANY_NAME]


def test_red_when_a_step_does_not_work(prove: Prove) -> None:
    step = 'command = "queue.discard"\nnode = "US1"\ndestination = "ROUTER"'
    assert not prove(DISCARD, spoil={step: STEP_THAT_FAILS})[DISCARD]


def test_red_when_a_fault_does_nothing(prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CalledAETitle, "break_it", lambda self, department: lambda: None)
    stages = prove(SYMPTOM, NOTHING)
    assert not stages[SYMPTOM]
    assert not stages[NOTHING]


def test_red_when_the_healthy_department_does_not_pass(prove: Prove) -> None:
    """Ultrasound is not routed to the emergency department, fault or no fault."""
    assert not prove(HEALTHY, spoil={'at = "ARCHIVE"\nimages = 1': 'at = "WS2"\nimages = 1'})[HEALTHY]


def test_red_when_the_reference_solution_is_only_half_of_one(prove: Prove) -> None:
    """Saved is not running."""
    assert not prove(CORRECT, spoil={'[[solution.step]]\ncommand = "node.restart"\nnode = "US1"\n': ""})[CORRECT]


def test_red_when_reset_does_not_restore(prove: Prove) -> None:
    class NoReset(QuickProof):
        def reset(self, attempt: Attempt) -> None:
            pass

    assert not prove(ANY_NAME, RESET, proof_class=NoReset)[RESET]


def test_red_when_a_reset_forgets_only_a_queue(prove: Prove) -> None:
    class Forgetful(QuickProof):
        def reset(self, attempt: Attempt) -> None:
            super().reset(attempt)
            queue = attempt.lab.department.node("US1").queue
            assert queue is not None
            queue.stop()
            queue.forget_study(attempt.surface.memory.exams[0].study_uid)

    assert not prove(RESET, proof_class=Forgetful)[RESET]


def test_a_scenario_that_does_not_lint_is_not_run(tmp_path: Path) -> None:
    write_tiny(tmp_path, spoil={'site = "riverside"': 'site = "riverside"\nsit = 1'})
    told = verify("ultrasound-not-showing-up", root=tmp_path)
    assert not told.ok
    assert told.exit_code == 1
    assert told.seeds == ()
    assert "sit" in told.failures[0]


def test_a_symptom_that_is_not_there_is_a_solved_attempt(prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is broken, so the trainee's first check ends the drill: found out twice."""
    for check_class in (ExamArrives, StudiesPresent):
        always_passes(check_class, monkeypatch)
    stages = prove(SYMPTOM, NOTHING)
    assert stages == {"inject": True, SYMPTOM: False, NOTHING: False}


def test_a_fault_that_a_reset_takes_away_is_found_out(prove: Prove) -> None:
    """It shows, and is gone when the trainee starts again: doing nothing would be the cure."""

    class Mending(QuickProof):
        def reset(self, attempt: Attempt) -> None:
            super().reset(attempt)
            commands = (
                ("node.config.save", {"node": "US1", "set": {"remotes.ROUTER.ae_title": "ROUTER"}}),
                ("node.restart", {"node": "US1"}),
            )
            for name, params in commands:
                assert attempt.lab.execute(attempt.lab.parse(name, params), "test").ok

    stages = prove(SYMPTOM, NOTHING, proof_class=Mending)
    assert stages == {"inject": True, SYMPTOM: True, NOTHING: False}


def test_several_are_proven_at_once_and_what_does_not_lint_is_told(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    good = write_tiny(tmp_path / "good")
    bad = write_tiny(tmp_path / "bad", spoil={'site = "riverside"': 'site = "riverside"\nsit = 1'})
    heard: list[str] = []
    results = list(verify_all([bad, good], (1, 2), jobs=2, tell=lambda folder, seed, stage: heard.append(stage.name)))
    assert [(result.ok, len(result.seeds)) for result in results] == [(False, 0), (True, 2)], results[-1].failures
    assert results[1].cpu_s > 0
    assert results[1].slowest is not None
    assert heard.count(SYMPTOM) == 2


def test_the_result_is_for_machines_too() -> None:
    told = Verification(scenario="x", ok=True, seconds=1.0, seeds=(SeedResult(seed=1, stages=()),))
    assert Verification.model_validate_json(told.model_dump_json()) == told
    assert told.exit_code == 0


def test_pauses_are_begun_first_and_then_one_of_each_site() -> None:
    slugs = (
        "ct-images-missing-in-ed",
        "ed-lost-its-chest-films",
        "night-readers-get-nothing",
        "the-first-mr-exam-each-morning-hangs",
    )
    riverside, more, lakeside, pauses = (scenarios_folder() / slug for slug in slugs)
    assert in_good_order([riverside, more, lakeside, pauses]) == [pauses, riverside, lakeside, more]
