"""`archive serve` answers at once because it imports little: what it must not import before its first association."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cli.deferred import DeferredModule, defer, hidden
from tests.bench.bare import echo_once

NOT_BEFORE_THE_FIRST_ASSOCIATION = {
    "alembic": "only an index of another version is migrated, and the version is one SELECT",
    "charset_normalizer": "comes with requests",
    "cryptography": "only the department makes certificates; the standard library speaks TLS",
    "flask": "only DICOMweb needs it, which is off",
    "imagecodecs": "images are kept as they come; one is decoded when it must be sent otherwise",
    "jinja2": "comes with Flask",
    "numpy._core": "pydicom imports numpy, for pixels",
    "requests.sessions": "pydicom imports requests, to download its test files",
    "sample_dicom": "an archive makes no images",
    "sandbox.archive.display": "nobody looks at an image yet",
    "sandbox.archive.views": "it has no screens",
    "sandbox.dicom.codecs": "as imagecodecs",
    "sandbox.dicomweb": "off",
    "sandbox.events.kinds": "it has no event log",
    "sandbox.lab": "it is no department",
    "sandbox.nodes": "it is no department",
    "sqlalchemy.orm": "the index uses SQLAlchemy's core",
    "urllib3": "comes with requests",
    "web": "it is not the console",
    "werkzeug": "comes with Flask",
}


def test_an_archive_imports_nothing_that_its_first_association_does_not_need(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "sandbox.cli", "archive", "serve", "--aet", "MINI"]
    command += ["--port", "0", "--store", str(tmp_path / "store"), "--json", "--quiet"]
    told = (tmp_path / "imported.txt").open("w+", encoding="utf-8")
    with told, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True) as process:
        assert process.stdout is not None
        try:
            echo_once(json.loads(process.stdout.readline())["port"], "MINI")
        finally:
            process.terminate()
            process.wait(30)
        told.seek(0)
        imported = {line.rpartition("|")[2].strip() for line in told if line.startswith("import time:")}
    assert "sandbox.archive.serve" in imported
    found = {
        name: reason
        for name, reason in NOT_BEFORE_THE_FIRST_ASSOCIATION.items()
        if any(module == name or module.startswith(f"{name}.") for module in imported)
    }
    assert found == {}


# --- how it is done -----------------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A library that says when it is imported."""
    name = "a_library_that_nobody_has"
    (tmp_path / f"{name}").mkdir()
    (tmp_path / name / "__init__.py").write_text("import os\nos.environ['SEEN_' + __name__] = '1'\nANSWER = 42\n")
    (tmp_path / name / "part.py").write_text("PART = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(f"SEEN_{name}", "")
    yield name
    for module in [one for one in sys.modules if one.partition(".")[0] == name]:
        del sys.modules[module]


def test_a_deferred_library_is_imported_when_it_is_used(library: str) -> None:

    defer(library)
    module = importlib.import_module(library)
    assert isinstance(module, DeferredModule)
    assert os.environ[f"SEEN_{library}"] == ""
    assert module.ANSWER == 42
    assert os.environ[f"SEEN_{library}"] == "1"
    assert importlib.import_module(library).ANSWER == 42
    assert not isinstance(sys.modules[library], DeferredModule)
    with pytest.raises(AttributeError):
        _ = module.QUESTION


def test_a_part_of_a_deferred_library_is_imported_as_ever(library: str) -> None:

    defer(library)
    assert importlib.import_module(f"{library}.part").PART == 7


def test_a_library_that_is_not_there_stays_so() -> None:
    defer("a_library_that_is_nowhere")
    assert "a_library_that_is_nowhere" not in sys.modules


def test_a_hidden_library_is_there_again_afterwards(library: str) -> None:

    with hidden(library), pytest.raises(ImportError):
        importlib.import_module(library)
    assert importlib.import_module(library).ANSWER == 42
