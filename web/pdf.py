"""Paper: a PDF in the console's type, for what is downloaded and printed. Reports and certificates are set with it.

The type is Inter, whole: Latin, Greek and Cyrillic. What it has no letters for (a name in kanji) is shown as a box and
never fails; ``lacks`` tells whether that was the case, so that the page can say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import FontFace

FONTS = Path(__file__).parent / "static/vendor/inter-ui-3.19.3"
FAMILY = "Inter"
INK = (24, 32, 44)
QUIET = (92, 102, 117)
LINE_MM = 5.2
MISSING = "□"
"""Stands for a letter that the type does not have."""


class Paper(FPDF):
    """An A4 document with a running foot. Everything is set from the left margin downward."""

    def __init__(self, title: str, foot: str = "") -> None:
        super().__init__(format="A4")
        self._foot = foot
        self.add_font(FAMILY, "", FONTS / "Inter-Regular.woff")
        self.add_font(FAMILY, "B", FONTS / "Inter-SemiBold.woff")
        self._letters = frozenset(self.fonts[FAMILY.lower()].cmap)  # type: ignore[union-attr]
        self.lacks = False
        self.set_title(title)
        self.set_creator("PACS Sandbox")
        self.set_margins(20, 18)
        self.set_auto_page_break(auto=True, margin=20)
        self.set_text_color(*INK)
        self.add_page()

    def footer(self) -> None:
        """Called by fpdf2 at the end of each page."""
        self.set_y(-13)
        self.set_font(FAMILY, "", 8)
        self.set_text_color(*QUIET)
        self.cell(0, 5, self._said(f"{self._foot}   {self.page_no()}".strip()), align="R")
        self.set_text_color(*INK)

    def heading(self, text: str, size: float = 13) -> None:
        """A heading, which is not left alone at the end of a page."""
        if self.will_page_break(size + 12):
            self.add_page()
        self.ln(3 if size < 16 else 0)
        self._set(text, size, "B", size * 0.5)
        self.ln(1.2)

    def paragraph(self, text: str, *, quiet: bool = False, size: float = 10) -> None:
        if quiet:
            self.set_text_color(*QUIET)
        self._set(text, size, "", LINE_MM * size / 10)
        self.set_text_color(*INK)
        self.ln(1.4)

    def items(self, lines: Iterable[str]) -> None:
        """A list with a dot before each line."""
        for line in lines:
            left = self.l_margin
            self.set_font(FAMILY, "", 10)
            self.cell(5, LINE_MM, "•")
            self.set_left_margin(left + 5)
            self._set(line, 10, "", LINE_MM)
            self.set_left_margin(left)
            self.set_x(left)
        self.ln(1.4)

    def rows(self, columns: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float]) -> None:
        """A table; ``widths`` are the shares of its columns."""
        self.set_font(FAMILY, "", 9)
        self.set_draw_color(205, 211, 220)
        with self.table(
            col_widths=tuple(widths),
            text_align="LEFT",
            v_align="TOP",
            line_height=LINE_MM,
            padding=1,
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(emphasis="BOLD"),
        ) as table:
            for row in (columns, *rows):
                line = table.row()
                for cell in row:
                    line.cell(self._said(cell))
        self.ln(2)

    def finish(self) -> bytes:
        """The whole document."""
        return bytes(self.output())

    def _set(self, text: str, size: float, style: str, line: float) -> None:
        self.set_font(FAMILY, style, size)
        self.multi_cell(0, line, self._said(text), new_x="LMARGIN", new_y="NEXT", align="LEFT")

    def _said(self, text: str) -> str:
        """A letter that is missing becomes a box, and is noted; a control character becomes a space."""
        clean = "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in text)
        said = "".join(letter if letter == "\n" or ord(letter) in self._letters else MISSING for letter in clean)
        self.lacks = self.lacks or said != clean
        return said
