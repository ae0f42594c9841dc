"""A node's own files on disk, each replaced as a whole: its configuration and whether it should run, and single values
that outlive the process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from sandbox.model.base import Model, explain_validation
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, UnavailableError
from sandbox.model.files import write_whole

ValueT = TypeVar("ValueT", bound=Model)


class ValueFile(Generic[ValueT]):
    """One value in a file. The value ``nothing`` leaves no file, so that nothing tells that there was another."""

    def __init__(self, path: Path, nothing: ValueT) -> None:
        self._path = path
        self._nothing = nothing

    def read(self) -> ValueT:
        """The value; ``nothing`` when there is no file."""
        try:
            return type(self._nothing).model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return self._nothing
        except ValidationError as wrong:
            raise explain_validation(wrong, str(self._path)) from wrong

    def write(self, value: ValueT) -> None:
        """Replace the file, or remove it."""
        try:
            if value == self._nothing:
                self._path.unlink(missing_ok=True)
            else:
                write_whole(self._path, value.model_dump_json(indent=1))
        except OSError as wrong:
            raise _unwritable(self._path, wrong) from wrong


def _unwritable(path: Path, wrong: OSError) -> UnavailableError:
    return UnavailableError(f"{path} cannot be written: {wrong.strerror or wrong}.", "See that the disk is not full.")


class NodeFile:
    """Reads and writes one node's file. A write is whole or not at all, also when the lab is killed during it."""

    def __init__(self, path: Path, config_class: type[NodeConfig]) -> None:
        self._path = path
        self._config_class = config_class

    def read(self) -> tuple[NodeConfig, NodeConfig, bool] | None:
        """Saved, running and whether it should run; None when there is no file yet."""
        if not self._path.exists():
            return None
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            saved = self._config_class.model_validate(document["saved"])
            running = self._config_class.model_validate(document["running"])
            return saved, running, bool(document["is_wanted"])
        except ValidationError as wrong:
            raise explain_validation(wrong, str(self._path)) from wrong
        except (ValueError, KeyError, TypeError) as wrong:
            raise BadInputError(
                f"{self._path} is no node's configuration.", "Reset the lab to make it anew."
            ) from wrong

    def write(self, saved: NodeConfig, running: NodeConfig, is_wanted: bool) -> None:
        """Replace the file."""
        document = {
            "saved": saved.model_dump(mode="json"),
            "running": running.model_dump(mode="json"),
            "is_wanted": is_wanted,
        }
        try:
            write_whole(self._path, json.dumps(document, ensure_ascii=False, indent=1))
        except OSError as wrong:
            raise _unwritable(self._path, wrong) from wrong
