"""A disk that is really full, down to the last byte: a small tmpfs of its own under the archive's directory.

Every sender hears A700 and why, readers go on, nothing that was answered 0000 is lost, and when there is room again
the next C-STORE succeeds, with and without a kill -9 or a restart in between.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pydicom.dataset import Dataset

from sandbox.archive.audit.sinks import AUDIT, read_lines
from tests.unbreakable.support import ArchiveProcess, count_in_study, ct, encoded_ct, get_study

_SIZE = "24m"
_STUDY = "1.2.3.50"
_OUT_OF_RESOURCES = 0xA700


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tmpfs")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class _Disk:
    """What else lies on the disk, and can be taken away."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def put(self, size: int) -> None:
        (self._place / "ballast").write_bytes(bytes(size))

    def fill(self) -> None:
        """Leave not a byte."""
        with (self._place / "filling").open("ab", buffering=0) as filling:
            for size in (1 << 20, 4096, 1):
                while True:
                    try:
                        if filling.write(bytes(size)) < size:
                            break
                    except OSError:
                        break
        assert os.statvfs(self._place).f_bavail == 0

    def make_room(self) -> None:
        for name in ("ballast", "filling"):
            (self._place / name).unlink(missing_ok=True)


def _instance(number: int, size: int = 300_000) -> Dataset:
    return ct(_STUDY, f"{_STUDY}.1", f"{_STUDY}.1.{number}", bytes((number % 256,)) * size, InstanceNumber=str(number))


def _is_all_there(archive: ArchiveProcess, stored: dict[str, bytes]) -> None:
    status, got = get_study(archive, _STUDY)
    assert status == 0
    assert got == stored
    assert count_in_study(archive, _STUDY) == len(stored)


def _store_until_full(archive: ArchiveProcess) -> tuple[dict[str, bytes], list[Dataset]]:
    """What was answered 0000, and what was answered A700, each with the reason."""
    stored: dict[str, bytes] = {}
    refused: list[Dataset] = []
    with archive.associate() as association:
        for number in range(200):
            ds = _instance(number)
            outcome = association.store(ds)
            if outcome.status == 0:
                stored[str(ds.SOPInstanceUID)] = encoded_ct(ds)
            else:
                assert outcome.status == _OUT_OF_RESOURCES, outcome
                assert outcome.comment.startswith(("Disk full", "The index cannot be written")), outcome
                refused.append(ds)
            if len(refused) == 10:
                break
    assert stored
    assert len(refused) == 10
    return stored, refused


@pytest.mark.parametrize("ending", ["goes on", "kill -9", "restart"])
def test_a_full_disk(small_disk: Path, tmp_path: Path, ending: str) -> None:
    disk = _Disk(small_disk)
    with ArchiveProcess(small_disk / "archive", log=tmp_path / "archive.log") as archive:
        disk.put(10 << 20)
        stored, refused = _store_until_full(archive)
        disk.fill()
        with archive.associate() as association:
            assert association.store(_instance(900, 100)).status == _OUT_OF_RESOURCES
            # More than memory is to hold, so on its way into a file.
            large = association.store(_instance(901, 9 << 20))
            assert large.status == _OUT_OF_RESOURCES
            assert "Disk full" in large.comment or "No space" in large.comment
            assert association.echo().status == 0
        _is_all_there(archive, stored)
        if ending == "kill -9":
            archive.kill()
            disk.fill()
            archive.start()
        elif ending == "restart":
            archive.stop()
            disk.fill()
            archive.start()
        archive.echo()
        _is_all_there(archive, stored)
        disk.make_room()
        with archive.associate() as association:
            for ds in refused:
                assert association.store(ds).status == 0
                stored[str(ds.SOPInstanceUID)] = encoded_ct(ds)
        _is_all_there(archive, stored)
        assert not list((archive.directory / "store" / "incoming").iterdir())
        assert not archive.unexpected()
    if ending == "goes on":
        # What could not be written of it waited, and nothing of it is missing.
        assert sum(_audited(archive)) == len(stored)


def _audited(archive: ArchiveProcess) -> Iterator[int]:
    """How many instances came, in each message of the audit trail about that (PS3.15 A.5.3.7)."""
    for line in read_lines(archive.directory / AUDIT):
        root = ElementTree.fromstring(line)
        event, code = root.find("EventIdentification"), root.find("EventIdentification/EventID")
        assert event is not None
        assert code is not None
        if (code.attrib["csd-code"], event.attrib["EventActionCode"]) == ("110104", "C"):
            yield from (int(one.attrib["NumberOfInstances"]) for one in root.iter("SOPClass"))
