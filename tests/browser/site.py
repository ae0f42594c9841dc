"""Every page of the console: what it needs to be seen, and its address. A page that nobody listed here fails a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import Kind
from sandbox.model.debrief_view import AccountView
from sandbox.model.verdict import Finding, Verdict
from sandbox.model.view import AttemptState
from tests.web.conftest import Visitor
from tests.web.stand_in import HOSTILE, StandIn, StandInHost
from web.accounts import LOCAL
from web.exam.paper import IncidentItem
from web.trainers import negotiation, twins

PAGES: Mapping[str, tuple[str, ...]] = {
    "start.start": ("/", "/nowhere"),
    "catalogue.catalogue": ("/catalogue/?difficulty=1", "/catalogue/?q=no-drill-has-this"),
    "path.path": ("/path/",),
    "path.stage": ("/path/objects",),
    "progress.progress": ("/progress/",),
    "certificate.certificate": ("/certificate/?name=Anna",),
    "trainers.trainers": ("/trainers/",),
    "negotiation.trainer": ("/trainers/negotiation/",),
    "negotiation.play": ("{predicting}", "{predicted}"),
    "twins.trainer": ("/trainers/twins/",),
    "twins.play": ("{telling}", "{told_apart}"),
    "questions.questions": ("/questions/",),
    "questions.question": ("/questions/wrong-name-called", "/questions/{match}", "/questions/{order}"),
    "exam.intro": ("/exam/",),
    "exam.overview": ("{sitting}/",),
    "exam.item": ("{sitting}/{single}", "{sitting}/{incident}"),
    "exam.result": ("{handed_in}/result",),
    "department.department": ("{lab}/", "{lab}/?feed=all", "{solved}/", "{explored}/", "{guided}/", "{examined}/"),
    "notebook.notebook": ("{lab}/notebook/",),
    "follow.search": ("{lab}/follow/", "{lab}/follow/?q=nobody"),
    "follow.study": ("{lab}/follow/1.2.3",),
    "associations.associations": ("{lab}/associations/", "{lab}/associations/?service=C-MOVE&q=nobody"),
    "associations.association": ("{lab}/associations/a-1",),
    "associations.messages": ("{lab}/associations/a-1/messages",),
    "associations.message": ("{lab}/associations/a-1/messages/2",),
    "associations.pdus": ("{lab}/associations/a-1/pdus",),
    "associations.pdu": ("{lab}/associations/a-1/pdus/1?piece=9",),
    "logs.logs": ("{lab}/logs", "{lab}/logs?q=nobody"),
    "logs.node_log": ("{lab}/nodes/CT1/log",),
    "history.history": ("{lab}/history/",),
    "service.network": ("{lab}/network",),
    "service.service": ("{lab}/nodes/ARCHIVE/service",),
    "terminal.terminal": ("{lab}/terminal/", "{lab}/terminal/?node=CT1"),
    "outside.outside": ("{lab}/tools/", "{lab}/tools/?tool=dcmtk", "{lab}/tools/?tool=wireshark"),
    "node.overview": ("{lab}/nodes/ROUTER/",),
    "configuration.configuration": ("{lab}/nodes/ROUTER/configuration/",),
    "queues.queue": ("{lab}/nodes/CT1/queue/?destination=ROUTER",),
    "studies.studies": ("{lab}/nodes/ARCHIVE/studies/", "{lab}/nodes/ARCHIVE/studies/?q=nobody"),
    "studies.study": ("{lab}/nodes/ARCHIVE/studies/1.2.3",),
    "viewer.view": ("{lab}/nodes/ARCHIVE/studies/1.2.3/view",),
    "headers.header": ("{lab}/nodes/ARCHIVE/instances/1.2.3.4/header",),
    "headers.compare": ("{lab}/nodes/ARCHIVE/instances/1.2.3.4/compare?with_node=CT1",),
    "tools.tools": tuple(f"{{lab}}/nodes/CT1/tools/?tool={tool}" for tool in ("echo", "find", "store", "exam")),
    "debrief.live": ("{lab}/debrief", "{solved}/debrief", "{told}/debrief"),
    "debrief.kept": ("{kept}",),
}
"""The addresses under which each endpoint is looked at; names in braces are of ``places``."""

PART, FILE = "a part that a page fetches again", "a download"
NO_PAGES: Mapping[str, str] = {
    "static": "files",
    "start.health": "for machines",
    "live.events": "a stream of events",
    "live.ended": PART,
    "auth.login": "asked of nobody on one's own machine; looked at in a test of its own",
    "questions.next_one": "leads to a question",
    "department.live_map": PART,
    "department.next_steps": PART,
    "department.side": PART,
    "drill.pins": PART,
    "drill.state": PART,
    "exam.judged": PART,
    "follow.live_map": PART,
    "notebook.body": PART,
    "terminal.now": PART,
    "terminal.words": "words for a line that is typed",
    "thread.later": PART,
    "thread.messages": PART,
    "viewer.facts": "for the viewer's script",
    "viewer.frame": "an image",
    "viewer.tags": PART,
    "associations.capture": FILE,
    "certificate.contents": FILE,
    "certificate.pdf": FILE,
    "debrief.kept_report": FILE,
    "debrief.live_report": FILE,
    "logs.download": FILE,
    "notebook.download": FILE,
    "outside.orthanc": FILE,
    "progress.carry_away": FILE,
}
"""What is no page of its own, and why."""


@dataclass(frozen=True)
class Site:
    """A console with every drill over stand-in labs, in which everything of site.py is there to be looked at."""

    address: str
    in_exam: str
    """The address of another console, whose one person is in an exam: it opens no books."""
    app: Flask
    host: StandInHost
    places: Mapping[str, str]

    def at(self, path: str) -> str:
        """The address of a path of site.py."""
        console = self.in_exam if path.startswith("{sitting}") else self.address
        return console + path.format(**self.places)

    def lab(self, name: str) -> StandIn:
        return self.host.labs[self.places[name].rpartition("/")[2]]


def endpoints(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


def addresses() -> tuple[str, ...]:
    return tuple(path for paths in PAGES.values() for path in paths)


def prepare(app: Flask, host: StandInHost) -> dict[str, str]:
    """Bring about everything that the addresses speak of, as the one person who is at this console."""
    visitor = Visitor(app.test_client())
    found: dict[str, str] = {}

    def lab(name: str, scenario: str = "drill", mode: str = "drill") -> StandIn:
        answer = visitor.post("/labs", {"scenario": scenario, "site": "riverside", "seed": "7", "mode": mode})
        found[name] = str(answer.headers["Location"]).rstrip("/")
        return host.labs[found[name].rpartition("/")[2]]

    running = lab("lab")
    running.findings = tuple(
        Finding(id=verdict.value, check="x", verdict=verdict, sentence=HOSTILE, invariant=True, facts=("a", "b"))
        for verdict in Verdict
    )
    running.execute("node.config.save", {"set": {"remotes.WS2.port": 105}})
    lab("solved").state = AttemptState.SOLVED
    told = lab("told")
    told.state, told.account = AttemptState.SOLVED, AccountView(wrong=HOSTILE)
    lab("explored", scenario="")
    lab("guided", mode="guided")
    lab("examined", mode="exam")

    kept = lab("ended")
    kept.state, kept.account = AttemptState.SOLVED, AccountView(wrong=HOSTILE)
    visitor.page(found["ended"] + "/debrief")
    record = app.extensions["console"].attempts.get(found["ended"].rpartition("/")[2])
    assert record is not None
    visitor.post(found["ended"] + "/end")
    found["kept"] = f"/attempts/{record.id}/debrief"

    found |= _trainers(visitor) | _exam(app)
    return found


def _trainers(visitor: Visitor) -> dict[str, str]:
    def begun(address: str, **values: Any) -> str:
        return str(visitor.post(address, values).headers["Location"])

    predicted = begun("/trainers/negotiation/", level="1", seed="5")
    lines = negotiation.make(negotiation.LEVELS[0], 5, "").lines
    visitor.post(predicted, {f"context-{place}": negotiation.choices(line)[-1] for place, line in enumerate(lines)})
    told_apart = begun("/trainers/twins/", seed="3")
    visitor.post(f"{told_apart}/answer", {"said": twins.make(3).causes[0]})
    return {
        "predicted": predicted,
        "predicting": begun("/trainers/negotiation/", level="2", seed="6"),
        "told_apart": told_apart,
        "telling": begun("/trainers/twins/", seed="4"),
    }


def _exam(app: Flask) -> dict[str, str]:
    exams, questions = app.extensions["exams"], question_bank()
    with app.test_request_context():
        handed_in = exams.begin(LOCAL, "short", "both", timed=True, seed=3)
        exams.submit(LOCAL, handed_in)
    kinds = {kind: next(one.id for one in questions.values() if one.kind is kind) for kind in (Kind.MATCH, Kind.ORDER)}
    return {"handed_in": f"/exam/{handed_in}", "match": kinds[Kind.MATCH], "order": kinds[Kind.ORDER]}


def begin_exam(app: Flask) -> dict[str, str]:
    """Put the person at this console into an exam."""
    exams, questions = app.extensions["exams"], question_bank()
    with app.test_request_context():
        sitting = exams.begin(LOCAL, "short", "both", timed=False, seed=3)
        items = exams.get(LOCAL, sitting).paper.items
    places = {
        "incident" if isinstance(item, IncidentItem) else questions[item.question].kind.value: str(place)
        for place, item in enumerate(items, 1)
    }
    return {"sitting": f"/exam/{sitting}", "incident": places["incident"], "single": places["single"]}
