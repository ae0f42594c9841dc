"""An upgraded scanner: it makes enhanced multi-frame objects, which not everybody takes."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import EnhancedImages
from sandbox.nodes.modality import ModalityConfig


class DataEnhanced(OnModality):
    """``data.enhanced``: the CT or MR ``node`` makes one enhanced multi-frame object of each series; localizers stay.

    Alone it does no harm. Where a receiver does not take Enhanced CT or MR Image Storage, it refuses that presentation
    context (result 3), and only localizers arrive. Seen from outside: ``findscu`` at SERIES level shows one instance
    where there were many; ``storescu`` of an enhanced object to such a receiver ends with "No presentation context".
    Mended by letting the receiver take the SOP class, or by ``node.service_call`` about ``objects``.
    """

    kind = "data.enhanced"
    symptoms = (
        "Series of the scanner are one multi-frame object each, of an Enhanced SOP class.",
        "A receiver that does not know that class gets the localizers only.",
    )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        super().try_on(configs)
        config = configs[self.node]
        if isinstance(config, ModalityConfig) and config.modality not in ("CT", "MR"):
            raise BadInputError(f"{self.node} makes no CT or MR images.", "Name a CT or MR scanner.")

    def explanation(self) -> str:
        return (
            f"Since its upgrade {self.node} made enhanced multi-frame objects, another SOP class than before. Whoever "
            "had not been told to take that class refused its presentation context; localizers were of the old class "
            "and went through."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "data", "objects", EnhancedImages(where=self.where))
