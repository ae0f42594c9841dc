"""The terminal says what dcmtk says: both are run against the same nodes, and the lines that tell are the same."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from sandbox.lab.lab import Lab
from tests.lab.terminal.support import NEEDED, published, real, scanned, telling, typed

pytestmark = NEEDED

CASES: tuple[tuple[str, str], ...] = (
    ("ROUTER", "echoscu -v -aet CT1 -aec ROUTER {at}"),
    ("ROUTER", "echoscu -aet CT1 -aec ROUTER {at}"),
    ("ROUTER", "echoscu -v {at}"),
    ("ROUTER", "echoscu -aec ROUTER -aet STRANGER {at}"),
    ("ROUTER", "echoscu -zz {at}"),
    ("ROUTER", "echoscu -aec"),
    ("ROUTER", "echoscu host"),
    ("ROUTER", "echoscu host abc"),
    ("ROUTER", "echoscu host 70000"),
    ("ROUTER", "echoscu -v no-such-host.invalid 104"),
    ("ROUTER", "echoscu -v -aet CT1 -aec ROUTER --abort {at}"),
    (
        "ARCHIVE",
        "findscu -S -aet WS1 -aec ARCHIVE -k 0008,0052=STUDY -k StudyInstanceUID={study} -k PatientName {at}",
    ),
    ("ARCHIVE", "findscu -v -S -aet WS1 -aec ARCHIVE -k 0008,0052=STUDY -k StudyInstanceUID={study} -k PatientID {at}"),
    ("ARCHIVE", "findscu -v -S -aet WS1 -aec ARCHIVE -k PatientName=ZZZZ {at}"),
    ("ARCHIVE", "findscu -aet WS1 -aec ARCHIVE -k QueryRetrieveLevel=STUDY {at}"),
    ("ARCHIVE", "findscu -S -aet WS1 -aec NOPE -k QueryRetrieveLevel=STUDY {at}"),
    ("ARCHIVE", "findscu -S -aet WS1 -aec ARCHIVE -k Nothing=1 {at}"),
    ("ARCHIVE", "findscu -S -aet WS1 -aec ARCHIVE {at}"),
    ("ARCHIVE", "movescu -v -S -aet WS1 -aec ARCHIVE -aem WS1 -k 0008,0052=STUDY -k StudyInstanceUID={study} {at}"),
    ("ARCHIVE", "movescu -S -aet WS1 -aec ARCHIVE -aem NOWHERE -k 0008,0052=STUDY -k StudyInstanceUID={study} {at}"),
    ("ARCHIVE", "movescu -S -aet WS1 -aec NOPE -aem WS1 -k 0008,0052=STUDY {at}"),
    ("ARCHIVE", "getscu -v -S -aet WS1 -aec ARCHIVE -k 0008,0052=STUDY -k StudyInstanceUID={study} {at}"),
    ("ARCHIVE", "getscu -S -aec NOPE -k 0008,0052=STUDY -k StudyInstanceUID={study} {at}"),
    ("ARCHIVE", "getscu -v -S -aet WS1 -aec ARCHIVE -k 0008,0052=STUDY -k StudyInstanceUID= {at}"),
    ("ARCHIVE", "storescu -v -aet WS1 -aec ARCHIVE {at} {file}"),
    ("ARCHIVE", "storescu -aec NOPE {at} {file}"),
    ("ARCHIVE", "storescu -aet WS1 -aec ARCHIVE {at} nothing"),
    ("ARCHIVE", "storescu -aet WS1 -aec ARCHIVE {at}"),
    ("ARCHIVE", "dcmdump {file}"),
    ("ARCHIVE", "dcmdump +P PatientName +P 0020,000d {file}"),
    ("ARCHIVE", "dcmdump nothing"),
    ("ARCHIVE", "dcmdump --zz {file}"),
    ("ARCHIVE", "dcmodify -m Nope=1 {copy}"),
    ("ARCHIVE", "dcmodify -m 0010,4000=x {copy}"),
)


@pytest.fixture(scope="module")
def study(lab: Lab) -> str:
    return scanned(lab)


@pytest.fixture(scope="module")
def folder(lab: Lab, study: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one image of the study as dcmtk fetched it, there and in the terminal's /work."""
    place = tmp_path_factory.mktemp("dcmtk")
    host, port = published(lab, "ARCHIVE")
    key = ["-k", "0008,0052=STUDY", "-k", f"StudyInstanceUID={study}"]
    status, said = real(["getscu", "-S", "-aet", "WS1", "-aec", "ARCHIVE", *key, host, port], place)
    assert status == 0, said
    image = sorted(path for path in place.iterdir() if path.is_file())[0]
    work = lab.department.node("WS1").context.directory / "work"
    work.mkdir(exist_ok=True)
    for name in ("image.dcm", "copy.dcm"):
        (place / name).write_bytes(image.read_bytes())
        (work / name).write_bytes(image.read_bytes())
    return place


@pytest.mark.parametrize(("node", "line"), CASES, ids=[line for _, line in CASES])
def test_both_say_the_same(lab: Lab, study: str, folder: Path, node: str, line: str) -> None:
    target = lab.department.node(node)
    inside = f"{node.lower()} {target.running.port}"
    host, port = published(lab, node)
    names = {"study": study, "file": "image.dcm", "copy": "copy.dcm"}
    status, said = real(shlex.split(line.format(at=f"{host} {port}", **names)), folder)
    ours = typed(lab, "WS1", line.format(at=inside, **names), "/work")
    assert telling(ours.text) == telling(said)
    assert ours.status == status


def test_a_refused_port_is_told_alike(lab: Lab, folder: Path) -> None:
    status, said = real(["echoscu", "-v", "127.0.0.1", "9"], folder)
    ours = typed(lab, "CT1", "echoscu -v mr1 9")
    assert (ours.status, telling(ours.text)) == (status, telling(said))
