"""The catalogue's filters: what fits, and what each choice would give."""

from __future__ import annotations

from datetime import timedelta

from tests.web.conftest import Visitor
from tests.web.practice.made import MONDAY, OPERATIONS, SECURITY, done, drill
from web.practice.filters import FACETS, Asked, State, asked, find, states
from web.practice.mastery import Standing, standings

DRILLS = (
    drill("alpha", SECURITY, difficulty=1),
    drill("beta", SECURITY, OPERATIONS, difficulty=3),
    drill("gamma", OPERATIONS, difficulty=3, site="lakeside"),
)


def all_of() -> tuple[Standing, ...]:
    history = (done("alpha"), done("beta", state="given-up"))
    return tuple(standings(DRILLS, history, MONDAY + timedelta(minutes=30)).values())


def found(**wish: str) -> list[str]:
    return [one.drill.slug for one in find(all_of(), Asked(**wish)).found]


def test_filters_narrow_together() -> None:
    assert found() == ["alpha", "beta", "gamma"]
    assert found(topic="ciip:operations") == ["beta", "gamma"]
    assert found(topic="ciip:operations", site="lakeside") == ["gamma"]
    assert found(difficulty="3", q="BETA") == ["beta"]
    assert found(q="lakeside gamma") == ["gamma"]
    assert found(q="lakeside alpha") == []
    assert found(state="new") == ["gamma"]
    assert found(state="tried") == ["beta"]
    assert found(state="solved") == ["alpha"]
    assert found(family="nonsense") == []


def test_a_count_is_what_the_choice_would_give() -> None:
    result = find(all_of(), Asked(topic="ciip:operations"))
    for name in FACETS:
        for choice in result.choices[name]:
            wish = Asked(**{"topic": "ciip:operations", name: choice.value})
            assert choice.count == len(find(all_of(), wish).found), (name, choice.value)
    assert [one.value for one in result.choices["state"]] == list(State)
    assert [one.value for one in result.choices["difficulty"]] == ["1", "3"]
    assert [one.chosen for one in result.choices["topic"]] == [False, True]


def test_what_is_due_was_met_before() -> None:
    (one,) = standings((drill("alpha"),), (done("alpha"),), MONDAY + timedelta(days=40)).values()
    assert states(one) == {State.DUE, State.SOLVED}


def test_an_address_asks_for_nothing_it_does_not_know() -> None:
    assert asked({"q": " x ", "colour": "red", "site": "y" * 500}) == Asked(q="x", site="y" * 100)
    assert Asked(q="x", state="due").query() == {"q": "x", "state": "due"}


def test_the_page_is_shared_by_its_address_and_says_what_to_do_when_nothing_fits(visitor: Visitor) -> None:
    page = visitor.page("/catalogue/?family=it-will-not-send&q=images")
    assert "1 of 1 drills" in page
    assert 'value="it-will-not-send" selected' in page
    assert 'value="images"' in page
    nothing = visitor.page("/catalogue/?q=%3Cscript%3Ealert(1)")
    assert "No drill fits all of that." in nothing
    assert "<script>alert" not in nothing


def test_a_card_tells_no_cause(visitor: Visitor) -> None:
    page = visitor.page("/catalogue/")
    assert "typo" not in page.lower()
    for words in ("Start guided", "Drill", "Exam", "Choose the seed", "Association negotiation"):
        assert words in page
