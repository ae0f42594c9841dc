"""`make bench`: our archive and the installed ones side by side; with --wire and --labs, pynetdicom alone and labs too.

Ends with 1 if an answer of ours was wrong.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tests.bench import archives, console, labs, report, wire
from tests.bench.clients import TOOLS
from tests.bench.peers import KINDS, OURS

_OUTPUT = Path("build/bench")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of few instances: under a minute")
    parser.add_argument("--rounds", type=int, help="how many rounds (3)")
    parser.add_argument("--peers", nargs="+", choices=[kind.name for kind in KINDS], default=(), help="only these")
    parser.add_argument(
        "--index", type=int, nargs="?", const=100_000, default=0, metavar="STUDIES", help="a large index too (100000)"
    )
    parser.add_argument("--wire", action="store_true", help="ours beside a bare pynetdicom server")
    parser.add_argument("--labs", action="store_true", help="what labs cost")
    parser.add_argument("--console", action="store_true", help="only this: pages and events with ten labs at work")
    parser.add_argument(
        "--directory", type=Path, help="an existing directory on the disk to measure (the temporary one)"
    )
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="where bench.json and bench.svg go (%(default)s)")
    return parser.parse_args()


def main() -> int:
    chosen = _arguments()
    if chosen.console:
        for name, number in console.measure().items():
            print(f"{name:60}{number:10.1f}")
        return 0
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"{', '.join(missing)} not found. On Debian: apt install dcmtk orthanc", file=sys.stderr)
        return 2
    plan = archives.QUICK_PLAN if chosen.quick else archives.PLAN
    if chosen.rounds is not None:
        plan = archives.Plan(chosen.rounds, plan.sizes, plan.budget_s)
    figures = archives.compare(plan, only=chosen.peers, large=chosen.index, directory=chosen.directory)
    data = report.as_json(figures)
    print("\n" + report.table(figures))
    if chosen.wire:
        data["wire"] = measured = wire.measure()
        print(f"\n{'':40}{'ours':>10}{'pynetdicom':>12}{'ratio':>8}")
        for name, value in measured.items():
            print(
                f"{name:40}{value['ours']:10.0f}{value['pynetdicom']:12.0f}{value['ours'] / value['pynetdicom']:8.1f}"
            )
    if chosen.labs:
        data["labs"] = lab_figures = labs.measure()
        print()
        for name, number in lab_figures.items():
            print(f"{name:60}{number:10.3f}")
    chosen.output.mkdir(parents=True, exist_ok=True)
    json_file, picture_file = chosen.output / "bench.json", chosen.output / "bench.svg"
    report.write(figures, data, json_file, picture_file)
    print(f"\nWritten: {json_file} and {picture_file}")
    return int(any(words.startswith(f"{OURS}:") for words in figures.wrong))


if __name__ == "__main__":
    sys.exit(main())
