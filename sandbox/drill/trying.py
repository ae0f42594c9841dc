"""What people of the hospital really do when they are asked to look or to try: at their own node, by a real operation.

They tell what a screen shows to somebody who is no engineer: that it failed, and after how long. Why is for the logs.
Somebody at a modality lets it send what waits, or presses its test button; somebody at a workstation searches and
opens the study; somebody at an archive counts. What they say is what came of it, and nothing is left behind that would
have to be taken back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox.checks.memory import NotedExam
from sandbox.events.event import Event
from sandbox.events.kinds import InstanceStored, QueueEntryDied, QueueFailed
from sandbox.events.log import EventLog, current
from sandbox.lab.sentences import counted
from sandbox.model.view import NodeState, QueueState, QueueView
from sandbox.nodes.department import Department
from sandbox.nodes.modality import Modality
from sandbox.nodes.node import Node
from sandbox.nodes.workstation import Workstation

SENDING_S = 25.0
"""How long somebody stays at the scanner to see whether the next image goes, in seconds."""


@dataclass(frozen=True)
class Tried:
    """What somebody says afterwards. ``worked`` None: there is nothing by which to tell."""

    text: str
    worked: bool | None = None


def look(department: Department, place: str, exam: NotedExam | None) -> Tried | None:
    """What is on the screen at ``place``. None when there is nothing to see there."""
    node = department.node(place)
    if node.state is not NodeState.RUNNING:
        return Tried(f"{node.name} is not up at all; I have nothing but its start screen.", False)
    if isinstance(node, Modality):
        return _queue_on_screen(node)
    if node.store is None or exam is None:
        return None
    here, all_of_it = _held(node, exam), len(exam.sop_instances)
    whose = f"{exam.spoken_name}'s {exam.description} ({exam.accession_number})"
    if not here:
        return Tried(f"I have looked just now. Of {whose} there is nothing here.", False)
    number = counted(here, "image")
    return Tried(f"I have looked just now. {whose} is here with {number}.", True if here >= all_of_it else None)


def try_again(department: Department, place: str, exam: NotedExam | None) -> Tried | None:
    """Have whoever sits at ``place`` do what they would do, for real. None when there is nothing they could try."""
    node = department.node(place)
    if node.state is not NodeState.RUNNING:
        return Tried(f"I can't: {node.name} is not up.", False)
    if isinstance(node, Modality):
        return _send_again(department.events, node)
    if isinstance(node, Workstation) and exam is not None:
        return _open_again(department.events, node, exam)
    return look(department, place, exam)


def others_in_trouble(department: Department, mine: str) -> Tried:
    """What the other scanners' own screens say of late, as somebody hears who asks next door."""
    rooms = [node for node in department.modalities if node.name != mine]
    waiting = {node.name: sum(view.waiting + view.dead for view in _queue(node)) for node in rooms}
    stuck = [f"{name} has {counted(number, 'image')} that have not gone" for name, number in waiting.items() if number]
    down = [f"{node.name} is not running" for node in rooms if node.state is not NodeState.RUNNING]
    well = [name for name, number in waiting.items() if not number and f"{name} is not running" not in down]
    told = [*stuck, *down]
    if not told:
        return Tried(f"I have asked round: {_listed(well)} have nothing waiting; their lists are empty.", True)
    rest = f" {_listed(well)}: nothing waiting." if well else ""
    return Tried(f"I have asked round: {_listed(told)}.{rest}", False)


# --- at a modality ---------------------------------------------------------------------------------------------------


def _queue(node: Node) -> tuple[QueueView, ...]:
    return () if node.queue is None else node.queue.views()


def _queue_on_screen(node: Modality) -> Tried:
    stuck = [view for view in _queue(node) if view.waiting or view.dead]
    if not stuck:
        return Tried(f"My send list is empty: as far as {node.name} is concerned, everything has gone.", None)
    view = stuck[0]
    if view.state is QueueState.HELD:
        state = "It says “on hold”"
    elif view.dead:
        state = "Beside it is a red cross; it has given up"
    elif view.last_error:
        state = "Beside it is a red arrow, and “will try again”"
    else:
        state = "It says that it is sending"
    number = counted(view.waiting + view.dead, "image")
    return Tried(f"My send list shows {number} for {view.destination} that have not gone. {state}.", False)


