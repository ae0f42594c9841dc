"""The pieces into which a PDU is taken: noted one after the other, never outside the bytes, never more than a page can
bear."""

from __future__ import annotations

from sandbox.model.inspection import Piece

MOST_PIECES = 3000
"""An A-ASSOCIATE-RQ with every context and syntax there is has about as many; damage may feign any number."""


class Pieces:
    """What was found in ``data`` so far. ``bad`` once a piece was; ``more`` once there were too many."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bad = False
        self.more = False
        self._found: list[Piece] = []

    def add(
        self,
        depth: int,
        name: str,
        start: int,
        length: int,
        value: str = "",
        note: str = "",
        part: str = "",
        *,
        bad: bool = False,
    ) -> None:
        """Note a piece; its place is cut to the bytes there are."""
        self.bad = self.bad or bad
        if len(self._found) >= MOST_PIECES:
            self.more = True
            return
        start = min(max(start, 0), len(self.data))
        length = min(max(length, 0), len(self.data) - start)
        self._found.append(
            Piece(
                number=len(self._found) + 1,
                depth=depth,
                name=name,
                value=value,
                note=note,
                part=part,
                start=start,
                length=length,
                bad=bad,
            )
        )

    def cut(self, what: str) -> str:
        """Note that the bytes end too early for ``what``."""
        words = f"{what} is cut off"
        self.add(0, "Cut off", 6, len(self.data) - 6, "", f"{words}.", bad=True)
        return words

    def all(self) -> tuple[Piece, ...]:
        return tuple(self._found)
