"""dcmodify: change values in copies of DICOM files. Only in /work: what a node has stored is nobody's to edit here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from pydicom import config, dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import generate_uid

from sandbox.lab.terminal.dcmtk import GENERAL, DcmtkProgram
from sandbox.lab.terminal.disk import DiskError
from sandbox.lab.terminal.keys import KeyFormatError, element, tag_of
from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.shell import Shell


class DcmModify(DcmtkProgram):
    """Change values in copies of DICOM files in /work (make one with cp). Nested elements cannot be named here."""

    name = "dcmodify"
    purpose: ClassVar[str] = "Modify DICOM files"
    usage: ClassVar[str] = "dcmfile-in..."
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        Option(("-i", "--insert"), "insert (or overwrite) tag with value", ("tag=value",)),
        Option(("-m", "--modify"), "modify tag to value", ("tag=value",)),
        Option(("-ma", "--modify-all"), "modify ALL matching tags in file to value", ("tag=value",)),
        Option(("-e", "--erase"), "erase tag", ("tag",)),
        Option(("-ea", "--erase-all"), "erase ALL matching tags in file", ("tag",)),
        Option(("-gst", "--gen-stud-uid"), "generate new Study Instance UID"),
        Option(("-gse", "--gen-ser-uid"), "generate new Series Instance UID"),
        Option(("-gin", "--gen-inst-uid"), "generate new SOP Instance UID"),
        Option(("-nb", "--no-backup"), "don't backup files (there is no backup here: copy again)"),
        Option(("-imt", "--ignore-missing-tags"), "treat 'tag not found' as success"),
    )
    examples: ClassVar[tuple[str, ...]] = (
        "cp images/*/*/*0001.dcm work/copy.dcm",
        "dcmodify -v -m PatientName=TEST^PATIENT -gin work/copy.dcm",
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        if not given.rest:
            raise UsageError("Missing parameter dcmfile-in")
        log = self.log(shell, given)
        errors = 0
        for typed in given.rest:
            log("info", f"Processing file: {typed}")
            log("info", f"Loading file into dataset manager: {typed}")
            try:
                path = _copy(shell, typed)
                with config.disable_value_validation():
                    ds = dcmread(path)
            except (DiskError, OSError, ValueError, AttributeError) as wrong:
                log("error", f"unable to load file {typed[:200]}: {_said(wrong)}")
                errors += 1
                continue
            for key, what in _ACTS.items():
                for values in given.given.get(key, ()):
                    log("info", f"Executing (option|path|value): {key[1:]}|{'|'.join(_parted(values))}")
                    try:
                        with config.disable_value_validation():
                            what(ds, *_parted(values))
                    except (KeyFormatError, KeyError) as wrong:
                        if isinstance(wrong, KeyError) and "-imt" in given:
                            continue
                        text = "Tag not found" if isinstance(wrong, KeyError) else str(wrong)
                        log("error", f"{_DOING[key]} tag in file {typed[:200]}: {text}")
                        errors += 1
            if not errors:
                log("info", f"Saving current dataset to file: {typed}")
                errors += not _saved(ds, path)
        if errors:
            log("error", f"There {'was' if errors == 1 else 'were'} {errors} error{'' if errors == 1 else 's'}")
        return FAILURE if errors else SUCCESS


def _copy(shell: Shell, typed: str) -> Path:
    """Where a file of /work really lies; DiskError for any other."""
    found = shell.disk.file(shell.path(typed))
    place = shell.disk.writable(shell.path(typed))
    if found.path != place:
        raise DiskError("No such file or directory")
    return place


def _said(wrong: Exception) -> str:
    if isinstance(wrong, DiskError):
        return str(wrong)
    return getattr(wrong, "strerror", None) or "I/O suspension or premature end of stream"


def _parted(values: tuple[str, ...]) -> tuple[str, str]:
    """Tag and value of "tag=value"; both empty for a switch."""
    path, _, value = (values[0] if values else "").partition("=")
    return path, value


def _saved(ds: FileDataset, path: Path) -> bool:
    try:
        ds.save_as(path)
    except (ValueError, TypeError, AttributeError, OSError):
        return False
    return True


def _insert(ds: Dataset, path: str, value: str) -> None:
    ds.add(element(tag_of(path), value))


def _modify(ds: Dataset, path: str, value: str) -> None:
    tag = tag_of(path)
    if tag not in ds:
        raise KeyError(path)
    ds.add(element(tag, value))


def _everywhere(ds: Dataset, path: str) -> list[Dataset]:
    """The data sets that have the element: the file's own and those of items."""
    tag = tag_of(path)
    inner = [item for one in ds.iterall() if one.VR == "SQ" for item in one.value]
    found = [one for one in (ds, *inner) if tag in one]
    if not found:
        raise KeyError(path)
    return found


def _modify_all(ds: Dataset, path: str, value: str) -> None:
    for one in _everywhere(ds, path):
        one.add(element(tag_of(path), value))


def _erase(ds: Dataset, path: str, value: str) -> None:  # noqa: ARG001
    del ds[tag_of(path)]


def _erase_all(ds: Dataset, path: str, value: str) -> None:  # noqa: ARG001
    for one in _everywhere(ds, path):
        del one[tag_of(path)]


def _renewed(keyword: str) -> Callable[[FileDataset, str, str], None]:
    def renew(ds: FileDataset, path: str, value: str) -> None:  # noqa: ARG001
        uid = generate_uid(prefix=None)
        setattr(ds, keyword, uid)
        if keyword == "SOPInstanceUID":
            ds.file_meta.MediaStorageSOPInstanceUID = uid

    return renew


_ACTS: Mapping[str, Callable[..., None]] = {
    "-i": _insert,
    "-m": _modify,
    "-ma": _modify_all,
    "-e": _erase,
    "-ea": _erase_all,
    "-gst": _renewed("StudyInstanceUID"),
    "-gse": _renewed("SeriesInstanceUID"),
    "-gin": _renewed("SOPInstanceUID"),
}
_DOING: Mapping[str, str] = {"-i": "inserting", "-e": "erasing", "-ea": "erasing"} | dict.fromkeys(
    ("-m", "-ma", "-gst", "-gse", "-gin"), "modifying"
)
