"""The base of faults in what a modality makes: which modality, and for which of its images."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom.datadict import tag_for_keyword

from sandbox.faults.fault import Fault
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.nodes.impairments import Conditions
from sandbox.nodes.modality import ModalityConfig


class OnModality(Fault):
    """A fault in what the modality ``node`` makes.

    ``where`` narrows it to images with these values (``{ StudyDescription = "CT CHEST*" }``; "*" and "?" as wildcards).
    It befalls exams that are acquired while it is there; those of before stay as they are.
    """

    node: str
    where: Conditions = ()

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if self.node not in configs:
            raise NotFoundError(f"There is no node {self.node!r}.", f"Nodes: {', '.join(configs)}.")
        if not isinstance(configs[self.node], ModalityConfig):
            raise BadInputError(f"{self.node} is no modality.", "Name a modality.")
        for condition in self.where:
            known_keyword(condition.attribute)


def known_keyword(keyword: str) -> str:
    """The keyword, or BadInputError when DICOM has none of that name."""
    if tag_for_keyword(keyword) is None:
        raise BadInputError(f"DICOM has no attribute {keyword!r}.", "Use a keyword such as StudyDate.")
    return keyword
