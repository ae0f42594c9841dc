"""What a fingerprint of the department tells of every fault: it is felt, and its undo leaves no trace."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Fault
from sandbox.nodes.department import Department


def assert_felt_and_undone(department: Department, fault: Fault, works: Callable[[], bool]) -> None:
    """Cause ``fault`` and take it back, twice. ``works`` is an operation that goes well without it and not with it."""
    healthy = fingerprint(department)
    assert works()
    undo = fault.apply(department)
    assert healthy.differences(fingerprint(department)), "a fingerprint tells it"
    assert not works()
    undo()
    undo()  # a second time does nothing more
    assert works()
    assert healthy.differences(fingerprint(department)) == ()
