"""Which settings an association hung on, on which node: for the inspector, typed so that a page can lead there.

It names places as the configuration form calls them, with what stands there now as anybody could look up, and never
says which of them is wrong. Rules are tables: by how the connection failed, by the rejection's numbers, by what came of
the contexts, and by the status of what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.lab.associations import OUTSIDE, Story
from sandbox.lab.sentences import value_in_words
from sandbox.model.association import DialOutcome, Exchange
from sandbox.model.config import NodeConfig, RemoteNode
from sandbox.model.config_path import value_at
from sandbox.model.errors import BadInputError
from sandbox.model.inspection import Advice

_CALLING_NOT_RECOGNISED = (1, 3)
_CALLED_NOT_RECOGNISED = (1, 7)
_LIMIT = (3, 2)
_SETTINGS = {"ae_title": "AE title", "host": "host", "port": "port"}


@dataclass(frozen=True)
class Configs:
    """A node's configuration, twice."""

    running: NodeConfig
    saved: NodeConfig


def advise(story: Story, configs: Mapping[str, NodeConfig]) -> str:
    """The settings to compare, in one sentence; empty when none stands out. ``configs`` are the running ones."""
    if story.failure is not None:
        remote = _remote(story, configs)
        if remote is None:
            return ""
        if story.failure.outcome is DialOutcome.REFUSED:
            return f"Compare {_at(story.source, remote, 'port')} with the port on which the other listens."
        return f"Compare {_at(story.source, remote, 'host')} with where the other really is."
    if story.rejection is None:
        return ""
    reason = (story.rejection.source, story.rejection.reason)
    rule = _SENTENCES.get(reason)
    return rule(story, _remote(story, configs)) if rule is not None else ""


def deciding(story: Story, configs: Mapping[str, Configs]) -> tuple[Advice, ...]:
    """The entries that decided how this association went, most telling first, each once."""
    found = [advice for rule in _RULES for advice in rule(story, configs)]
    return tuple({(one.node, one.path, one.title): one for one in found}.values())


def place(
    configs: Mapping[str, Configs], node: str, path: str, title: str, words: str = "", part: str = ""
) -> Iterator[Advice]:
    """The setting ``path`` of ``node`` as advice; nothing where there is no such node or setting."""
    both = configs.get(node)
    if both is None:
        return
    try:
        runs = value_at(both.running, path)
    except BadInputError:
        return
    saved = _saved(both.saved, path)
    value, later = _shown(path, runs), _shown(path, saved)
    yield Advice(
        node=node,
        path=path,
        field=position_path(both.saved, path + _FIRST_LINE if _is_table(saved) else path),
        title=title,
        value=value,
        saved=later if later != value else "",
        words=words,
        part=part,
    )


def position_path(config: NodeConfig, path: str) -> str:
    """A path with lines by their position, as the form names its fields (remotes.1.ae_title)."""
    value: Any = config.model_dump(mode="json")
    steps = []
    for step in path.split("."):
        if isinstance(value, list):
            names = [row.get("name") if isinstance(row, dict) else None for row in value]
            index = names.index(step) if step in names else int(step) if step.isdigit() else -1
            if not 0 <= index < len(value):
                return ""
            step, value = str(index), value[index]
        else:
            value = value.get(step) if isinstance(value, dict) else None
        steps.append(step)
    return ".".join(steps)


def remote_of(story: Story, configs: Mapping[str, Configs]) -> RemoteNode | None:
    """The line of the caller's AE table that it most likely called by."""
    return _remote(story, {name: both.running for name, both in configs.items()})


# --- the sentence ----------------------------------------------------------------------------------------------------


def _called(story: Story, remote: RemoteNode | None) -> str:
    caller = f"{_at(story.source, remote, 'ae_title')}" if remote is not None else "the title that the caller used"
    return f"Compare {caller} with {story.target}'s own AE title." if story.target != OUTSIDE else ""


def _calling(story: Story, _: RemoteNode | None) -> str:
    if story.target == OUTSIDE:
        return ""
    caller = f"{story.source}'s own AE title" if story.source != OUTSIDE else "the caller's own title"
    return f"Compare {caller} ({story.facts.calling_ae}) with the AE titles in the AE table of {story.target}."


def _limit(story: Story, _: RemoteNode | None) -> str:
    return f"Look at 'Most associations at once' on {story.target}." if story.target != OUTSIDE else ""


