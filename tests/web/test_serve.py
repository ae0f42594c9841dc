"""Serving: an address that answers, a clean end by SIGTERM, and refusals in words."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sandbox.model.errors import ConflictError, UnavailableError
from web.options import Options, from_environment
from web.serve import serve

SCRIPT = "import sys, pathlib; from web.options import Options; from web.serve import serve; \
serve(Options(directory=pathlib.Path(sys.argv[1]), port=0))"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_console_answers_and_ends_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    console = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert console.stdout is not None
    address = console.stdout.readline().split()[-1]
    with urllib.request.urlopen(address + "health", timeout=20) as answer:
        assert answer.status == 200
    console.send_signal(number)
    assert console.wait(20) == 0


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(UnavailableError) as told:
        serve(Options(directory=tmp_path, port=other.getsockname()[1]))
    assert "Choose another port" in told.value.mend


def test_a_console_for_others_wants_an_account_before_it_listens(tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as told:
        serve(Options(directory=tmp_path, host="0.0.0.0", port=0), announce=pytest.fail)
    assert "pacs-sandbox user add" in told.value.mend


@pytest.mark.parametrize(
    ("host", "exposed"),
    [("127.0.0.1", False), ("127.0.0.9", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("x", True)],
)
def test_exposure_is_told_from_the_address(tmp_path: Path, host: str, exposed: bool) -> None:
    assert Options(directory=tmp_path, host=host).exposed is exposed


def test_a_port_published_on_loopback_answers_to_loopback_names_alone(tmp_path: Path) -> None:
    options = Options(directory=tmp_path, host="0.0.0.0", published_on_loopback=True, trusted_hosts=("pacs.example",))
    assert not options.exposed
    assert set(options.hosts) == {"localhost", "127.0.0.1", "::1"}


def test_environment_fills_what_was_not_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACS_SANDBOX_DATABASE", "postgresql://db/console")
    monkeypatch.setenv("PACS_SANDBOX_TRUSTED_HOSTS", "pacs.example, other.example")
    options = from_environment(Options(directory=tmp_path))
    assert options.database_url == "postgresql://db/console"
    assert options.trusted_hosts == ("pacs.example", "other.example")
    assert from_environment(Options(directory=tmp_path, database="sqlite://")).database_url == "sqlite://"
