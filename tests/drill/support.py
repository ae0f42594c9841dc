"""Labs for tests: riverside without its quiet background and its history, so that it is up at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.events.log import EventLog
from sandbox.lab.lab import Lab
from sandbox.lab.site import Site, load_site
from sandbox.model.clock import Clock
from sandbox.model.view import CommandResult

TRAINEE = "trainee:anna"

CAPPED_HOUSE = """[[before]]
command = "node.config.save"
node = "ARCHIVE"
set = { query_limit = 12 }

[[before]]
command = "node.restart"
node = "ARCHIVE"
"""
"""Steps that make a scenario's archive one that answers twelve studies at most, since long ago."""


def quiet_site() -> Site:
    """Riverside on a day on which nobody comes by themselves."""
    site = load_site("riverside")
    return site.model_copy(
        update={
            "background": site.background.model_copy(update={"enabled": False}),
            "history": site.history.model_copy(update={"patients": 0}),
        }
    )


@contextmanager
def running_lab(directory: Path, seed: int = 7, scenario: str = "", clock: Clock | None = None) -> Iterator[Lab]:
    """A lab that is stopped at the end, and whose log is printed when a test fails in it."""
    lab = Lab(quiet_site(), directory, seed, scenario=scenario, clock=clock)
    try:
        lab.start()
        yield lab
    except BaseException:
        print(last_lines(lab.events))
        raise
    finally:
        lab.stop()


def do(lab: Lab, command: str, **params: object) -> CommandResult:
    """What a trainee does."""
    return lab.execute(lab.parse(command, params), TRAINEE)


def last_lines(events: EventLog, number: int = 60) -> str:
    """The end of a lab's log, for whoever reads why a test failed."""
    return "\n".join(event.to_json()[:300] for event in events.since(max(0, len(events) - number)))


TINY = """\
title = "Ultrasound images do not show up"
family = "it-will-not-send"
site = "riverside"
difficulty = 1
expected_minutes = 5
topics = ["cdip:negotiation"]
objectives = ["To be quick."]
starts = "tuesday 09:00"

[[fault]]
kind = "config.called_ae_title"
node = "US1"
peer = "ROUTER"
value = "{typo:ROUTER}"

[[exam]]
id = "kidney"
node = "US1"
procedure = "USRENAL"
images = 1
at = "-20 min"

[[ticket]]
from = "sonographer"
subject = "{patient}'s kidneys"
text = "ticket.md"

[[ticket]]
from = "pacs_lead"
subject = "Any news?"
text = "later.md"
after_s = 3600

[[check]]
id = "us-is-archived"
kind = "exam_arrives"
node = "US1"
at = "ARCHIVE"
images = 1

[[check]]
id = "kidney-is-there"
kind = "studies_present"
exams = "kidney"
at = "ARCHIVE"

[[invariant]]
id = "names-are-checked"
kind = "called_ae_checked"
kept_back = true
node = "ROUTER"

[[invariant]]
id = "nothing-lost"
kind = "nothing_lost"

[[hint]]
text = "Look at US1, where {accession} waits."

[[hint]]
text = "Compare with CT1."

[[hint]]
text = "It is about the called title."

[[hint]]
text = "Set it to {ae:ROUTER}, save, restart."

[diagnosis]
node = "US1"
layer = "association"
fault = "called-title-mistyped"
choices = [
    { value = "called-title-mistyped", text = "It calls by a wrong name" },
    { value = "calling-title-unknown", text = "It is not known" },
    { value = "wrong-port", text = "It calls a wrong port" },
    { value = "never-sent", text = "It was never sent" },
]

[[evidence]]
event = "association.rejected"
node = "US1"
about = "{typo:ROUTER}"
text = "US1's log: rejected."

[[outside]]
command = "findscu -v -S -aet WS1 -aec {ae:ARCHIVE} {published:ARCHIVE} \
-k QueryRetrieveLevel=STUDY -k AccessionNumber={accession} -k StudyInstanceUID"
healthy = "Find Response: 1 (Pending)"

[[solution]]
title = "Correct the title"

[[solution.step]]
command = "node.config.save"
node = "US1"
set = { "remotes.ROUTER.ae_title" = "{ae:ROUTER}" }

[[solution.step]]
command = "node.restart"
node = "US1"

[[decoy]]
title = "Let ROUTER answer to any name"
harm = "It answers to any name."
fails = ["names-are-checked"]

[[decoy.step]]
command = "node.config.save"
node = "ROUTER"
set = { check_called_ae = false }

[[decoy.step]]
command = "node.restart"
node = "ROUTER"

[[decoy]]
title = "Throw away what waits"
harm = "It is gone."
fails = ["us-is-archived", "nothing-lost"]

[[decoy.step]]
command = "queue.discard"
node = "US1"
destination = "ROUTER"
"""


def write_tiny(root: Path, slug: str = "ultrasound-not-showing-up", spoil: Mapping[str, str] | None = None) -> Path:
    """The smallest whole scenario. ``spoil`` maps texts in it to others."""
    text = TINY
    for old, new in (spoil or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    folder = root / slug
    folder.mkdir(parents=True)
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    (folder / "ticket.md").write_text(
        "{person.sonographer.name}: **{patient}** ({accession}) since {time}.\n", encoding="utf-8"
    )
    (folder / "later.md").write_text("How is it going?\n", encoding="utf-8")
    (folder / "debrief.md").write_text("## What happened\n\n{typo:ROUTER} instead of {ae:ROUTER}.\n", encoding="utf-8")
    return folder
