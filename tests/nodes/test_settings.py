"""Settings of what is taken, answered and kept open, as administrators have them on real systems: seen on the wire."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.outcomes import AssociationFailure, FailureKind
from sandbox.dicom.syntaxes import ALL_TRANSFER_SYNTAXES, STORAGE_CLASSES, UNCOMPRESSED
from sandbox.nodes.objects_config import ObjectsConfig, chosen
from tests.nodes.conftest import Small

MakeSmall = Callable[..., Small]

CT = "1.2.840.10008.5.1.4.1.1.2"
SR = "1.2.840.10008.5.1.4.1.1.88.22"
JPEG = "1.2.840.10008.1.2.4.50"


def answer(small: Small, node: str, *contexts: tuple[str, str]) -> list[int]:
    """The results that ``node`` gives for these contexts, from PS3.8 table 9-18: 0 accepted, 3 and 4 refused."""
    peer = small.ct.caller.peer(node)
    assert peer is not None
    asked = [SupportedContext(sop_class, (syntax,)) for sop_class, syntax in contexts]
    opened = small.ct.caller.requestor.associate(peer, asked)
    if isinstance(opened, AssociationFailure):
        assert opened.kind is FailureKind.NO_ACCEPTED_CONTEXT, opened
    else:
        opened.release()
    return [context.result for context in opened.contexts]


@pytest.mark.parametrize("node", ["ROUTER", "ARCHIVE", "WS1"])
def test_sop_classes_and_transfer_syntaxes_are_those_of_the_configuration(make_small: MakeSmall, node: str) -> None:
    explicit, implicit = UNCOMPRESSED
    asked = ((CT, explicit), (CT, JPEG), (SR, explicit))
    taken = {"storage_classes": ["*ImageStorage"], "transfer_syntaxes": ["Implicit VR Little Endian", explicit]}
    small = make_small(**{node: taken})
    assert answer(small, node, *asked) == [0, 4, 3]
    small.change(node, storage_classes=[], transfer_syntaxes=[])
    assert answer(small, node, *asked) == [0, 0, 0]
    small.change(node, transfer_syntaxes=["JPEG*", "ImplicitVRLittleEndian"])
    assert answer(small, node, (CT, explicit), (CT, implicit), (CT, JPEG)) == [4, 0, 0]


def test_names_of_the_standard_are_read_as_people_write_them() -> None:
    assert chosen(["CT Image Storage"], STORAGE_CLASSES) == chosen(["ctimagestorage"], STORAGE_CLASSES) == (CT,)
    assert chosen([], STORAGE_CLASSES) == STORAGE_CLASSES
    assert chosen(["JPEG Baseline*", "Implicit*"], ALL_TRANSFER_SYNTAXES) == (JPEG, UNCOMPRESSED[1])
    with pytest.raises(ValidationError, match="no storage SOP class"):
        ObjectsConfig(ae_title="X", port=104, storage_classes=("CT Imge Storage",))


def test_a_query_ends_at_the_limit_with_success_and_a_line_in_the_log(make_small: MakeSmall) -> None:
    small = make_small(ARCHIVE={"query_limit": 2}, CT1={"send_to": []})
    for _ in range(3):
        assert small.ct.tools.send("ARCHIVE", small.scan(images=1).study_uid).ok
    found = small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {})
    assert found.ok
    assert len(found.rows) == 2
    small.wait_log("ARCHIVE", "2 matches; there are more")
    small.change("ARCHIVE", query_limit=3)
    assert len(small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {}).rows) == 3


def test_names_match_in_any_case_or_as_they_are_written(make_small: MakeSmall) -> None:
    small = make_small(CT1={"send_to": []})
    exam = small.scan(images=1)
    assert small.ct.tools.send("ARCHIVE", exam.study_uid).ok

    def found(name: str) -> int:
        answer = small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {"PatientName": name})
        assert answer.ok
        return len(answer.rows)

    written = exam.order.patient.name.partition("^")[0] + "*"
    other = written.swapcase()
    assert (found(written), found(other), found("")) == (1, 1, 1)
    small.change("ARCHIVE", match_names="as-written")
    assert (found(written), found(other), found(""), found("*")) == (1, 0, 1, 1)


def test_an_association_is_kept_for_the_next_object_and_ends_with_the_node(make_small: MakeSmall) -> None:
    small = make_small(CT1={"keep_association_s": 600})
    first, second = small.scan(images=1), small.scan(images=1)
    ids = {event.body.association for exam in (first, second) for event in small.wait_stored("ROUTER", exam)}  # type: ignore[attr-defined]
    assert len(ids) == 1
    assert small.ct.associations == 1
    small.ct.stop()
    small.wait("association.aborted", "ROUTER")


def test_a_kept_association_that_the_peer_has_ended_is_not_used_again(make_small: MakeSmall) -> None:
    small = make_small(CT1={"keep_association_s": 600})
    small.wait_stored("ROUTER", small.scan(images=1))
    small.router.restart()
    small.wait_stored("ROUTER", small.scan(images=1))
    assert not small.has("queue.failed", "CT1")


def test_a_kept_association_is_released_when_its_time_is_over(make_small: MakeSmall) -> None:
    small = make_small(CT1={"keep_association_s": 0.3})
    small.wait_stored("ROUTER", small.scan(images=1))
    small.wait("association.released", "ROUTER")


def test_without_transcoding_what_is_not_taken_is_not_sent(make_small: MakeSmall) -> None:
    small = make_small(CT1={"send_to": []}, WS1={"transfer_syntaxes": ["Implicit VR Little Endian"]})
    exam = small.scan(images=1)
    assert small.ct.tools.send("ARCHIVE", exam.study_uid).ok
    small.change("ARCHIVE", transcode=False)
    assert not small.workstation("WS1").retrieve(exam.study_uid).ok
    small.change("ARCHIVE", transcode=True)
    assert small.workstation("WS1").retrieve(exam.study_uid).ok
