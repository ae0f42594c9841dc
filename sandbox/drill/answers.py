"""What somebody of the hospital says to a question: what the scenario's author wrote, or else what they can truly find
out from where they sit, or else that they do not know."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.checks.memory import NotedExam
from sandbox.drill.questions import DO_NOT_KNOW
from sandbox.drill.record import Mail
from sandbox.drill.surface import Surface
from sandbox.drill.trying import Tried, look, others_in_trouble, try_again
from sandbox.lab.sentences import counted
from sandbox.lab.site import Person
from sandbox.model.scenario import About, Answer, SceneExam
from sandbox.nodes.department import Department
from sandbox.nodes.modality import Modality

OFTEN_ASKED = frozenset({"pacs_lead", "network_engineer", "service_engineer", "storage_engineer"})
"""Whom one asks whatever the ticket is about: the senior, the network, the vendor, the storage."""


class Answers:
    """What the people of one drill know. ``scenes`` are the scenario's own exams, ``written`` the author's answers."""

    def __init__(self, surface: Surface, written: Sequence[Answer], scenes: Sequence[SceneExam]) -> None:
        self._surface = surface
        self._written = {(answer.to, answer.about): answer.text for answer in written}
        self._urgent = {scene.id for scene in scenes if scene.stat}

    # --- whom one can ask --------------------------------------------------------------------------------------------

    def people(self, mail: Sequence[Mail]) -> tuple[Person, ...]:
        """Those who make sense here, in order: who has called, those the calls speak of or who were there, those one
        always asks. Nobody is here only because they will call: that would tell of what has not happened yet."""
        site = self._surface.site
        calls = [entry for entry in mail if entry.event]
        later = {entry.sender for entry in mail if not entry.event}
        callers = [person for person in site.people if any(person.name == call.sender for call in calls)]
        rooms = {exam.node for exam in self._surface.memory.exams}
        told = "\n".join(call.body for call in calls)
        others = [
            person
            for person in site.people
            if person not in callers
            and (
                person.id in OFTEN_ASKED
                or (any(person.id == who for who, _ in self._written) and person.name not in later)
                or bool(rooms & set(person.at))
                or _first(person) in told
                or person.name in told
            )
        ]
        return (*callers, *sorted(others, key=lambda person: person.id in OFTEN_ASKED))

    # --- what they say -----------------------------------------------------------------------------------------------

    def answer(self, department: Department, person: Person, about: About, mail: Mail, asked_before: int) -> Tried:
        """What ``person`` says about the call ``mail``. Looks and tries are real operations, and may take a while."""
        written = self._written.get((person.id, about))
        if written is not None and about is not About.AGAIN:
            text = self._surface.fill(written).strip()
            return Tried(f"As I said: {text}" if asked_before else text)
        exam = self._exam_of(mail)
        found = self._found_out(department, person, about, mail, exam)
        return found or Tried(self._surface.random(f"answer:{person.id}:{about}").choice(DO_NOT_KNOW[about]))

    def _found_out(
        self, department: Department, person: Person, about: About, mail: Mail, exam: NotedExam | None
    ) -> Tried | None:
        place = self._place(person)
        if about is About.AGAIN:
            return try_again(department, place, exam) if place else None
        if about is About.SEE:
            return look(department, place, exam) if place else None
        if about is About.ROOMS:
            return others_in_trouble(department, place) if place else None
        if about is About.SCOPE:
            return _waiting_studies(department, place) if place else None
        if person.name != mail.sender:
            return None
        if about is About.URGENT:
            return self._urgency(mail)
        if about is About.WAITING:
            return self._who_waits(mail, person)
        if about is About.SINCE and exam is not None:
            first = min((each for each in self._spoken_of(mail)), key=lambda each: each.at, default=exam)
            return Tried(
                f"The first that I noticed was {first.spoken_name}'s {first.description}, {first.at:%A} at "
                f"{first.at:%H:%M}. I have not looked at what was before."
            )
        return None

    def _urgency(self, mail: Mail) -> Tried:
        if any(exam.label in self._urgent for exam in self._spoken_of(mail)):
            return Tried("Somebody is waiting with a patient. It is marked urgent, and it is.")
        return Tried("Nobody is bleeding. But it should not stay like this until tomorrow.")

    def _who_waits(self, mail: Mail, person: Person) -> Tried:
        named = [each for each in self._surface.site.people if each != person and each.name in mail.body]
        if not named:
            return Tried("So far only those who are here with me, as far as I know.")
        return Tried(f"{', and '.join(f'{each.name} ({each.job})' for each in named)}. I know of nobody else.")

    # --- what it is about --------------------------------------------------------------------------------------------

    def _place(self, person: Person) -> str:
        """The node at which somebody looks: one that has to do with the exams of this drill, or else their first."""
        rooms = {exam.node for exam in self._surface.memory.exams}
        return next((place for place in person.at if place in rooms), next(iter(person.at), ""))

    def _spoken_of(self, mail: Mail) -> list[NotedExam]:
        text = f"{mail.subject}\n{mail.body}"
        return [
            exam
            for exam in self._surface.memory.exams
            if (exam.accession_number and exam.accession_number in text) or exam.spoken_name in text
        ]

    def _exam_of(self, mail: Mail) -> NotedExam | None:
        """The exam that a question is about: the first that the call speaks of in its words."""
        text = f"{mail.subject}\n{mail.body}"

        def position(exam: NotedExam) -> int:
            places = [text.find(exam.spoken_name), text.find(exam.accession_number)]
            return min((place for place in places if place >= 0), default=len(text))

        return min(self._surface.memory.exams, key=position, default=None)


def _waiting_studies(department: Department, place: str) -> Tried | None:
    node = department.node(place)
    if not isinstance(node, Modality) or node.queue is None:
        return None
    number = len(node.queue.waiting_studies())
    if not number:
        return Tried("Nothing is left on my send list, of nobody.", None)
    have = "has" if number == 1 else "have"
    return Tried(f"My send list has {counted(number, 'study', 'studies')} on it that {have} not gone.", False)


def _first(person: Person) -> str:
    return person.name.removeprefix("Dr. ").split()[0]
