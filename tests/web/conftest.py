"""A console over stand-in labs, and a visitor who fills in its forms as a browser would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import TestResponse

from sandbox.model.scenario import Scenario
from tests.web.stand_in import StandIn, StandInHost
from web.app import create_app
from web.catalogue import Catalogue
from web.options import Options

SCENARIO = Scenario.model_validate(
    {
        "slug": "drill",
        "title": "CT images do not come up",
        "family": "it-will-not-send",
        "site": "riverside",
        "difficulty": 1,
        "expected_minutes": 10,
        "topics": ["cdip:negotiation"],
        "objectives": ["Read a rejection."],
        "fault": [{"kind": "config.set"}],
        "ticket": [{"from": "nurse", "subject": "No CT", "text": "ticket.md"}],
        "check": [{"kind": "exam_arrives"}],
        "invariant": [{"kind": "nothing_lost"}],
        "hint": [{"text": "a"}, {"text": "b"}, {"text": "c"}],
        "diagnosis": {
            "node": "CT1",
            "layer": "association",
            "fault": "typo",
            "choices": [{"value": "typo", "text": "A typo"}, {"value": "port", "text": "A port"}],
        },
        "solution": [{"title": "Mend", "step": [{"command": "node.restart"}]}],
        "decoy": [
            {"title": "One", "step": [{"command": "node.restart"}]},
            {"title": "Two", "step": [{"command": "node.restart"}]},
        ],
    }
)


class Visitor:
    """Somebody with a browser that keeps cookies and sends the CSRF token of the page it was on."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, part: bool = False, **options: Any) -> TestResponse:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"} if part else {}
        return self.client.get(path, headers=headers, **options)

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def token(self, path: str = "/") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found, f"no form on {path}"
        return found.group(1)

    def post(self, path: str, values: Any = None, part: bool = False, token_from: str = "/") -> TestResponse:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"} if part else {}
        data = dict(values or {}) | {"csrf_token": self.token(token_from)}
        return self.client.post(path, data=data, headers=headers)


@pytest.fixture
def host() -> StandInHost:
    return StandInHost()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """The templates as a console before this one has compiled them: that takes longer than most tests."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("compiled")))


@pytest.fixture
def app(host: StandInHost, tmp_path: Path, compiled: FileSystemBytecodeCache) -> Iterator[Flask]:
    app = create_app(Options(directory=tmp_path), host, Catalogue(lambda: (SCENARIO,)), connect=host.connect)
    app.jinja_env.bytecode_cache = compiled
    app.testing = False
    yield app
    app.extensions["console"].labs.close()
    app.extensions["console"].database.close()


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def lab_path(visitor: Visitor) -> str:
    """The address of a drill that was started."""
    answer = visitor.post("/labs", {"scenario": "drill", "seed": "7"})
    assert answer.status_code == 302
    return str(answer.headers["Location"]).rstrip("/")


@pytest.fixture
def lab(host: StandInHost, lab_path: str) -> StandIn:
    """The lab behind ``lab_path``."""
    return host.labs[lab_path.rpartition("/")[2]]
