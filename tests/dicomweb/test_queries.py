"""QIDO-RS: what is matched, what is returned, how pages and warnings are told."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from pydicom.dataset import Dataset

from sandbox.archive.archive import Archive
from sandbox.dicomweb.app import create_app
from sandbox.dicomweb.options import WebOptions
from tests.archive.support import instance, store, uid


def found(web: FlaskClient, path: str) -> list[dict[str, Any]]:
    answer = web.get(path)
    assert answer.status_code in (200, 204), answer.get_data(as_text=True)
    if answer.status_code == 204:
        assert answer.data == b""
        return []
    assert answer.mimetype == "application/dicom+json"
    results: list[dict[str, Any]] = answer.get_json()
    assert results
    assert all(list(result) == sorted(result) for result in results)
    return results


def values(results: list[dict[str, Any]], tag: str) -> list[Any]:
    return [result[tag].get("Value", [None])[0] for result in results]


STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"


def test_a_study_with_all_that_the_standard_asks_for(archive: Archive, web: FlaskClient) -> None:
    ds = instance(PatientBirthDate="19700102", PatientSex="F", ReferringPhysicianName="Ref^Erring")
    store(archive, ds)
    (study,) = found(web, "/studies")
    assert study == {
        "00080020": {"vr": "DA", "Value": ["20260102"]},
        "00080030": {"vr": "TM", "Value": ["103000"]},
        "00080050": {"vr": "SH", "Value": ["A1"]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00080061": {"vr": "CS", "Value": ["CT"]},
        "00080090": {"vr": "PN", "Value": [{"Alphabetic": "Ref^Erring"}]},
        "00081190": {"vr": "UR", "Value": [f"http://localhost/studies/{ds.StudyInstanceUID}"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]},
        "00100020": {"vr": "LO", "Value": ["P1"]},
        "00100030": {"vr": "DA", "Value": ["19700102"]},
        "00100040": {"vr": "CS", "Value": ["F"]},
        STUDY: {"vr": "UI", "Value": [ds.StudyInstanceUID]},
        "00200010": {"vr": "SH", "Value": ["S1"]},
        "00201206": {"vr": "IS", "Value": [1]},
        "00201208": {"vr": "IS", "Value": [1]},
    }


def test_every_path_of_the_hierarchy(archive: Archive, web: FlaskClient) -> None:
    study, one, two = uid(), uid(), uid()
    mine = [instance(StudyInstanceUID=study, SeriesInstanceUID=series) for series in (one, one, two)]
    store(archive, *mine, instance())
    assert len(found(web, "/studies")) == 2
    assert len(found(web, "/series")) == 3
    assert len(found(web, "/instances")) == 4
    assert values(found(web, f"/studies/{study}/series"), SERIES) == [one, two]
    names = [ds.SOPInstanceUID for ds in mine]
    assert values(found(web, f"/studies/{study}/instances"), SOP) == names
    (first, second) = found(web, f"/studies/{study}/series/{one}/instances")
    assert [first[SOP]["Value"][0], second[SOP]["Value"][0]] == names[:2]
    assert first["00081190"]["Value"] == [f"http://localhost/studies/{study}/series/{one}/instances/{names[0]}"]
    assert first["00280010"] == {"vr": "US", "Value": [2]}
    assert first["00200013"] == {"vr": "IS", "Value": [1]}
    assert "00100010" not in first
    assert "00100010" in found(web, "/instances")[0]
    assert found(web, f"/studies/{study}/series/{uid()}/instances") == []


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("PatientName=doe*", True),
        ("00100010=DOE^JANE", True),
        ("PatientID=p1", False),
        ("PatientID=P1&AccessionNumber=A2", False),
        ("StudyDate=20260101-20260131", True),
        ("StudyDate=-20251231", False),
        ("StudyTime=1000-1100", True),
        ("ModalitiesInStudy=CT", True),
        ("ModalitiesInStudy=MR", False),
        ("NumberOfStudyRelatedInstances=1", True),
        ("PatientID=", True),
        ("StudyInstanceUID=1.2,1.3", False),
        ("PatientName=%25", False),
        ("PatientName=_oe*", False),
        ("PatientID=P1%27%20OR%201=1", False),
    ],
)
def test_matching(archive: Archive, web: FlaskClient, query: str, matches: bool) -> None:
    store(archive, instance())
    assert bool(found(web, f"/studies?{query}")) is matches


def test_lists_of_uids(archive: Archive, web: FlaskClient) -> None:
    one, two, other = instance(), instance(), instance()
    store(archive, one, two, other)
    wanted = {one.StudyInstanceUID, two.StudyInstanceUID}
    for query in (
        f"{STUDY}={one.StudyInstanceUID},{two.StudyInstanceUID}",
        f"StudyInstanceUID={one.StudyInstanceUID}&StudyInstanceUID={two.StudyInstanceUID}",
        f"StudyInstanceUID={one.StudyInstanceUID}%5C{two.StudyInstanceUID}",
    ):
        assert set(values(found(web, f"/studies?{query}"), STUDY)) == wanted


def test_an_attribute_of_a_sequence(archive: Archive, web: FlaskClient) -> None:
    step = Dataset()
    step.ScheduledProcedureStepID, step.RequestedProcedureID = "SPS7", "RP7"
    store(archive, instance(RequestAttributesSequence=[step]), instance())
    for name in ("RequestAttributesSequence.ScheduledProcedureStepID", "00400275.00400009"):
        (one,) = found(web, f"/series?{name}=SPS7&RequestAttributesSequence.RequestedProcedureID=RP*")
        assert one["00400275"]["Value"][0]["00400009"] == {"vr": "SH", "Value": ["SPS7"]}
        assert found(web, f"/series?{name}=SPS8") == []


def test_included_fields(archive: Archive, web: FlaskClient) -> None:
    store(archive, instance(StudyDescription="Head", InstitutionName="Riverside", Manufacturer="Acme"))
    assert "00081030" not in found(web, "/studies")[0]
    (study,) = found(web, "/studies?includefield=StudyDescription,00080080&includefield=PatientComments")
    assert study["00081030"]["Value"] == ["Head"]
    assert study["00080080"]["Value"] == ["Riverside"]
    assert study["00104000"] == {"vr": "LT"}
    (all_of_it,) = found(web, "/instances?includefield=all")
    assert {"00081030", "00080070", "00280100", "00201200"} <= set(all_of_it)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 126", "Διονυσιος"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_every_character_set_are_utf8(archive: Archive, web: FlaskClient, charset: str, name: str) -> None:
    store(archive, instance(SpecificCharacterSet=charset.split("\\"), PatientName=name))
    answer = web.get("/studies", query_string={"PatientName": name.partition("=")[0] + "*"})
    groups = dict(zip(("Alphabetic", "Ideographic", "Phonetic"), name.split("="), strict=False))
    (study,) = answer.get_json()
    assert study["00100010"] == {"vr": "PN", "Value": [groups]}
    assert study["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert name.split("=")[-1] in answer.data.decode("utf-8")


def test_pages(archive: Archive, web: FlaskClient) -> None:
    store(archive, *(instance() for _ in range(5)))
    every = values(found(web, "/studies"), STUDY)
    assert values(found(web, "/studies?limit=2"), STUDY) == every[:2]
    assert values(found(web, "/studies?limit=2&offset=4"), STUDY) == every[4:]
    assert found(web, "/studies?offset=5") == []
    assert found(web, "/studies?limit=0") == []


def test_a_longer_answer_than_the_server_gives_is_told(archive: Archive) -> None:
    store(archive, *(instance() for _ in range(3)))
    web = create_app(archive, WebOptions(prefix="", most_results=2)).test_client()
    answer = web.get("/studies")
    assert len(answer.get_json()) == 2
    assert answer.headers["Warning"].startswith("299 http://localhost: The number of results exceeded")
    assert "Warning" not in web.get("/studies?limit=2").headers


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("fuzzymatching=true", "The fuzzymatching parameter is not supported. Only literal matching"),
        ("emptyvaluematching=true", "Empty Value Matching has not been performed"),
        ("PatientBreedDescription=x", "Matching on PatientBreedDescription is not supported"),
        ("Modality=CT", "Matching on Modality is not supported"),
        ("00091001=x", "Matching on 00091001 is not supported"),
    ],
)
def test_what_is_not_supported_is_told_and_left_out(archive: Archive, web: FlaskClient, query: str, words: str) -> None:
    store(archive, instance())
    answer = web.get(f"/studies?{query}")
    assert answer.status_code == 200
    assert words in answer.headers["Warning"]


@pytest.mark.parametrize(
    "query",
    [
        "Nonsense=1",
        "includefield=Nonsense",
        "limit=-1",
        "limit=ten",
        "limit=1e3",
        "limit=%C2%B2",
        "offset=-1",
        "offset=99999999999999999999999",
        pytest.param("limit=" + "0" * 5000, id="limit=0…"),
        "fuzzymatching=maybe",
        "StudyDate=yesterday",
        "StudyDate=20260101-20260201-20260301",
        "StudyTime=noon",
        "StudyInstanceUID=1.2.x",
        "NumberOfStudyRelatedInstances=many",
        "PatientID=1&PatientID=2",
        "PatientID=" + "x" * 2000,
        "ProcedureCodeSequence=x",
        "PatientName.PatientID.Foo=x",
    ],
)
def test_bad_parameters_are_refused_in_words(web: FlaskClient, query: str) -> None:
    answer = web.get(f"/studies?{query}")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    told = answer.get_json()
    assert told["status"] == 400
    assert told["detail"].endswith(".")
    assert told["mend"].endswith(".")


@pytest.mark.parametrize("study", ["..", "1.2.x", "%2e%2e%2fetc", "1" * 65, "1..2", "x%00y"])
def test_what_is_no_uid_is_no_path(web: FlaskClient, study: str) -> None:
    assert web.get(f"/studies/{study}/series").status_code in (400, 404)


def test_a_uid_in_path_and_parameter_must_agree(web: FlaskClient) -> None:
    assert web.get("/studies/1.2.3/series?StudyInstanceUID=1.2.4").status_code == 400
    assert web.get("/studies/1.2.3/series?StudyInstanceUID=1.2.3").status_code == 204


def test_accepted_media_types(archive: Archive, web: FlaskClient) -> None:
    store(archive, instance())
    for accept in ("application/dicom+json", "application/json", "*/*", "text/html, application/*;q=0.1"):
        assert web.get("/studies", headers={"Accept": accept}).status_code == 200, accept
    assert web.get("/studies", headers={"Accept": "application/json"}).mimetype == "application/json"
    assert web.get("/studies?accept=application/json").mimetype == "application/json"
    for accept in ("application/dicom+json", "application/dicom%2Bjson"):
        assert web.get(f"/studies?accept={accept}", headers={"Accept": "text/html"}).status_code == 200
    for accept in ("text/html", 'multipart/related; type="application/dicom+xml"'):
        assert web.get("/studies", headers={"Accept": accept}).status_code == 406, accept
    assert web.get("/studies", headers={"Accept": "nonsense"}).status_code == 400