_SENTENCES: Mapping[tuple[int, int], Callable[[Story, RemoteNode | None], str]] = {
    _CALLED_NOT_RECOGNISED: _called,
    _CALLING_NOT_RECOGNISED: _calling,
    _LIMIT: _limit,
}


def _remote(story: Story, configs: Mapping[str, NodeConfig]) -> RemoteNode | None:
    config = configs.get(story.source)
    if config is None:
        return None
    if story.failure is not None:
        for remote in config.remotes:
            if (remote.host, remote.port) == (story.failure.host, story.failure.port):
                return remote
    return config.remote_by_title(story.facts.called_ae)


def _at(node: str, remote: RemoteNode, setting: str) -> str:
    return f"the {_SETTINGS[setting]} that the AE table of {node} has for {remote.name}"


# --- the entries -----------------------------------------------------------------------------------------------------


def _line(story: Story, configs: Mapping[str, Configs], setting: str, words: str, part: str) -> Iterator[Advice]:
    """A setting of the line of the AE table by which the caller called."""
    remote = remote_of(story, configs)
    if remote is not None:
        title = f"{_SETTINGS[setting]} of {remote.name} in the AE table of {story.source}"
        yield from place(configs, story.source, f"remotes.{remote.name}.{setting}", title, words, part)


def _failed(story: Story, configs: Mapping[str, Configs]) -> Iterator[Advice]:
    if story.failure is None:
        return
    outcome, source, target = story.failure.outcome, story.source, story.target
    if outcome is DialOutcome.REFUSED:
        yield from _line(story, configs, "port", "The caller connects to this port.", "PS3.8 9.1.1")
        words = "Here the other one listens, as long as it runs."
        yield from place(configs, target, "port", f"port of {target}", words, "PS3.8 9.1.1")
        return
    yield from _line(story, configs, "host", "The caller connects to this name or address.", "PS3.8 9.1.1")
    if outcome is DialOutcome.UNKNOWN_HOST:
        yield Advice(title="DNS of the department", words="Names that a host does not know itself are looked up here.")
    else:
        yield Advice(title="firewall between the VLANs", words="It decides who may connect to whom, and on which port.")
    if outcome is DialOutcome.TIMED_OUT:
        words = "So long the caller waits for the connection."
        yield from place(configs, source, "connect_timeout_s", f"connect timeout of {source}", words)


def _rejected(story: Story, configs: Mapping[str, Configs]) -> Iterator[Advice]:
    if story.rejection is None:
        return
    target, part = story.target, "PS3.8 9.3.4"
    match (story.rejection.source, story.rejection.reason):
        case (1, 7):
            yield from _line(story, configs, "ae_title", "The title by which the caller calls.", part)
            yield from place(configs, target, "ae_title", f"own AE title of {target}", "What it answers to.", part)
        case (1, 3):
            source = story.source
            yield from place(configs, source, "ae_title", f"own AE title of {source}", "As whom it calls.", part)
            words = "Whose titles it lets in."
            yield from place(configs, target, "remotes", f"AE titles in the AE table of {target}", words, part)
            words = "Whether others are let in, too."
            yield from place(configs, target, "accept_unlisted_callers", f"unlisted callers at {target}", words, part)
        case (3, 2):
            words = "It takes no more at once."
            yield from place(
                configs, target, "maximum_associations", f"most associations at once of {target}", words, part
            )


def _contexts(story: Story, configs: Mapping[str, Configs]) -> Iterator[Advice]:
    results = {result.result for result in story.results.values()}
    for result in sorted(results & {3, 4}):
        yield from for_context(story, configs, result)


def for_context(story: Story, configs: Mapping[str, Configs], result: int) -> Iterator[Advice]:
    """The entries that decide a context with this result (PS3.8 9.3.3.2)."""
    target, part = story.target, "PS3.8 9.3.3.2"
    if result == 3:
        words = "The SOP classes it takes; empty is all. What is no storage its role decides."
        yield from place(configs, target, "storage_classes", f"storage classes of {target}", words, part)
    if result in (0, 4):
        words = "In which encodings it takes objects, the best liked first; empty is all."
        yield from place(configs, target, "transfer_syntaxes", f"transfer syntaxes of {target}", words, part)
    if result == 4:
        words = "Whether it offers compressed objects uncompressed as well."
        yield from place(configs, story.source, "transcode", f"decompressing at {story.source}", words, part)


