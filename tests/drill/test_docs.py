"""What docs/writing-scenarios.md shows is what the engine takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sandbox.checks.registry import checks
from sandbox.drill.lint import known_keys
from sandbox.faults.registry import faults
from sandbox.lab.commands.registry import commands

PAGE = (Path(__file__).parents[2] / "docs" / "writing-scenarios.md").read_text(encoding="utf-8")


def test_examples_are_toml_of_known_words() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        for table, rows in tomllib.loads(block).items():
            for row in rows:
                if table == "fault":
                    assert set(row) - {"kind"} <= set(faults()[row["kind"]].model_fields)
                    continue
                assert set(row) <= set(known_keys(table))
                for step in row.get("step", []):
                    assert set(step) - {"command"} <= set(commands()[step["command"]].model_fields)


def test_checks_that_are_named_exist() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE))
    assert {name for name in named if name in checks()} >= {"studies_present", "unknown_ae_refused", "nothing_lost"}
    assert named - set(checks()) <= {
        key for table in ("", "exam", "ticket", "decoy", "outside") for key in known_keys(table)
    }


def test_every_key_of_the_top_is_explained() -> None:
    for key in known_keys(""):
        assert f"`{key}`" in PAGE or f"[[{key}]]" in PAGE or f"[{key}]" in PAGE or f"`{key}.md`" in PAGE, key
