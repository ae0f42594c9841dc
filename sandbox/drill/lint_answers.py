"""The linter's rules for ``[[answer]]``: that somebody of the site says it, once, in words that can be filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sandbox.drill.load import FILE_NAME
from sandbox.drill.problem import Problem
from sandbox.drill.surface import Surface
from sandbox.model.discovery import suggestion
from sandbox.model.errors import SandboxError
from sandbox.model.scenario import About, Answer

LONGEST = 600
"""Letters of an answer. Somebody who is asked on the telephone says two or three sentences."""


def answer_problems(answers: Sequence[Answer], surface: Surface) -> Iterator[Problem]:
    """Every problem of a scenario's answers."""
    people = [person.id for person in surface.site.people]
    for number, answer in enumerate(answers, 1):
        key = f"answer[{number}]"
        if answer.to not in people:
            sentence = f"Nobody at {surface.site.slug} is called {answer.to!r}."
            yield _problem(f"{key}.to", sentence, suggestion(answer.to, people))
        if answer.about is About.AGAIN:
            mend = "Take it out: the person tries for real, and tells what came of it."
            yield _problem(f"{key}.about", "What comes of trying again cannot be written beforehand.", mend)
        if not answer.text.strip():
            yield _problem(f"{key}.text", "There is no text.", "Write it, or take the answer out.")
        if len(answer.text) > LONGEST:
            mend = f"Say it in at most {LONGEST} letters; what decides is for the logs."
            yield _problem(f"{key}.text", f"This is long for an answer: {len(answer.text)} letters.", mend)
        try:
            surface.fill(answer.text)
        except SandboxError as wrong:
            yield _problem(f"{key}.text", wrong.sentence, wrong.mend)
    for (to, about), count in Counter((answer.to, answer.about) for answer in answers).items():
        if count > 1:
            sentence = f"{to} answers {count} times about {about.value!r}."
            yield _problem("answer", sentence, "Say all of it in one answer.")


def _problem(key: str, sentence: str, mend: str) -> Problem:
    return Problem(file=FILE_NAME, key=key, sentence=sentence, mend=mend)
