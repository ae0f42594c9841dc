"""What the page of one's own tools prints really works: dcmtk's lines and Orthanc's file against a healthy lab.

And against the same lab: that this page, and others which only offer something to call, claim no look that nobody made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jinja2 import FileSystemBytecodeCache

from sandbox.lab.api.server import ApiServer
from sandbox.lab.lab import Lab
from sandbox.lab.views import node_view
from tests.dicom.support import unused_port
from tests.lab.conftest import quiet_site
from tests.lab.support import Drill, do, shared_cache, until
from tests.web.conftest import SCENARIO, Visitor
from tests.web.stand_in import StandIn, StandInHost
from web import own_tools
from web.app import create_app
from web.catalogue import Catalogue
from web.lab_client import LabClient
from web.options import Options
from web.own_tools import Reach
from web.pages.outside import TOOLS
from web.pages.tools import TOOLS as OWN
from web.tour import steps


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(quiet_site(), tmp_path_factory.mktemp("lab"), 4, cache=shared_cache(tmp_path_factory))
    lab.start()
    yield lab
    lab.stop()


def reach(lab: Lab, name: str) -> Reach:
    node = lab.department.node(name)
    study = "" if node.store is None else node.store.studies(limit=1)[0].study_uid
    friends = [remote.ae_title for remote in node.running.remotes]
    found = own_tools.reach_of(node_view(lab, node), friends, "WS1", study)
    assert found is not None
    return found


@pytest.mark.skipif(not shutil.which("storescu") and not os.environ.get("CI"), reason="dcmtk is not installed")
def test_each_line_of_dcmtk_works_as_it_stands(department: Lab, tmp_path: Path) -> None:
    at = reach(department, "ARCHIVE")
    lines = own_tools.dcmtk(at, at.friends[0])
    assert [line.text.split()[-1] for line in lines], "there are lines"
    for line in lines:
        done = subprocess.run(line.text, shell=True, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        said = (done.stderr + done.stdout).decode("utf-8", "replace")
        assert done.returncode == 0, f"{line.text}\n{said}"
        assert not [one for one in said.splitlines() if one.startswith(("E:", "F:"))], f"{line.text}\n{said}"
    assert list((tmp_path / own_tools.FOLDER).iterdir()), "something came"


@pytest.mark.skipif(not shutil.which("Orthanc") and not os.environ.get("CI"), reason="Orthanc is not installed")
def test_orthanc_takes_the_file_and_reaches_the_lab(department: Lab, tmp_path: Path) -> None:
    port, http = unused_port(), unused_port()
    text = own_tools.orthanc([reach(department, "ARCHIVE")], "ORTHANC", port)
    settings = json.loads(text) | {"HttpPort": http, "Plugins": []}
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    row = {"name": "ORTHANC", "ae_title": "ORTHANC", "host": "127.0.0.1", "port": port}
    assert do(department, "node.config.save", node="ARCHIVE", add={"remotes": [row]}).ok
    assert do(department, "node.restart", node="ARCHIVE").ok
    with (tmp_path / "said").open("wb") as said:
        running = subprocess.Popen(own_tools.ORTHANC_START.split(), cwd=tmp_path, stdout=said, stderr=said)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{http}", trust_env=False, timeout=30) as client:

            def answers() -> bool:
                try:
                    return bool(client.get("/system").json()["DicomAet"] == "ORTHANC")
                except httpx.HTTPError:
                    return False

            until(answers, f"Orthanc is up: {(tmp_path / 'said').read_text()[-600:]}", timeout=60)
            assert client.post("/modalities/archive/echo", json={}).is_success
    finally:
        running.terminate()
        running.wait(30)


@pytest.mark.parametrize("tool", sorted(TOOLS))
@pytest.mark.parametrize("node", ["ARCHIVE", "CT1"])
def test_every_tab_has_something_to_copy_or_says_why_not(
    visitor: Visitor, lab: StandIn, lab_path: str, tool: str, node: str
) -> None:
    page = visitor.page(f"{lab_path}/tools/?node={node}&tool={tool}&ae=MYTOOL&port=4711")
    assert "data-copy" in page or "DICOMweb" in page
    assert not lab.commands


def test_an_ae_title_that_is_none_is_not_put_into_a_line(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(f"{lab_path}/tools/?ae=$(rm%20-rf%20~)")
    assert "rm -rf" not in page
    assert own_tools.safe_title("X; ls") == ""
    assert own_tools.safe_title(" MY TOOL ") == "MY TOOL"


def test_ones_own_ae_is_entered_in_the_ae_table(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    answer = visitor.post(f"{lab_path}/tools/register", {"node": "ROUTER", "ae": "MYTOOL", "port": "11113"})
    assert answer.status_code == 302
    row = {"name": "MYTOOL", "ae_title": "MYTOOL", "host": "127.0.0.1", "port": 11113}
    assert lab.commands[-1]["params"] == {"node": "ROUTER", "add": {"remotes": [row]}}
    visitor.post(f"{lab_path}/tools/register", {"node": "ROUTER", "ae": "", "port": "x"})
    assert len(lab.commands) == 1


@pytest.mark.parametrize("port", ["000001" + "0" * 4300, "0000104999999"])
def test_what_is_no_port_is_asked_for_again(visitor: Visitor, lab: StandIn, lab_path: str, port: str) -> None:
    answer = visitor.post(f"{lab_path}/tools/register", {"node": "ROUTER", "ae": "MYTOOL", "port": port})
    assert answer.status_code == 302
    assert not lab.commands
    file = visitor.get(f"{lab_path}/tools/orthanc.json?port={port}").json
    assert file is not None
    assert file["DicomPort"] == 4242


def test_the_file_for_orthanc_is_a_download(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    answer = visitor.get(f"{lab_path}/tools/orthanc.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.json is not None
    assert answer.json["DicomModalities"]["ct1"] == ["CT1", "127.0.0.1", 40104]


@pytest.fixture
def drill(department: Lab) -> Iterator[Drill]:
    drill = Drill()
    department.attempt = drill
    yield drill
    department.attempt = None


@pytest.fixture
def console(
    department: Lab, tmp_path: Path, host: StandInHost, compiled: FileSystemBytecodeCache
) -> Iterator[tuple[Visitor, LabClient, str]]:
    """Somebody at a console over the real lab's real API, their own way to it, and the address of its pages."""
    server = ApiServer(department, "a-token-for-tests")

    def connect(_: object) -> LabClient:
        return LabClient(server.url, "a-token-for-tests")

    app = create_app(Options(directory=tmp_path), host, Catalogue(lambda: (SCENARIO,)), connect=connect)
    app.jinja_env.bytecode_cache = compiled
    visitor, client = Visitor(app.test_client()), connect(None)
    yield visitor, client, str(visitor.post("/labs", {"scenario": "drill", "seed": "7"}).headers["Location"])
    client.close()
    app.extensions["console"].labs.close()
    app.extensions["console"].database.close()
    server.close()


def test_pages_that_offer_something_to_call_claim_no_look(
    department: Lab, drill: Drill, console: tuple[Visitor, LabClient, str]
) -> None:
    visitor, client, lab = console
    archive = reach(department, "ARCHIVE")
    page = visitor.page(f"{lab}tools/?node=ARCHIVE")
    assert archive.friends[0] in page
    assert archive.study in page
    assert "-aet WS1 -aec ARCHIVE" in visitor.page(f"{lab}terminal/?node=WS1")
    for tool in OWN.values():
        if tool.key != "store":  # which shows what is on the node's disk
            visitor.page(f"{lab}nodes/CT1/tools/?tool={tool.key}")
    assert [step.until(client) for step in steps.STEPS if step.until is not None] == [False, True, True, False]
    assert drill.looked == []
    study = f"{lab}nodes/ARCHIVE/studies/{archive.study}"
    assert "Send" in visitor.page(study)
    visitor.page(f"{lab}nodes/CT1/configuration/")
    assert drill.looked == [("studies", "ARCHIVE", ""), ("config", "CT1", "")], "what was opened is what counts"
