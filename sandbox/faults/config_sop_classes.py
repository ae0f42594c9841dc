"""A node that takes fewer SOP classes than are sent to it."""

from __future__ import annotations

from typing import ClassVar

from sandbox.faults.on_accepted import OnAccepted


class SopClassesAccepted(OnAccepted):
    """``config.sop_classes``: ``node`` takes only the storage SOP classes ``accepted`` (UIDs, keywords or names,
    with * and ?). Proposed contexts of others get result 3 (abstract syntax not supported, PS3.8 9.3.3.2).

    Seen from outside: ``storescu`` of such an object against the published port prints "No presentation context for",
    and of other objects succeeds. Mended by ``node.config.save`` of ``storage_classes`` on ``node``, a restart,
    and sending again what was set aside.
    """

    kind = "config.sop_classes"
    setting = "storage_classes"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Some kinds of objects are not taken, with presentation context result 3; the others arrive.",
        "Associations that propose nothing else are aborted by the sender at once.",
    )

    def explanation(self) -> str:
        return (
            f"{self.node} accepted only these storage SOP classes: {', '.join(self.accepted)}. A presentation context "
            "for any other was answered with result 3, abstract syntax not supported, before a single byte was sent."
        )
