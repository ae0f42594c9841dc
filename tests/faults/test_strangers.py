"""A stranger who stores something: only where the door is open, seen in the log, told by the check, and mended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.archive.operations.delete import Delete
from sandbox.archive.operations.empty_bin import EmptyBin
from sandbox.archive.operations.operation import Operation
from sandbox.archive.operations.reject import Reject, Title
from sandbox.checks.memory import Memory
from sandbox.checks.nothing_from_strangers import NothingFromStrangers
from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.registry import make_fault
from sandbox.model.errors import ConflictError
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from tests.nodes.conftest import Small

CASES: dict[str, dict[str, object]] = {
    "archive.strangers_study": {
        "node": "ARCHIVE",
        "host": "CT1",
        "title": "PHYSICS",
        "study_uid": "2.25.77",
        "patient_name": "PHANTOM 170",
        "patient_id": "QA",
    }
}


@pytest.fixture
def small(tmp_path: object) -> Iterator[Small]:
    small = Small(tmp_path / "lab")  # type: ignore[operator]
    yield small
    small.end()


def apply(small: Small) -> object:
    fault = make_fault(Primitive(kind="archive.strangers_study", **CASES["archive.strangers_study"]))
    return fault.apply(small.department)


def verdict(small: Small) -> Verdict:
    return NothingFromStrangers().run(small.department, Memory()).verdict


def test_it_needs_a_door_that_is_open(small: Small) -> None:
    with pytest.raises(ConflictError, match="1/1/3"):
        apply(small)
    assert verdict(small) is Verdict.PASS


def test_what_a_stranger_stored_is_seen_found_out_and_leaves_no_trace(small: Small) -> None:
    small.change("ARCHIVE", accept_unlisted_callers=True)
    before = fingerprint(small.department)
    undo = apply(small)
    store = small.archive.store
    assert store is not None
    assert store.study("2.25.77") is not None
    accepted = [
        event
        for event in small.events.since()
        if event.kind == "association.accepted" and "PHYSICS" in event.to_json() and event.node == "ARCHIVE"
    ]
    assert accepted, "the archive's log has its title"
    assert not accepted[0].is_for_later, "and the trainee may read it"
    assert "198.18.10.11" in accepted[0].to_json(), "and where it came from"
    assert not [event for event in small.events.since() if event.node == "CT1" and "PHYSICS" in event.to_json()]
    assert not [event for event in small.events.since() if event.node == "CT1" and "ARCHIVE" in event.to_json()]
    assert verdict(small) is Verdict.FAIL
    undo()  # type: ignore[operator]
    undo()  # type: ignore[operator]
    assert verdict(small) is Verdict.PASS
    assert before.differences(fingerprint(small.department)) == ()


MENDED: dict[str, tuple[Operation, ...]] = {
    "deleted": (Delete(study_uid="2.25.77", reason="nobody ordered it"),),
    "rejected": (Reject(study_uid="2.25.77", reason="nobody ordered it", title=Title.WORKLIST),),
    "thrown away": (Delete(study_uid="2.25.77", reason="nobody's"), EmptyBin(reason="nobody's", confirmed=True)),
}


@pytest.mark.parametrize("how", MENDED)
def test_nothing_of_it_is_left_however_it_was_mended(small: Small, how: str) -> None:
    small.change("ARCHIVE", accept_unlisted_callers=True)
    ours = small.scan().study_uid
    store = small.archive.store
    assert store is not None
    small.wait_until(lambda: store.study(ours) is not None)
    undo = apply(small)
    image = store.objects("2.25.77")[0].sop_instance
    small.archive.administration.operate(Delete(study_uid=ours, reason="another matter"))
    for operation in MENDED[how]:
        small.archive.administration.operate(operation)
    undo()  # type: ignore[operator]
    assert store.study("2.25.77") is None
    assert not store.bench.is_rejected(image)
    about = [item.row.study_uid for entry in store.journal() for item in store.bench.items(entry.number)]
    assert set(about) == {ours}, "the journal has the other study alone"
    assert len(store.journal()) == (2 if how == "thrown away" else 1)
    assert {path.stem for path in (store.files.directory / "bin").rglob("*.dcm")}.isdisjoint({image})


def test_whom_the_table_knows_is_no_stranger(small: Small) -> None:
    small.change("ARCHIVE", accept_unlisted_callers=True)
    apply(small)
    rows = [row.model_dump() for row in small.archive.saved.remotes]
    small.change("ARCHIVE", remotes=[*rows, rows[0] | {"name": "QA", "ae_title": "PHYSICS"}])
    assert verdict(small) is Verdict.PASS
