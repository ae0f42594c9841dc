"""What a scanner that is wrong makes of an exam: its data sets, changed as the node's data impairments say.

Values are written as they are wrong, past every check of pydicom's: whoever receives them has to cope. Rule: a check's
own exams stay apart from everybody else's, since they are forgotten by their Study Instance UID afterwards.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pydicom import config as pydicom_config
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from sample_dicom.instances.derived import ENHANCED, captured, compressed, enhanced, is_localizer
from sample_dicom.instances.documents import make_document
from sample_dicom.uids import make_uid
from sandbox.model.patient import Patient
from sandbox.nodes.impairments import (
    Compressed,
    DataImpairments,
    EnhancedImages,
    ExtraObjects,
    Manner,
    OtherDomain,
    PrivateCapture,
    SharedStudy,
    SplitStudy,
    TextMislabelled,
    ValueChanged,
    WrongHeader,
    WrongObject,
    WrongPatient,
    WrongUID,
)

TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Value representations that the character set governs (PS3.5 6.1.2.3)."""

_MAXIMUM = {"AE": 16, "CS": 16, "SH": 16, "LO": 64, "PN": 64, "ST": 1024, "LT": 10240, "DA": 8, "TM": 16, "AS": 4}
"""Most characters of a value (PS3.5 6.2)."""


@dataclass(frozen=True)
class Previous:
    """The exam before on the same scanner: whose it was and what its study is called."""

    study_uid: str
    patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    accession_number: str


@dataclass(frozen=True)
class Scan:
    """What else a change needs to know. ``previous`` is None on a scanner that has nothing on its disk; ``shared`` is
    the study that a check's own exams share, empty for everybody else's."""

    previous: Previous | None
    shared: str = ""


def changed(datasets: Sequence[Dataset], data: DataImpairments, scan: Scan) -> list[Dataset]:
    """The exam's data sets as the scanner makes them. The given ones may be changed."""
    made = list(datasets)
    for header in data.headers:
        for ds in _matching(made, header):
            _HEADERS[type(header)](header, ds, scan)
    for uid in data.uids:
        matching = _matching(made, uid)
        for number, ds in enumerate(matching):
            _UIDS[type(uid)](uid, ds, number, scan)
    for wrong in data.objects:
        matching = _matching(made, wrong)
        if matching:
            at = made.index(matching[0])
            rest = [ds for ds in made if not any(ds is one for one in matching)]
            made = [*rest[:at], *_OBJECTS[type(wrong)](wrong, matching), *rest[at:]]
    return made


def values_of(ds: Dataset) -> dict[str, str]:
    """The text of every top-level element by keyword, for conditions. Several values are joined by backslashes."""
    found = {}
    for element in ds:
        keyword = keyword_for_tag(element.tag)
        if keyword and element.VR not in ("SQ", "OB", "OW", "UN"):
            value = element.value
            parts = value if element.VM > 1 else ("" if value is None else value,)
            found[keyword] = "\\".join(str(part) for part in parts)
    return found


def text_of(ds: Dataset, keyword: str) -> str:
    """One value as text; several are joined by backslashes, and an absent one is empty."""
    value = ds.get(keyword, "")
    return "\\".join(str(part) for part in value) if isinstance(value, MultiValue) else str(value or "")


def _matching(datasets: Sequence[Dataset], change: WrongHeader | WrongUID | WrongObject) -> list[Dataset]:
    if not change.where:
        return list(datasets)
    return [ds for ds in datasets if all(condition.holds(values_of(ds)) for condition in change.where)]


# --- Headers ---------------------------------------------------------------------------------------------------------


