"""The history of a department's configuration: who changed what, what waits for a restart, what puts a value back."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox.events.event import FAULT
from sandbox.events.log import because
from sandbox.lab.api import inspecting
from sandbox.lab.api.inspecting import HistoryPage
from sandbox.lab.changes import title_of
from sandbox.lab.lab import Lab
from sandbox.model.config_path import with_value, without
from sandbox.model.history_view import ChangeKind, ChangeLine, HistoryEntry, Undo
from sandbox.model.view import AttemptState
from sandbox.nodes.modality import ModalityConfig
from sandbox.nodes.router import RouterConfig
from tests.lab.support import do

WS3 = {"name": "WS3", "ae_title": "WS3", "host": "198.18.30.43", "port": 104}


@pytest.fixture(autouse=True)
def _as_before(lab: Lab) -> Iterator[None]:
    yield
    lab.attempt = None
    do(lab, "lab.reset")


def newest(lab: Lab, kind: ChangeKind, node: str = "") -> HistoryEntry:
    return next(one for one in inspecting.history(lab, HistoryPage(node=node)).entries if one.kind is kind)


def only(entry: HistoryEntry) -> ChangeLine:
    (change,) = entry.changes
    return change


def put_back(lab: Lab, node: str, undo: Undo | None) -> None:
    assert undo is not None
    params = {name: value for name, value in undo.model_dump(mode="json").items() if value}
    do(lab, "node.config.save", node=node, **params)


def test_a_setting_waits_runs_and_is_put_back(lab: Lab) -> None:
    do(lab, "node.config.save", actor="trainee:anna", node="WS1", set={"dimse_timeout_s": 12})
    entry = newest(lab, ChangeKind.CONFIGURATION)
    change = only(entry)
    assert (entry.node, entry.who, entry.sentence) == ("WS1", "trainee:anna", "Configuration saved.")
    assert (change.path, change.before, change.after, change.title) == ("dimse_timeout_s", 30.0, 12.0, "DIMSE timeout")
    assert (change.waits, change.is_back, change.field) == (True, False, "dimse_timeout_s")
    assert "WS1" in inspecting.history(lab, HistoryPage()).waiting
    do(lab, "node.restart", actor="trainee:anna", node="WS1")
    assert newest(lab, ChangeKind.STATE, "WS1").sentence == "Restarted: what was saved runs."
    assert not only(newest(lab, ChangeKind.CONFIGURATION)).waits
    put_back(lab, "WS1", change.undo)
    assert lab.department.node("WS1").saved.dimse_timeout_s == 30
    again, before = [
        one for one in inspecting.history(lab, HistoryPage(node="WS1")).entries if one.kind is ChangeKind.CONFIGURATION
    ][:2]
    assert only(again).waits
    assert (only(before).waits, only(before).is_back, only(before).undo) == (False, True, None)


def test_a_line_that_came_or_went_is_one_change(lab: Lab) -> None:
    do(lab, "node.config.save", node="ROUTER", add={"remotes": WS3})
    came = only(newest(lab, ChangeKind.CONFIGURATION))
    assert (came.path, came.before, came.whole) == ("remotes.WS3", None, "remotes.WS3")
    assert came.after["host"] == "198.18.30.43"
    assert came.waits
    put_back(lab, "ROUTER", came.undo)
    assert lab.department.node("ROUTER").saved.remote("WS3") is None
    went = only(newest(lab, ChangeKind.CONFIGURATION))
    assert (went.path, went.after) == ("remotes.WS3", None)
    put_back(lab, "ROUTER", went.undo)
    remote = lab.department.node("ROUTER").saved.remote("WS3")
    assert remote is not None
    assert (remote.ae_title, remote.port) == ("WS3", 104)


def test_a_rule_with_conditions_is_put_back_whole(lab: Lab) -> None:
    node = lab.department.node("ROUTER")
    config = cast(RouterConfig, node.saved)
    rule = next(rule for rule in config.rules if rule.conditions)
    do(lab, "node.config.save", node="ROUTER", remove=[f"rules.{rule.name}"])
    put_back(lab, "ROUTER", only(newest(lab, ChangeKind.CONFIGURATION)).undo)
    again = cast(RouterConfig, node.saved)
    assert next(each for each in again.rules if each.name == rule.name) == rule


def test_what_the_network_team_changed_is_told_with_old_and_new(lab: Lab) -> None:
    do(lab, "network.dns.set", actor="trainee:anna", name="archive2", address="198.18.20.30")
    entry = newest(lab, ChangeKind.NETWORK)
    assert (entry.who, entry.node) == ("trainee:anna", "")
    assert (only(entry).path, only(entry).before, only(entry).after) == ("dns.archive2", None, "198.18.20.30")
    do(lab, "network.dns.set", name="archive2", address="198.18.20.31")
    assert (only(newest(lab, ChangeKind.NETWORK)).before, only(newest(lab, ChangeKind.NETWORK)).after) == (
        "198.18.20.30",
        "198.18.20.31",
    )
    rule = {"source": "any", "target": "ARCHIVE", "port": 11112, "action": "drop"}
    do(lab, "network.firewall.add", **rule)
    assert only(newest(lab, ChangeKind.NETWORK)).after == "drop any to ARCHIVE, port 11112"
    do(lab, "network.firewall.remove", **rule)
    assert only(newest(lab, ChangeKind.NETWORK)).before == "drop any to ARCHIVE, port 11112"
    do(lab, "node.hosts.set", node="WS1", name="archive", address="198.18.20.30")
    entry = newest(lab, ChangeKind.NETWORK, "WS1")
    assert (entry.node, only(entry).title) == ("WS1", "Hosts table of WS1: archive")


def test_calls_to_service_and_resets_are_in_it(lab: Lab) -> None:
    do(lab, "node.clock.sync", node="CT1")
    assert "clock of CT1" in newest(lab, ChangeKind.SERVICE, "CT1").sentence
    do(lab, "lab.reset")
    assert newest(lab, ChangeKind.LAB).sentence == "The department was put back to its start."


def test_what_a_fault_did_is_hidden_while_the_drill_runs(lab: Lab) -> None:
    node = lab.department.node("WS1")
    with because(None, FAULT):
        node.save(with_value(node.saved, "dimse_timeout_s", 1))
        node.restart()
    seq = len(lab.events)
    do(lab, "node.config.save", node="WS2", set={"dimse_timeout_s": 9})
    drill = SimpleNamespace(state=AttemptState.RUNNING, close=lambda: None)
    lab.attempt = cast(Any, drill)
    shown = inspecting.history(lab, HistoryPage()).entries
    assert [one.node for one in shown if one.kind is ChangeKind.CONFIGURATION][:1] == ["WS2"]
    assert not any(one.node == "WS1" and one.seq <= seq and one.who == FAULT for one in shown)
    assert not any(one.for_later for one in shown)
    lab.attempt = None
    told = next(one for one in inspecting.history(lab, HistoryPage(node="WS1")).entries if one.changes)
    assert (told.who, told.for_later, told.changes[0].after) == (FAULT, True, 1.0)


def test_what_came_back_by_a_hidden_hand_is_not_called_back(lab: Lab) -> None:
    """It would say what is broken: the setting that somebody once made is the old one again, and nobody did it."""
    made = WS3 | {"name": "WS4", "ae_title": "WS4"}
    do(lab, "node.config.save", actor="trainee:anna", node="WS1", set={"dimse_timeout_s": 12}, add={"remotes": made})
    node = lab.department.node("WS1")
    with because(None, FAULT):
        node.save(without(with_value(node.saved, "dimse_timeout_s", 30.0), "remotes.WS4"))
    lab.attempt = cast(Any, SimpleNamespace(state=AttemptState.RUNNING, close=lambda: None))
    assert [(one.is_back, one.undo) for one in newest(lab, ChangeKind.CONFIGURATION).changes] == [(False, None)] * 2
    lab.attempt = None
    entries = inspecting.history(lab, HistoryPage(node="WS1")).entries
    told = next(one for one in entries if one.kind is ChangeKind.CONFIGURATION and one.who == "trainee:anna")
    assert [one.is_back for one in told.changes] == [True, True]
    do(lab, "lab.reset")
    do(lab, "node.config.save", actor="trainee:anna", node="WS2", set={"dimse_timeout_s": 12})
    do(lab, "lab.reset")
    assert only(newest(lab, ChangeKind.CONFIGURATION, "WS2")).is_back, "the reset led back"


def test_pages_of_the_history_follow_each_other(lab: Lab) -> None:
    for seconds in (11, 12, 13):
        do(lab, "node.config.save", node="WS1", set={"dimse_timeout_s": seconds})
    first = inspecting.history(lab, HistoryPage(limit=2))
    assert [one.changes[0].after for one in first.entries] == [13.0, 12.0]
    assert first.more
    second = inspecting.history(lab, HistoryPage(limit=1, before=first.entries[-1].seq))
    assert only(second.entries[0]).after == 11.0
    # What waits is the last word on a setting, on whatever page it stands.
    assert (only(first.entries[0]).waits, only(second.entries[0]).waits) == (True, False)


def test_settings_are_called_as_the_form_calls_them() -> None:
    assert title_of(ModalityConfig, "ae_title") == "AE title"
    assert title_of(ModalityConfig, "remotes.ROUTER.ae_title") == "AE title of ROUTER (AE table)"
    assert title_of(ModalityConfig, "retry.first_s") == "First retry after (Retry)"
    assert title_of(RouterConfig, "rules.ct.conditions.0.value") == "Value of ct (Rules)"
    assert title_of(ModalityConfig, "no.such.thing") == "thing of such (no)"
