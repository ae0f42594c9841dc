"""Lines for one's own tools against the published ports of a lab: ready to be copied, and right as they stand.

Values only: no page and no lab in here, so that tests run the very lines that people copy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from shlex import quote

from flask_babel import LazyString, lazy_gettext

from sandbox.model.view import NodeView

OWN_TITLE = "MYTOOL"
OWN_PORT = 11113
FOLDER = "from-the-lab"
ORTHANC_START = "Orthanc orthanc.json"
_JSON = "'Accept: application/dicom+json'"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,15}\Z")


@dataclass(frozen=True)
class Reach:
    """A node as an outside tool reaches it, and what is known of it that makes lines work: the AE titles it lets in
    (``friends``), one to which it can send (``destination``) and one study that it has."""

    name: str
    title: str
    host: str
    port: int
    has_archive: bool = False
    friends: tuple[str, ...] = ()
    destination: str = ""
    study: str = ""
    dicomweb: str = ""


@dataclass(frozen=True)
class Line:
    """One thing to copy; ``about`` says what it does."""

    about: LazyString
    text: str


def reach_of(node: NodeView, friends: Iterable[str], destination: str = "", study: str = "") -> Reach | None:
    """A node as it is published; None for one that has not listened yet."""
    host, colon, port = node.published.rpartition(":")
    if not colon or not port.isdigit():
        return None
    has = "studies" in node.abilities and node.role == "archive"
    return Reach(node.name, node.ae_title, host, int(port), has, tuple(friends), destination, study, node.dicomweb)


def safe_title(text: str) -> str:
    """An AE title as it may stand in a command line; empty for what is none."""
    text = text.strip()
    return text if _SAFE.match(text) else ""


def dcmtk(at: Reach, own: str) -> tuple[Line, ...]:
    """dcmtk's commands in an order in which each can work with what the one before has brought."""
    who = f"-aet {quote(own)} -aec {quote(at.title)}"
    where = f"{at.host} {at.port}"
    lines = [Line(lazy_gettext("Is it there, and does it let you in?"), f"echoscu -v {who} {where}")]
    if not at.has_archive:
        lines.append(Line(lazy_gettext("Send an image of your own"), f"storescu -v {who} {where} image.dcm"))
        return tuple(lines)
    study = at.study or "1.2.3"
    key = f"-k QueryRetrieveLevel=STUDY -k StudyInstanceUID={study}"
    lines += [
        Line(
            lazy_gettext("What does it have? Narrow it with a value, such as -k PatientName='A*'"),
            f"findscu -v -S {who} -k QueryRetrieveLevel=STUDY -k PatientName -k StudyDate -k StudyInstanceUID {where}",
        ),
        Line(
            lazy_gettext("Fetch a study into a folder, over the same association"),
            f"mkdir -p {FOLDER} && getscu -v -S {who} -od {FOLDER} {key} {where}",
        ),
        Line(lazy_gettext("Look into what came"), f"dcmdump +sd +P PatientName +P StudyInstanceUID {FOLDER}"),
        Line(lazy_gettext("Send it (here: back to where it came from)"), f"storescu -v {who} +sd {where} {FOLDER}"),
    ]
    if at.destination:
        lines.append(
            Line(
                lazy_gettext("Have it sent to an AE that the archive knows"),
                f"movescu -v -S {who} -aem {quote(at.destination)} {key} {where}",
            )
        )
    return tuple(lines)


def dcm4che(at: Reach, own: str) -> tuple[Line, ...]:
    """The same with the tools of dcm4che."""
    who = f"-c {quote(f'{at.title}@{at.host}:{at.port}')} -b {quote(own)}"
    lines = [Line(lazy_gettext("C-ECHO: storescu without a file"), f"storescu {who}")]
    if not at.has_archive:
        return (*lines, Line(lazy_gettext("Send an image of your own"), f"storescu {who} image.dcm"))
    study = at.study or "1.2.3"
    return (
        *lines,
        Line(
            lazy_gettext("Query studies"), f"findscu {who} -L STUDY -m PatientName='*' -r StudyInstanceUID -r StudyDate"
        ),
        Line(lazy_gettext("Fetch a study"), f"getscu {who} -L STUDY -m StudyInstanceUID={study} --directory {FOLDER}"),
        Line(lazy_gettext("Send a folder"), f"storescu {who} {FOLDER}"),
        *(
            [
                Line(
                    lazy_gettext("Have it sent to an AE that the archive knows"),
                    f"movescu {who} -L STUDY -m StudyInstanceUID={study} --dest {quote(at.destination)}",
                )
            ]
            if at.destination
            else []
        ),
    )


def python(at: Reach, own: str) -> str:
    """A C-ECHO, or a query of an archive, with pynetdicom."""
    head = f"""from pynetdicom import AE

ae = AE(ae_title={own!r})
ae.add_requested_context("1.2.840.10008.1.1")  # Verification
association = ae.associate({at.host!r}, {at.port}, ae_title={at.title!r})
if association.is_established:
    print(association.send_c_echo().Status)
    association.release()
"""
    if not at.has_archive:
        return head
    return f"""from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as StudyRoot

query = Dataset()
query.QueryRetrieveLevel = "STUDY"
query.PatientName = "*"
query.StudyInstanceUID = ""

ae = AE(ae_title={own!r})
ae.add_requested_context(StudyRoot)
association = ae.associate({at.host!r}, {at.port}, ae_title={at.title!r})
if association.is_established:
    for status, answer in association.send_c_find(query, StudyRoot):
        if answer is not None:
            print(answer.PatientName, answer.StudyInstanceUID)
    association.release()
"""


def dicomweb(at: Reach) -> tuple[Line, ...]:
    """QIDO-RS and WADO-RS by curl; nothing where the node has no DICOMweb."""
    if not at.dicomweb:
        return ()
    base = at.dicomweb.rstrip("/")
    lines = [
        Line(
            lazy_gettext("Studies, as DICOM JSON"),
            f"curl -s -H {_JSON} '{base}/studies?limit=5'",
        ),
    ]
    if at.study:
        one = f"{base}/studies/{at.study}"
        accept = "multipart/related; type=application/dicom"
        lines += [
            Line(lazy_gettext("Series of a study"), f"curl -s -H {_JSON} '{one}/series'"),
            Line(lazy_gettext("A study whole"), f"curl -s -H 'Accept: {accept}' -o study.multipart '{one}'"),
        ]
    return tuple(lines)


def orthanc(reached: Iterable[Reach], own: str, port: int) -> str:
    """An orthanc.json that knows every published node of the lab, each by its name in small letters."""
    return json.dumps(
        {
            "Name": "Beside the PACS Sandbox",
            "StorageDirectory": "OrthancStorage",
            "IndexDirectory": "OrthancStorage",
            "HttpPort": 8042,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": own,
            "DicomPort": port,
            "DicomCheckCalledAet": False,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {at.name.lower(): [at.title, at.host, at.port] for at in reached},
        },
        indent=2,
    )


def orthanc_lines(at: Reach) -> tuple[Line, ...]:
    """What to ask Orthanc for once it runs with that file."""
    name = at.name.lower()
    base = f"http://127.0.0.1:8042/modalities/{name}"
    lines = [Line(lazy_gettext("C-ECHO from Orthanc"), f"curl -s -X POST {base}/echo -d '{{}}'")]
    if at.has_archive:
        asked = '{"Level": "Study", "Query": {"PatientName": "A*"}}'
        lines.append(Line(lazy_gettext("Query from Orthanc"), f"curl -s -X POST {base}/query -d '{asked}'"))
    return tuple(lines)
