"""dcmtk against a whole riverside lab: what an administrator's own tools see is what the lab says of itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from sandbox.dicom.datasets import read_encoded
from tests.e2e import dcmtk
from tests.e2e.conftest import StartLab
from tests.e2e.support import OutsideLab, wait_until

pytestmark = [pytest.mark.tools, pytest.mark.timeout(240)]

# Who each node's AE table lets in.
CALLERS = {
    "CT1": "ROUTER",
    "MR1": "ROUTER",
    "DX1": "ARCHIVE",
    "US1": "ROUTER",
    "ROUTER": "CT1",
    "ARCHIVE": "DX1",
    "WS1": "ARCHIVE",
    "WS2": "ROUTER",
}

NEED_CODEC = ("-xs", "-xt")
OURS = "E2E"
"""How the accession numbers of what these tests store begin."""


@pytest.fixture(scope="module")
def lab(start_lab: StartLab) -> OutsideLab:
    dcmtk.tool("echoscu")
    return start_lab()


def exams(folder: Path, lab: OutsideLab, model: str = "-S", **keys: str) -> list[str]:
    """The Study Instance UIDs that findscu finds in the archive."""
    wanted = {"StudyInstanceUID": "", **keys}
    found = dcmtk.find(folder, lab.ports["ARCHIVE"], "ARCHIVE", "WS1", "STUDY", model, **wanted)
    return [str(answer.StudyInstanceUID) for answer in found]


def some_study(lab: OutsideLab, modality: str) -> str:
    """A study of the history; what these tests have stored is left out."""
    return next(
        study.study_uid
        for study in lab.studies("ARCHIVE")
        if modality in study.modalities and not study.accession_number.startswith(OURS)
    )


def new_copy(source: Path, target: Path) -> str:
    """A copy of an instance as a study of its own; its Study Instance UID."""
    dataset = dcmread(source)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = (generate_uid() for _ in range(3))
    dataset.AccessionNumber = OURS + dataset.StudyInstanceUID[-9:]
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(target, enforce_file_format=True)
    return str(dataset.StudyInstanceUID)


# --- association ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("node", sorted(CALLERS))
def test_every_node_answers_whom_it_knows_and_nobody_else(lab: OutsideLab, node: str) -> None:
    port, known = lab.ports[node], CALLERS[node]
    assert dcmtk.echo(port, node, known).ok
    stranger = dcmtk.echo(port, node, "STRANGER")
    assert not stranger.ok
    assert dcmtk.CALLING in stranger.text
    for misnamed in (f"{node}X", node.lower(), node[:-1]):
        refused = dcmtk.echo(port, misnamed, known)
        assert not refused.ok
        assert dcmtk.CALLED in refused.text, misnamed


def test_the_lab_tells_what_dcmtk_was_told(lab: OutsideLab) -> None:
    dcmtk.echo(lab.ports["ARCHIVE"], "ARCHIV", "CT1")
    lab.wait_log("ARCHIVE", "ARCHIV, called AE title not recognised (1/1/7)")
    newest = lab.associations("ARCHIVE", 1)[0]
    assert (newest.outcome, newest.calling_ae, newest.called_ae, newest.source) == (
        "rejected",
        "CT1",
        "ARCHIV",
        "outside",
    )
    assert "1/1/7" in newest.sentence


def test_128_contexts_and_many_requests(lab: OutsideLab) -> None:
    said = dcmtk.echo(lab.ports["ARCHIVE"], "ARCHIVE", "CT1", "-ppc", 128, "--repeat", 20)
    assert said.ok, said.text
    # dcmtk may be through before the archive has counted the last of them.
    wanted = "CT1 to ARCHIVE: 128 of 128 contexts accepted, 20 C-ECHO."
    wait_until(lambda: lab.associations("ARCHIVE", 1)[0].sentence == wanted, wanted)


def test_a_stopped_node_refuses_and_comes_back_at_the_same_place(lab: OutsideLab) -> None:
    port = lab.ports["WS2"]
    assert lab.do("node.stop", node="WS2").ok
    said = dcmtk.echo(port, "WS2", "ROUTER")
    assert not said.ok
    assert dcmtk.REFUSED in said.text
    assert lab.do("node.start", node="WS2").ok
    assert dcmtk.echo(port, "WS2", "ROUTER").ok


def test_a_service_that_a_node_does_not_have(lab: OutsideLab) -> None:
    said = dcmtk.run(
        "findscu", "-S", "-aet", "WS1", "-aec", "ROUTER", "-k", "PatientName", dcmtk.LOOPBACK, lab.ports["ROUTER"]
    )
    assert not said.ok
    assert "No Acceptable Presentation Contexts" in said.text


# --- query ----------------------------------------------------------------------------------------------------------


def test_findscu_sees_what_the_lab_says_the_archive_has(lab: OutsideLab, tmp_path: Path) -> None:
    held = lab.studies("ARCHIVE")
    assert len(held) > 10
    assert sorted(exams(tmp_path, lab)) == sorted(study.study_uid for study in held)
    for study in held[:4]:
        (answer,) = dcmtk.find(
            tmp_path,
            lab.ports["ARCHIVE"],
            "ARCHIVE",
            "WS1",
            "STUDY",
            StudyInstanceUID=study.study_uid,
            AccessionNumber="",
            PatientID="",
            ModalitiesInStudy="",
            NumberOfStudyRelatedInstances="",
        )
        assert answer.AccessionNumber == study.accession_number
        assert answer.PatientID == study.patient_id
        assert int(answer.NumberOfStudyRelatedInstances) == study.instances


def test_findscu_by_patient(lab: OutsideLab, tmp_path: Path) -> None:
    port = lab.ports["ARCHIVE"]
    patients = dcmtk.find(
        tmp_path,
        port,
        "ARCHIVE",
        "WS1",
        "PATIENT",
        "-P",
        PatientID="",
        PatientName="",
        NumberOfPatientRelatedStudies="",
    )
    held = lab.studies("ARCHIVE")
    assert sorted(patient.PatientID for patient in patients) == sorted({study.patient_id for study in held})
    one = patients[0]
    of_one = exams(tmp_path, lab, "-P", PatientID=str(one.PatientID))
    assert len(of_one) == int(one.NumberOfPatientRelatedStudies)
    assert set(of_one) == {study.study_uid for study in held if study.patient_id == one.PatientID}


def test_findscu_with_wildcards_ranges_and_lists(lab: OutsideLab, tmp_path: Path) -> None:
    held = lab.studies("ARCHIVE")
    initial = held[0].patient_name[0]
    wanted = {study.study_uid for study in held if study.patient_name.startswith(initial)}
    assert set(exams(tmp_path, lab, PatientName=f"{initial.lower()}*")) == wanted
    dates = sorted(study.study_date for study in held)
    middle = dates[len(dates) // 2]
    since = {study.study_uid for study in held if study.study_date >= middle}
    assert set(exams(tmp_path, lab, StudyDate=f"{middle}-")) == since
    both = {study.study_uid for study in held if {"CT", "MR"} & set(study.modalities)}
    assert set(exams(tmp_path, lab, ModalitiesInStudy="CT\\MR")) == both
    lab.wait_log("ARCHIVE", "ModalitiesInStudy=CT\\MR")


# --- store ----------------------------------------------------------------------------------------------------------


def test_storescu_to_the_archive_keeps_every_encoding(lab: OutsideLab, tmp_path: Path) -> None:
    port = lab.ports["ARCHIVE"]
    (source, *_) = dcmtk.get(tmp_path / "got", port, "ARCHIVE", "WS1", StudyInstanceUID=some_study(lab, "CT"))
    pixels = dcmread(source).PixelData
    encoders = {
        "-xs": ("dcmcjpeg",),
        "-xt": ("dcmcjpls",),
        "-xr": ("dcmcrle",),
        "-xi": ("dcmconv", "+ti"),
        "-xb": ("dcmconv", "+tb"),
        "-xd": ("dcmconv", "+td"),
    }
    for propose, (encoder, *options) in encoders.items():
        plain, encoded = tmp_path / f"plain{propose}.dcm", tmp_path / f"encoded{propose}.dcm"
        study_uid = new_copy(source, plain)
        made = dcmtk.run(encoder, *options, plain, encoded)
        assert made.ok, made.text
        said = dcmtk.store(port, "ARCHIVE", "CT1", propose, encoded)
        assert "Received Store Response (Success)" in said.text, said.text
        assert exams(tmp_path / "found", lab, StudyInstanceUID=study_uid) == [study_uid]
        (view,) = (
            lab.client.get(f"/nodes/ARCHIVE/studies/{study_uid}").raise_for_status().json()["series"][0]["instances"]
        )
        assert view["transfer_syntax"] == str(dcmread(encoded).file_meta.TransferSyntaxUID), propose
        # What needs a codec that may not be installed is kept as it came, and told in words by the viewer.
        picture = lab.client.get(f"/nodes/ARCHIVE/instances/{view['sop_instance']}/frames/1.png")
        shown = picture.headers["content-type"] == "image/png"
        assert shown or (propose in NEED_CODEC and "cannot be decoded" in picture.json()["sentence"]), propose
        if propose in ("-xi", "-xd"):
            (back,) = dcmtk.get(tmp_path / f"back{propose}", port, "ARCHIVE", "WS1", StudyInstanceUID=study_uid)
            assert dcmread(back).PixelData == pixels


def test_storescu_to_the_router_goes_where_the_rules_say(lab: OutsideLab, tmp_path: Path) -> None:
    archive = lab.ports["ARCHIVE"]
    for modality, rooms in (("CT", {"ARCHIVE", "WS1", "WS2"}), ("MR", {"ARCHIVE", "WS1"})):
        (source, *_) = dcmtk.get(
            tmp_path / modality, archive, "ARCHIVE", "WS1", StudyInstanceUID=some_study(lab, modality)
        )
        file = tmp_path / f"{modality}.dcm"
        study_uid = new_copy(source, file)
        said = dcmtk.store(lab.ports["ROUTER"], "ROUTER", f"{modality}1", file)
        assert "Received Store Response (Success)" in said.text, said.text
        wait_until(lambda: lab.node("ROUTER").queued == 0, "ROUTER has sent everything")
        assert {room for room in ("ARCHIVE", "WS1", "WS2") if lab.images_of(room, study_uid) == 1} == rooms


def test_an_abort_in_the_middle_loses_nothing_that_was_answered(lab: OutsideLab, tmp_path: Path) -> None:
    port = lab.ports["ARCHIVE"]
    (source, *_) = dcmtk.get(tmp_path / "got", port, "ARCHIVE", "WS1", StudyInstanceUID=some_study(lab, "CT"))
    file = tmp_path / "one.dcm"
    study_uid = new_copy(source, file)
    assert dcmtk.store(port, "ARCHIVE", "CT1", "--abort", file).ok
    assert exams(tmp_path / "found", lab, StudyInstanceUID=study_uid) == [study_uid]
    wait_until(lambda: lab.associations("ARCHIVE", 2)[1].outcome == "aborted", "the lab knows of the abort")


# --- retrieve -------------------------------------------------------------------------------------------------------


def test_movescu_to_a_workstation(lab: OutsideLab) -> None:
    study_uid = some_study(lab, "MR")
    assert lab.images_of("WS1", study_uid) == 0
    said = dcmtk.move(lab.ports["ARCHIVE"], "ARCHIVE", "WS1", "WS1", "STUDY", StudyInstanceUID=study_uid)
    assert said.ok, said.text
    assert "Received Final Move Response (Success)" in said.text
    assert lab.images_of("WS1", study_uid) == lab.images_of("ARCHIVE", study_uid) > 0


def test_movescu_to_nobody_and_to_somebody_who_is_away(lab: OutsideLab) -> None:
    port, study_uid = lab.ports["ARCHIVE"], some_study(lab, "CT")
    nobody = dcmtk.move(port, "ARCHIVE", "WS1", "WS9", "STUDY", StudyInstanceUID=study_uid)
    assert not nobody.ok
    assert dcmtk.UNKNOWN_DESTINATION in nobody.text
    lab.wait_log("ARCHIVE", "A801", "WS9 is not in the AE table")
    assert lab.do("node.stop", node="WS2").ok
    away = dcmtk.move(port, "ARCHIVE", "WS1", "WS2", "STUDY", StudyInstanceUID=study_uid)
    assert lab.do("node.start", node="WS2").ok
    assert not away.ok
    assert dcmtk.CANNOT_SEND in away.text
    lab.wait_log("ARCHIVE", "A702", "refused")


def test_movescu_to_a_workstation_outside_and_getscu_bring_the_same_bytes(lab: OutsideLab, tmp_path: Path) -> None:
    port, study_uid = lab.ports["ARCHIVE"], some_study(lab, "CT")
    with dcmtk.storescp(tmp_path / "outside", "OUTSIDE") as outside:
        line = {"name": "OUTSIDE", "ae_title": "OUTSIDE", "host": dcmtk.LOOPBACK, "port": outside.port}
        before = dcmtk.move(port, "ARCHIVE", "WS1", "OUTSIDE", "STUDY", StudyInstanceUID=study_uid)
        assert dcmtk.UNKNOWN_DESTINATION in before.text
        assert lab.do("node.config.save", node="ARCHIVE", add={"remotes": line}).ok
        saved = dcmtk.move(port, "ARCHIVE", "WS1", "OUTSIDE", "STUDY", StudyInstanceUID=study_uid)
        assert dcmtk.UNKNOWN_DESTINATION in saved.text, "saved is not running"
        assert lab.do("node.restart", node="ARCHIVE").ok
        said = dcmtk.move(port, "ARCHIVE", "WS1", "OUTSIDE", "STUDY", StudyInstanceUID=study_uid)
        assert said.ok, said.text
        moved = outside.files()
    # Now that its title is in the AE table, it may call as well.
    assert dcmtk.echo(port, "ARCHIVE", "OUTSIDE").ok
    got = dcmtk.get(tmp_path / "got", port, "ARCHIVE", "OUTSIDE", StudyInstanceUID=study_uid)
    assert len(moved) == len(got) == lab.images_of("ARCHIVE", study_uid)
    assert sorted(bytes(read_encoded(path)) for path in moved) == sorted(bytes(read_encoded(path)) for path in got)
    stored = lab.directory / "nodes" / "ARCHIVE"
    kept = {dcmread(path, stop_before_pixels=True).SOPInstanceUID: path for path in stored.rglob("*.dcm")}
    for path in got:
        assert bytes(read_encoded(path)) == bytes(read_encoded(kept[dcmread(path).SOPInstanceUID]))


# --- the lessons, seen with dcmtk alone -----------------------------------------------------------------------------


def test_ct_images_missing_in_ed(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("ct-images-missing-in-ed")
    believed = lab.remote("CT1", "ROUTER")["ae_title"]
    assert believed != "ROUTER"
    (waiting, *_) = wait_until(lambda: lab.entries("CT1", "ROUTER"), "images wait on CT1")
    # The scanner's very call, made with dcmtk, has the scanner's very answer; the router answers to its own name.
    refused = dcmtk.echo(lab.ports["ROUTER"], believed, "CT1")
    assert dcmtk.CALLED in refused.text
    assert dcmtk.echo(lab.ports["ROUTER"], "ROUTER", "CT1").ok
    told = next(view for view in lab.associations("CT1") if view.source == "CT1")
    assert (told.outcome, told.called_ae) == ("rejected", believed)
    assert "1/1/7" in told.sentence
    assert exams(tmp_path, lab, AccessionNumber=waiting.accession_number) == []
    lab.configure("CT1", set={"remotes.ROUTER.ae_title": "ROUTER"})
    wait_until(lambda: lab.images_of("WS2", waiting.study_uid), "the exam comes to the emergency department")
    assert exams(tmp_path, lab, AccessionNumber=waiting.accession_number) == [waiting.study_uid]


def replace_by(lab: OutsideLab, node: str, remote: str, outside: dcmtk.Storescp) -> None:
    """Let ``node`` send to a storescp where it would send to a workstation, under the workstation's title."""
    believed = {"host": dcmtk.LOOPBACK, "port": outside.port}
    lab.configure(node, set={f"remotes.{remote}.{key}": value for key, value in believed.items()})


