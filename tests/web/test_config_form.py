"""The configuration form: drawn from the schema, read back without loss, and turned into what was edited."""

from __future__ import annotations

import re
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from sandbox.model.config import RemoteNode
from tests.web.conftest import Visitor
from tests.web.stand_in import RouterConfig, StandIn, router_config
from web.config_form import draw, read
from web.words import setting

SCHEMA = RouterConfig.model_json_schema()


class Form(HTMLParser):
    """What a browser would send of the page's configuration form."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.sent: MultiDict[str, str] = MultiDict()
        self._select = ""
        self._first = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "form":
            self.inside = known.get("id") == "config-form"
        if not self.inside or not (known.get("name") or tag == "option"):
            return
        if tag == "select":
            self._select = str(known["name"])
            self._first = True
        elif tag == "option":
            # As a browser does, the first option where none is selected.
            if self._first:
                self.sent[self._select] = str(known["value"])
            elif "selected" in known:
                self.sent.setlist(self._select, [str(known["value"])])
            self._first = False
        elif tag == "input" and (known.get("type") != "checkbox" or "checked" in known):
            self.sent.add(str(known["name"]), known.get("value") or "")


def line(name: str, ae_title: str, host: str, port: int, description: str = "") -> dict[str, Any]:
    """A line of the AE table with every field that such a line has."""
    written = RemoteNode(name=name, ae_title=ae_title, host=host, port=port, description=description)
    return written.model_dump(mode="json")


def filled(page: str) -> MultiDict[str, str]:
    form = Form()
    form.feed(page)
    form.sent.poplist("csrf_token")
    return form.sent


def test_form_sent_back_untouched_changes_nothing(visitor: Visitor, lab_path: str) -> None:
    form = filled(visitor.page(lab_path + "/nodes/ROUTER/configuration/"))
    wanted = read.values(SCHEMA, form)
    saved = router_config().model_dump(mode="json")
    assert read.without_keys(wanted) == saved
    assert not read.edit(saved, wanted)


def test_saving_says_only_what_was_edited(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    path = lab_path + "/nodes/ROUTER/configuration/"
    form = filled(visitor.page(path))
    form["remotes.0.ae_title"] = "ARCHIVE2"
    form["rules.1.conditions.0.value"] = "DX"
    form["retry.attempts"] = "7"
    form.poplist("check_called_ae")
    answer = visitor.client.post(path, data=MultiDict([*form.items(multi=True), ("csrf_token", visitor.token())]))
    assert answer.status_code == 302
    assert lab.commands[0]["params"] == {
        "node": "ROUTER",
        "set": {
            "check_called_ae": False,
            "remotes.ARCHIVE.ae_title": "ARCHIVE2",
            "rules.ct-to-ed.conditions": [{"attribute": "Modality", "test": "equals", "value": "DX"}],
            "retry.attempts": 7,
        },
    }
    page = visitor.page(path)
    assert "Saved but not running" in page
    assert "remotes.ARCHIVE.ae_title" in page
    assert "runs: ARCHIVE" in page
    assert "Discard saved changes" in page


def test_lines_are_added_and_removed_before_saving(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    path = lab_path + "/nodes/ROUTER/configuration/"
    token = visitor.token()

    def send(form: MultiDict[str, str], act: str) -> str:
        data = MultiDict([*form.items(multi=True), ("csrf_token", token), ("act", act)])
        return visitor.client.post(path, data=data, headers={"HX-Request-Type": "partial"}).text

    part = send(filled(visitor.page(path)), "add:remotes")
    assert 'name="remotes.2.name"' in part
    assert "autofocus" in part
    part = send(filled(part), "add:rules.0.conditions")
    form = filled(send(filled(part), "remove:rules.1"))
    form["remotes.2.name"], form["remotes.2.ae_title"] = "NEW", "NEW"
    form["remotes.2.host"], form["remotes.2.port"] = "new.example", "104"
    form["rules.0.conditions.0.attribute"], form["rules.0.conditions.0.value"] = "Modality", "MR"
    assert not lab.commands
    send(form, "save")
    assert lab.commands[0]["params"] == {
        "node": "ROUTER",
        "set": {"rules.to-archive.conditions": [{"attribute": "Modality", "test": "equals", "value": "MR"}]},
        "add": {"remotes": [line("NEW", "NEW", "new.example", 104)]},
        "remove": ["rules.ct-to-ed"],
    }


def test_what_the_lab_refuses_stays_in_the_form_at_its_field(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    path = lab_path + "/nodes/ROUTER/configuration/"
    form = filled(visitor.page(path))
    form["remotes.1.port"] = "99999"
    data = MultiDict([*form.items(multi=True), ("csrf_token", visitor.token())])
    answer = visitor.client.post(path, data=data)
    assert answer.status_code == 400
    assert "Nothing was saved." in answer.text
    assert 'value="99999"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert lab.saved == router_config()


@pytest.mark.parametrize("typed", ["nan", "inf", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused_at_its_field(
    visitor: Visitor, lab: StandIn, lab_path: str, typed: str
) -> None:
    path = lab_path + "/nodes/ROUTER/configuration/"
    form = filled(visitor.page(path))
    form["retry.first_s"] = typed
    data = MultiDict([*form.items(multi=True), ("csrf_token", visitor.token())])
    answer = visitor.client.post(path, data=data)
    assert answer.status_code == 400
    assert "retry.first_s: this is no number that a setting can have." in answer.text
    assert len(re.findall(r'name="retry.first_s"[^>]*aria-invalid="true"', answer.text)) == 1
    assert not lab.commands


def test_a_line_at_no_position_is_no_line(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    path = lab_path + "/nodes/ROUTER/configuration/"
    form = filled(visitor.page(path))
    for position in ("²", "x", "-1", "1" * 5000):
        form[f"remotes.{position}.{read.KEY}"] = "ARCHIVE"
    data = MultiDict([*form.items(multi=True), ("csrf_token", visitor.token())])
    assert visitor.client.post(path, data=data).status_code == 302
    assert not lab.commands


def test_a_renamed_line_is_the_same_line_and_its_name_comes_last() -> None:
    saved = router_config().model_dump(mode="json")
    wanted = deepcopy(saved)
    for row in [*wanted["remotes"], *wanted["rules"]]:
        row[read.KEY] = row["name"]
    wanted["remotes"][0] |= {"name": "PACS", "port": 104}
    assert list(read.edit(saved, wanted).set.items()) == [
        ("remotes.ARCHIVE.port", 104),
        ("remotes.ARCHIVE.name", "PACS"),
    ]


def test_a_chosen_name_that_is_no_longer_in_the_table_stays_visible() -> None:
    saved = router_config().model_dump(mode="json")
    saved["send_to"] = ["GONE"]
    sections = draw.sections(SCHEMA, draw.Drawing(saved, saved))
    field = next(field for section in sections for field in section.fields if field.name == "send_to")
    assert [(option.text, option.chosen) for option in field.options] == [
        ("ARCHIVE", False),
        ("WS2", False),
        ("GONE (not in the table)", True),
    ]


def test_groups_units_and_limits_come_from_the_schema() -> None:
    saved = router_config().model_dump(mode="json")
    sections = {section.title: section for section in draw.sections(SCHEMA, draw.Drawing(saved, saved))}
    titles = ["Identity", "Who may connect", "Limits and timeouts", "AE table", "Routing", "Retry"]
    assert [title for title in sections if title in titles] == titles
    port = sections["Identity"].fields[1]
    assert (port.kind, port.minimum, port.maximum, port.step) == ("number", "1", "65535", "1")
    assert sections["Retry"].fields[0].unit == "s"
    rules = sections["Routing"].tables[0]
    assert not rules.is_flat
    assert [option.text for option in rules.rows[0].fields[-1].options] == ["STAT", "High", "Normal", "Low"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            line,
            name=st.sampled_from("ABCDEF"),
            ae_title=st.sampled_from(["X", "Y"]),
            host=st.just("h"),
            port=st.integers(1, 65535),
            description=st.text(max_size=8),
        ),
        max_size=4,
        unique_by=lambda row: row["name"],
    )
)
def test_any_edit_of_the_table_arrives_whole(rows: list[dict[str, Any]]) -> None:
    lab = StandIn()
    saved = lab.saved.model_dump(mode="json")
    known = {row["name"] for row in saved["remotes"]}
    wanted = {**saved, "rules": [{**row, read.KEY: row["name"]} for row in saved["rules"]]}
    wanted["remotes"] = [{**row, read.KEY: row["name"] if row["name"] in known else ""} for row in rows]
    edit = read.edit(saved, wanted)
    lab.execute("node.config.save", edit.params())
    arrived = lab.saved.model_dump(mode="json")["remotes"]
    assert sorted(arrived, key=str) == sorted(rows, key=str)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "nothing"), (True, "on"), ([], "nothing"), (["a", "b"], "a, b"), ("", "empty"), (104, "104")],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert setting(value) == words
