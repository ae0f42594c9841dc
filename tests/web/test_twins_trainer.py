"""The differential trainer: pairs from seeds, what a round is worth, and the pages around it."""

from __future__ import annotations

import pytest
from flask import Flask

from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.generator.looks import COSTS_MIN, LOOKS
from sandbox.drill.generator.made import made_slug
from sandbox.model.errors import UnavailableError
from tests.web.conftest import Visitor
from tests.web.stand_in import StandInHost, StandInLab
from web.accounts import LOCAL
from web.sittings import Sittings
from web.trainers import twins
from web.trainers.twins import Round, Seen

TELLS, SAME = "the state of {place}", "the queue of {modality} for {router}"


def played(*seen: str, said: int = 0) -> Round:
    pair = twins.make(3)
    looks = {look: Seen(look=look, a="runs", b="does not run" if look == TELLS else "runs") for look in LOOKS}
    return Round(
        pair=pair,
        labs=("a", "b"),
        seen=tuple(looks[look] for look in seen),
        said=pair.causes[said],
        everything=tuple(looks.values()),
    )


def test_every_look_has_its_cost() -> None:
    assert set(COSTS_MIN) == set(LOOKS)
    assert all(cost > 0 for cost in COSTS_MIN.values())


def test_a_pair_is_of_its_seed_and_says_nothing_of_its_order() -> None:
    assert twins.make(8) == twins.make(8)
    orders = {pair.causes == pair.offered for pair in (twins.make(seed) for seed in range(40))}
    assert orders == {True, False}
    for seed in range(40):
        pair = twins.make(seed)
        assert set(pair.causes) == set(pair.offered)
        assert not any(cause in slug for cause in pair.causes for slug in pair.slugs)


def test_the_cheapest_look_alone_is_worth_everything_and_a_dear_way_less() -> None:
    best = played(TELLS)
    assert (best.score, best.cost_min) == (100, COSTS_MIN[TELLS])
    dear = played(*LOOKS)
    assert twins.RIGHT_POINTS < dear.score < best.score


def test_a_guess_is_worth_little_and_a_mistake_nothing() -> None:
    assert played(SAME).score == twins.RIGHT_POINTS // 3
    assert played(TELLS, said=1).score == 0


def test_a_round_is_played(visitor: Visitor, host: StandInHost) -> None:
    assert "No round yet." in visitor.page("/trainers/twins/")
    address = visitor.post("/trainers/twins/", {"seed": "3"}).headers["Location"]
    assert len(host.labs) == 2
    assert visitor.page("/").count(f'href="{address}"') == 4, (
        "home leads back to the round, by title and button of each twin"
    )
    assert "Nothing yet." in visitor.page(address)
    visitor.post(f"{address}/look", {"look": TELLS})
    visitor.post(f"{address}/look", {"look": TELLS})
    page = visitor.page(address)
    assert f"{COSTS_MIN[TELLS]} min spent" in page
    assert visitor.post(f"{address}/look", {"look": "the moon"}).status_code == 400
    assert visitor.post(f"{address}/answer", {"said": "moon"}).status_code == 400
    visitor.post(f"{address}/answer", {"said": twins.make(3).causes[0]})
    assert "What there is to see" in visitor.page(address)
    assert visitor.post(f"{address}/answer", {"said": twins.make(3).causes[0]}).status_code == 409
    visitor.post(f"{address}/end")
    assert not host.labs, "both departments are ended"
    assert "What there is to see" in visitor.page(address)
    visitor.post("/trainers/twins/")
    assert len(host.labs) == 2, "the departments of the round before are ended"


def test_hints_and_solutions_wait_for_the_answer(visitor: Visitor, host: StandInHost) -> None:
    address = visitor.post("/trainers/twins/", {"seed": "3"}).headers["Location"]
    acts = [f"/labs/{lab_id}/drill/{act}" for lab_id in host.labs for act in ("hint", "give-up")]
    for act in acts:
        held = visitor.post(act)
        assert held.status_code == 409
        assert "the round is still open" in held.text
        assert f'href="{address}"' in held.text, "the way back"
    assert not any(one["command"].startswith("attempt.") for lab in host.labs.values() for one in lab.commands)
    visitor.post(f"{address}/answer", {"said": twins.make(3).causes[0]})
    assert [visitor.post(act).status_code for act in acts] == [302] * 4, "afterwards they are as in any drill"


def test_no_file_of_a_round_that_runs_says_its_causes(visitor: Visitor, host: StandInHost) -> None:
    slugs = twins.make(3).slugs
    address = visitor.post("/trainers/twins/", {"seed": "3"}).headers["Location"]
    assert {scenario for _site, scenario, _seed in host.asked} == set(slugs)
    for lab_id in host.labs:
        headers = visitor.get(f"/labs/{lab_id}/notebook/notebook.md").headers
        assert headers["Content-Disposition"] == f'attachment; filename="notebook-{lab_id}.md"'
    told = visitor.page("/progress/progress.json")
    assert not [word for word in (*slugs, *twins.make(3).causes, *host.labs) if word in told]
    visitor.post(f"{address}/answer", {"said": twins.make(3).causes[0]})
    assert all(slug in visitor.page("/progress/progress.json") for slug in slugs), "afterwards they are on record"


def test_of_two_departments_none_is_left_when_one_does_not_come_up(
    visitor: Visitor, host: StandInHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, second = host.start, twins.make(3).slugs[1]

    def start(site: str, scenario: str, seed: int, *, lab_id: str) -> StandInLab:
        if scenario == second:
            raise UnavailableError("There is no room for another lab.", "End one first.")
        return begin(site, scenario, seed, lab_id=lab_id)

    monkeypatch.setattr(host, "start", start)
    answer = visitor.post("/trainers/twins/", {"seed": "3"})
    assert answer.status_code == 503
    assert "There is no room for another lab." in answer.text
    assert host.labs == {}


def test_a_round_that_cannot_be_read_hides_no_other(visitor: Visitor, app: Flask) -> None:
    address = visitor.post("/trainers/twins/", {"seed": "3"}).headers["Location"]
    rounds = Sittings(app.extensions["console"].database, "twins")
    pair = twins.make(4).model_dump(mode="json") | {"way": "none-of-this-site"}
    lost = rounds.begin(LOCAL, {"pair": pair, "labs": ["a", "b"]})
    assert address in visitor.page("/trainers/twins/")
    assert visitor.get(f"/trainers/twins/{lost}").status_code == 404
    assert visitor.post("/trainers/twins/").status_code == 302


@pytest.mark.parametrize("cause", CAUSES)
def test_a_drill_that_is_made_has_a_card(cause: str) -> None:
    from web.catalogue import Catalogue

    slug = made_slug(twins.make(1).where, CAUSES[cause])
    assert Catalogue(lambda: ()).drill(slug).slug == slug
