"""What the page of one's own tools prints really works: dcmtk's lines and Orthanc's file against a healthy lab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.lab.lab import Lab
from sandbox.lab.views import node_view
from tests.dicom.support import unused_port
from tests.lab.conftest import quiet_site
from tests.lab.support import do, shared_cache, until
from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn
from web import own_tools
from web.own_tools import Reach
from web.pages.outside import TOOLS


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