def test_ed_lost_its_chest_films(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("ed-lost-its-chest-films")
    film = lab.studies("DX1")[0]
    # In the archive, with its right modality, and as complete as on the machine that made it.
    assert exams(tmp_path, lab, AccessionNumber=film.accession_number, ModalitiesInStudy="DX") == [film.study_uid]
    assert lab.images_of("WS2", film.study_uid) == 0
    with dcmtk.storescp(tmp_path / "ed", "WS2") as ed:
        replace_by(lab, "ROUTER", "WS2", ed)
        scan, missed = lab.scan("CT1", images=1), lab.scan("DX1", images=1)
        wait_until(lambda: lab.images_of("WS1", missed) and scan in ed.studies(), "CT in the ED, the film elsewhere")
        wait_until(lambda: lab.node("ROUTER").queued == 0, "ROUTER has sent everything")
        assert ed.studies() == {scan}
        lab.configure("ROUTER", set={"rules.plain-films-to-ed.conditions.0.value": "DX"})
        arrives = lab.scan("DX1", images=1)
        wait_until(lambda: arrives in ed.studies(), "a film in the ED")
        assert ed.studies() == {scan, arrives}


def test_nothing_from_friday_in_the_reading_room(start_lab: StartLab, tmp_path: Path) -> None:
    lab = start_lab("nothing-from-friday-in-the-reading-room")
    waiting = {entry.study_uid for entry in lab.entries("ROUTER", "WS1")}
    assert len(waiting) >= 5
    # The archive has every one of them, and both ends of the silent way answer an echo.
    assert waiting <= set(exams(tmp_path, lab))
    assert not any(lab.images_of("WS1", study_uid) for study_uid in waiting)
    assert dcmtk.echo(lab.ports["WS1"], "WS1", "ROUTER").ok
    with dcmtk.storescp(tmp_path / "reading", "WS1") as reading:
        replace_by(lab, "ROUTER", "WS1", reading)
        today = lab.scan("CT1", images=1)
        wait_until(lambda: lab.images_of("WS2", today), "today's CT in the ED")
        assert reading.files() == []
        assert lab.queues("ROUTER")["WS1"].held_reason
        assert lab.do("queue.resume", node="ROUTER", destination="WS1").ok
        wait_until(lambda: reading.studies() >= waiting | {today}, "Friday in the reading room")
        wait_until(lambda: not lab.entries("ROUTER", "WS1"), "nothing waits any more")
    # Once each, and in the order in which they came.
    assert len(reading.files()) == sum(lab.images_of("ARCHIVE", uid) for uid in waiting | {today})


def test_all_tools_are_there() -> None:
    for name in ("echoscu", "storescu", "findscu", "movescu", "getscu", "storescp", "dcmcjpeg", "dcmcrle", "dcmconv"):
        assert shutil.which(dcmtk.tool(name))
