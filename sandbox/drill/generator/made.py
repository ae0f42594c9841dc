"""Drills that are written nowhere: a cause on a way, named by its slug alone and composed whenever it is asked for.

The slug names the site and the way in words and the cause by a digest, since a slug is seen before the drill is over.
"""

from __future__ import annotations

import hashlib
import random

from pydantic import ValidationError

from sandbox.drill.generator.causes import CAUSES, Cause
from sandbox.drill.generator.compose import compose
from sandbox.drill.generator.ways import ExamWay, ways_of
from sandbox.drill.load import LoadedScenario
from sandbox.lab.site import load_site
from sandbox.model.base import explain_validation
from sandbox.model.errors import NotFoundError

PREFIX = "made"
PARTS = "--"


def made_slug(where: ExamWay, cause: Cause) -> str:
    """The slug of this cause on this way."""
    return PARTS.join((PREFIX, where.site.slug, where.slug, _digest(cause)))


def is_made(slug: str) -> bool:
    return slug.startswith(PREFIX + PARTS)


def way_of(slug: str) -> ExamWay:
    """The way that a slug names. NotFoundError when there is none."""
    return _parts(slug)[0]


def made_scenario(slug: str, *, like: str = "") -> LoadedScenario:
    """The drill that ``slug`` names, with the texts that its slug leads to. NotFoundError when it names none.

    The words of the ticket follow from the way alone, so that drills of one way cannot be told apart by them; ``like``
    is another text to take them from. For the same reason the diagnosis of each offers every cause there is: what one
    of two drills does not offer is the other's.
    """
    where, cause = _parts(slug)
    chance = random.Random(like or where.slug)  # noqa: S311 - a choice of words
    others = [value for value in CAUSES if value != cause.value]
    scene, texts = compose(where, cause, chance.randrange(1000), others, alternatives=len(CAUSES))
    try:
        return LoadedScenario.model_validate({**scene, "slug": slug, "texts": dict(texts)})
    except ValidationError as wrong:
        raise explain_validation(wrong, slug) from wrong


def _parts(slug: str) -> tuple[ExamWay, Cause]:
    match slug.split(PARTS):
        case [prefix, site, way, digest] if prefix == PREFIX:
            where = next((found for found in ways_of(load_site(site)) if found.slug == way), None)
            cause = next((found for found in CAUSES.values() if _digest(found) == digest), None)
            if where is not None and cause is not None:
                return where, cause
    raise NotFoundError(f"There is no drill {slug!r}.", "Choose one from the catalogue.")


def _digest(cause: Cause) -> str:
    return hashlib.sha256(f"pacs-sandbox/{cause.value}".encode()).hexdigest()[:6]
