"""The history of a department's configuration, read off its log: who changed what when, from which value to which, what
is saved and does not run yet, and what would put a value back.

A line of a table that came or went is one change, as it was for whoever made it, and not one for each of its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sandbox.events import kinds
from sandbox.events.event import SYSTEM, Event
from sandbox.lab.advice import Configs, position_path
from sandbox.lab.sentences import event_view
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import Change, differences, value_at
from sandbox.model.errors import BadInputError
from sandbox.model.history_view import ChangeKind, ChangeLine, History, HistoryEntry, Undo

_MISSING = object()
_SERVICE = (
    "node.service_call",
    "network.service_call",
    "node.clock.",
    "node.certificate.renew",
    "node.certificate.trust",
)
"""Commands that mend or set what is no setting: their own sentence is all there is to tell."""

_STATES = frozenset({"queue.held", "queue.resumed", "queue.redriven", "queue.discarded"})
_RESTART = "restart"
Show = Callable[[Event], bool]


@dataclass
class _Newer:
    """What the shown entries that are newer say of one node: the last word on each setting. Nothing may be told of a
    setting that only what is hidden has changed since."""

    after: dict[str, Any] = field(default_factory=dict)
    was_reset: bool = False

    def led_to(self, path: str, value: Any) -> bool:
        """Whether it is one of them that set ``path`` to ``value``."""
        return self.was_reset or (path in self.after and self.after[path] == value)

    def touched(self, line: str) -> bool:
        """Whether one of them was about the line ``line`` of a table."""
        return self.was_reset or any(path.startswith(f"{line}.") for path in self.after)


def history(
    events: Sequence[Event],
    configs: Mapping[str, Configs],
    *,
    node: str = "",
    before: int = 0,
    limit: int = 100,
    show: Show = lambda event: True,
) -> History:
    """The newest ``limit`` entries before the event ``before`` (0: of all), of one node or of the department."""
    waiting = {name: {change.path for change in differences(one.running, one.saved)} for name, one in configs.items()}
    found: list[HistoryEntry] = []
    more = False
    newer: dict[str, _Newer] = {name: _Newer() for name in configs}
    for event in reversed(events):
        if not show(event):
            continue
        entry = _entry(event, events, configs, waiting, newer)
        if entry is None or (node and entry.node not in (node, "")) or (before and event.seq >= before):
            continue
        if len(found) == limit:
            more = True
            break
        found.append(entry)
    return History(
        entries=tuple(found),
        more=more,
        waiting=tuple(name for name, paths in waiting.items() if paths and node in ("", name)),
    )


def _entry(
    event: Event,
    events: Sequence[Event],
    configs: Mapping[str, Configs],
    waiting: Mapping[str, set[str]],
    newer: Mapping[str, _Newer],
) -> HistoryEntry | None:
    body: Any = event.body
    changes: tuple[ChangeLine, ...] = ()
    match body:
        case kinds.NodeConfigSaved():
            kind = ChangeKind.CONFIGURATION
            known = newer.get(event.node, _Newer())
            waits = waiting.get(event.node, set()) - known.after.keys()
            changes = tuple(_lines(body.changes, configs.get(event.node), waits, known))
            for change in body.changes:
                known.after.setdefault(change.path, change.after)
        case kinds.NetworkChanged():
            kind = ChangeKind.NETWORK
            changes = tuple(ChangeLine(**dict(change), title=_network_title(change.path)) for change in body.changes)
        case kinds.NodeStarted() | kinds.NodeStopped():
            kind = ChangeKind.STATE
            if event.actor == SYSTEM and isinstance(body, kinds.NodeStarted):
                return None  # the lab came up, or a watchdog did its work; the crash before it is told
            if isinstance(body, kinds.NodeStopped) and body.reason == _RESTART:
                return None  # the start that follows tells of both
        case kinds.LabReset() | kinds.LabStarted():
            kind = ChangeKind.LAB
            if isinstance(body, kinds.LabReset):
                for known in newer.values():
                    known.was_reset = True
        case kinds.ArchiveOperation():
            kind = ChangeKind.ARCHIVE
        case kinds.CommandFinished() if body.ok and body.command.startswith(_SERVICE):
            kind = ChangeKind.SERVICE
        case _ if event.kind in _STATES:
            kind = ChangeKind.STATE
        case _:
            return None
    return HistoryEntry(
        seq=event.seq,
        at=event.at,
        kind=kind,
        node=event.node,
        who=event.actor,
        sentence=_sentence(event, events),
        changes=changes,
        for_later=event.is_for_later,
    )


def _sentence(event: Event, events: Sequence[Event]) -> str:
    body: Any = event.body
    if isinstance(body, kinds.NodeStarted) and _was_restart(event, events):
        return "Restarted: what was saved runs."
    if isinstance(body, kinds.NodeConfigSaved):
        return "Configuration saved."
    if isinstance(body, kinds.NetworkChanged):
        return "The network was changed."
    said = event_view(event).sentence
    bare = said.removeprefix(f"{event.node}: ").removeprefix(f"{event.node} ") if event.node else said
    return bare[:1].upper() + bare[1:]


def _was_restart(event: Event, events: Sequence[Event]) -> bool:
    for other in reversed(events[max(0, event.seq - 200) : event.seq - 1]):
        if other.node == event.node and isinstance(other.body, kinds.NodeStopped):
            return other.body.reason == _RESTART
    return False


# --- changes of a configuration --------------------------------------------------------------------------------------


def _lines(changes: Sequence[Change], configs: Configs | None, waits: set[str], newer: _Newer) -> Iterator[ChangeLine]:
    """The changes as they were made: lines of tables that came or went as one."""
    whole = {
        change.path.removesuffix(".name")
        for change in changes
        if change.path.endswith(".name") and change.path.count(".") == 2 and None in (change.before, change.after)
    }
    tables = {path.partition(".")[0] for path in whole}
    done: set[str] = set()
    for change in changes:
        line = ".".join(change.path.split(".")[:2])
        if line in whole:
            if line not in done:
                done.add(line)
                of_it = [each for each in changes if each.path.startswith(f"{line}.")]
                yield _whole(line, of_it, configs, waits, newer)
        elif change.path not in tables:  # an empty table beside its first or last line
            yield _single(change, configs, waits, newer)


def _single(change: Change, configs: Configs | None, waits: set[str], newer: _Newer) -> ChangeLine:
    now = _MISSING if configs is None else _at(configs.saved, change.path)
    can_set = now is not _MISSING and change.before is not None
    return ChangeLine(
        path=change.path,
        before=change.before,
        after=change.after,
        title="" if configs is None else title_of(type(configs.saved), change.path),
        field="" if configs is None else position_path(configs.saved, change.path),
        waits=change.path in waits,
        is_back=can_set and now == change.before and newer.led_to(change.path, change.before),
        undo=Undo(set={change.path: change.before}) if can_set and now != change.before else None,
    )


def _whole(line: str, changes: Sequence[Change], configs: Configs | None, waits: set[str], newer: _Newer) -> ChangeLine:
    table, _, name = line.partition(".")
    came = all(change.before is None for change in changes)
    row = _row({each.path.removeprefix(f"{line}."): each.after if came else each.before for each in changes})
    is_there = configs is not None and _at(configs.saved, line) is not _MISSING
    undo = None
    if configs is not None and came and is_there:
        undo = Undo(remove=(line,))
    elif configs is not None and not came and not is_there:
        undo = Undo(add={table: [row]})
    title = table if configs is None else title_of(type(configs.saved), table)
    return ChangeLine(
        path=line,
        before=None if came else row,
        after=row if came else None,
        title=f"{title}: {name}",
        field="" if configs is None or not is_there else position_path(configs.saved, f"{line}.name"),
        whole=line,
        waits=any(change.path in waits for change in changes),
        is_back=configs is not None and undo is None and newer.touched(line),
        undo=undo,
    )


def _row(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a table put together from its settings by path; positions make lists."""
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        if value is None:
            continue
        *parents, last = path.split(".")
        holder = root
        for step in parents:
            holder = holder.setdefault(step, {})
        holder[last] = value
    found = _listed(root)
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(inner) for key, inner in value.items()}


