"""Commands that need no page of their own: drawn from what the lab says of them, and given as they were filled in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.model.errors import BadInputError
from tests.web.conftest import Visitor
from tests.web.stand_in import StandIn
from web.command_forms import CommandInfo
from web.pages import service


def test_a_node_offers_what_is_done_to_it_and_an_archive_its_own(visitor: Visitor, lab_path: str) -> None:
    scanner, archive = visitor.page(f"{lab_path}/nodes/CT1/service"), visitor.page(f"{lab_path}/nodes/ARCHIVE/service")
    for words in ("Change address", "Renew certificate", "Set the clock", "Call service"):
        assert words in scanner
        assert words in archive
    assert "Reindex" in archive
    assert "Reindex" not in scanner
    assert "Send C-ECHO" not in scanner, "that has a place of its own"


def test_what_was_filled_in_is_given(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    form = {"command": "node.readdress", "node.readdress.address": "198.18.10.77", "node.hosts.set.name": "other"}
    visitor.post(f"{lab_path}/nodes/CT1/service", form, part=True)
    asked = lab.commands[-1]
    assert (asked["command"], asked["params"]) == ("node.readdress", {"node": "CT1", "address": "198.18.10.77"})


def test_a_firewall_rule_is_added_with_its_numbers(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    name = "network.firewall.add"
    form = {"source": "servers", "target": "WS1", "port": "104", "action": "allow", "note": "", "position": "2"}
    visitor.post(f"{lab_path}/network", {"command": name} | {f"{name}.{key}": value for key, value in form.items()})
    expected = {"source": "servers", "target": "WS1", "port": 104, "action": "allow", "position": 2}
    assert lab.commands[-1]["params"] == expected
    visitor.post(f"{lab_path}/network", {"command": name, f"{name}.port": "", f"{name}.action": "drop"})
    assert lab.commands[-1]["params"] == {"action": "drop"}


def test_values_by_free_keys_are_a_line_of_text(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    path = f"{lab_path}/nodes/ARCHIVE/service"
    form = {
        "command": "archive.edit",
        "archive.edit.values": "PatientName=A^B; PatientSex=F",
        "archive.edit.reason": "x",
    }
    visitor.post(path, form, part=True)
    assert lab.commands[-1]["params"]["values"] == {"PatientName": "A^B", "PatientSex": "F"}
    answer = visitor.post(path, form | {"archive.edit.values": "nonsense"}, part=True)
    assert "has no equals sign" in answer.text


def test_what_a_lab_refuses_is_said_where_it_was_asked(
    visitor: Visitor, lab: StandIn, lab_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, params: dict[str, object]) -> None:
        raise BadInputError(f"{name} cannot be.", "Another way.")

    monkeypatch.setattr(lab, "execute", refuse)
    answer = visitor.post(f"{lab_path}/network", {"command": "network.dns.set", "network.dns.set.name": "ct1"})
    assert answer.status_code == 200
    assert "network.dns.set cannot be." in answer.text


def test_only_commands_of_the_page_are_given(visitor: Visitor, lab: StandIn, lab_path: str) -> None:
    before = len(lab.commands)
    assert visitor.post(f"{lab_path}/network", {"command": "lab.reset"}).status_code == 400
    assert visitor.post(f"{lab_path}/nodes/CT1/service", {"command": "archive.reindex"}).status_code == 400
    assert len(lab.commands) == before


def test_what_a_room_does_to_its_own_images_stands_where_it_is_done(visitor: Visitor, lab_path: str) -> None:
    scanner, screen = visitor.page(f"{lab_path}/nodes/CT1/service"), visitor.page(f"{lab_path}/nodes/WS2/service")
    assert "exam.correct" in scanner
    assert "study.remove" not in scanner
    assert "study.remove" in screen
    assert "exam.correct" not in screen


def test_a_drills_own_acts_are_no_service_of_a_node() -> None:
    """They have their places, and a mode may forbid them there."""
    about_a_node = {"properties": {"node": {"type": "string"}}}
    names = ("attempt.diagnose", "attempt.pin", "node.clock.sync")
    client: Any = SimpleNamespace(
        node=lambda name: SimpleNamespace(role="modality"),
        commands=lambda: tuple(CommandInfo(name=name, title=name, help="", schema=about_a_node) for name in names),
    )
    assert [info.name for info in service._of_node(client, "CT1")] == ["node.clock.sync"]
