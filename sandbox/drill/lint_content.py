"""The linter's second half: a well-formed scenario, read against the site, the primitives and the commands there are.

One function a rule; ``RULES`` lists them. Placeholders are filled with made-up exams of the right names and numbers, so
that whatever a run would fill in is validated as it will be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sample_dicom.procedures import procedures_for
from sandbox.checks.check import Check
from sandbox.checks.registry import make_check
from sandbox.drill.layers import LAYERS
from sandbox.drill.lint_answers import answer_problems
from sandbox.drill.lint_claims import Answer, claim_problems
from sandbox.drill.load import FILE_NAME, LoadedScenario
from sandbox.drill.outside import parts_of, words_of
from sandbox.drill.problem import Problem
from sandbox.drill.steps import parse_step
from sandbox.drill.surface import NOON, Surface, pretended_surface
from sandbox.events.kinds import KINDS
from sandbox.faults.registry import make_fault
from sandbox.lab.site import Site, load_site, site_slugs
from sandbox.learning.topics import FAMILIES, TOPICS
from sandbox.model.config import NodeConfig
from sandbox.model.discovery import suggestion
from sandbox.model.errors import SandboxError
from sandbox.model.moment import after, before
from sandbox.model.scenario import Primitive, Step, Way
from sandbox.nodes.registry import role_class

CAUSE_WORDS = (
    "ae title",
    "association",
    "called",
    "calling",
    "certificate",
    "config",
    "context",
    "dns",
    "expired",
    "fault",
    "filter",
    "firewall",
    "full disk",
    "held",
    "index",
    "mistyped",
    "on hold",
    "paused",
    "port",
    "queue",
    "rejected",
    "route",
    "router",
    "rule",
    "suspended",
    "tls",
    "transfer syntax",
    "typo",
    "wrong",
)
"""Words that tell a cause. A title, a slug and a subject speak of what a person sees."""

BY_THE_MACHINES_CLOCK = ("tls.expired", "time.expiry")
"""Faults whose moment is the machine's: TLS checks dates by no other clock, so the department's must show the same."""

RUNGS = 4
"""A ladder of hints: where to look, what to compare, what it means, the worked step."""


@dataclass(frozen=True)
class Reading:
    """A scenario with what it is read against."""

    scenario: LoadedScenario
    site: Site
    configs: Mapping[str, NodeConfig]
    surface: Surface

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.site.nodes)


def content_problems(scenario: LoadedScenario) -> list[Problem]:
    """Every problem that a reader of the registries finds."""
    try:
        site = load_site(scenario.site)
    except SandboxError as wrong:
        mend = suggestion(scenario.site, site_slugs())
        return [_problem("site", wrong.sentence, mend)]
    reading = Reading(scenario, site, site_configs(site), pretended_surface(scenario.exam, site))
    return [problem for rule in RULES for problem in rule(reading)]


def site_configs(site: Site) -> dict[str, NodeConfig]:
    """The configurations that the nodes of a site begin with."""
    return {node.name: role_class(node.role).config_class.model_validate(node.config) for node in site.nodes}


# --- rules -----------------------------------------------------------------------------------------------------------


def _title_tells_the_symptom(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    spoken = {"title": scenario.title, "(folder name)": scenario.slug.replace("-", " ")}
    spoken |= {f"ticket[{n}].subject": ticket.subject for n, ticket in enumerate(scenario.ticket, 1)}
    for key, text in spoken.items():
        for word in CAUSE_WORDS:
            if re.search(rf"\b{re.escape(word)}s?\b", text.lower()):
                mend = "Say what a person sees, not why: the caller does not know the cause."
                yield _problem(key, f"{text!r} gives the cause away with {word!r}.", mend)


def _slug_is_kebab_case(reading: Reading) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reading.scenario.slug):
        yield _problem(
            "(folder name)", f"{reading.scenario.slug!r} is no slug.", "Use small letters, digits and hyphens."
        )


def _words_are_known(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    if scenario.family not in FAMILIES:
        yield _problem("family", f"There is no family {scenario.family!r}.", suggestion(scenario.family, FAMILIES))
    known = [topic.id for topic in TOPICS]
    for number, topic in enumerate(scenario.topics, 1):
        if topic not in known:
            yield _problem(f"topics[{number}]", f"There is no topic {topic!r}.", suggestion(topic, known))
    try:
        after(scenario.starts, NOON)
    except SandboxError as wrong:
        yield _problem("starts", wrong.sentence, wrong.mend)


def _exams_can_be_made(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    yield from _doubles("exam", "id", [exam.id for exam in scenario.exam])
    for number, exam in enumerate(scenario.exam, 1):
        key = f"exam[{number}]"
        if exam.node not in reading.nodes:
            yield _unknown_node(f"{key}.node", exam.node, reading)
            continue
        modality = str(getattr(reading.configs[exam.node], "modality", ""))
        if not modality:
            yield _problem(f"{key}.node", f"{exam.node} makes no exams.", "Name a modality.")
        elif exam.procedure and exam.procedure not in (known := [line.code for line in procedures_for(modality)]):
            sentence = f"{exam.node} cannot do {exam.procedure!r}."
            yield _problem(f"{key}.procedure", sentence, suggestion(exam.procedure, known))
        for word, other in (("same_patient", exam.same_patient), ("namesake_of", exam.namesake_of)):
            others = [each.id for each in scenario.exam if each.id != exam.id]
            if other and other not in others:
                yield _problem(f"{key}.{word}", f"There is no other exam {other!r}.", suggestion(other, others))
        try:
            before(exam.at, NOON)
        except SandboxError as wrong:
            yield _problem(f"{key}.at", wrong.sentence, wrong.mend)


def _faults_can_happen(reading: Reading) -> Iterator[Problem]:
    tables = (("fault", reading.scenario.fault), ("given", reading.scenario.given))
    for table, number, primitive in ((t, n, p) for t, all_of_it in tables for n, p in enumerate(all_of_it, 1)):
        key = f"{table}[{number}]"
        try:
            fault = make_fault(_filled(primitive, reading.surface))
            before(fault.at, NOON)
        except SandboxError as wrong:
            yield _problem(key, wrong.sentence, wrong.mend)
            continue
        unknown = [node for node in fault.nodes() if node not in reading.nodes]
        if unknown:
            yield _unknown_node(key, unknown[0], reading)
            continue
        try:
            fault.try_on(reading.configs)
        except SandboxError as wrong:
            yield _problem(key, f"{fault.kind} cannot happen here: {wrong.sentence}", wrong.mend)


def _certificates_end_on_the_departments_day(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    dated = [fault.kind for fault in (*scenario.fault, *scenario.given) if fault.kind in BY_THE_MACHINES_CLOCK]
    if scenario.starts and dated:
        sentence = f"{dated[0]} goes by the machine's clock: on another day its certificate contradicts the logs."
        yield _problem("starts", sentence, "Take it out, and write moments that hold at any hour.")


def _something_is_broken_or_to_be_told(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    if not scenario.fault and not any(check.kind == "caller_told" for check in scenario.check):
        mend = "Break something, or let the cure be an answer: a [[check]] of kind caller_told."
        yield _problem("fault", "Nothing is broken, and nobody is to be told so.", mend)


def _checks_can_be_made(reading: Reading) -> Iterator[Problem]:
    names: list[str] = []
    for table, primitives in (("check", reading.scenario.check), ("invariant", reading.scenario.invariant)):
        for number, primitive in enumerate(primitives, 1):
            key = f"{table}[{number}]"
            try:
                check = make_check(_filled(primitive, reading.surface))
            except SandboxError as wrong:
                yield _problem(key, wrong.sentence, wrong.mend)
                continue
            names.append(check.id or check.kind)
            if table == "check" and not check.id:
                yield _problem(key, "A check needs an id.", "Give it one, so that decoys can name it.")
            yield from _check_fits(key, check, reading)
    yield from _doubles("check or invariant", "id", names)


def _claims_give_nothing_away(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    claims: list[tuple[str, Check]] = []
    for table, primitives in (("check", scenario.check), ("invariant", scenario.invariant)):
        for number, primitive in enumerate(primitives, 1):
            with suppress(SandboxError):  # what cannot be made is told by the rule before
                claims.append((f"{table}[{number}].says", make_check(_filled(primitive, reading.surface))))
    faults = tuple(fault.kind for fault in scenario.fault)
    yield from claim_problems(claims, Answer(faults, scenario.diagnosis.node, reading.nodes, CAUSE_WORDS))


def _check_fits(key: str, check: Check, reading: Reading) -> Iterator[Problem]:
    for node in check.nodes():
        if node not in reading.nodes:
            yield _unknown_node(key, node, reading)
    labels = [exam.id for exam in reading.scenario.exam]
    for label in check.labels():
        if label not in labels:
            yield _problem(key, f"No exam of the scenario is called {label!r}.", suggestion(label, labels))


def _ladder_has_rungs(reading: Reading) -> Iterator[Problem]:
    if len(reading.scenario.hint) < RUNGS:
        mend = "Write where to look, what to compare, what it means, and the worked step."
        yield _problem("hint", f"The ladder has {len(reading.scenario.hint)} rungs; it needs {RUNGS}.", mend)


def _diagnosis_is_a_choice(reading: Reading) -> Iterator[Problem]:
    diagnosis = reading.scenario.diagnosis
    if diagnosis.node not in reading.nodes:
        yield _unknown_node("diagnosis.node", diagnosis.node, reading)
    if diagnosis.layer not in LAYERS:
        yield _problem(
            "diagnosis.layer", f"There is no layer {diagnosis.layer!r}.", suggestion(diagnosis.layer, LAYERS)
        )
    values = [choice.value for choice in diagnosis.choices]
    if diagnosis.fault not in values:
        mend = f"Add it; there is: {', '.join(values)}."
        yield _problem("diagnosis.fault", f"{diagnosis.fault!r} is not among the choices.", mend)
    if len(values) < 4:
        yield _problem(
            "diagnosis.choices", f"{len(values)} choices are too few.", "Offer at least four plausible ones."
        )
    yield from _doubles("diagnosis.choices", "value", values)


def _steps_are_commands(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    for table, steps in (("before", scenario.before), ("meanwhile", scenario.meanwhile)):
        for number, step in enumerate(steps, 1):
            yield from _step_problems(f"{table}[{number}]", step, reading)
    for table, ways in (("solution", scenario.solution), ("decoy", scenario.decoy)):
        for number, way in enumerate(ways, 1):
            for position, step in enumerate(way.step, 1):
                yield from _step_problems(f"{table}[{number}].step[{position}]", step, reading)


def _step_problems(key: str, step: Step, reading: Reading) -> Iterator[Problem]:
    try:
        params = reading.surface.fill_all(step.params)
        parse_step(step.command, params)
    except SandboxError as wrong:
        yield _problem(key, wrong.sentence, wrong.mend)
        return
    node = params.get("node")
    if node is not None and node not in reading.nodes:
        yield _unknown_node(f"{key}.node", node, reading)


def _ways_make_sense(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    names = [primitive.id or primitive.kind for primitive in (*scenario.check, *scenario.invariant)]
    yield from _doubles("solution or decoy", "title", [way.title for way in (*scenario.solution, *scenario.decoy)])
    for number, way in enumerate(scenario.solution, 1):
        if way.harm or way.fails:
            mend = "Take harm and fails out, or make it a decoy."
            yield _problem(f"solution[{number}]", "A solution does no harm and fails nothing.", mend)
    for number, way in enumerate(scenario.decoy, 1):
        yield from _decoy_problems(f"decoy[{number}]", way, names)


def _decoy_problems(key: str, way: Way, names: Sequence[str]) -> Iterator[Problem]:
    if not way.harm:
        yield _problem(f"{key}.harm", "A decoy says what harm it does.", "Write it in a sentence for the debrief.")
    if not way.fails:
        mend = f"Name what catches it: {', '.join(names)}."
        yield _problem(f"{key}.fails", "A decoy says which check or invariant it fails.", mend)
    for name in way.fails:
        if name not in names:
            yield _problem(f"{key}.fails", f"There is no check or invariant {name!r}.", suggestion(name, names))


def _evidence_can_occur(reading: Reading) -> Iterator[Problem]:
    for number, entry in enumerate(reading.scenario.evidence, 1):
        if entry.event not in KINDS:
            sentence = f"There is no event {entry.event!r}."
            yield _problem(f"evidence[{number}].event", sentence, suggestion(entry.event, KINDS))
        if entry.node not in reading.nodes:
            yield _unknown_node(f"evidence[{number}].node", entry.node, reading)
        yield from _text_problems(f"evidence[{number}].text", FILE_NAME, entry.text, reading)
        yield from _text_problems(f"evidence[{number}].about", FILE_NAME, entry.about, reading, may_be_empty=True)


def _tools_can_be_run(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    if not scenario.outside:
        mend = "Give a dcmtk command and what it prints while the department is broken."
        yield _problem("outside", "Nothing says how somebody with only dcmtk sees it.", mend)
    for number, view in enumerate(scenario.outside, 1):
        try:
            for part in parts_of(view.command):
                words_of(part, reading.surface, None)
        except SandboxError as wrong:
            yield _problem(f"outside[{number}].command", wrong.sentence, wrong.mend)
        yield from _text_problems(f"outside[{number}].prints", FILE_NAME, view.prints, reading, may_be_empty=True)
        yield from _text_problems(f"outside[{number}].healthy", FILE_NAME, view.healthy, reading, may_be_empty=True)


def _texts_can_be_filled(reading: Reading) -> Iterator[Problem]:
    scenario = reading.scenario
    people = [person.id for person in reading.site.people]
    for number, ticket in enumerate(scenario.ticket, 1):
        if ticket.sender not in people:
            sentence = f"Nobody at {scenario.site} is called {ticket.sender!r}."
            yield _problem(f"ticket[{number}].from", sentence, suggestion(ticket.sender, people))
        yield from _text_problems(f"ticket[{number}].subject", FILE_NAME, ticket.subject, reading)
    for name, text in scenario.texts.items():
        yield from _text_problems("", name, text, reading)
    for number, hint in enumerate(scenario.hint, 1):
        yield from _text_problems(f"hint[{number}].text", FILE_NAME, hint.text, reading)
    for number, way in enumerate(scenario.solution, 1):
        yield from _text_problems(f"solution[{number}].title", FILE_NAME, way.title, reading)


def _people_can_answer(reading: Reading) -> Iterator[Problem]:
    yield from answer_problems(reading.scenario.answer, reading.surface)


def _text_problems(
    key: str, file: str, text: str, reading: Reading, *, may_be_empty: bool = False
) -> Iterator[Problem]:
    if not text.strip() and not may_be_empty:
        yield Problem(file=file, key=key, sentence="There is no text.", mend="Write it.")
    try:
        reading.surface.fill(text)
    except SandboxError as wrong:
        yield Problem(file=file, key=key, sentence=wrong.sentence, mend=wrong.mend)


RULES: tuple[Callable[[Reading], Iterator[Problem]], ...] = (
    _title_tells_the_symptom,
    _slug_is_kebab_case,
    _words_are_known,
    _exams_can_be_made,
    _faults_can_happen,
    _certificates_end_on_the_departments_day,
    _something_is_broken_or_to_be_told,
    _checks_can_be_made,
    _claims_give_nothing_away,
    _ladder_has_rungs,
    _diagnosis_is_a_choice,
    _steps_are_commands,
    _ways_make_sense,
    _evidence_can_occur,
    _tools_can_be_run,
    _texts_can_be_filled,
    _people_can_answer,
)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _problem(key: str, sentence: str, mend: str) -> Problem:
    return Problem(file=FILE_NAME, key=key, sentence=sentence, mend=mend)


def _unknown_node(key: str, node: str, reading: Reading) -> Problem:
    return _problem(key, f"There is no node {node!r} at {reading.site.slug}.", suggestion(node, reading.nodes))


def _doubles(what: str, key: str, values: Sequence[str]) -> Iterator[Problem]:
    for value, count in Counter(values).items():
        if count > 1:
            yield _problem(what, f"The {key} {value!r} occurs {count} times.", "Each must have its own.")


def _filled(primitive: Primitive, surface: Surface) -> Primitive:
    return Primitive(kind=primitive.kind, id=primitive.id, **surface.fill_all(primitive.params))