def put_raw(ds: Dataset, keyword: str, value: str) -> None:
    """Set a value, whether or not it is one that the standard allows."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds[tag] = DataElement(tag, dictionary_VR(tag), value, validation_mode=pydicom_config.IGNORE)


def _too_long(value: str, vr: str) -> str:
    limit, filler = _MAXIMUM.get(vr, 64), " (SEE COMMENT IN RIS)"
    padded = value
    while len(padded) <= limit + 4:
        padded += filler
    return padded


def _old_date(value: str, vr: str) -> str:
    """As ACR-NEMA wrote them: 2024.01.31 and 10:22:33."""
    if vr == "TM":
        return ":".join((value[0:2], value[2:4], value[4:6])) if len(value) >= 6 else value
    return ".".join((value[0:4], value[4:6], value[6:8])) if len(value) == 8 else value


def _backslash(value: str, vr: str) -> str:  # noqa: ARG001
    cut = value.find(" ") if " " in value else len(value) // 2
    return f"{value[:cut]}\\{value[cut:].strip()}"


_MANNERS: Mapping[Manner, Callable[[str, str], str]] = {
    Manner.BLANK: lambda value, vr: "",
    Manner.TOO_LONG: _too_long,
    Manner.BACKSLASH: _backslash,
    Manner.OLD_DATE: _old_date,
    Manner.PADDED: lambda value, vr: f" {value}",
    Manner.LOWER_CASE: lambda value, vr: value.lower(),
}
"""From a value and its value representation to what is written instead."""


def _value(change: ValueChanged, ds: Dataset, scan: Scan) -> None:
    del scan
    if change.manner is Manner.MISSING:
        if change.keyword in ds:
            delattr(ds, change.keyword)
        return
    if change.manner is Manner.SET:
        put_raw(ds, change.keyword, change.value)
        return
    before = values_of(ds).get(change.keyword, "")
    put_raw(ds, change.keyword, _MANNERS[change.manner](before, dictionary_VR(change.keyword)))


def _text(change: TextMislabelled, ds: Dataset, scan: Scan) -> None:
    del scan
    for element in ds.iterall():
        if element.VR in TEXT_VRS and element.value and not str(element.value).isascii():
            # Written in ISO 8859-1, each of these characters becomes one byte of the UTF-8 that was meant.
            garbled = str(element.value).encode("utf-8").decode("latin-1")
            element.value = garbled
    if change.declared:
        ds.SpecificCharacterSet = change.declared
    elif "SpecificCharacterSet" in ds:
        del ds.SpecificCharacterSet


def _patient(change: WrongPatient, ds: Dataset, scan: Scan) -> None:
    other = _identity(change.patient) if change.patient is not None else scan.previous
    if other is None:
        return
    put_raw(ds, "PatientID", other.patient_id)
    put_raw(ds, "PatientName", other.patient_name)
    put_raw(ds, "PatientBirthDate", other.birth_date)
    put_raw(ds, "PatientSex", other.sex)
    if change.accession and other.accession_number:
        put_raw(ds, "AccessionNumber", other.accession_number)


def _domain(change: OtherDomain, ds: Dataset, scan: Scan) -> None:
    del scan
    ours = values_of(ds).get("PatientID", "")
    number = int.from_bytes(sha256(f"{change.issuer}\t{ours}".encode()).digest()[:4], "big") % 90_000 + 10_000
    put_raw(ds, "PatientID", f"{change.prefix}{number}")
    put_raw(ds, "IssuerOfPatientID", change.issuer)


def _identity(patient: Patient) -> Previous:
    return Previous("", patient.patient_id, patient.name, f"{patient.birth_date:%Y%m%d}", patient.sex, "")


# --- UIDs ------------------------------------------------------------------------------------------------------------


def _shared(change: SharedStudy, ds: Dataset, number: int, scan: Scan) -> None:
    del change, number
    uid = scan.shared or ("" if scan.previous is None else scan.previous.study_uid)
    if uid:
        ds.StudyInstanceUID = UID(uid)


def _split(change: SplitStudy, ds: Dataset, number: int, scan: Scan) -> None:
    del scan
    if number >= change.after:
        ds.SeriesInstanceUID = make_uid("split", ds.SeriesInstanceUID)
        ds.StudyInstanceUID = make_uid("split", ds.StudyInstanceUID)


# --- Kinds of objects ------------------------------------------------------------------------------------------------


def _capture(change: PrivateCapture, images: list[Dataset]) -> Iterator[Dataset]:
    del change
    yield from map(captured, images)


def _enhanced(change: EnhancedImages, images: list[Dataset]) -> Iterator[Dataset]:
    del change
    in_series: dict[str, list[Dataset]] = {}
    for image in images:
        if str(image.SOPClassUID) in ENHANCED and not is_localizer(image):
            in_series.setdefault(str(image.SeriesInstanceUID), []).append(image)
        else:
            yield image
    yield from map(enhanced, in_series.values())


def _extra(change: ExtraObjects, images: list[Dataset]) -> Iterator[Dataset]:
    yield from images
    with_pixels = [image for image in images if "PixelData" in image]
    if with_pixels:
        yield from (make_document(kind, with_pixels) for kind in change.documents)


def _compressed(change: Compressed, images: list[Dataset]) -> Iterator[Dataset]:
    yield from (compressed(image, lossy=change.lossy) if "PixelData" in image else image for image in images)


_HEADERS: Mapping[type, Callable[..., None]] = {
    ValueChanged: _value,
    TextMislabelled: _text,
    WrongPatient: _patient,
    OtherDomain: _domain,
}
_UIDS: Mapping[type, Callable[..., None]] = {SharedStudy: _shared, SplitStudy: _split}
_OBJECTS: Mapping[type, Callable[..., Iterator[Dataset]]] = {
    PrivateCapture: _capture,
    EnhancedImages: _enhanced,
    ExtraObjects: _extra,
    Compressed: _compressed,
}
