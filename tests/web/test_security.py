"""What must never work: forms without a token, foreign host names, pages without a login for others."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from sandbox.model.errors import BadInputError, ConflictError
from tests.web.conftest import SCENARIO, Visitor
from tests.web.stand_in import TOKEN, StandInHost
from web import accounts
from web.app import create_app
from web.auth.throttle import Throttle
from web.catalogue import Catalogue
from web.exam.paper import IncidentItem, IncidentState, Paper
from web.options import Options
from web.trainers import twins
from web.trainers.twins import Round

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

POSTS = (
    "/labs",
    "{lab}/reset",
    "{lab}/background",
    "{lab}/end",
    "{lab}/drill/hint",
    "{lab}/drill/check",
    "{lab}/drill/give-up",
    "{lab}/drill/diagnosis",
    "{lab}/nodes/CT1/restart",
    "{lab}/nodes/CT1/configuration/",
    "{lab}/nodes/CT1/queue/",
    "{lab}/nodes/CT1/tools/",
)


@pytest.mark.parametrize("path", POSTS)
def test_a_post_without_the_token_does_nothing(visitor: Visitor, host: StandInHost, lab_path: str, path: str) -> None:
    before = len(host.labs)
    answer = visitor.client.post(path.format(lab=lab_path), data={"scenario": "drill"})
    assert answer.status_code == 400
    assert "nothing was done" in answer.text
    assert len(host.labs) == before
    assert not host.labs[lab_path.rpartition("/")[2]].commands


def test_htmx_sends_the_token_as_a_header(visitor: Visitor, lab_path: str) -> None:
    token = visitor.token()
    answer = visitor.client.post(f"{lab_path}/reset", headers={"X-CSRFToken": token})
    assert answer.status_code == 302


def test_every_post_of_the_console_is_guarded(app: Flask) -> None:
    assert app.config.get("WTF_CSRF_ENABLED", True)
    assert app.config["WTF_CSRF_CHECK_DEFAULT"]
    guard = app.extensions["csrf"]
    assert not guard._exempt_views
    assert not guard._exempt_blueprints


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "198.18.20.20"])
def test_foreign_host_names_are_refused_on_loopback(visitor: Visitor, name: str) -> None:
    answer = visitor.client.get("/", headers={"Host": name})
    assert answer.status_code == 400
    assert "Drills" not in answer.text


@pytest.mark.parametrize("name", ["127.0.0.1:8042", "localhost:9", "localhost", "[::1]:8042"])
def test_own_host_names_are_taken(visitor: Visitor, name: str) -> None:
    assert visitor.client.get("/", headers={"Host": name}).status_code == 200


def test_headers_allow_nothing_but_the_consoles_own_files(visitor: Visitor, lab_path: str) -> None:
    for path in ("/", lab_path + "/", "/nowhere", "/static/js/console.js"):
        answer = visitor.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert visitor.get("/").headers["Cache-Control"] == "no-store"


def test_the_labs_token_never_reaches_the_browser(visitor: Visitor, lab_path: str) -> None:
    for path in (lab_path + "/", lab_path + "/tools", lab_path + "/nodes/CT1/tools/"):
        assert TOKEN not in visitor.page(path)


def test_cookie_is_kept_from_scripts_and_other_sites(visitor: Visitor) -> None:
    cookie = visitor.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_key_is_its_owners_alone(app: Flask, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "console.key").stat().st_mode) == 0o600
    assert len(app.config["SECRET_KEY"]) == 32


@pytest.fixture
def exposed(host: StandInHost, tmp_path: Path) -> Iterator[Flask]:
    """A console that others can reach, with two trainees and an instructor."""
    options = Options(directory=tmp_path, host="0.0.0.0")
    app = create_app(options, host, Catalogue(lambda: (SCENARIO,)), connect=host.connect)
    database = app.extensions["console"].database
    for name, role in (("anna", "trainee"), ("ben", "trainee"), ("ines", "instructor")):
        accounts.add_user(database, name, "correct horse", role)
    yield app
    database.close()


def enter(app: Flask, name: str, password: str = "correct horse", onward: str = "") -> Visitor:
    visitor = Visitor(app.test_client())
    visitor.post("/login", {"name": name, "password": password, "next": onward}, token_from="/login")
    return visitor


def test_exposed_console_wants_a_login_for_everything(exposed: Flask) -> None:
    visitor = Visitor(exposed.test_client())
    for rule in exposed.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in ("auth.login", "static", "start.health"):
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<int:{argument}>", "1").replace(f"<{argument}>", "x")
            answer = visitor.get(path)
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/login"), path


def test_login_leads_on_and_logout_ends_it(exposed: Flask) -> None:
    visitor = enter(exposed, "Anna")
    assert "anna" in visitor.page("/")
    visitor.post("/logout")
    assert visitor.get("/").status_code == 302


def test_a_part_of_a_page_sends_the_whole_page_to_the_login_and_back(exposed: Flask) -> None:
    visitor = Visitor(exposed.test_client())
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://localhost/labs/x/?all=1"}
    answer = visitor.client.get("/labs/x/drill/check", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == "/login?next=/labs/x/?all%3D1"
    assert not answer.text, "the login page in a fragment is no login page"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_login_leads_nowhere_else(exposed: Flask, target: str) -> None:
    visitor = Visitor(exposed.test_client())
    answer = visitor.post("/login", {"name": "anna", "password": "correct horse", "next": target}, token_from="/login")
    assert answer.headers["Location"] == "/"


def test_wrong_password_and_unknown_name_are_told_alike_and_slowed(exposed: Flask) -> None:
    visitor = Visitor(exposed.test_client())
    told = set()
    for name in ("anna", "nobody", "anna", "nobody", "anna"):
        answer = visitor.post("/login", {"name": name, "password": "wrong"}, token_from="/login")
        assert answer.status_code == 401
        told.add("do not go together" in answer.text)
    assert told == {True}
    answer = visitor.post("/login", {"name": "anna", "password": "correct horse"}, token_from="/login")
    assert answer.status_code == 429
    assert "too many attempts" in answer.text


def test_a_trainee_does_not_see_anothers_lab(exposed: Flask) -> None:
    anna, ben, ines = (enter(exposed, name) for name in ("anna", "ben", "ines"))
    path = anna.post("/labs", {"scenario": "drill"}).headers["Location"]
    assert anna.get(path).status_code == 200
    assert ben.get(path).status_code == 404
    assert ben.post(path + "reset").status_code == 404
    assert ben.get(path + "events").status_code == 404
    assert ines.get(path).status_code == 200
    assert path not in ben.page("/")


def everything_of(app: Flask, path: str) -> list[tuple[str, str]]:
    """Method and address of whatever there is about the lab at ``path``, with something in the place of the rest."""
    found = []
    for rule in app.url_map.iter_rules():
        if "lab_id" in rule.arguments:
            address = rule.rule.replace("/labs/<lab_id>", path.rstrip("/"))
            for argument in rule.arguments:
                address = address.replace(f"<int:{argument}>", "1").replace(f"<{argument}>", "CT1")
            found += [(method, address) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


def test_nothing_of_a_lab_is_there_for_another_trainee(exposed: Flask, host: StandInHost) -> None:
    anna, ben = (enter(exposed, name) for name in ("anna", "ben"))
    path = anna.post("/labs", {"scenario": "drill"}).headers["Location"]
    (lab,) = host.labs.values()
    attempts = everything_of(exposed, path)
    assert len(attempts) > 60
    token = ben.token()
    for method, address in attempts:
        data = {"csrf_token": token} if method == "POST" else None
        answer = ben.client.open(address, method=method, data=data, query_string={"with_node": "WS1"})
        assert answer.status_code == 404, f"{method} {address}"
    assert lab.commands == []
    assert len(host.labs) == 1


def test_an_attempt_and_a_sitting_are_their_owners(exposed: Flask, host: StandInHost) -> None:
    anna, ben = (enter(exposed, name) for name in ("anna", "ben"))
    anna.post("/labs", {"scenario": "drill"})
    exam = anna.post("/exam/", {"length": "short", "focus": "both"}).headers["Location"].rsplit("/", 1)[0]
    pair = anna.post("/trainers/twins/", {"seed": "3"}).headers["Location"]
    single = anna.post("/trainers/negotiation/", {"level": "1", "seed": "3"}).headers["Location"]
    for address in (f"{exam}/", f"{exam}/1", f"{exam}/result", f"{exam}/judged", pair, single):
        assert anna.get(address).status_code != 404, address
        assert ben.get(address).status_code == 404, address
    for address in (f"{exam}/1", f"{exam}/1/end", f"{exam}/submit", f"{pair}/look", single):
        assert ben.post(address, {"look": "x"}).status_code == 404, address
    for address in ("/attempts/1/debrief", "/attempts/1/debrief/report.md"):
        assert ben.get(address).status_code == 404, address


def test_a_progress_file_reaches_nobody_elses_lab(exposed: Flask, host: StandInHost) -> None:
    """What a file names as the labs of a round or of an exam is anybody's word."""
    anna, ben = (enter(exposed, name) for name in ("anna", "ben"))
    lab_id = anna.post("/labs", {"scenario": "drill"}).headers["Location"].split("/")[2]
    pair = twins.make(3)
    incident = IncidentItem(
        scenario="drill", title="x", family="x", topics=(), minutes=5, state=IncidentState.RUNNING, lab=lab_id
    )
    paper = Paper(seed=1, length="short", focus="both", begun=NOW, deadline=None, items=(incident,))
    kept = {
        "exam": paper.model_dump(mode="json"),
        "twins": Round(pair=pair, labs=(lab_id, lab_id)).model_dump(mode="json"),
    }
    sittings = [
        {"kind": kind, "started": NOW.isoformat(), "finished": NOW.isoformat(), "score": 1, "document": document}
        for kind, document in kept.items()
    ]
    document = {"format": "pacs-sandbox-progress", "version": 1, "exported": NOW.isoformat(), "sittings": sittings}
    file = (io.BytesIO(json.dumps(document).encode()), "progress.json")
    assert ben.post("/progress/import", {"file": file}).status_code == 302
    assert ben.get("/exam/1/1").status_code == 200, "the paper that came from the file"
    ben.post("/exam/1/1/end")
    ben.post("/trainers/twins/")
    exposed.extensions["exams"].judging.wait(30)
    assert lab_id in host.labs
    assert host.labs[lab_id].commands == []
    assert anna.get(f"/labs/{lab_id}/").status_code == 200