def _send_again(events: EventLog, node: Modality) -> Tried:
    queue = node.queue
    stuck = [view for view in _queue(node) if view.waiting or view.dead]
    if queue is None or not stuck:
        return _press_test(node)
    view = stuck[0]
    if view.state is QueueState.HELD:
        return Tried(f"I can't send it: for {view.destination} my list says “on hold”, and I leave that alone.", False)
    before, began = len(events), time.monotonic()

    def is_outcome(event: Event) -> bool:
        about = getattr(event.body, "destination", "") == view.destination
        return event.node == node.name and about and event.kind in ("queue.sent", "queue.failed", "queue.entry.died")

    if view.waiting:
        queue.retry(view.destination)
    else:
        queue.redrive(view.destination)
    outcome = events.wait_for(is_outcome, after=before, timeout=SENDING_S)
    if outcome is None:
        return Tried(
            f"I have pressed “send” again. It is still busy with it and says nothing; {view.destination} has not "
            "answered so far.",
            False,
        )
    if isinstance(outcome.body, QueueFailed | QueueEntryDied):
        return Tried(f"I have pressed “send” again. A red arrow, {_after(began)}.", False)
    return Tried(f"I have pressed “send” again, and this time it went to {view.destination}.", True)


def _press_test(node: Modality) -> Tried:
    told, good = [], True
    for place in node.running.send_to:
        began = time.monotonic()
        if node.tools.echo(place).ok:
            told.append(f"For {place} it is green.")
        else:
            good = False
            told.append(f"For {place} it is red, {_after(began)}.")
    if not told:
        return Tried("There is nothing on my send list, and nowhere to send it to either.", None)
    return Tried(
        f"There is nothing on my send list to send again, so I have pressed the test button. {' '.join(told)}",
        None if good else False,
    )


# --- at a workstation ------------------------------------------------------------------------------------------------


def _open_again(events: EventLog, node: Workstation, exam: NotedExam) -> Tried:
    here, all_of_it = _held(node, exam), len(exam.sop_instances)
    whose = f"{exam.spoken_name}'s {exam.description}"
    if here >= all_of_it:
        return Tried(f"I have opened {whose} again: {counted(here, 'image')} on my screen.", True)
    began = time.monotonic()
    found = node.tools.find(node.running.archive, "STUDY", {"AccessionNumber": exam.accession_number})
    if not found.ok:
        return Tried(f"I have searched for {exam.accession_number} again. An error, {_after(began)}.", False)
    if not found.rows:
        return Tried(f"I have searched for {exam.accession_number} again. The list stays empty.", False)
    if here:
        text = f"{whose} is in the search, and on my screen are still only {counted(here, 'image')}."
        return Tried(text, False)
    before, began = len(events), time.monotonic()
    answer = node.retrieve(exam.study_uid)
    came = _held(node, exam)
    if came and node.store is not None and not _others_sent(events, node, exam, before):
        # The viewer is closed again: what comes here by itself, or does not, is for others to see to.
        node.store.forget_study(exam.study_uid)
    if came >= all_of_it:
        return Tried(f"I have searched for {exam.accession_number} and opened it: {counted(came, 'image')} came.", True)
    got = f"only {counted(came, 'image')} came" if came else "nothing came"
    says = "it says that all is well" if answer.ok else f"an error, {_after(began)}"
    return Tried(f"I find {exam.accession_number} in the search and opened it: {got}, and {says}.", False)


def _held(node: Node, exam: NotedExam) -> int:
    """How many images of the study are on this node."""
    detail = None if node.store is None else node.store.study(exam.study_uid)
    return 0 if detail is None else detail.study.instances


def _others_sent(events: EventLog, node: Node, exam: NotedExam, since: int) -> bool:
    """Whether images of the study came here meanwhile that were not sent because of this try."""
    return any(
        isinstance(event.body, InstanceStored)
        and event.node == node.name
        and event.body.study_uid == exam.study_uid
        and not _is_mine(events, event)
        for event in events.since(since)
    )


def _is_mine(events: EventLog, event: Event) -> bool:
    """Whether an event goes back to what this thread works for, over whatever led from one to the other."""
    origin, cause = current().cause, event.cause
    while cause is not None and cause != origin:
        cause = events[cause].cause
    return cause is not None


def _after(began: float) -> str:
    """How long it took, as somebody tells it who had no watch in hand."""
    seconds = time.monotonic() - began
    return "at once" if seconds < 1.5 else f"after about {round(seconds)} seconds"


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names) or "the other rooms"
    return f"{', '.join(names[:-1])} and {names[-1]}"
