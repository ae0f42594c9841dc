"""The faults of what a modality makes: each is seen in what is archived, is mended by a call, and leaves no trace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from sample_dicom.procedures import procedure
from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, ConflictError, SandboxError
from sandbox.model.patient import Order, Patient
from sandbox.model.scenario import Primitive
from sandbox.model.service_call import ServiceCall
from sandbox.nodes.impairments import NO_IMPAIRMENTS, after_call
from sandbox.nodes.modality import AcquiredExam
from tests.nodes.conftest import Small

Images = list[Dataset]
Looks = Callable[[Order, Images], bool]
MUELLER = Patient(patient_id="P7", name="Müller^Jörg", birth_date=date(1960, 1, 2), sex="M")


def all_are(keyword: str, wanted: str) -> Looks:
    return lambda order, images: all(str(image.get(keyword, "")) == wanted for image in images)


def of_class(uid: str) -> Looks:
    return lambda order, images: any(str(image.SOPClassUID) == uid for image in images)


ON_CT1: dict[str, tuple[dict[str, Any], ServiceCall, Looks]] = {
    "data.value": (
        {"keyword": "StudyDate", "manner": "old-date"},
        ServiceCall.HEADERS,
        lambda order, images: all("." in image["StudyDate"].value for image in images),
    ),
    "data.changed_description": (
        {"keyword": "StudyDescription", "value": "CTA CAROTID NEW"},
        ServiceCall.HEADERS,
        all_are("StudyDescription", "CTA CAROTID NEW"),
    ),
    "data.character_set": ({}, ServiceCall.HEADERS, all_are("PatientName", "MÃ¼ller^JÃ¶rg")),
    "data.wrong_patient": (
        {},
        ServiceCall.HEADERS,
        lambda order, images: all(image.PatientID == "EARLIER" for image in images),
    ),
    "data.other_domain": (
        {"issuer": "FAIRVIEW", "prefix": "FV"},
        ServiceCall.HEADERS,
        lambda order, images: (
            {(image.PatientID[:2], image.get("IssuerOfPatientID"), str(image.PatientName)) for image in images}
            == {("FV", "FAIRVIEW", order.patient.name)}
        ),
    ),
    "data.shared_study": (
        {},
        ServiceCall.UIDS,
        lambda order, images: {image.PatientID for image in images} == {"EARLIER", "P7"},
    ),
    "data.split_study": (
        {"after": 2},
        ServiceCall.UIDS,
        lambda order, images: len({image.StudyInstanceUID for image in images}) == 2,
    ),
    "data.private_capture": ({}, ServiceCall.OBJECTS, all_are("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7")),
    "data.enhanced": ({}, ServiceCall.OBJECTS, of_class("1.2.840.10008.5.1.4.1.1.2.1")),
    "data.extra_objects": (
        {"documents": ["dose-report", "presentation-state", "key-objects"]},
        ServiceCall.OBJECTS,
        lambda order, images: {"SR", "PR", "KO"} <= {image.Modality for image in images},
    ),
    "data.compressed": (
        {"where": {"Modality": "C*"}},
        ServiceCall.OBJECTS,
        lambda order, images: all(image.file_meta.TransferSyntaxUID.is_compressed for image in images),
    ),
    "data.duplicate_uid": ({}, ServiceCall.UIDS, lambda order, images: False),
}
CASES = {kind: ({"node": "CT1", **params}, call, looks) for kind, (params, call, looks) in ON_CT1.items()}
"""For each kind: parameters, the call that mends the modality, and how the archived images of an exam then look."""

IMPAIRING = [kind for kind in CASES if kind != "data.duplicate_uid"]

SENSELESS: dict[str, dict[str, Any]] = {
    "data.other_domain": {"issuer": ""},
    "data.value": {"manner": "set"},
    "data.changed_description": {"value": ""},
    "data.character_set": {"declared": "KLINGON"},
    "data.wrong_patient": {"patient": {"name": "x"}},
    "data.shared_study": {"where": {"not a keyword": "1"}},
    "data.split_study": {"after": 0},
    "data.private_capture": {"where": {"": "1"}},
    "data.enhanced": {"where": "CT"},
    "data.extra_objects": {"documents": []},
    "data.compressed": {"lossy": "perhaps"},
    "data.duplicate_uid": {"newest": 0},
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    small = Small(tmp_path_factory.mktemp("data-faults") / "lab", {"CT1": {"send_to": ["ARCHIVE"]}})
    yield small
    small.end()


def fault_of(kind: str, **more: Any) -> Fault:
    return make_fault(Primitive(kind=kind, **(CASES[kind][0] | more)))


def scan(small: Small, patient: Patient = MUELLER, number: int = 1) -> AcquiredExam:
    rng = random.Random(number)
    order = small.department.order("CT", rng, patient=patient, procedure=procedure("CTHEADWO"))
    exam = small.department.acquire("CT1", order, images=3)
    small.wait_stored("ARCHIVE", exam)
    small.wait_until(lambda: not small.ct.queue.waiting_studies())
    return exam


def earlier(small: Small) -> AcquiredExam:
    """The exam of somebody else before."""
    patient = Patient(patient_id="EARLIER", name="Earlier^Ann", birth_date=date(1971, 3, 4), sex="F")
    return scan(small, patient, number=len(small.events))


def archived(small: Small, exam: AcquiredExam) -> Images:
    """What a C-GET would bring of the studies that the exam is in."""
    store = small.archive.administration.archive
    return [dcmread(item.path) for uid in exam.studies for item in store.objects(uid)]


@pytest.mark.parametrize("kind", IMPAIRING)
def test_a_fault_is_seen_in_what_is_archived_and_its_undo_leaves_no_trace(small: Small, kind: str) -> None:
    _, call, looks = CASES[kind]
    first = earlier(small)
    sound = scan(small, number=len(small.events))
    assert not looks(sound.order, archived(small, sound))
    small.department.forget_study(sound.study_uid)
    healthy = fingerprint(small.department)
    modality = small.department.node("CT1")

    undo = fault_of(kind).apply(small.department)
    wrong = scan(small, number=len(small.events))
    assert looks(wrong.order, archived(small, wrong)), archived(small, wrong)
    assert modality.impairments != NO_IMPAIRMENTS
    assert after_call(modality.impairments, call) == NO_IMPAIRMENTS, "the right people can mend it"
    wrong_call = ServiceCall.OBJECTS if call is not ServiceCall.OBJECTS else ServiceCall.UIDS
    assert after_call(modality.impairments, wrong_call) == modality.impairments

    undo()
    undo()
    for uid in set(wrong.studies) - set(first.studies):
        small.department.forget_study(uid)
    assert modality.impairments == NO_IMPAIRMENTS
    if kind != "data.shared_study":  # which has put images into somebody else's study, and they stay there
        assert healthy.differences(fingerprint(small.department)) == ()
    again = scan(small, number=len(small.events))
    assert not looks(again.order, archived(small, again))


def test_a_fault_outlives_the_labs_process(small: Small) -> None:
    undo = fault_of("data.private_capture").apply(small.department)
    small.reopen()
    exam = scan(small, number=len(small.events))
    assert CASES["data.private_capture"][2](exam.order, archived(small, exam))
    undo()
    fault_again = fault_of("data.private_capture").apply(small.department)
    fault_again()


def test_a_corrected_image_under_its_old_uid_changes_nothing_in_the_archive(small: Small) -> None:
    exam = earlier(small)
    modality = small.department.modality("CT1")

    def pixels(name: str) -> bytes:
        store = small.department.node(name).store
        assert store is not None
        path = store.instance_path(exam.objects[0].sop_instance)
        assert path is not None
        return bytes(dcmread(path).PixelData)

    right = pixels("CT1")
    small.wait_until(lambda: not modality.queue.waiting_studies())
    healthy = fingerprint(small.department)
    before = len(small.events)
    undo = fault_of("data.duplicate_uid", values={"StudyDescription": "AS MEANT"}).apply(small.department)
    small.wait(
        "instance.stored",
        "ARCHIVE",
        after=before,
        where=lambda body: body.duplicate and body.sop_instance == exam.objects[0].sop_instance,
    )
    small.wait_until(lambda: not modality.queue.waiting_studies())
    assert pixels("CT1") != right
    assert pixels("ARCHIVE") == right, "the first copy stays"
    described = [study.description for study in modality.store.studies(limit=1)]
    assert described == ["AS MEANT"] != [study.description for study in small.archive.store.studies(limit=1)]

    # What an administrator does: the wrong ones go, the corrected ones come.
    small.archive.store.forget_study(exam.study_uid)
    assert modality.tools.send("ARCHIVE", exam.study_uid).ok
    assert pixels("ARCHIVE") == pixels("CT1") != right

    small.archive.store.forget_study(exam.study_uid)
    undo()
    undo()
    assert pixels("CT1") == right
    assert modality.tools.send("ARCHIVE", exam.study_uid).ok
    assert healthy.differences(fingerprint(small.department)) == ()


def test_there_must_be_something_to_correct(small: Small) -> None:
    for study in small.department.modality("CT1").store.studies():
        small.department.forget_study(study.study_uid)
    with pytest.raises(ConflictError):
        fault_of("data.duplicate_uid").apply(small.department)


MANNERS = {
    "blank": "",
    "too-long": None,
    "backslash": "CT\\HEAD W/O CONTRAST",
    "padded": " CT HEAD W/O CONTRAST",
    "lower-case": "ct head w/o contrast",
}


@pytest.mark.filterwarnings("ignore:The value length")
@pytest.mark.parametrize("manner", MANNERS)
def test_a_value_is_wrong_on_the_disk_as_it_was_said(small: Small, manner: str) -> None:
    undo = fault_of("data.value", keyword="StudyDescription", manner=manner).apply(small.department)
    exam = small.department.acquire("CT1", scan_order(small), images=1)
    undo()
    data = exam.objects[0].path.read_bytes()
    wanted = MANNERS[manner]
    if wanted is None:
        assert len(dcmread(exam.objects[0].path)["StudyDescription"].value) > 64
    else:
        at = data.index(b"\x08\x00\x30\x10LO")
        length = int.from_bytes(data[at + 6 : at + 8], "little")
        assert data[at + 8 : at + 8 + length].decode().rstrip(" ") == wanted


def scan_order(small: Small) -> Order:
    return small.department.order("CT", random.Random(len(small.events)), procedure=procedure("CTHEADWO"))


def test_only_what_matches_is_wrong(small: Small) -> None:
    undo = fault_of("data.value", keyword="PatientID", manner="blank", where={"SeriesNumber": "2"}).apply(
        small.department
    )
    exam = small.department.acquire("CT1", scan_order(small), images=3)
    undo()
    ids = [dcmread(item.path).PatientID for item in exam.objects]
    assert ids == [exam.order.patient.patient_id, "", ""]


def test_a_strict_archive_refuses_a_malformed_value_and_takes_the_others(small: Small) -> None:
    """What a caller tells as "one scanner's exams fail at times"."""
    small.change("ARCHIVE", check_values=True)
    where = {"StudyDescription": "*HEAD*"}
    undo = fault_of("data.value", keyword="AccessionNumber", manner="too-long", where=where).apply(small.department)
    before = len(small.events)
    small.department.acquire("CT1", scan_order(small), images=1)
    failure = small.wait("queue.failed", "CT1", after=before)
    assert "A900" in failure.body.reason  # type: ignore[attr-defined]
    small.ct.queue.discard("ARCHIVE", None, "a test")
    undo()
    scan(small, number=len(small.events))
    small.change("ARCHIVE", check_values=False)


@pytest.mark.parametrize("kind", CASES)
def test_what_makes_no_sense_is_refused(small: Small, kind: str) -> None:
    with pytest.raises(BadInputError):
        fault_of(kind, **SENSELESS[kind])
    configs: Mapping[str, NodeConfig] = {name: node.saved for name, node in small.department.nodes.items()}
    fault_of(kind).try_on(configs)
    for wrong in ("ARCHIVE", "NOBODY"):
        with pytest.raises(SandboxError):
            fault_of(kind, node=wrong).try_on(configs)
