"""Following a study, headers and the map, over a stand-in lab: what pages say, and where they lead."""

from __future__ import annotations

from itertools import combinations

import pytest

from sandbox.lab.site import load_site
from sandbox.model.header_view import HeaderLine
from sandbox.model.view import Flow, LabView
from tests.web.conftest import Visitor
from tests.web.stand_in import NOW, StandIn, node
from web.department_map import BOX_H, BOX_W, Area, DepartmentMap, _shared, draw
from web.hanging import RULES, Hung, hang
from web.pages.headers import matching


def test_one_match_leads_to_the_study_and_several_are_listed(visitor: Visitor, lab_path: str) -> None:
    answer = visitor.get(lab_path + "/follow/?q=A1")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/follow/1.2.3")
    page = visitor.page(lab_path + "/follow/?q=00123")
    assert "2 studies match" in page
    assert "In part on ARCHIVE (8 of 12)." in page
    assert "Nothing in the department matches" in visitor.page(lab_path + "/follow/?q=nobody")
    assert visitor.get(lab_path + "/follow/9.9").status_code == 404


def test_a_study_is_told_node_by_node(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/follow/1.2.3")
    for words in (
        "CT1 has all 12 images. In part on ARCHIVE (8 of 12). Waiting at ROUTER. Not on WS2.",
        "8 of 12",
        "next try in 9 s",
        "No matching rule names WS2.",
        "CT1: 8 committed.",
        "entry 3 of the journal",
        "The copies tell different things",
    ):
        assert words in page
    for address in (
        "/associations/a-1",
        "/nodes/CT1/instances/1.2.3.4/header",
        "/nodes/ROUTER/queue/?destination=ARCHIVE",
    ):
        assert lab_path + address in page


def test_the_map_shows_a_study_by_shape_and_in_words(visitor: Visitor, lab_path: str) -> None:
    part = visitor.get(lab_path + "/follow/1.2.3/map", part=True).text
    assert part.lstrip().startswith('<div id="map"')
    for presence in ("has-whole", "has-part", "has-passing", "has-none"):
        assert presence in part
    assert 'aria-label="ARCHIVE ARCHIVE:104 8 of 12.' in part
    assert '<th scope="col">This study</th>' in part


def test_a_header_is_searched_and_nested_lines_keep_what_is_around_them(visitor: Visitor, lab_path: str) -> None:
    address = lab_path + "/nodes/CT1/instances/1.2.3.4/header"
    page = visitor.page(address)
    for words in ("(0010,0020)", "PatientID", "00123", "private", "2 more lines are left out."):
        assert words in page
    part = visitor.get(address + "?q=0040,0007", part=True).text
    assert "StepDescription" in part
    assert "Item 1" in part
    assert "RequestAttributesSequence" in part
    assert "PatientID" not in part
    assert "No element matches" in visitor.get(address + "?q=nothing", part=True).text
    assert visitor.get(lab_path + "/nodes/CT1/instances/9.9.9/header").status_code == 409


def test_matching_goes_by_tag_keyword_and_value() -> None:
    line = HeaderLine(path="00100020", depth=0, tag="(0010,0020)", vr="LO", keyword="PatientID", value="00123")
    for words in ("0010,0020", "(0010, 0020)", "patientid", "0123", ""):
        assert matching([line], words) == (line,), words
    assert matching([line], "PatientName") == ()


def test_differences_are_told_in_words_and_what_is_the_same_is_folded(visitor: Visitor, lab_path: str) -> None:
    address = lab_path + "/nodes/CT1/instances/1.2.3.4/compare"
    page = visitor.page(address + "?with_node=ARCHIVE")
    for words in (
        "3 elements differ; 2 are the same.",
        "The pixel data differ.",
        "Differs",
        "Only in CT1",
        "not there",
    ):
        assert words in page
    assert '<details class="card header-same">' in page
    assert "The headers are the same: 2 elements" in visitor.page(address + "?with_node=CT1")
    assert visitor.get(address).status_code == 302


def test_the_viewer_is_told_why_there_is_no_image(visitor: Visitor, lab_path: str) -> None:
    address = lab_path + "/nodes/ARCHIVE/instances/9.9.9/frames/1.png"
    told = visitor.client.get(address, headers={"Accept": "image/png, application/json"})
    assert (told.status_code, told.json["mend"]) == (409, "Retrieve it again.")
    assert "pixel data are damaged" in told.json["sentence"]
    assert "text/html" in visitor.get(address).headers["Content-Type"]
    facts = visitor.get(lab_path + "/nodes/ARCHIVE/instances/1.2.3.4/facts.json").json
    assert facts["spacing"] == [0.5, 0.5]


# --- hanging ---------------------------------------------------------------------------------------------------------


def ct(text: str, prior: bool = False) -> Hung:
    return Hung("CT", "CT HEAD W/O CONTRAST", text, prior)


def test_a_study_hangs_beside_its_prior() -> None:
    found = hang([ct("SCOUT"), ct("HEAD AXIAL"), ct("SCOUT", True), ct("HEAD AXIAL", True)])
    assert found.rule is not None
    assert (found.rule.name, found.layout, found.places) == ("CT head with the prior", "1x2", (1, 3))
    alone = hang([ct("SCOUT"), ct("HEAD AXIAL")])
    assert (alone.layout, alone.places) == ("1x1", (1,))


def test_a_renamed_series_hangs_nowhere_and_the_rule_that_looked_is_named() -> None:
    found = hang([ct("SCOUT"), ct("HEAD_AX_5.0_V12")])
    assert found.rule is None
    assert (found.layout, found.places) == ("1x1", (0,))
    assert [rule.name for rule in found.tried] == ["CT head with the prior"]
    assert not hang([Hung("XA", "ANGIO", "RUN 1")]).tried


def test_what_is_no_image_is_never_hung() -> None:
    assert hang([Hung("SR", "CT HEAD", "DOSE", has_images=False)]).places == (None,)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_place_for_the_study_itself(rule: object) -> None:
    assert any(not slot.prior for slot in rule.slots)  # type: ignore[attr-defined]
    assert len(rule.slots) <= 4  # type: ignore[attr-defined]


def test_the_viewer_says_when_no_rule_matches(visitor: Visitor, lab_path: str) -> None:
    page = visitor.page(lab_path + "/nodes/ARCHIVE/studies/1.2.3/view")
    assert "No hanging rule matches." in page


# --- the map ---------------------------------------------------------------------------------------------------------


def labelled(site: str) -> DepartmentMap:
    """A busy day in a site: every flow with counts, every destination with two rules of long names."""
    declared = load_site(site)
    nodes = tuple(node(each.name, each.role, each.x, each.y) for each in declared.nodes)
    flows = []
    for each in declared.nodes:
        config = each.config
        rules = [(name, rule["name"]) for rule in config.get("rules", ()) for name in rule["destinations"]]
        sends = [(name, "") for name in config.get("send_to", ())]
        for target, rule in [*rules, *sends]:
            label = f"{rule}, a-rule-with-a-long-name" if rule else ""
            flows.append(
                Flow(source=each.name, target=target, label=label, sent=120, failed=3, waiting=40, last_at=NOW)
            )
    lab = StandIn().lab().model_copy(update={"nodes": nodes, "flows": tuple(flows)})
    assert isinstance(lab, LabView)
    return draw(lab)


@pytest.mark.parametrize("site", ["riverside", "lakeside"])
def test_no_label_lies_on_a_node_or_on_another_label(site: str) -> None:
    drawn = labelled(site)
    labels = [wire.label for wire in drawn.wires if wire.label.width]
    assert labels
    boxes = [Area(box.node.name, box.x, box.y, BOX_W, BOX_H) for box in drawn.boxes]
    assert [(one, other) for one, other in combinations(labels, 2) if _shared(one, other)] == []
    assert [(label, box.name) for label in labels for box in boxes if _shared(label, box)] == []
    for label in labels:
        assert label.x >= 0
        assert label.x + label.width <= drawn.width


def test_lines_move_only_while_something_passes() -> None:
    lab = StandIn().lab()
    live = {(wire.flow.source, wire.flow.target): wire.is_live for wire in draw(lab).wires}
    assert live == {("CT1", "ROUTER"): False, ("ROUTER", "WS2"): True}
    old = tuple(flow.model_copy(update={"last_at": NOW.replace(hour=8)} if flow.last_at else {}) for flow in lab.flows)
    assert not any(wire.is_live for wire in draw(lab.model_copy(update={"flows": old})).wires)