def _ended(story: Story, configs: Mapping[str, Configs]) -> Iterator[Advice]:
    """Timeouts and TLS, told by the words in which each end says why it gave up."""
    for sign, setting, title, words in _ENDINGS:
        if sign in story.abort:
            for node in dict.fromkeys((story.source, story.target)):
                yield from place(configs, node, setting, f"{title} of {node}", words, "PS3.8 9.1.5")
    if "TLS" in story.abort:
        remote = remote_of(story, configs)
        if remote is not None:
            title = f"TLS of {remote.name} in the AE table of {story.source}"
            words = "Whether the caller speaks TLS there."
            yield from place(configs, story.source, f"remotes.{remote.name}.tls", title, words, "PS3.15 B")
        words = "Where it listens for TLS; on its other port it does not speak it."
        yield from place(configs, story.target, "tls_port", f"TLS port of {story.target}", words, "PS3.15 B")
        words = "What callers must show of themselves."
        title = f"client certificates at {story.target}"
        yield from place(configs, story.target, "client_certificates", title, words, "PS3.15 B")


_ENDINGS: tuple[tuple[str, str, str, str], ...] = (
    ("silent for", "network_timeout_s", "idle timeout", "An association on which nothing comes for so long is ended."),
    ("no response within", "dimse_timeout_s", "DIMSE timeout", "So long it waits for the answer to a request."),
    ("no answer to the", "association_timeout_s", "association timeout", "So long it waits for the A-ASSOCIATE."),
)


def _asked(story: Story, configs: Mapping[str, Configs]) -> Iterator[Advice]:
    for _, exchange in story.told:
        yield from for_exchange(story, configs, exchange)


def for_exchange(story: Story, configs: Mapping[str, Configs], exchange: Exchange) -> Iterator[Advice]:
    """The entries on the node that was asked which decide such an answer."""
    target = story.target
    for service, first, last, path, title, words in _STATUSES:
        if exchange.service == service and first <= exchange.status <= last:
            part = _PARTS.get(service, "PS3.7 C")
            filled = path.format(destination=_destination(exchange, configs, target))
            yield from place(configs, target, filled, f"{title} of {target}", words, part)


def _destination(exchange: Exchange, configs: Mapping[str, Configs], target: str) -> str:
    both = configs.get(target)
    remote = None if both is None else both.running.remote_by_title(exchange.move_destination)
    return remote.name if remote is not None else ""


_PARTS = {
    "C-STORE": "PS3.4 B.2.3",
    "C-FIND": "PS3.4 C.4.1.1.4",
    "C-MOVE": "PS3.4 C.4.2.1.5",
    "C-GET": "PS3.4 C.4.3.1.4",
}
_LINE, _BY_IT = "line for the destination", "By this line it calls the destination."
_STATUSES: tuple[tuple[str, int, int, str, str, str], ...] = (
    ("C-STORE", 0xA700, 0xA7FF, "quota_gb", "quota", "So much it may hold; more is refused for want of room."),
    ("C-STORE", 0x0122, 0x0122, "storage_classes", "storage classes", "The SOP classes it takes."),
    ("C-STORE", 0xA900, 0xA9FF, "check_values", "checking of values", "Whether values pass that DICOM does not allow."),
    ("C-MOVE", 0xA801, 0xA801, "remotes", "AE titles in the AE table", "The destination's title is looked up here."),
    ("C-MOVE", 0xA702, 0xA702, "remotes.{destination}", _LINE, _BY_IT),
    ("C-MOVE", 0xB000, 0xB000, "remotes.{destination}", _LINE, _BY_IT),
    ("C-MOVE", 0xA702, 0xA702, "transcode", "decompressing", "Whether it sends uncompressed what is not taken else."),
    ("C-FIND", 0xB001, 0xB001, "query_limit", "most matches", "A query with more gets the first ones only."),
)
_RULES: tuple[Callable[[Story, Mapping[str, Configs]], Iterator[Advice]], ...] = (
    _failed,
    _rejected,
    _ended,
    _contexts,
    _asked,
)


# A table is no field of the form; the name of its first line is where it begins.
_FIRST_LINE = ".0.name"


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _saved(config: NodeConfig, path: str) -> Any:
    try:
        return value_at(config, path)
    except BadInputError:
        return None


def _shown(path: str, value: Any) -> str:
    if path == "remotes" and isinstance(value, list):
        return ", ".join(str(row.get("ae_title", "")) for row in value) or "nobody"
    if isinstance(value, dict) and "ae_title" in value:
        return f"{value['ae_title']} at {value['host']}:{value['port']}{' with TLS' if value.get('tls') else ''}"
    return "everything" if value == [] else value_in_words(value)
