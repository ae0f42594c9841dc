"""Images that come compressed: JPEG or RLE, from a scanner that used to send them plain."""

from __future__ import annotations

from sandbox.faults.fault import Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_modality import OnModality
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import Compressed


class DataCompressed(OnModality):
    """``data.compressed``: what ``node`` acquires is JPEG Baseline where it can be (8-bit grey), else RLE Lossless;
    with ``lossy`` false RLE for all.

    Alone it does no harm. A receiver that takes no such transfer syntax refuses the context (result 4), unless whoever
    sends to it may decompress (``transcode``). Seen from outside: ``dcmdump`` of an image that ``getscu`` brought names
    the transfer syntax (0002,0010); a ``storescp`` that takes uncompressed images only gets none of them. Mended by
    letting the receiver take the syntax, by transcoding before it, or by ``node.service_call`` about ``objects``.
    """

    kind = "data.compressed"
    symptoms = (
        "Images of one scanner are compressed, the others' are not.",
        "A receiver that does not decode them refuses them, and takes everybody else's.",
    )

    lossy: bool = True

    def explanation(self) -> str:
        how = "JPEG Baseline" if self.lossy else "RLE Lossless"
        return (
            f"{self.node} sent its images compressed ({how}). That is a transfer syntax of its own, and has to be "
            "agreed on for each association: whoever did not take it got nothing from this scanner."
        )

    def break_it(self, department: Department) -> Undo:
        return impair(department, self.node, "data", "objects", Compressed(lossy=self.lossy, where=self.where))
