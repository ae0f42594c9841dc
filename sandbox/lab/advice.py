"""Which settings an association that did not come about most likely hangs on, on which node: for the inspector.

It names places to look at, as the configuration form calls them, and never says which of them is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.lab.associations import OUTSIDE, Story
from sandbox.model.association import DialOutcome
from sandbox.model.config import NodeConfig, RemoteNode

_CALLING_NOT_RECOGNISED = (1, 3)
_CALLED_NOT_RECOGNISED = (1, 7)
_LIMIT = (3, 2)
_SETTINGS = {"ae_title": "AE title", "host": "host", "port": "port"}


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
    rule = _REJECTIONS.get(reason)
    return rule(story, _remote(story, configs)) if rule is not None else ""


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


_REJECTIONS: Mapping[tuple[int, int], Callable[[Story, RemoteNode | None], str]] = {
    _CALLED_NOT_RECOGNISED: _called,
    _CALLING_NOT_RECOGNISED: _calling,
    _LIMIT: _limit,
}


def _remote(story: Story, configs: Mapping[str, NodeConfig]) -> RemoteNode | None:
    """The line of the caller's AE table that it most likely called by."""
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
