"""Editing a node's configuration, and starting and stopping it: what an administrator does at the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.lab.sentences import counted, value_in_words
from sandbox.model.config import NodeConfig, shown
from sandbox.model.config_path import Change, with_row, with_value, without
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult, NodeState

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.node import Node

NODE = Field(**shown("Node", "The node this is done on."))


class NodeConfigSave(Command):
    """Change settings of a node and save them. They come into force when the node is restarted, not before.

    Everything is checked together and saved together: one setting that makes no sense, and nothing is saved.
    """

    name = "node.config.save"
    title: ClassVar[str] = "Save configuration"

    node: str = NODE
    set: dict[str, Any] = Field(
        default_factory=dict, **shown("Set", "Settings by path, such as remotes.ROUTER.ae_title, and their new values.")
    )
    add: dict[str, Any] = Field(
        default_factory=dict, **shown("Add", "Lines to add, by table (remotes, rules): one line or a list of lines.")
    )
    remove: tuple[str, ...] = Field((), **shown("Remove", "Lines to remove, by path, such as remotes.WS3."))

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        if not (self.set or self.add or self.remove):
            raise BadInputError("There is nothing to save.", "Give at least one of set, add and remove.")
        config = node.saved
        # Lines go before others are changed or come, so that a line can be replaced by one of the same name.
        for path in self.remove:
            config = without(config, path)
        for path, value in self.set.items():
            config = with_value(config, path, value)
        for table, rows in self.add.items():
            for row in rows if isinstance(rows, list) else [rows]:
                config = with_row(config, table, row)
        return _saved(node, config)


class NodeConfigDiscard(Command):
    """Go back to the configuration that is running: what was saved since the last restart is dropped."""

    name = "node.config.discard"
    title: ClassVar[str] = "Discard saved changes"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        return _saved(node, node.running, "The saved configuration is the running one again")


class NodeRestart(Command):
    """Stop a node and start it again, with its saved configuration. Associations under way are cut off."""

    name = "node.restart"
    title: ClassVar[str] = "Restart"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        node.restart()
        return _state(node, "restarted")


class NodeStop(Command):
    """Stop a node. Its port refuses connections until it is started."""

    name = "node.stop"
    title: ClassVar[str] = "Stop"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        if node.state is NodeState.STOPPED:
            return CommandResult(ok=True, sentence=f"{node.name} was stopped already.")
        node.stop("stopped by an administrator")
        return CommandResult(ok=True, sentence=f"{node.name} stopped.")


class NodeStart(Command):
    """Start a node that is stopped, with its saved configuration."""

    name = "node.start"
    title: ClassVar[str] = "Start"

    node: str = NODE

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        if node.state is NodeState.RUNNING:
            return CommandResult(ok=True, sentence=f"{node.name} was running already.")
        node.start()
        return _state(node, "started")


def _saved(node: Node, config: NodeConfig, done: str = "") -> CommandResult:
    changes = node.save(config)
    if not changes:
        return CommandResult(ok=True, sentence=f"{node.name}: nothing is different, nothing was saved.")
    # A new line's settings that are empty were nothing and are nothing.
    changes = tuple(each for each in changes if value_in_words(each.before) != value_in_words(each.after)) or changes
    told = done or f"{counted(len(changes), 'setting')} saved"
    mend = " Restart it to bring them into force." if node.needs_restart else ""
    return CommandResult(
        ok=True, sentence=f"{node.name}: {told}.{mend}", facts=tuple(_change_in_words(change) for change in changes)
    )


def _change_in_words(change: Change) -> str:
    return f"{change.path}: {value_in_words(change.before)} → {value_in_words(change.after)}"


def _state(node: Node, done: str) -> CommandResult:
    running = node.state is NodeState.RUNNING
    return CommandResult(ok=running, sentence=f"{node.name} {done}. {node.view().sentence}")
