"""Begins a new scenario: a folder that lints and verifies as it stands, with a comment at every place to make it yours.

An author changes one thing at a time and asks the linter after each; what works is never far away.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from sandbox.drill.load import FILE_NAME, scenarios_folder
from sandbox.lab.site import load_site
from sandbox.model.errors import BadInputError, ConflictError

SCENARIO = Template("""\
# $title
# Read docs/writing-scenarios.md beside this file. After each change: pacs-sandbox scenario lint $slug
# When it reads well: pacs-sandbox scenario verify $slug

title = "$title" # what a person sees, never why
family = "it-will-not-send" # complaints that sound alike, see docs/writing-scenarios.md
site = "$site"
difficulty = 1 # 1 to 5
expected_minutes = 15
topics = ["cdip:negotiation", "ciip:information-technology"]
objectives = ["What somebody can do afterwards that they could not do before."]

# 1. What is broken. Every kind of fault and its parameters: docs/reference/faults.md
[[fault]]
kind = "config.called_ae_title"
node = "MR1"
peer = "ROUTER"
value = "{typo:ROUTER}"

# 2. Who was scanned before the phone rang, so that there is somebody to call about.
[[exam]]
id = "knee"
node = "MR1"
procedure = "MRKNEEL"
images = 3
at = "-20 min"

# 3. The call. People and how they speak: scenarios/sites/$site.toml
[[ticket]]
from = "mr_tech"
subject = "{patient}'s knee does not show up"
text = "ticket.md"

# What people say when they are asked. What is not written here, they look up or try for real, or do not know.
[[answer]]
to = "mr_tech"
about = "changed"
text = "Not that I know of. I have scanned all morning, and nobody was here."

# 4. What must work again: the caller's own test, done for real.
[[check]]
id = "mr-is-archived"
kind = "exam_arrives"
says = "A new exam from MR1 reaches the archive and the reading room."
node = "MR1"
at = ["ARCHIVE", "WS1"]

[[check]]
id = "knee-is-there"
kind = "studies_present"
says = "The knee that the caller asked about is complete."
exams = "knee"
at = ["ARCHIVE", "WS1"]

# 5. What must hold all the while, whatever somebody does to clear the ticket.
[[invariant]]
id = "others-flow"
kind = "exam_arrives"
node = ["CT1", "DX1"]
at = ["ARCHIVE", "WS2"]
images = 1

[[invariant]]
id = "names-are-checked"
kind = "called_ae_checked"
node = ["ROUTER", "ARCHIVE"]

[[invariant]]
id = "strangers-refused"
kind = "unknown_ae_refused"
node = ["ROUTER", "ARCHIVE"]

[[invariant]]
id = "nothing-lost"
kind = "nothing_lost"

# 6. The ladder: where to look, what to compare, what it means, the worked step.
[[hint]]
text = "Where do the images of {accession} stop? Look at MR1's queue first."

[[hint]]
text = "Compare what MR1 is told when it calls ROUTER with what CT1 is told."

[[hint]]
text = "A rejection for the called AE title is about what the caller calls the other one."

[[hint]]
text = "On MR1, AE table, line ROUTER: set the AE title to {ae:ROUTER}, save and restart."

# 7. The diagnosis, and wrong ones that somebody might believe.
[diagnosis]
node = "MR1"
layer = "association"
fault = "called-title-mistyped"
choices = [
    { value = "called-title-mistyped", text = "It calls the next hop by an AE title that the next hop does not have" },
    { value = "calling-title-unknown", text = "Its own AE title is not in the AE table of the next hop" },
    { value = "wrong-port", text = "It calls the right host on a port where nobody listens" },
    { value = "never-sent", text = "The exam was never sent" },
]

# 8. What would have told: the kind of event, on which node, and what it means.
[[evidence]]
event = "association.rejected"
node = "MR1"
text = "MR1's own log: ROUTER rejected it, called AE title not recognised."

# 9. What somebody sees who has only dcmtk and the published ports: "prints" only while it is broken, "healthy" only
#    while it is well.
[[outside]]
command = "findscu -v -S -aet WS1 -aec {ae:ARCHIVE} {published:ARCHIVE} \
-k QueryRetrieveLevel=STUDY -k AccessionNumber={accession} -k StudyInstanceUID"
healthy = "Find Response: 1 (Pending)"

# 10. Good ways to mend it. The first is told in the debrief; all must pass.
[[solution]]
title = "Correct the AE title in MR1's AE table and restart MR1"

[[solution.step]]
command = "node.config.save"
node = "MR1"
set = { "remotes.ROUTER.ae_title" = "{ae:ROUTER}" }

[[solution.step]]
command = "node.restart"
node = "MR1"

# 10. What looks like mending and is not. Each must fail what it names.
[[decoy]]
title = "Switch off the check of the called AE title on ROUTER"
harm = "ROUTER answers to any name from now on."
fails = ["names-are-checked"]

[[decoy.step]]
command = "node.config.save"
node = "ROUTER"
set = { check_called_ae = false }

[[decoy.step]]
command = "node.restart"
node = "ROUTER"

[[decoy]]
title = "Let MR1 send straight to the archive"
harm = "The archive has it, the reading room does not."
fails = ["mr-is-archived"]

[[decoy.step]]
command = "node.config.save"
node = "MR1"
set = { send_to = ["ARCHIVE"] }

[[decoy.step]]
command = "node.restart"
node = "MR1"
""")

TICKET = """\
{person.mr_tech.name}, MR, extension {person.mr_tech.extension}.

The knee of **{patient}** ({accession}) is finished since {time}. It is on my screen. It is on nobody else's.

I have pressed send again. It says it is sending. It says so for quite a while now.
"""

DEBRIEF = """\
## What happened

Say in two or three sentences what was wrong and what it led to, without blame.

## How an expert finds it

1. The first question, and what its answer rules out.
2. The second.
3. The comparison that leaves one cause.

## What to take to work

- One habit that would have found this sooner, or kept it from happening.
"""


def scaffold(slug: str, *, title: str = "", site: str = "riverside", root: Path | None = None) -> Path:
    """Write a new scenario folder and return it. ConflictError when there is one of that name already."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise BadInputError(f"{slug!r} is no slug.", "Use small letters, digits and hyphens: mr-images-not-archived.")
    load_site(site)
    shown = title or slug.replace("-", " ").capitalize()
    if '"' in shown or "\\" in shown or len(shown) > 100 or len(shown) < 8:
        raise BadInputError(
            f"{shown!r} is no title.", "Use 8 to 100 characters, without quotation marks and backslashes."
        )
    folder = (root or scenarios_folder()) / slug
    if folder.exists():
        raise ConflictError(f"There is a scenario {slug} already.", "Choose another name, or edit that one.")
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(SCENARIO.substitute(slug=slug, title=shown, site=site), encoding="utf-8")
    (folder / "ticket.md").write_text(TICKET, encoding="utf-8")
    (folder / "debrief.md").write_text(DEBRIEF, encoding="utf-8")
    return folder
