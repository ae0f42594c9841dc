"""What the trainee did, read off the log: tests, looks, changes, questions, each with what came of it.

A page that draws itself again asks its lab again, so the same look several times in a row counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from sandbox.events.event import Event
from sandbox.events.kinds import (
    CommandFinished,
    CommandIssued,
    DiagnosisCommitted,
    EvidenceOpened,
    TicketAnswered,
    TicketAsked,
)
from sandbox.learning.story import NOT_PEOPLE, Story


class ActKind(StrEnum):
    """A test asks the department something, a look reads what is there, a change may make it different."""

    TEST = "test"
    LOOK = "look"
    CHANGE = "change"
    ASK = "ask"


KINDS: Mapping[str, ActKind] = {
    "tool": ActKind.TEST,
    "terminal.run": ActKind.TEST,
    "exam": ActKind.TEST,
    "study": ActKind.TEST,
    "node": ActKind.CHANGE,
    "queue": ActKind.CHANGE,
    "network": ActKind.CHANGE,
    "archive": ActKind.CHANGE,
    "lab": ActKind.CHANGE,
    "archive.bin": ActKind.LOOK,
    "archive.jobs": ActKind.LOOK,
    "archive.journal": ActKind.LOOK,
    "archive.orphans": ActKind.LOOK,
    "archive.volumes": ActKind.LOOK,
    "exam.correct": ActKind.CHANGE,
    "node.certificate.show": ActKind.LOOK,
    "study.remove": ActKind.CHANGE,
}
"""By the command's name, else by its area. What is in neither (attempt, background) is no act on the department."""

PROGRAMS: Mapping[str, str] = {
    "echoscu": "tool.echo",
    "findscu": "tool.find",
    "getscu": "tool.get",
    "movescu": "tool.move",
    "storescu": "tool.store",
    "ping": "tool.ping",
    "traceroute": "tool.ping",
    "tracert": "tool.ping",
    "tracepath": "tool.ping",
    "nc": "tool.port",
    "netcat": "tool.port",
    "telnet": "tool.port",
    "Test-NetConnection": "tool.port",
    "test-netconnection": "tool.port",
    "tnc": "tool.port",
    "nslookup": "tool.lookup",
    "host": "tool.lookup",
    "dig": "tool.lookup",
    "openssl": "tool.tls",
    "dcmdump": "open.header",
    "date": "tool.clock",
    "time": "tool.clock",
    "ntpq": "tool.clock",
}
"""What a line in a terminal is, by its program. Others (ls, cd, help) tell no causes apart."""

HARMLESS = frozenset({"queue.retry", "node.config.discard", "node.start", "lab.reset"})
"""Changes that mend nothing by themselves and harm nothing: they are neither the first fix nor ever needless."""


@dataclass(frozen=True)
class Act:
    """One thing that was done. ``name`` is the command's, or ``open.log`` and the like; ``answer`` what came of it."""

    event: Event
    kind: ActKind
    name: str
    node: str
    params: Mapping[str, Any] = field(default_factory=dict)
    ok: bool | None = None
    answer: str = ""

    @property
    def seq(self) -> int:
        return self.event.seq

    @property
    def key(self) -> str:
        """The same for the same thing asked of the same node."""
        return f"{self.name}|{self.node}|{sorted((k, str(v)) for k, v in self.params.items())}"


def kind_of(command: str) -> ActKind | None:
    """What a command is, or None when it is no act on the department."""
    return KINDS.get(command) or KINDS.get(command.partition(".")[0])


@dataclass(frozen=True)
class Done:
    """All acts of an attempt in order, and its diagnoses."""

    acts: tuple[Act, ...]
    diagnoses: tuple[Event, ...]

    def of(self, *kinds: ActKind) -> tuple[Act, ...]:
        return tuple(act for act in self.acts if act.kind in kinds)

    @cached_property
    def fixes(self) -> tuple[Act, ...]:
        """Changes that could mend something or break it, and were really made."""
        return tuple(act for act in self.of(ActKind.CHANGE) if act.name not in HARMLESS and act.ok is not False)

    @cached_property
    def first_fix(self) -> int | None:
        """The seq of the first of them, None when nothing was changed."""
        return self.fixes[0].seq if self.fixes else None

    def before_fix(self, seq: int) -> bool:
        return self.first_fix is None or seq < self.first_fix


def read_acts(events: Sequence[Event], story: Story) -> Done:
    """What people did since the phone rang."""
    results = {event.cause: event.body for event in events if isinstance(event.body, CommandFinished)}
    # An answer is caused by the question itself, and that by the command.
    heard = {event.cause: event.body.text for event in events if isinstance(event.body, TicketAnswered)}
    acts: list[Act] = []
    diagnoses: list[Event] = []
    for event in events:
        if event.actor in NOT_PEOPLE or event.at < story.started_at:
            continue
        if isinstance(event.body, DiagnosisCommitted):
            diagnoses.append(event)
        act = _act(event, results.get(event.seq), heard.get(event.seq, ""))
        if act is not None and not (act.kind is ActKind.LOOK and acts and acts[-1].key == act.key):
            acts.append(act)
    return Done(tuple(acts), tuple(diagnoses))


def _act(event: Event, result: CommandFinished | None, heard: str) -> Act | None:
    body = event.body
    if isinstance(body, CommandIssued):
        kind = kind_of(body.command)
        if kind is None:
            return None
        params = {name: value for name, value in body.params.items() if name != "node"}
        ok, answer = (None, "") if result is None else (result.ok, result.sentence)
        if body.command == "terminal.run":
            return _typed(event, str(params.get("line", "")), ok, answer)
        return Act(event, kind, body.command, event.node, params, ok, answer)
    if isinstance(body, EvidenceOpened):
        params = {"association": body.association} if body.association else {}
        return Act(event, ActKind.LOOK, f"open.{body.what}", event.node, params)
    if isinstance(body, TicketAsked):
        return Act(event, ActKind.ASK, "ask", "", {"to": body.to, "about": body.about}, None, heard)
    return None


def _typed(event: Event, line: str, ok: bool | None, answer: str) -> Act:
    """A line in a terminal: the same act as the console's own tool, where there is one."""
    words = line.split()
    name = PROGRAMS.get(words[0], "terminal.run") if words else "terminal.run"
    kind = ActKind.LOOK if name.startswith("open.") else ActKind.TEST
    return Act(event, kind, name, event.node, {"line": " ".join(words)}, ok, answer)
