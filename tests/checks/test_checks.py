"""Every check: true of the healthy department, false when what it claims is broken, and gone without a trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pkgutil import iter_modules

import pytest

import tests.checks
from sandbox.checks.check import Check
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.registry import checks, make_check
from sandbox.checks.trail import Trail
from sandbox.drill.fingerprint import fingerprint
from sandbox.drill.judge import baselines, judge
from sandbox.events.event import PROBE, Event
from sandbox.events.kinds import QueueFailed, QueueSent
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.config_path import with_row
from sandbox.model.errors import BadInputError
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from sandbox.nodes.department import Department
from tests.drill.support import do, running_lab

Spoil = Callable[[Lab], None]
WAIT_S = 30.0


def setting(node: str, path: str, value: object) -> Spoil:
    """Somebody sets ``value`` and restarts the node."""

    def spoil(lab: Lab) -> None:
        do(lab, "node.config.save", node=node, set={path: value})
        do(lab, "node.restart", node=node)

    return spoil


def hold(lab: Lab) -> None:
    do(lab, "queue.hold", node="ROUTER", destination="WS1")


def hold_and_scan(lab: Lab) -> None:
    hold(lab)
    before = len(lab.events)
    do(lab, "exam.acquire", node="US1", images=1)
    assert lab.events.wait_for(
        lambda event: event.kind == "instance.stored" and event.node == "ROUTER", after=before, timeout=WAIT_S
    )


def hold_and_discard(lab: Lab) -> None:
    hold_and_scan(lab)
    do(lab, "queue.discard", node="ROUTER", destination="WS1", reason="a test")


def all_to_ed(lab: Lab) -> None:
    do(lab, "node.config.save", node="ROUTER", add={"rules": {"name": "all", "destinations": ["WS2"]}})
    do(lab, "node.restart", node="ROUTER")


CASES: dict[str, tuple[dict[str, object], Spoil]] = {
    "exam_arrives": (
        {"node": ["CT1", "DX1"], "at": ["ARCHIVE", "WS2"]},
        setting("CT1", "remotes.ROUTER.ae_title", "ROUTERX"),
    ),
    "exam_keeps_away": ({"node": "US1", "place": "WS2", "reaches": "ARCHIVE"}, all_to_ed),
    "studies_present": ({"exams": "chest", "at": ["WS1", "WS2"]}, lambda lab: forget_chest_at(lab, "WS1")),
    "unknown_ae_refused": ({"node": ["ROUTER", "ARCHIVE"]}, setting("ARCHIVE", "accept_unlisted_callers", True)),
    "called_ae_checked": ({"node": ["ROUTER", "ARCHIVE"]}, setting("ROUTER", "check_called_ae", False)),
    "callers_not_widened": ({}, setting("WS2", "accept_unlisted_callers", True)),
    "nothing_lost": ({}, hold_and_discard),
    "queue_drains": ({"node": "ROUTER", "destination": "WS1"}, hold_and_scan),
    "query_returns": ({"node": "WS1", "exams": "chest"}, lambda lab: forget_chest_at(lab, "ARCHIVE")),
}
"""For each kind: parameters, and what spoils the claim."""


def forget_chest_at(lab: Lab, node: str) -> None:
    for event in lab.events.since():
        if event.kind == "exam.acquired" and event.node == "DX1" and event.actor == "trainee:anna":
            lab.department.node(node).forget_study(event.body.study_uid)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Memory]]:
    """A lab in which a chest was taken, and what is remembered of it."""
    with running_lab(tmp_path_factory.mktemp("checks") / "lab") as lab:
        claims = [check_of(kind) for kind in CASES]
        noted = baselines(lab.department, claims)
        do(lab, "exam.acquire", node="DX1", images=2)
        acquired = next(event for event in lab.events.since() if event.kind == "exam.acquired" and event.actor != PROBE)
        body = acquired.body.model_dump()
        store = lab.department.node("DX1").store
        assert store is not None
        study = store.study(body["study_uid"])
        assert study is not None
        chest = NotedExam(
            label="chest",
            node="DX1",
            study_uid=body["study_uid"],
            accession_number=body["accession_number"],
            patient_id=body["patient_id"],
            patient_name=body["patient_name"],
            spoken_name="the patient",
            modality="DX",
            description=body["description"],
            at=acquired.at,
            sop_instances=tuple(i.sop_instance for series in study.series for i in series.instances),
        )
        memory = Memory(start=len(lab.events), exams=(chest,), baselines=noted)
        assert check_of("studies_present").run(lab.department, memory).verdict is Verdict.PASS
        # It is to be read, and still on its way to the archive: the start is when all is at rest.
        Trail(lab.department, chest.study_uid, chest.sop_instances, 0).settle(WAIT_S)
        lab.mark_start()
        yield lab, memory


@pytest.fixture
def lab(scanned: tuple[Lab, Memory]) -> Iterator[Lab]:
    yield scanned[0]
    scanned[0].reset()


@pytest.fixture
def memory(scanned: tuple[Lab, Memory]) -> Memory:
    return scanned[1]


def check_of(kind: str, **more: object) -> Check:
    return make_check(Primitive(kind=kind, id=kind.replace("_", "-"), **(CASES[kind][0] | more)))


def test_every_check_has_a_case() -> None:
    """Each test module of this package has a table ``CASES``; together they have every kind."""
    modules = [import_module(f"tests.checks.{entry.name}") for entry in iter_modules(tests.checks.__path__)]
    assert {kind for module in modules for kind in getattr(module, "CASES", ())} == set(checks())


@pytest.mark.parametrize("kind", CASES)
def test_a_check_tells_the_healthy_department_from_the_spoilt_one(lab: Lab, memory: Memory, kind: str) -> None:
    check = check_of(kind)
    healthy = check.run(lab.department, memory)
    assert healthy.verdict is Verdict.PASS, healthy

    CASES[kind][1](lab)
    spoilt = check.run(lab.department, memory)
    assert spoilt.verdict is Verdict.FAIL, spoilt
    assert spoilt.sentence.endswith(".")
    assert spoilt.sentence != healthy.sentence
    assert spoilt.check == check.claim()
    assert spoilt.duration_s < 10, "what is certain is not waited for"


@pytest.mark.parametrize("kind", CASES)
def test_a_check_leaves_no_trace_and_is_not_seen(lab: Lab, memory: Memory, kind: str) -> None:
    before, position = fingerprint(lab.department), len(lab.events)
    check_of(kind).run(lab.department, memory)
    assert before.differences(fingerprint(lab.department)) == ()
    written = lab.events.since(position)
    assert written
    assert {event.actor for event in written} == {PROBE}
    assert all(event.is_for_later for event in written)


def test_the_evidence_names_events_that_exist(lab: Lab, memory: Memory) -> None:
    setting("CT1", "remotes.ROUTER.ae_title", "ROUTERX")(lab)
    finding = check_of("exam_arrives").run(lab.department, memory)
    kinds = {lab.events[seq].kind for seq in finding.evidence}
    assert {"exam.acquired", "association.rejected", "queue.failed"} <= kinds


def test_a_rejected_exam_fails_at_once_and_not_after_the_deadline(lab: Lab, memory: Memory) -> None:
    setting("CT1", "remotes.ROUTER.ae_title", "ROUTERX")(lab)
    began = time.monotonic()
    finding = check_of("exam_arrives", node="CT1", within_s=120).run(lab.department, memory)
    assert finding.verdict is Verdict.FAIL
    assert time.monotonic() - began < 10


def test_an_exam_that_is_only_late_is_waited_for(lab: Lab, memory: Memory) -> None:
    """The queue backs off after failures; the check has it try now, as an administrator would."""
    before = len(lab.events)
    do(lab, "node.stop", node="ROUTER")
    do(lab, "exam.acquire", node="CT1", images=1)
    assert lab.events.wait_for(lambda event: event.kind == "queue.failed", after=before, timeout=WAIT_S)
    do(lab, "node.start", node="ROUTER")
    finding = check_of("exam_arrives", node="CT1").run(lab.department, memory)
    assert finding.verdict is Verdict.PASS, finding


def test_changed_images_are_found_out(lab: Lab, memory: Memory) -> None:
    """An image at the workstation that is not what the modality made: same UIDs, other pixels."""
    chest = memory.exams[0]
    store = lab.department.node("WS2").store
    assert store is not None
    path = store.instance_path(chest.sop_instances[0])
    assert path is not None
    data = bytearray(path.read_bytes())
    data[-1000:] = bytes(byte ^ 0xFF for byte in data[-1000:])
    path.unlink()  # the snapshot shares the file
    path.write_bytes(data)
    finding = check_of("studies_present").run(lab.department, memory)
    assert finding.verdict is Verdict.FAIL
    assert "pixels" in finding.sentence


@pytest.mark.parametrize("title", ["CT1", "FACTORY"])
def test_a_new_title_in_the_table_is_a_wider_door(lab: Lab, memory: Memory, title: str) -> None:
    """Somebody's of the house, or nobody's."""
    node = lab.department.node("WS2")
    row = {"name": "anybody", "ae_title": title, "host": "198.18.10.11", "port": 104}
    node.save(with_row(node.saved, "remotes", row))
    node.restart()
    finding = check_of("callers_not_widened").run(lab.department, memory)
    assert finding.verdict is Verdict.FAIL
    assert "WS2" in finding.sentence
    assert title in finding.sentence


def test_what_cannot_be_tried_is_not_told(lab: Lab, memory: Memory) -> None:
    lab.department.node("CT1").stop("for a test")
    finding = check_of("exam_arrives").run(lab.department, memory)
    assert finding.verdict is Verdict.COULD_NOT_TELL
    assert "CT1" in finding.sentence
    lab.department.node("ARCHIVE").stop("for a test")
    assert check_of("unknown_ae_refused").run(lab.department, memory).verdict is Verdict.COULD_NOT_TELL
    assert check_of("callers_not_widened").run(lab.department, Memory()).verdict is Verdict.COULD_NOT_TELL


def test_a_broken_check_could_not_tell(lab: Lab) -> None:
    class Broken(Check):
        def claim(self) -> str:
            return "Something."

        def nodes(self) -> tuple[str, ...]:
            return ()

        def judge(self, department: Department, memory: Memory) -> object:  # type: ignore[override]
            raise ZeroDivisionError("a test")

    Broken.kind = "broken"
    finding = Broken(id="x").run(lab.department, Memory())
    assert finding.verdict is Verdict.COULD_NOT_TELL


def test_images_of_before_a_reset_are_not_missed(lab: Lab, memory: Memory) -> None:
    do(lab, "exam.acquire", node="US1", images=1)
    lab.reset()
    finding = check_of("nothing_lost").run(lab.department, memory)
    assert finding.verdict is Verdict.PASS, finding


def test_all_checks_run_side_by_side(lab: Lab, memory: Memory) -> None:
    claims = [check_of(kind) for kind in CASES]
    before = fingerprint(lab.department)
    told: list[str] = []
    findings = judge(lab.department, memory, claims[:3], claims[3:], lambda finding: told.append(finding.id))
    assert [finding.verdict for finding in findings] == [Verdict.PASS] * len(claims), findings
    assert [finding.invariant for finding in findings] == [False] * 3 + [True] * (len(claims) - 3)
    assert told == [check.name for check in claims]
    assert before.differences(fingerprint(lab.department)) == ()


def test_a_trainees_own_queue_is_judged_and_not_the_probes(lab: Lab, memory: Memory) -> None:
    """Exams of other checks wait in the held queue at the same moment; only what is somebody's counts."""
    hold(lab)
    claims = [check_of("queue_drains", within_s=3), check_of("exam_arrives", node="US1", at="ARCHIVE")]
    findings = judge(lab.department, memory, claims, [])
    assert [finding.verdict for finding in findings] == [Verdict.PASS, Verdict.PASS], findings


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("exam_arives", {}, "exam_arrives"),
        ("exam_arrives", {"node": "CT1", "att": "WS2"}, "'at'"),
        ("exam_arrives", {"node": "CT1", "at": "WS2", "within_s": 0}, "greater than 0"),
        ("queue_drains", {"node": "ROUTER"}, "destination"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        make_check(Primitive(kind=kind, **params))
    assert word in str(refused.value)


def test_a_study_that_is_refused_says_nothing_of_the_one_behind_it(lab: Lab) -> None:
    undo = make_fault(Primitive(kind="service.slow", node="ARCHIVE", seconds=20)).apply(lab.department)
    since = len(lab.events)
    study = next(fact for fact in do(lab, "exam.acquire", node="CT1", images=1).facts if "UID" in fact).split(": ")[1]

    def has_left_for(event: Event, place: str) -> bool:
        body = event.body
        return isinstance(body, QueueSent) and (body.destination, body.study_uid) == (place, study)

    for place in ("ROUTER", "WS1", "WS2"):
        assert lab.events.wait_for(partial(has_left_for, place=place), after=since, timeout=WAIT_S), place
    trail = Trail(lab.department, study, (), since)

    def fails(whose: str) -> None:
        for attempt in (1, 2):
            failure = QueueFailed(
                destination="ARCHIVE", waiting=1, attempt=attempt, reason="x", retry_in_s=1, study_uid=whose
            )
            lab.events.append(failure, node="ROUTER")

    fails("1.2.3")
    assert trail.failing() is None, "somebody else's image was refused, and this one is on its way"
    fails(study)
    assert trail.failing()
    undo()