def _at(config: NodeConfig, path: str) -> Any:
    try:
        return value_at(config, path)
    except BadInputError:
        return _MISSING


@cache
def title_of(config: type[NodeConfig], path: str) -> str:
    """What the form calls the setting at ``path``: "AE title of ROUTER (AE table)"."""
    schema = config.model_json_schema()
    first, *rest = path.split(".")
    part = schema.get("properties", {}).get(first, {})
    title = str(part.get("title", first))
    if not rest:
        return title
    inner = _resolved(schema, part)
    for step in rest:
        inner = _resolved(schema, inner.get("properties", {}).get(step, inner))
        named = str(inner.get("title", step))
    of_line = f" of {rest[0]}" if len(rest) > 1 else ""
    return f"{named}{of_line} ({title})"


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of a JSON schema behind its reference, or the lines of a table."""
    if "items" in part:
        part = part["items"]
    reference = part.get("$ref") or next((one.get("$ref") for one in part.get("allOf", ()) if "$ref" in one), None)
    if reference is None:
        return part
    found = schema.get("$defs", {}).get(str(reference).rpartition("/")[2], {})
    return {**found, **{key: value for key, value in part.items() if key == "title"}}


def _network_title(path: str) -> str:
    table, _, rest = path.partition(".")
    match table:
        case "dns":
            return f"DNS: {rest}"
        case "address":
            return f"Address of {rest}"
        case "hosts":
            node, _, name = rest.partition(".")
            return f"Hosts table of {node}: {name}"
        case _:
            return "Firewall rule"
