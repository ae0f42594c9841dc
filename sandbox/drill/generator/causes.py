"""The table of causes: what can be wrong on an exam's way, how it is mended, and what only looks like mending.

All of them make the same complaint, so that only looking tells them apart. Fixes are those that an administrator has;
whether they are, the verifier finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.drill.generator.ways import ExamWay

Table = dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """One cause on one way, as tables of a scenario file. ``others_suffer`` says that other modalities miss the place
    too. ``hints`` are the third rung and the fourth: what it means, and the worked step."""

    node: str
    fault: Table
    solutions: tuple[Table, ...]
    decoys: tuple[Table, ...]
    hints: tuple[str, str]
    others_suffer: bool = False


@dataclass(frozen=True)
class Cause:
    """``value`` and ``text`` are its choice in the diagnosis, ``learnt`` is the debrief's sentence."""

    value: str
    layer: str
    text: str
    learnt: str
    on: Callable[[ExamWay], Wrong]


def save(node: str, **changes: Any) -> Table:
    """A step: save a configuration."""
    return {"command": "node.config.save", "node": node, **changes}


def restart(node: str) -> Table:
    """A step: restart a node."""
    return {"command": "node.restart", "node": node}


def way(title: str, *steps: Table, harm: str = "", fails: tuple[str, ...] = ()) -> Table:
    """A solution, or with ``harm`` a decoy."""
    made: Table = {"title": title, "step": list(steps)}
    return made | ({"harm": harm, "fails": list(fails)} if harm else {})


def changed(title: str, node: str, *, harm: str = "", fails: tuple[str, ...] = (), **changes: Any) -> Table:
    """As ``way``, by one change of a configuration and a restart."""
    return way(title, save(node, **changes), restart(node), harm=harm, fails=fails)


def _discard(node: str, destination: str) -> Table:
    return way(
        f"Empty {node}'s queue for {destination}, so that the red number goes away",
        {"command": "queue.discard", "node": node, "destination": destination, "reason": "Errors"},
        harm="What waited there waited safely. Now it has to be found and sent by hand, by somebody who knows of it.",
        fails=("waiting-exam-is-there",),
    )


def _any_name(router: str) -> Table:
    return changed(
        f"Let {router} answer to any name",
        router,
        set={"check_called_ae": False},
        harm="One more check is switched off, and the next mistyped entry will not be noticed by anybody.",
        fails=("names-are-checked",),
    )


def _anybody(router: str) -> Table:
    return changed(
        f"Let {router} take callers that nobody has listed",
        router,
        set={"accept_unlisted_callers": True},
        harm="Whoever can reach the router can now deliver into the archive.",
        fails=("strangers-refused",),
    )


def _called_title(where: ExamWay) -> Wrong:
    m, r = where.modality.name, where.router.name
    return Wrong(
        m,
        {"kind": "config.called_ae_title", "node": m, "peer": r, "value": f"{{typo:{r}}}"},
        (
            changed(
                f"Correct the AE title of {r} in {m}'s AE table",
                m,
                set={f"remotes.{r}.ae_title": f"{{ae:{r}}}"},
            ),
        ),
        (_any_name(r), _discard(m, r)),
        (
            "Rejected with 1/1/7: the called AE title is not recognised. It is about what the caller calls it.",
            f"On {m}, AE table, line {r}: set the AE title to {{ae:{r}}}, save and restart {m}.",
        ),
    )


def _own_title(where: ExamWay) -> Wrong:
    m, r = where.modality.name, where.router.name
    return Wrong(
        m,
        {"kind": "config.ae_title", "node": m, "value": "{pick:DEFAULT_AE|MODALITY1|FACTORY|ANYSCU}"},
        (changed(f"Give {m} its AE title back", m, set={"ae_title": f"{{ae:{m}}}"}),),
        (_anybody(r), _discard(m, r)),
        (
            "Rejected with 1/1/3: the calling AE title is not recognised. It is about who the caller says it is.",
            f"On {m}: set the AE title to {{ae:{m}}}, save and restart {m}.",
        ),
    )


def _port(where: ExamWay) -> Wrong:
    m, r = where.modality.name, where.router.name
    # One that the firewall lets through: it drops all others, which looks like a host that is not there.
    wrong = next(port for port in (11112, 104) if port != where.router.config["port"])
    return Wrong(
        m,
        {"kind": "config.remote_port", "node": m, "peer": r, "value": wrong},
        (
            changed(
                f"Correct the port of {r} in {m}'s AE table",
                m,
                set={f"remotes.{r}.port": where.router.config["port"]},
            ),
        ),
        (_any_name(r), _discard(m, r)),
        (
            f"Refused at once, and nothing in {r}'s log: the host is there, and nobody listens at that port.",
            f"On {m}, AE table, line {r}: set the port to {{port:{r}}}, save and restart {m}.",
        ),
    )


