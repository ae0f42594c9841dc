"""Lines of a node's log that must stay readable whatever a peer sends."""

from __future__ import annotations

import socket
import struct

from pydicom.dataset import Dataset

from sandbox.dicom import syntaxes
from sandbox.dicom.client import Association
from sandbox.dicom.contract import Peer, SupportedContext
from sandbox.nodes.words import query_in_words
from tests.nodes.conftest import Small


def test_several_values_stand_as_in_the_data_set() -> None:
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.ModalitiesInStudy = ["CT", "MR"]
    query.PatientName = "SM*"
    assert query_in_words(query) == "STUDY ModalitiesInStudy=CT\\MR PatientName=SM*"


def test_a_class_proposed_again_and_again_is_refused_in_one_line(small: Small) -> None:
    contexts = [
        SupportedContext(find.abstract_syntax, (transfer,))
        for find in syntaxes.query_retrieve_find()[:1]
        for transfer in (syntaxes.IMPLICIT_VR_LITTLE_ENDIAN, syntaxes.EXPLICIT_VR_LITTLE_ENDIAN)
    ]
    association = small.ct.caller.requestor.associate(Peer("ROUTER", "198.18.20.20", 104), contexts)
    if isinstance(association, Association):
        association.release()
    small.wait_until(lambda: any("not accepted" in line for line in small.log("ROUTER")))
    told = [line for line in small.log("ROUTER") if "not accepted" in line]
    assert len(told) == 1, told
    assert told[0].startswith("Presentation contexts 1, 3 (")


def test_a_caller_without_a_title_has_a_name_in_the_log(small: Small) -> None:
    host, _, port = small.router.published.partition(":")
    names = b"ROUTER".ljust(16) + b" " * 16
    context_name = b"1.2.840.10008.3.1.1.1"
    body = struct.pack(">HH", 1, 0) + names + bytes(32) + struct.pack(">BBH", 0x10, 0, len(context_name)) + context_name
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(struct.pack(">BBI", 1, 0, len(body)) + body)
        assert connection.recv(1) == b"\x03"
    told = small.wait_log("ROUTER", "rejected")
    assert "(no AE title), calling AE title not recognised (1/1/3)" in told


def test_instances_of_a_get_are_sent_by_the_acceptor(small: Small) -> None:
    exam = small.scan(images=2)
    small.wait_stored("ARCHIVE", exam)
    assert small.workstation("WS1").tools.get("ARCHIVE", "STUDY", {"StudyInstanceUID": exam.study_uid}).ok
    told = small.wait_log("ARCHIVE", "from WS1.*released")
    assert told.endswith("released: 2 instances sent")
    mine = small.wait_log("WS1", "to ARCHIVE.*released")
    assert "2 instances" in mine
    assert mine.endswith("stored")
