"""The department's archive over HTTP: off unless somebody sets a port, published like its other ports, and the same
images."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.model.errors import BadInputError
from sandbox.model.view import NodeState
from sandbox.nodes.web_port import WebPort
from tests.nodes.conftest import Small

MakeSmall = Callable[..., Small]
PORT = 8080


def get(url: str, token: str = "") -> Any:
    headers = {"Accept": "application/dicom+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return json.loads(answer.read() or b"[]")


def studies(url: str, token: str = "") -> set[str]:
    return {study["0020000D"]["Value"][0] for study in get(f"{url}/studies", token)}


def test_an_archive_has_no_dicomweb_until_somebody_sets_a_port(small: Small) -> None:
    assert small.archive.view().dicomweb == ""
    assert not any(key.endswith(f":{PORT}") for key in small.archive.context.network.published_ports())


def test_what_a_modality_sends_is_found_over_http(make_small: MakeSmall) -> None:
    small = make_small(ARCHIVE={"dicomweb_port": PORT})
    exam = small.scan()
    small.wait_stored("ARCHIVE", exam)
    url = small.archive.view().dicomweb
    assert url.startswith("http://127.0.0.1:")
    assert exam.study_uid in studies(url)
    instances = get(f"{url}/studies/{exam.study_uid}/instances")
    assert len(instances) == 2
    started = next(
        event.body for event in small.events.since() if event.kind == "node.started" and event.node == "ARCHIVE"
    )
    assert started.dicomweb == url  # type: ignore[attr-defined]
    small.wait_log("ARCHIVE", rf"with DICOMweb at {url}")


def test_saved_is_not_running_until_a_restart_and_the_published_port_stays(small: Small) -> None:
    archive = small.archive
    archive.save(archive.config_class.model_validate(archive.saved.model_dump(mode="json") | {"dicomweb_port": PORT}))
    assert archive.view().needs_restart
    assert archive.view().dicomweb == ""
    archive.restart()
    url = archive.view().dicomweb
    studies(url)
    archive.restart()
    assert archive.view().dicomweb == url
    studies(url)
    archive.stop()
    assert archive.view().dicomweb == ""
    with pytest.raises(urllib.error.URLError):
        studies(url)
    archive.start()
    studies(url)
    small.change("ARCHIVE", dicomweb_port=0)
    assert archive.view().dicomweb == ""
    with pytest.raises(urllib.error.URLError):
        studies(url)


def test_a_token_is_asked_for(make_small: MakeSmall) -> None:
    url = make_small(ARCHIVE={"dicomweb_port": PORT, "dicomweb_token": "s3cret"}).archive.view().dicomweb
    with pytest.raises(urllib.error.HTTPError) as refused:
        studies(url)
    assert refused.value.code == 401
    studies(url, "s3cret")


def test_a_port_that_the_node_has_already_is_told(make_small: MakeSmall) -> None:
    small = make_small()
    small.change("ARCHIVE", dicomweb_port=small.archive.running.port)
    assert small.archive.state is NodeState.FAILED
    small.change("ARCHIVE", dicomweb_port=0)
    assert small.archive.state is NodeState.RUNNING


def test_beyond_this_machine_it_wants_a_token(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small.archive.context.network, "publish_host", "192.0.2.7")
    with pytest.raises(BadInputError):
        WebPort(small.archive, small.archive.archive).open(PORT, "")
