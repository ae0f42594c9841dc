"""Generated drills: composed for every way and cause, kept only when proven, told with the fewest looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.drill.generator import generate as module
from sandbox.drill.generator.causes import CAUSES, restart, way
from sandbox.drill.generator.compose import compose, write
from sandbox.drill.generator.generate import Generated, Generator
from sandbox.drill.generator.looks import LOOKS, answer_in_words, fewest_looks
from sandbox.drill.generator.ways import ExamWay, ways_of
from sandbox.drill.layers import LAYERS
from sandbox.drill.lint import lint
from sandbox.drill.load import read_scenario
from sandbox.faults.registry import make_fault
from sandbox.lab.site import load_site, site_slugs
from sandbox.model.errors import BadInputError, ConflictError
from sandbox.model.scenario import Primitive
from tests.drill.support import quiet_site, running_lab


@pytest.fixture(scope="module")
def ct_to_ws1() -> ExamWay:
    return next(found for found in ways_of(quiet_site()) if found.slug == "ct1-to-ws1")


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator:
    """Of riverside without its earlier years, and of four causes only, so that it is quick."""
    monkeypatch.setattr(
        module,
        "CAUSES",
        {name: CAUSES[name] for name in ("wrong-port", "not-listed", "own-title-changed", "called-title-mistyped")},
    )
    made = Generator("riverside", 5, cache=tmp_path / "cache")
    made.site = quiet_site()
    monkeypatch.setattr(module.LookingProof, "site", lambda proof: quiet_site())
    return made


def test_the_ways_of_riverside() -> None:
    ways = ways_of(load_site("riverside"))
    assert {found.slug for found in ways} == {
        f"{modality}-to-{place}" for modality in ("ct1", "mr1", "dx1", "us1") for place in ("archive", "ws1")
    }
    for found in ways:
        assert found.other is not found.modality
        assert found.elsewhere is not found.place


def test_a_site_without_a_way_is_told() -> None:
    site = quiet_site()
    nodes = tuple(node for node in site.nodes if node.role != "router")
    with pytest.raises(BadInputError, match="no way"):
        ways_of(site.model_copy(update={"nodes": nodes}))


@pytest.mark.parametrize("slug", site_slugs())
def test_whatever_is_composed_lints(slug: str, tmp_path: Path) -> None:
    for number, where in enumerate(ways_of(load_site(slug))):
        for position, cause in enumerate(CAUSES.values()):
            assert cause.layer in LAYERS
            folder = tmp_path / f"{where.slug}-{position}"
            write(folder, *compose(where, cause, number, list(CAUSES)))
            assert [str(problem) for problem in lint(folder)] == []
            offered = [choice.value for choice in read_scenario(folder).diagnosis.choices]
            assert cause.value in offered
            assert len(offered) == len(set(offered)) == 6


def test_a_wrong_port_is_refused_and_not_dropped(tmp_path: Path) -> None:
    """Its hint says "refused at once": the firewall has to let the call through."""
    with running_lab(tmp_path / "lab") as lab:
        for where in ways_of(quiet_site()):
            wrong = CAUSES["wrong-port"].on(where)
            undo = make_fault(Primitive(**wrong.fault)).apply(lab.department)
            answer = lab.department.node(where.modality.name).tools.echo(where.router.name)
            assert answer_in_words(answer.sentence) == "refused", answer
            undo()


def test_nothing_is_written_over(ct_to_ws1: ExamWay, tmp_path: Path) -> None:
    made = compose(ct_to_ws1, CAUSES["wrong-port"], 1, list(CAUSES))
    write(tmp_path / "drill", *made)
    with pytest.raises(ConflictError, match="drill"):
        write(tmp_path / "drill", *made)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Rejected, called AE title not recognised (1/1/7)", "rejected 1/1/7"),
        ("ROUTER (198.18.20.20:1104) refused the connection", "refused"),
        ("The call timed out", "timed out"),
        ("Unknown host old-router.riverside.example", "unknown host"),
        ("Something else", "failed"),
        ("", "well"),
    ],
)
def test_the_kind_of_an_answer(sentence: str, words: str) -> None:
    assert answer_in_words(sentence) == words


def test_the_fewest_looks_are_the_fewest() -> None:
    first, second, third, *rest = LOOKS

    def shows(a: str, b: str, c: str) -> Mapping[str, str]:
        return {first: a, second: b, third: c} | dict.fromkeys(rest, "")

    this = shows("1", "1", "1")
    assert fewest_looks(this, {}) == ()
    assert fewest_looks(this, {"x": shows("1", "2", "1"), "y": shows("1", "3", "1")}) == (second,)
    assert fewest_looks(this, {"x": shows("2", "1", "1"), "y": shows("1", "1", "2")}) == (first, third)
    assert fewest_looks(this, {"x": shows("1", "1", "1")}) is None


@pytest.mark.timeout(240)
def test_what_is_proven_is_kept_with_its_shortest_way(generator: Generator, ct_to_ws1: ExamWay, tmp_path: Path) -> None:
    folder = tmp_path / "drills"
    made = generator.drill(folder, ct_to_ws1, CAUSES["own-title-changed"], 0, (2,))
    assert made.problems == ()
    # Rejected 1/1/3 is the complaint of two causes: only who compares the titles tells them apart.
    assert made.looks == ("CT1's AE title beside ROUTER's AE table",)
    assert made.acts == 2
    assert lint(folder / made.slug) == []
    assert "The shortest way" in read_scenario(folder / made.slug).debrief_text
    with pytest.raises(ConflictError):
        generator.drill(folder, ct_to_ws1, CAUSES["own-title-changed"], 0, (2,))


@pytest.mark.timeout(240)
def test_what_is_not_proven_is_not_kept(generator: Generator, ct_to_ws1: ExamWay, tmp_path: Path) -> None:
    """A fix that mends nothing: the verifier sees it, and nothing is written."""
    right = CAUSES["wrong-port"]
    useless = replace(right, on=lambda where: replace(right.on(where), solutions=(way("Restart CT1", restart("CT1")),)))
    made = generator.drill(tmp_path / "drills", ct_to_ws1, useless, 0, (2,))
    assert any("Restart CT1" in problem for problem in made.problems)
    assert not made.kept
    assert not (tmp_path / "drills").exists()


def test_it_ends_when_enough_are_kept(generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter(
        [
            Generated(slug="a", cause="x", problems=("No.",)),
            Generated(slug="b", cause="x", acts=1),
            Generated(slug="c", cause="x", acts=1),
            Generated(slug="d", cause="x", acts=1),
        ]
    )
    monkeypatch.setattr(generator, "drill", lambda *_: next(told))
    assert [made.slug for made in generator.drills(tmp_path, 2, (1,))] == ["a", "b", "c"]
