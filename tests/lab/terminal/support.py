"""Typing into the terminals of a lab, and running the real dcmtk against the same node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.events.kinds import InstanceStored
from sandbox.lab.lab import Lab
from sandbox.model.terminal_view import TerminalOutput
from tests.lab.support import do, wait_for

NEEDED = pytest.mark.skipif(
    not shutil.which("echoscu") and not os.environ.get("CI"), reason="dcmtk is not installed: apt-get install dcmtk"
)


def typed(lab: Lab, node: str, line: str, directory: str = "/") -> TerminalOutput:
    """What came of a line."""
    found = do(lab, "terminal.run", node=node, line=line, directory=directory).terminal
    assert found is not None
    return found


def scanned(lab: Lab, node: str = "CT1") -> str:
    """A new study of two images on a modality, delivered to the archive."""
    result = do(lab, "exam.acquire", node=node, images=2)
    study = next(fact for fact in result.facts if fact.startswith("Study")).partition(": ")[2]
    wait_for(
        lab,
        lambda e: isinstance(e.body, InstanceStored) and e.node == "ARCHIVE" and e.body.study_uid == study,
        after=result.event,
    )
    return study


def published(lab: Lab, node: str) -> tuple[str, str]:
    """Host and port for tools of the machine."""
    host, _, port = lab.department.node(node).published.rpartition(":")
    return host, port


def real(words: list[str], folder: Path) -> tuple[int, str]:
    """Exit status and everything that a real command of dcmtk prints."""
    done = subprocess.run(words, cwd=folder, capture_output=True, timeout=60, check=False)
    return done.returncode, (done.stderr + done.stdout).decode("utf-8", "replace")


def telling(text: str) -> list[str]:
    """The lines that tell something, without what differs for good reasons: the date of dcmtk's banner, padding inside
    brackets, progress that goes to the other stream, and our own list of the options that are there."""
    lines = []
    for line in text.replace("\r", "").split("\n"):
        line = (
            re.sub(r"^\$dcmtk: (\S+) v\S+.*\$$", r"$dcmtk: \1 $", line).replace("\0]", "]").replace(" ]", "]").rstrip()
        )
        if line.strip() and not line.startswith(("Known here:", "XMIT:", "W: DICOM file already exists")):
            # dcmtk prints the bytes of a name as they came, in whatever character set.
            lines.append(re.sub(r"[^\x00-\x7f]+", "?", re.sub(r"\s+", " ", line)))
    return lines
