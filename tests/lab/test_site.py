"""Site files: riverside is sound, and what is wrong in one is told by file, key and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.lab.site import load_site, read_site, site_slugs, sites_folder
from sandbox.lab.site_check import check_site, check_site_file
from sandbox.model.errors import BadInputError, NotFoundError


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = (sites_folder() / "riverside.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "riverside.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("slug", site_slugs())
def test_every_site_is_sound(slug: str) -> None:
    assert check_site(load_site(slug)) == []


def test_riverside_is_the_department_that_scenarios_count_on() -> None:
    site = load_site("riverside")
    assert [node.name for node in site.nodes] == ["CT1", "MR1", "DX1", "US1", "ROUTER", "ARCHIVE", "WS1", "WS2"]
    assert {str(vlan.subnet) for vlan in site.plan.vlans} == {f"198.18.{n}.0/24" for n in (10, 20, 30, 40)}
    rules = {rule["name"]: rule["destinations"] for rule in site.node("ROUTER").config["rules"]}
    assert rules == {
        "to-archive": ["ARCHIVE"],
        "reading-room": ["WS1"],
        "ct-to-ed": ["WS2"],
        "plain-films-to-ed": ["WS2"],
    }
    assert [remote["name"] for remote in site.node("CT1").config["remotes"]] == ["ROUTER", "ARCHIVE"]
    assert len(site.people) >= 8
    assert site.domain == "riverside.example"


def test_lakeside_has_what_riverside_lacks() -> None:
    site = load_site("lakeside")
    assert {"VNA", "GATEWAY", "TELERAD", "CLINIC", "WS3D", "CT2"} <= {node.name for node in site.nodes}
    (to_night_reading,) = (line for line in site.node("GATEWAY").config["remotes"] if line["name"] == "TELERAD")
    assert (to_night_reading["tls"], to_night_reading["port"]) == (True, 2762)
    assert len(site.people) >= 12


def test_what_a_node_knows_becomes_its_ae_table() -> None:
    site = load_site("riverside")
    by_address = site.node("CT1").config["remotes"][0]
    assert (by_address["ae_title"], by_address["host"], by_address["port"]) == ("ROUTER", "198.18.20.20", 104)
    by_name = site.node("WS1").config["remotes"][0]
    assert (by_name["host"], by_name["port"]) == ("archive.riverside.example", 11112)


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('knows = ["ROUTER", "ARCHIVE"]', 'knows = ["ROUTERR"]', "nodes.CT1.knows", "ROUTERR"),
        ('role = "router"', 'role = "rooter"', "nodes.ROUTER.role", "rooter"),
        ('send_to = ["ROUTER"]', 'send_to = ["WS9"]', "nodes.CT1.config.send_to", "WS9"),
        ('destinations = ["WS1"]', 'destinations = ["WS7"]', "nodes.ROUTER.config.rules.reading-room", "WS7"),
        ('port = 104, modality = "CT"', 'port = 0, modality = "CT"', "nodes.CT1.config", "port"),
        ('[history]\nnode = "ARCHIVE"', '[history]\nnode = "ARCHIV"', "history.node", "ARCHIV"),
    ],
)
def test_the_check_names_the_key_and_the_mend(tmp_path: Path, old: str, new: str, key: str, said: str) -> None:
    problems = check_site_file(changed(tmp_path, old, new))
    assert key in [problem.key for problem in problems]
    problem = next(problem for problem in problems if problem.key == key)
    assert problem.file == "riverside.toml"
    assert said in problem.sentence + problem.mend


def test_a_belief_that_is_wrong_is_found(tmp_path: Path) -> None:
    line = '{ name = "ROUTER", ae_title = "ROUTR", host = "198.18.20.21", port = 105 }'
    wrong = f'config.remotes = [{line}]\nknows = ["ARCHIVE"]'
    path = changed(tmp_path, 'knows = ["ROUTER", "ARCHIVE"]\nconfig = {', f"{wrong}\nconfig.x = {{")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            'config.x = { ae_title = "CT1", port = 104, modality = "CT", station_name = "CT1", send_to = ["ROUTER"] }',
            'config.ae_title = "CT1"\nconfig.port = 104\nconfig.modality = "CT"\nconfig.send_to = ["ROUTER"]',
        ),
        encoding="utf-8",
    )
    keys = {problem.key for problem in check_site_file(path)}
    assert keys == {f"nodes.CT1.config.remotes.ROUTER.{part}" for part in ("ae_title", "host", "port")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Riverside Community Hospital"', 'title = "', "riverside.toml"),
        ("[background]\nevery_s = 45", "[background]\nevery = 45", "background.every"),
        ('address = "198.18.10.11"', 'address = "10.1.1.1"', "198.18.10.0/24"),
        ('name = "MR1"\nrole', 'name = "CT1"\nrole', "occurs twice"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(BadInputError) as told:
        read_site(path)
    assert told.value.sentence.startswith("riverside.toml")
    assert said in str(told.value)
    assert [problem.sentence for problem in check_site_file(path)] == [told.value.sentence]


def test_an_unknown_site_is_told_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="riverside"):
        load_site("../etc/passwd")