def test_commands_carry_who_gave_them(exposed: Flask, host: StandInHost) -> None:
    anna = enter(exposed, "anna")
    path = anna.post("/labs", {"scenario": "drill"}).headers["Location"]
    anna.post(path + "reset")
    (lab,) = host.labs.values()
    assert lab.commands[-1]["actor"] == "trainee:anna"
    anna.get(path + "nodes/CT1/log")
    assert "trainee:anna" in lab.seen_actors


def test_accounts_are_checked_when_made(app: Flask) -> None:
    database = app.extensions["console"].database
    assert accounts.count_users(database) == 0
    accounts.add_user(database, "Dana.W", "long enough one")
    assert accounts.check_login(database, "dana.w", "long enough one")
    assert accounts.check_login(database, "dana.w", "long enough two") is None
    with pytest.raises(ConflictError):
        accounts.add_user(database, "dana.w", "long enough one")
    for name, password, role in (
        ("", "long enough one", "admin"),
        ("x", "short", "admin"),
        ("x", "long enough", "king"),
    ):
        with pytest.raises(BadInputError):
            accounts.add_user(database, name, password, role)
    with database.unit() as session:
        from web.db.tables import User

        assert session.query(User).one().password.startswith("scrypt:")


def test_throttle_waits_longer_each_time_and_forgets() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(5):
        assert throttle.wait("a") == 0
        throttle.failed("a")
    assert throttle.wait("a") == 2
    now[0] += 2
    assert throttle.wait("a") == 0
    throttle.failed("a")
    assert throttle.wait("a", "b") == 4
    assert throttle.wait("b") == 0
    now[0] += 1000
    assert throttle.wait("a") == 0
    throttle.succeeded("a")
