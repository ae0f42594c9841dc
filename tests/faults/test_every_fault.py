"""What every fault primitive owes its readers: symptoms, an explanation, a look from outside, and a test of its own."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import tests.faults
from sandbox.faults.fault import Fault
from sandbox.faults.registry import faults, make_fault
from sandbox.model.scenario import Primitive


def cases() -> dict[str, dict[str, object]]:
    """Parameters of a case for each kind, from the ``CASES`` tables of this package's modules.

    The value of a line is the parameters, or a tuple that begins with them.
    """
    found: dict[str, dict[str, object]] = {}
    for module in pkgutil.iter_modules(tests.faults.__path__):
        table = getattr(importlib.import_module(f"tests.faults.{module.name}"), "CASES", {})
        for kind, case in table.items():
            found[kind] = dict(case[0] if isinstance(case, tuple) else case)
    return found


@pytest.mark.parametrize("kind", sorted(faults()))
def test_a_fault_says_what_it_causes_and_how_it_is_seen(kind: str) -> None:
    fault_class: type[Fault] = faults()[kind]
    assert fault_class.symptoms, "symptoms: what it must cause, in words"
    assert all(text.endswith(".") and len(text) < 200 for text in fault_class.symptoms)
    doc = inspect.getdoc(fault_class) or ""
    assert doc.startswith(f"``{kind}``"), "the docstring begins with the kind"
    assert "outside" in doc, "the docstring says how it is seen from outside"


@pytest.mark.parametrize("kind", sorted(faults()))
def test_a_fault_has_a_case_and_explains_it(kind: str) -> None:
    assert kind in cases(), "put it into the CASES table of a test module in tests/faults"
    fault = make_fault(Primitive(kind=kind, **cases()[kind]))
    explanation = fault.explanation()
    assert explanation.endswith(".")
    assert all(name in explanation for name in fault.nodes()), "the explanation names the nodes"
