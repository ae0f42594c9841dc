"""Something between two nodes resets their connections in the middle of the work: a proxy, an intrusion filter."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from sandbox.faults.on_link import OnLink


class LinkReset(OnLink):
    """``link.reset``: each connection between ``a`` and ``b`` is reset once it has carried ``after_bytes``, or when it
    begins with the image after ``after_instances``. Give one of the two; inside TLS only bytes can be counted.

    Seen from outside: ``findscu`` against the receiver shows fewer images than were made, more with each attempt.
    Mended by: ``network.service_call`` with ``resets``.
    """

    kind = "link.reset"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Small studies pass; in large ones the connection is lost in the middle, always at the same place.",
        "Both ends report a reset, and each blames the other.",
    )

    after_bytes: int | None = Field(None, ge=0)
    after_instances: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.after_bytes is None) == (self.after_instances is None):
            raise ValueError("give either after_bytes or after_instances")
        return self

    def effect(self) -> dict[str, Any]:
        if self.after_bytes is not None:
            return {"reset_after": self.after_bytes}
        return {"reset_after_instances": self.after_instances}

    def explanation(self) -> str:
        what = f"{self.after_bytes:,} bytes" if self.after_bytes is not None else f"{self.after_instances} images"
        return (
            f"On {self.link}, a device reset every connection after {what}. Both ends saw a reset by their peer, and "
            "neither had sent one: who resets always at the same place stands in between."
        )
