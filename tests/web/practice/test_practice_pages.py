"""Home, catalogue, path and progress over the real drills: sound markup, what is due and next, and whose names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from tests.web.conftest import Visitor
from tests.web.stand_in import StandInHost
from tests.web.test_pages import read
from web.app import Console, create_app
from web.catalogue import Catalogue, read_scenarios
from web.db.tables import Attempt
from web.options import Options
from web.practice.path import read_stages

FIRST = "ultrasound-room-cannot-deliver"
PAGES = (
    "/",
    "/catalogue/",
    "/catalogue/?state=due",
    "/path/",
    "/path/first-calls",
    "/progress/",
    "/certificate/?name=A",
)


@pytest.fixture(scope="module")
def real_drills() -> Catalogue:
    catalogue = Catalogue(read_scenarios)
    assert len(catalogue.drills()) >= 36
    return catalogue


@pytest.fixture
def app(tmp_path: Path, real_drills: Catalogue, compiled: FileSystemBytecodeCache) -> Iterator[Flask]:
    host = StandInHost()
    app = create_app(Options(directory=tmp_path), host, real_drills, connect=host.connect)
    app.jinja_env.bytecode_cache = compiled
    yield app
    app.extensions["console"].labs.close()
    app.extensions["console"].database.close()


@pytest.fixture
def console(app: Flask) -> Console:
    found: Console = app.extensions["console"]
    return found


def practised(console: Console, *days_ago: float, slug: str = FIRST, state: str = "solved") -> None:
    with console.database.unit() as session:
        for at in days_ago:
            started = datetime.now(UTC) - timedelta(days=at)
            session.add(
                Attempt(
                    lab=f"{slug[:40]}-{at}", user_id=None, site="riverside", scenario=slug, title="T",
                    seed=int(at * 10),
                    started=started, state=state, findings={}, mode="drill", score=80,
                    finished=started + timedelta(minutes=9), closed=started + timedelta(minutes=10),
                )
            )  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("days", [(), (40, 20)], ids=["nothing yet", "something"])
def test_page_is_sound(visitor: Visitor, console: Console, path: str, days: tuple[float, ...]) -> None:
    practised(console, *days)
    markup = read(visitor.page(path))
    assert not markup.inline
    assert not markup.unbalanced
    assert len(markup.ids) == len(set(markup.ids))


def test_first_visit_explains_and_offers_the_tour_and_the_first_lesson(visitor: Visitor) -> None:
    page = visitor.page("/")
    for words in ("A working imaging department", "five-minute tour", "Start the first lesson, guided", FIRST):
        assert words in page
    assert "Welcome back" not in page


def test_who_comes_back_is_told_what_is_due_and_what_is_next(visitor: Visitor, console: Console) -> None:
    practised(console, 40)
    page = visitor.page("/")
    assert "Welcome back" in page
    due = page[page.index('id="due-title"') : page.index('id="next-title"')]
    assert "Ultrasound images stay in the room" in due
    assert "Ultrasound images" not in page[page.index('id="next-title"') : page.index('id="ways-title"')]
    assert "Nothing today." not in page


def test_what_was_practised_this_morning_is_not_due(visitor: Visitor, console: Console) -> None:
    practised(console, 0.1)
    assert "Nothing today." in visitor.page("/")


def test_the_catalogue_of_all_drills_counts_by_state(visitor: Visitor, console: Console) -> None:
    practised(console, 40)
    page = visitor.page("/catalogue/?state=due")
    assert "1 of 36 drills" in page or "1 of " in page
    assert "Due again (1)" in page
    assert "New (35)" in page or "New (" in page


def test_every_stage_has_its_page(visitor: Visitor) -> None:
    path = visitor.page("/path/")
    for stage in read_stages():
        assert f'href="/path/{stage.slug}"' in path
        assert stage.teaches in visitor.page(f"/path/{stage.slug}").replace("&#39;", "'")
    assert visitor.get("/path/nowhere").status_code == 404


def test_progress_says_whose_the_names_are_and_has_weights(visitor: Visitor, console: Console) -> None:
    practised(console, 40, 20)
    page = visitor.page("/progress/")
    assert "have no part in this" in page
    assert "of 130 scored items" in page
    assert "Mastered" in page
    assert "<svg viewBox" in page
    assert page.count("<caption") + page.count("<thead>") >= 3, "each picture has its list"
