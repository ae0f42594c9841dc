"""Lessons and attempts for tests of practice: few words for what somebody did and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.learning.topics import Topic
from web.catalogue import Drill
from web.practice.modes import Mode
from web.practice.record import Practised

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECURITY = Topic("cdip:security", "Security")
OPERATIONS = Topic("ciip:operations", "Operations", 13)


def drill(slug: str = "lesson", *topics: Topic, difficulty: int = 1, site: str = "riverside") -> Drill:
    return Drill(
        slug,
        f"The {slug}",
        "it-will-not-send",
        site,
        site.title(),
        difficulty,
        10,
        topics or (SECURITY,),
        rungs=4,
        words=f"the {slug} it won't send {site}",
    )


def done(
    slug: str = "lesson",
    day: float = 0,
    *,
    seed: int = 1,
    mode: Mode = Mode.DRILL,
    state: str = "solved",
    hints: int = 0,
    score: int | None = 80,
    minutes: float = 15,
) -> Practised:
    """An attempt on a day after Monday. ``state`` running is one that was left."""
    started = MONDAY + timedelta(days=day)
    return Practised(
        lab=f"{slug}-{day}-{seed}",
        scenario=slug,
        title=f"The {slug}",
        site="riverside",
        seed=seed,
        mode=mode,
        state=state,
        started=started,
        finished=None if state == "running" else started + timedelta(minutes=minutes),
        score=score,
        hints=hints,
        rungs=4,
    )
