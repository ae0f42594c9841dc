"""A node that takes fewer transfer syntaxes than are sent to it."""

from __future__ import annotations

from typing import ClassVar

from sandbox.faults.on_accepted import OnAccepted


class TransferSyntaxesAccepted(OnAccepted):
    """``config.transfer_syntaxes``: ``node`` takes objects only in the transfer syntaxes ``accepted`` (UIDs, keywords
    or names, with * and ?). A context with none of them gets result 4 (transfer syntaxes not supported, PS3.8 9.3.3.2).

    Senders that can decompress (``transcode``) send uncompressed where that is accepted; others fail. Seen from
    outside: ``storescu -xy`` (JPEG) against the published port prints "No Acceptable Presentation Contexts", or that
    there is none for the object; ``storescu -xi`` may be accepted. Mended by ``node.config.save`` of
    ``transfer_syntaxes`` on ``node`` (or of ``transcode`` on the sender) and a restart.
    """

    kind = "config.transfer_syntaxes"
    setting = "transfer_syntaxes"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Compressed objects are not taken, with presentation context result 4; uncompressed ones of the same kind are.",
        "A query shows the study, and a retrieve of it fails for the compressed images.",
    )

    def explanation(self) -> str:
        return (
            f"{self.node} accepted only these transfer syntaxes: {', '.join(self.accepted)}. What came in another was "
            "refused with presentation context result 4, though the kind of object was welcome."
        )
