"""The cache of prepared folders: made once, used again, and tidied of what nobody uses any more."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.lab.cache import ABANDONED_S, KEPT, cached


def fill(folder: Path) -> None:
    (folder / "file").write_text("made")


def made(cache: Path, name: str, what: str, age_s: float = 0.0) -> Path:
    folder = cached(cache, name, what, fill)
    at = folder.stat().st_mtime - age_s
    os.utime(folder, (at, at))
    return folder


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    times: list[Path] = []
    assert [cached(tmp_path, "lab-site", "x", times.append) for _ in range(3)] == [made(tmp_path, "lab-site", "x")] * 3
    assert len(times) == 1


def test_the_longest_unused_go_and_other_names_stay(tmp_path: Path) -> None:
    other = made(tmp_path, "history-site", "old", age_s=10_000)
    folders = [made(tmp_path, "lab-site", str(number), age_s=1000 - number) for number in range(KEPT)]
    cached(tmp_path, "lab-site", "0", fill)  # the oldest is used once more, so the second oldest is to go
    newest = made(tmp_path, "lab-site", "new")
    assert [folder.is_dir() for folder in (*folders, newest, other)] == [True, False, *[True] * KEPT]


def test_what_was_left_half_made_goes_and_what_is_being_made_stays(tmp_path: Path) -> None:
    left, working = tmp_path / ".lab-site-1.a", tmp_path / ".lab-site-2.b"
    for folder in (left, working):
        folder.mkdir()
    at = working.stat().st_mtime - ABANDONED_S - 1
    os.utime(left, (at, at))
    made(tmp_path, "lab-site", "x")
    assert (left.exists(), working.exists()) == (False, True)
