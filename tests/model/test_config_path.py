"""A path names one setting, whoever uses it."""

from __future__ import annotations

import pytest

from sandbox.model.config import NodeConfig, RemoteNode
from sandbox.model.config_path import Change, differences, value_at, with_row, with_value, without
from sandbox.model.errors import BadInputError


@pytest.fixture
def config() -> NodeConfig:
    router = RemoteNode(name="ROUTER", ae_title="ROUTER", host="router", port=104)
    return NodeConfig(ae_title="CT1", port=104, remotes=(router,))


def test_reads_and_writes_one_setting(config: NodeConfig) -> None:
    changed = with_value(config, "remotes.ROUTER.ae_title", "ROUTERX")
    assert value_at(changed, "remotes.ROUTER.ae_title") == "ROUTERX"
    assert differences(config, changed) == (Change(path="remotes.ROUTER.ae_title", before="ROUTER", after="ROUTERX"),)
    assert value_at(config, "remotes.ROUTER.ae_title") == "ROUTER"


def test_lines_without_a_name_go_by_position(config: NodeConfig) -> None:
    assert value_at(config, "remotes.0.port") == 104


def test_adds_and_removes_lines(config: NodeConfig) -> None:
    row = {"name": "WS3", "ae_title": "WS3", "host": "198.18.30.13", "port": 104}
    longer = with_row(config, "remotes", row)
    assert [remote.name for remote in longer.remotes] == ["ROUTER", "WS3"]
    assert without(longer, "remotes.WS3") == config
    with pytest.raises(BadInputError, match="already has a line named WS3"):
        with_row(longer, "remotes", row)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("remotes.ROTER.ae_title", "X", "ROUTER"),
        ("prt", 1, "no setting"),
        ("port", 70000, "65535"),
        ("port", "many", "integer"),
        ("remotes.ROUTER.ae_title", "A TITLE FAR TOO LONG", "At most 16"),
        ("remotes.ROUTER.ae_title", "BACK\\SLASH", "backslash"),
        ("ae_title", "   ", "empty"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(config: NodeConfig, path: str, value: object, said: str) -> None:
    with pytest.raises(BadInputError) as refused:
        with_value(config, path, value)
    assert said in str(refused.value)
