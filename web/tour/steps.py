"""The steps of the tour: what each says, on which page it is at home, what it points at, and what ends it.

A step without ``until`` ends when the reader says so. One with it ends as soon as the lab is as the step wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _

from sandbox.model.config import RemoteNode
from sandbox.model.view import AttemptState
from web.lab_client import LabClient

SCENARIO = "ultrasound-room-cannot-deliver"
NODE, PEER, PORT = "US1", "ROUTER", 104

Until = Callable[[LabClient], bool]


@dataclass(frozen=True)
class Step:
    """``endpoint`` and ``args`` are the page; ``point`` is a CSS selector of what the step speaks of; ``go`` names the
    way there, for whoever is elsewhere."""

    title: str
    text: str
    endpoint: str = "department.department"
    args: Mapping[str, str] = field(default_factory=dict)
    point: str = ""
    go: str = _("Take me there")
    until: Until | None = None


def _port_is_saved(lab: LabClient) -> bool:
    return _calls_the_port(lab.ae_table(NODE).saved_remotes)


def _port_runs(lab: LabClient) -> bool:
    return _calls_the_port(lab.ae_table(NODE).remotes)


def _calls_the_port(remotes: Sequence[RemoteNode]) -> bool:
    return any(remote.name == PEER and remote.port == PORT for remote in remotes)


def _is_diagnosed(lab: LabClient) -> bool:
    attempt = lab.attempt()
    return attempt is not None and (attempt.diagnosis is not None or attempt.state is not AttemptState.RUNNING)


def _is_over(lab: LabClient) -> bool:
    attempt = lab.attempt()
    return attempt is not None and attempt.state is not AttemptState.RUNNING


_ON_US1 = {"node": NODE}
STEPS: tuple[Step, ...] = (
    Step(
        _("The phone rings"),
        _(
            "Everything begins with somebody who cannot work. Read what the sonographer says: what she did, what she"
            " sees, since when. She tells the symptom. The cause is for you to find."
        ),
        point="#tickets",
    ),
    Step(
        _("The department"),
        _(
            "Each box is a real DICOM application on this machine, each line a way that images take. Look at"
            " US1, her scanner: images wait there. The other rooms send. So the trouble is between US1 and the next"
            " stop, ROUTER."
        ),
        point="#map-card",
    ),
    Step(
        _("Ask the queue"),
        _(
            "What US1 could not deliver waits in its queue, with the last error beside it. Read it: the connection was"
            " refused. A host answered, and nothing listens on that port. Nobody got as far as saying a name."
        ),
        endpoint="queues.queue",
        args=_ON_US1,
        point=".queue",
    ),
    Step(
        _("Test before you change"),
        _(
            "From here you act as US1. Its AE table has filled in ROUTER's address and the port that the error named."
            " Press “Test the port”. Then put 104 there, the port of DICOM by custom, and test again. One of them is"
            " open."
        ),
        endpoint="tools.tools",
        args={"node": NODE, "tool": "port"},
        point=".kit-form",
    ),
    Step(
        _("Say what it is"),
        _(
            "Before you mend anything, say what is wrong: a diagnosis before the fix counts more than one after it. The"
            " cause is on US1, in the layer of the network, and it is a port where nobody listens. Saying so is half of"
            " the craft."
        ),
        point="#diagnosis",
        until=_is_diagnosed,
    ),
    Step(
        _("Find the entry"),
        _(
            "The AE table is what US1 believes about the others. In the line ROUTER, the port is 11112. Set it to 104"
            " and press Save."
        ),
        endpoint="configuration.configuration",
        args=_ON_US1,
        point=f'.lines-table tr:has(input[value="{PEER}"]) input[name$=".port"]',
        until=_port_is_saved,
    ),
    Step(
        _("Saved is not running"),
        _(
            "The new port is saved, and US1 still runs the old one. That is so with most real systems. Restart US1 now,"
            " and the saved configuration comes into force."
        ),
        endpoint="configuration.configuration",
        args=_ON_US1,
        point=".pending",
        until=_port_runs,
    ),
    Step(
        _("Check your fix"),
        _(
            "What waited is being sent by itself. Press “Check my fix”: a new ultrasound exam is made and followed to"
            " the reading room, and the sandbox looks that nothing else was harmed. No setting is compared with a"
            " solution: what counts is that it works."
        ),
        point="#check",
        until=_is_over,
    ),
    Step(
        _("What is left is the debrief"),
        _(
            "The ticket is solved. The debrief asks you first for your own account, then tells what was wrong, what"
            " would have told you sooner and how it went. This is how every drill goes: listen, look, test, say,"
            " mend, check. Now choose one of your own."
        ),
        point=".debrief",
    ),
)
