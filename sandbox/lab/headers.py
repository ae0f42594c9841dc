"""Headers of the objects that nodes have: on their disks, or in a router's spool while they wait."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.archive import dump
from sandbox.model.errors import NotFoundError
from sandbox.model.header_view import HeaderComparison, HeaderView, ImageFacts

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

_QUEUED = 5000
"""Entries of a queue that are looked through for one instance."""


def header(lab: Lab, node: str, sop_instance: str) -> HeaderView:
    """The header of an instance that ``node`` has. NotFoundError when it has none such."""
    return dump.header_view(node, _file(lab, node, sop_instance))


def compare(lab: Lab, left: tuple[str, str], right: tuple[str, str]) -> HeaderComparison:
    """Two objects' headers, each given by node and SOP Instance UID."""
    return dump.compare(dump.read(left[0], _file(lab, *left)), dump.read(right[0], _file(lab, *right)))


def facts(lab: Lab, node: str, sop_instance: str) -> ImageFacts:
    """What a viewer needs of an image that ``node`` has."""
    return dump.image_facts(_file(lab, node, sop_instance))


def _file(lab: Lab, name: str, sop_instance: str) -> Path:
    node = lab.department.node(name)
    path = None if node.store is None else node.store.instance_path(sop_instance)
    if path is None and node.queue is not None:
        with node.queue.changed:
            if not node.queue.is_closed:
                for destination in node.queue.destinations():
                    for entry in node.queue.rows.entries(destination, _QUEUED):
                        if entry.item.object.sop_instance == sop_instance:
                            return entry.item.object.path
    if path is None:
        raise NotFoundError(f"{name} does not have the object {sop_instance[:64]}.", "Look where else it may be.")
    return path
