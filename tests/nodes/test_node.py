"""The lifecycle of a node, its two configurations, and whom it lets in."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from sandbox.model.config_path import with_value
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.model.view import NodeState, QueueState
from sandbox.nodes.registry import make_node, role_class, roles
from tests.nodes.conftest import PORTS, Small, line


def test_the_roles_are_found() -> None:
    assert roles() == ("archive", "modality", "router", "workstation")
    assert role_class("router").role == "router"
    with pytest.raises(NotFoundError, match="archive, modality"):
        role_class("printer")


def test_a_wrong_setting_is_named(small: Small) -> None:
    with pytest.raises(BadInputError, match="port"):
        make_node("archive", small.archive.context, {"ae_title": "A", "port": 0})


def test_saved_becomes_running_only_by_a_restart(small: Small) -> None:
    ct = small.ct
    changes = ct.save(with_value(ct.saved, "remotes.ROUTER.ae_title", "ROUTERX"))
    assert [(change.path, change.before, change.after) for change in changes] == [
        ("remotes.ROUTER.ae_title", "ROUTER", "ROUTERX")
    ]
    assert small.wait("node.config.saved", "CT1").body.changes == changes  # type: ignore[attr-defined]
    assert ct.view().needs_restart
    assert ct.tools.echo("ROUTER").ok
    ct.restart()
    assert not ct.view().needs_restart
    assert not ct.tools.echo("ROUTER").ok
    assert ct.save(ct.saved) == ()


def test_a_lab_comes_back_with_what_was_running_and_saved(small: Small) -> None:
    ct = small.ct
    ct.save(with_value(ct.saved, "auto_send", False))
    small.department.node("WS1").stop("for the night")
    small.reopen()
    assert small.ct.running.auto_send
    assert not small.ct.saved.auto_send
    assert small.department.node("WS1").state is NodeState.STOPPED
    assert small.workstation("WS2").state is NodeState.RUNNING


def test_a_stopped_node_starts_with_its_saved_configuration(small: Small) -> None:
    ct = small.ct
    ct.stop()
    ct.save(with_value(ct.saved, "ae_title", "CT9"))
    ct.start()
    assert ct.running.ae_title == "CT9"


def test_a_port_that_is_taken_is_a_state_and_not_an_exception(small: Small) -> None:
    taken = small.network.listen("ARCHIVE", 4242)
    small.change("ARCHIVE", port=4242)
    archive = small.archive
    assert archive.state is NodeState.FAILED
    assert archive.view().sentence.startswith("Could not start: ")
    assert "4242" in archive.view().sentence
    small.wait_log("ARCHIVE", "could not start")
    taken.close()
    archive.restart()
    assert archive.state is NodeState.RUNNING


def test_a_program_that_ends_by_itself_is_not_one_that_could_not_start(small: Small) -> None:
    assert small.archive.crash("ended unexpectedly: signal 11", threading.Event()) is not None
    assert small.archive.view().sentence == "Not running: its program ended unexpectedly: signal 11"
    small.archive.restart()
    assert small.archive.state is NodeState.RUNNING


def test_a_start_that_fails_in_whatever_way_leaves_no_port_open(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    small.archive.stop()
    monkeypatch.setattr(small.archive, "open_work", lambda: 1 / 0)
    small.archive.start()
    assert small.archive.state is NodeState.FAILED
    assert not small.ct.tools.port("ARCHIVE", PORTS["ARCHIVE"]).ok
    monkeypatch.undo()
    small.archive.start()
    assert small.archive.state is NodeState.RUNNING


def test_a_start_after_the_end_comes_too_late(small: Small) -> None:
    small.archive.close()
    small.archive.restart()
    assert small.archive.state is NodeState.STOPPED
    assert not small.ct.tools.port("ARCHIVE", PORTS["ARCHIVE"]).ok


def test_stopping_is_prompt_even_while_something_hangs(small: Small) -> None:
    small.network.power("ARCHIVE", False)
    small.change("ROUTER", connect_timeout_s=60)
    small.scan()
    small.wait("study.routed")
    waiting = threading.Thread(target=lambda: small.router.tools.echo("ARCHIVE"))
    waiting.start()
    small.wait_until(lambda: small.has("instance.stored", "WS2"))
    began = time.monotonic()
    small.router.stop()
    assert time.monotonic() - began < 10
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_restart_is_nobodys_failure(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"connect_timeout_s": 60})
    small.network.power("ROUTER", False)
    exam = small.scan()
    small.wait_until(lambda: small.ct.queue.views()[0].state is QueueState.SENDING)
    small.ct.restart()
    small.network.power("ROUTER", True)
    small.wait_stored("ROUTER", exam)
    assert not small.has("queue.failed", "CT1")


def test_a_whole_department_stops_and_starts_without_waiting_for_a_timeout(small: Small) -> None:
    exam = small.scan()
    small.wait_stored("WS2", exam)
    began = time.monotonic()
    small.reopen()
    assert time.monotonic() - began < 10
    assert small.ct.tools.echo("ROUTER").ok


def test_nobody_else_is_let_in_unless_it_is_allowed(make_small: Callable[..., Small]) -> None:
    small = make_small(ROUTER={"accept_unlisted_callers": True})
    assert not small.ct.tools.echo("ARCHIVE", calling_ae="STRANGER").ok
    assert small.ct.tools.echo("ROUTER", calling_ae="STRANGER").ok


def test_a_called_title_may_be_ignored(make_small: Callable[..., Small]) -> None:
    small = make_small(
        ROUTER={"check_called_ae": False},
        CT1={"remotes": [line("ROUTER", ae_title="X"), line("ARCHIVE", ae_title="X")]},
    )
    assert small.ct.tools.echo("ROUTER").ok
    assert not small.ct.tools.echo("ARCHIVE").ok


def test_a_stopped_modality_cannot_scan(small: Small) -> None:
    small.ct.stop()
    with pytest.raises(ConflictError):
        small.scan()
    with pytest.raises(ConflictError, match="CT1"):
        small.department.acquire("WS1")
    with pytest.raises(NotFoundError, match="ROUTER"):
        small.department.node("CT7")


def test_an_unspoken_connection_is_written_down(small: Small) -> None:
    assert small.ct.tools.port("archive", 11112).ok
    unspoken = small.wait("connection.unspoken", "ARCHIVE")
    assert unspoken.body.peer_node == "CT1"  # type: ignore[attr-defined]


def test_what_is_no_dicom_is_a_warning_and_a_port_test_is_not(small: Small) -> None:
    assert small.ct.tools.port("archive", 11112).ok
    host, _, port = small.archive.published.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stranger.recv(100)

    def levels() -> list[str]:
        logged = [event.body for event in small.events.since() if event.kind == "node.logged"]
        return [body.level for body in logged if "without an association" in body.text]  # type: ignore[attr-defined]

    small.wait_until(lambda: len(levels()) == 2)
    assert sorted(levels()) == ["info", "warning"]


def test_the_view_tells_where_and_how(small: Small) -> None:
    view = small.archive.view()
    assert (view.host, view.address, view.port, view.vlan) == (
        "archive.small.example",
        "198.18.20.30",
        11112,
        "servers",
    )
    host, port = view.published.split(":")
    assert host == "127.0.0.1"
    assert int(port) != 11112
    assert view.state is NodeState.RUNNING


def test_every_setting_is_drawn_from_the_schema() -> None:
    for role in roles():
        schema = role_class(role).config_class.model_json_schema()
        for name, field in schema["properties"].items():
            assert field.get("title"), f"{role}.{name} has no title"
            assert "group" in field, f"{role}.{name} has no group"
        json.dumps(schema)


def test_old_studies_leave_a_modality_once_they_are_sent(make_small: Callable[..., Small]) -> None:
    small = make_small(CT1={"keep_studies": 2})
    exams = []
    for _ in range(3):
        exams.append(small.scan(images=1))
        small.wait_stored("ROUTER", exams[-1])
        small.wait_until(small.ct.queue.is_empty)
    small.ct.queue.hold("ROUTER")
    kept = small.scan(images=1), small.scan(images=1), small.scan(images=1)
    store = small.ct.store
    assert store is not None
    held = {study.study_uid for study in store.studies()}
    assert {exam.study_uid for exam in kept} <= held
    assert exams[0].study_uid not in held
