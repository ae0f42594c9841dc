"""`make bench`: every measurement in one run, as a table and (with --json FILE) as data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.bench import labs, wire


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", choices=("wire", "labs"), help="leave the other part out")
    chosen = parser.parse_args()
    figures: dict[str, object] = {}
    if chosen.only != "labs":
        measured = wire.measure()
        figures["wire"] = measured
        print(f"\n{'':40}{'ours':>10}{'pynetdicom':>12}{'ratio':>8}")
        for name, value in measured.items():
            print(
                f"{name:40}{value['ours']:10.0f}{value['pynetdicom']:12.0f}{value['ours'] / value['pynetdicom']:8.1f}"
            )
    if chosen.only != "wire":
        lab_figures = labs.measure()
        figures["labs"] = lab_figures
        print()
        for name, number in lab_figures.items():
            print(f"{name:60}{number:10.3f}")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
