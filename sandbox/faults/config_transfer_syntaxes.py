"""A node that takes fewer transfer syntaxes than are sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_process import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import with_value
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department
from sandbox.nodes.objects_config import ObjectsConfig


class TransferSyntaxesAccepted(Fault):
    """``config.transfer_syntaxes``: ``node`` takes objects only in the transfer syntaxes ``accepted`` (UIDs, keywords
    or names, with * and ?). A context with none of them gets result 4 (transfer syntaxes not supported, PS3.8 9.3.3.2).

    Senders that can decompress (``transcode``) send uncompressed where that is accepted; others fail. Seen from
    outside: ``storescu -xy`` (JPEG) against the published port prints "No Acceptable Presentation Contexts", or that
    there is none for the object; ``storescu -xi`` may be accepted. Mended by ``node.config.save`` of
    ``transfer_syntaxes`` on ``node`` (or of ``transcode`` on the sender) and a restart.
    """

    kind = "config.transfer_syntaxes"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Compressed objects are not taken, with presentation context result 4; uncompressed ones of the same kind are.",
        "A query shows the study, and a retrieve of it fails for the compressed images.",
    )

    node: str
    accepted: tuple[str, ...] = Field(min_length=1)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} accepted only these transfer syntaxes: {', '.join(self.accepted)}. What came in another was "
            "refused with presentation context result 4, though the kind of object was welcome."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = try_node(configs, self.node)
        if not isinstance(config, ObjectsConfig):
            able = [name for name, other in configs.items() if isinstance(other, ObjectsConfig)]
            raise BadInputError(f"{self.node} takes no objects.", f"These do: {', '.join(able) or 'none'}.")
        with_value(config, "transfer_syntaxes", list(self.accepted))

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, "transfer_syntaxes", list(self.accepted))
