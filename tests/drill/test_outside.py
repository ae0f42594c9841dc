"""The commands by which outside tools see a lesson: what may be run, what is filled in, and what counts as seen."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sandbox.drill.outside import look, missing_tools, sees, words_of
from sandbox.drill.surface import NOON, Surface
from sandbox.lab.lab import Lab
from sandbox.lab.site import load_site
from sandbox.model.errors import SandboxError
from sandbox.model.scenario import OutsideView
from tests.drill.support import do, running_lab

SURFACE = Surface(load_site("riverside"), 1, NOON)
ECHO = "echoscu -v -aet CT1 -aec {ae:ROUTER} {published:ROUTER}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> object:
    if shutil.which("echoscu") is None:
        if os.environ.get("CI"):
            pytest.fail("dcmtk is not installed, and in CI it has to be")
        pytest.skip("echoscu is not installed; it comes with dcmtk")
    with running_lab(tmp_path_factory.mktemp("outside")) as lab:
        yield lab


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("rm -rf /", "none of the tools"),
        ("echoscu 'unfinished", "no command line"),
        ("echoscu {published:NOBODY}", "NOBODY"),
        ("echoscu {nonsense}", "nonsense"),
        ("", "none of the tools"),
    ],
)
def test_what_may_not_be_run(command: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        words_of(command, SURFACE, None)


def test_a_value_with_blanks_and_quotes_stays_one_word() -> None:
    site = load_site("riverside")
    words = words_of(
        "findscu -k PatientName={title:CT1} {published:ARCHIVE} {tls_port:ARCHIVE}", Surface(site, 1, NOON), None
    )
    assert words == [
        "findscu",
        "-k",
        f"PatientName={site.node('CT1').title}",
        "HOST",
        "PORT-OF-ARCHIVE",
        "TLS-PORT-OF-ARCHIVE",
    ]


def test_what_a_tool_prints_is_compared_both_ways(lab: Lab) -> None:
    surface, department = Surface(lab.site, lab.seed, NOON), lab.department
    view = OutsideView(command=ECHO, prints="Association Request Failed", healthy="Received Echo Response (Success)")
    assert sees(view, surface, department, broken=False) == ""
    do(lab, "node.stop", node="ROUTER")
    try:
        assert sees(view, surface, department, broken=True) == ""
    finally:
        do(lab, "node.start", node="ROUTER")


def test_what_is_not_so_is_told_with_what_was_printed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.drill.outside.PATIENCE_S", 0.0)
    surface = Surface(lab.site, lab.seed, NOON)
    never = OutsideView(command=ECHO, prints="no tool says this")
    told = sees(never, surface, lab.department, broken=True)
    assert "should print 'no tool says this' while the department is broken" in told
    assert "Association" in told
    same = OutsideView(command=ECHO, prints="Association Accepted")
    assert "should not print" in sees(same, surface, lab.department, broken=False)


def test_a_tool_that_takes_too_long_is_ended_and_said_so(lab: Lab) -> None:
    printed = look(
        OutsideView(command=f"{ECHO} --repeat 100000", prints="no answer", patience_s=0.05),
        Surface(lab.site, lab.seed, NOON),
        lab.department,
    )
    assert printed.hung
    assert "no answer" in printed.text


def test_an_image_of_nobody_lies_ready(lab: Lab, tmp_path: Path) -> None:
    view = OutsideView(
        command="storescu -v -aet CT1 -aec {ae:ROUTER} {published:ROUTER} {image}",
        healthy="Received Store Response (Success)",
    )
    before = len(lab.events)
    assert sees(view, Surface(lab.site, lab.seed, NOON), lab.department, broken=False) == ""
    assert any(event.kind == "instance.stored" and event.node == "ROUTER" for event in lab.events.since(before))


def test_one_tool_reads_what_the_one_before_it_brought(lab: Lab) -> None:
    exam = lab.department.acquire("CT1", images=2)
    stored = [stored.sop_instance for stored in exam.objects]
    archive = lab.department.node("ARCHIVE").store
    assert archive is not None
    there = lambda event: all(archive.instance_path(uid) is not None for uid in stored)  # noqa: E731
    assert lab.events.wait_for(there, timeout=30) is not None or there(None)
    fetch = f"getscu -S -aet WS1 -aec {{ae:ARCHIVE}} {{published:ARCHIVE}} -k StudyInstanceUID={exam.study_uid}"
    view = OutsideView(
        command=f"{fetch} -k QueryRetrieveLevel=STUDY && dcmdump --scan-directories +P PatientID .",
        healthy=f"[{exam.order.patient.patient_id}]",
    )
    printed = look(view, Surface(lab.site, lab.seed, NOON), lab.department)
    assert printed.text.count(view.healthy) == len(stored), printed.text


@pytest.mark.parametrize("command", [f"{ECHO} && rm x", f"{ECHO} &&  && dcmdump x"])
def test_the_second_command_must_be_one_of_the_tools_too(command: str) -> None:
    with pytest.raises(SandboxError, match="none of the tools"):
        missing_tools((OutsideView(command=command, prints="x"),))


def test_something_must_be_expected() -> None:
    with pytest.raises(ValueError, match="prints"):
        OutsideView(command=ECHO)


def test_tools_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert missing_tools((OutsideView(command=ECHO, prints="x"), OutsideView(command="findscu x", prints="x"))) == (
        "echoscu",
        "findscu",
    )