def _host(where: ExamWay) -> Wrong:
    m, r = where.modality.name, where.router.name
    right = str(where.line(where.modality, where.router)["host"])
    return Wrong(
        m,
        {"kind": "config.remote_host", "node": m, "peer": r, "value": f"old-{r.lower()}.{where.site.domain}"},
        (
            changed(
                f"Correct the host of {r} in {m}'s AE table",
                m,
                set={f"remotes.{r}.host": right},
            ),
        ),
        (_any_name(r), _discard(m, r)),
        (
            "Unknown host: the name that is called is in no DNS, so nothing was ever dialled.",
            f"On {m}, AE table, line {r}: set the host to {right}, save and restart {m}.",
        ),
    )


def _not_listed(where: ExamWay) -> Wrong:
    m, r = where.modality.name, where.router.name
    line = dict(where.line(where.router, where.modality))
    return Wrong(
        r,
        {"kind": "config.remote_missing", "node": r, "peer": m},
        (changed(f"Enter {m} in {r}'s AE table again", r, add={"remotes": line}),),
        (_anybody(r), _discard(m, r)),
        (
            f"Rejected with 1/1/3, and {m} says its right name: then it is {r}'s list that lacks it.",
            f"On {r}, AE table: add a line for {m} with AE title {{ae:{m}}}, save and restart {r}.",
        ),
    )


def _held(where: ExamWay) -> Wrong:
    r, place = where.router.name, where.place.name
    return Wrong(
        r,
        {"kind": "queue.held", "node": r, "destination": place, "reason": "{pick:Maintenance|Patch day|Test}"},
        (
            way(
                f"Resume {r}'s queue for {place}",
                {"command": "queue.resume", "node": r, "destination": place},
            ),
        ),
        (_discard(r, place), _any_name(r)),
        (
            "Nothing failed: the queue was told to wait, by somebody with a reason, and nobody told it to go on.",
            f"On {r}, queue for {place}: resume.",
        ),
        others_suffer=True,
    )


def _rule(where: ExamWay) -> Wrong:
    r, place = where.router.name, where.place.name
    return Wrong(
        r,
        {"kind": "config.rule", "node": r, "rule": where.rule, "path": "enabled", "value": False},
        (
            way(
                f"Put the rule {where.rule} in force again and send the waiting exam once more",
                save(r, set={f"rules.{where.rule}.enabled": True}),
                restart(r),
                {
                    "command": "exam.send",
                    "node": where.modality.name,
                    "study": "{study_uid}",
                    "to": r,
                },
            ),
        ),
        (
            way(
                "Send this one exam again and close the ticket",
                {"command": "exam.send", "node": where.modality.name, "study": "{study_uid}", "to": r},
                harm="It goes where the rules say, which is where it went before. The next exam will not come either.",
                fails=("new-exam-arrives",),
            ),
            _any_name(r),
        ),
        (
            f"{r} took the exam and sent it on, without an error, but not to {place}: no rule in force says so.",
            f"On {r}, rules, {where.rule}: in force, save and restart. Send the exam of the ticket again.",
        ),
        others_suffer=True,
    )


def _down(where: ExamWay) -> Wrong:
    r, place = where.router.name, where.place.name
    return Wrong(
        place,
        {"kind": "process.down", "node": place, "line": "ended by signal 15"},
        (way(f"Start {place}", {"command": "node.start", "node": place}),),
        (_discard(r, place), _any_name(r)),
        (
            f"{r} is refused by {place}, whose host answers ping: its program is not running.",
            f"Start {place}; {r} sends what waits by itself.",
        ),
        others_suffer=True,
    )


CAUSES: Mapping[str, Cause] = {
    cause.value: cause
    for cause in (
        Cause(
            "called-title-mistyped",
            "association",
            "It calls the next hop by an AE title that the next hop does not have",
            "A rejection names the title that was not liked. Read the three numbers before you change anything.",
            _called_title,
        ),
        Cause(
            "own-title-changed",
            "association",
            "It goes by another AE title than the one that others know it by",
            "Put back what everybody else still expects, rather than teaching everybody a new name.",
            _own_title,
        ),
        Cause(
            "not-listed",
            "security",
            "The next hop no longer has it in its AE table",
            "The same rejection has two causes: a caller that changed its name, and a list that lost a line.",
            _not_listed,
        ),
        Cause(
            "wrong-port",
            "network",
            "It calls the right host on a port where nobody listens",
            "Refused at once and silence in the other's log: nobody ever got as far as a title.",
            _port,
        ),
        Cause(
            "wrong-address",
            "network",
            "It sends to an address where the next hop is not",
            "A name that does not resolve fails before anything is dialled. Look it up from the node that fails.",
            _host,
        ),
        Cause(
            "destination-held",
            "queue",
            "The queue for a destination is held",
            "What waits without failing was told to wait. Look at the state before the error.",
            _held,
        ),
        Cause(
            "rule-switched-off",
            "routing",
            "The routing rule was switched off",
            "Nothing failed is a finding: look for what was not tried.",
            _rule,
        ),
        Cause(
            "next-hop-down",
            "process",
            "The machine it is meant for is not running",
            "A machine that answers ping and refuses the port has a program that is not running.",
            _down,
        ),
    )
}
