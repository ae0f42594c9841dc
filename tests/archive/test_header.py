"""The header scan on every file that pydicom ships, against pydicom; cut off, damaged and hostile data sets."""

from __future__ import annotations

import random
import struct
import warnings
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sandbox.archive import header as header_module
from sandbox.archive.header import UnreadableError, read_header
from sandbox.archive.part10 import NotPart10Error, opened
from tests.archive.support import encoded, instance

_DATA = Path(pydicom.__file__).parent / "data"
_FILES = sorted([*(_DATA / "test_files").glob("*.dcm"), *(_DATA / "charset_files").glob("*.dcm")])
_NOT_PART10 = {
    "ExplVR_BigEndNoMeta.dcm",
    "ExplVR_LitEndNoMeta.dcm",
    "meta_missing_tsyntax.dcm",
    "no_meta.dcm",
    "rtstruct.dcm",
}
_CUT_OFF = {"MR_truncated.dcm", "rtplan_truncated.dcm"}
_KEYWORDS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality", "StudyDate", "Rows")


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_reads_what_pydicom_reads(path: Path) -> None:
    if path.name in _NOT_PART10:
        with pytest.raises(NotPart10Error), opened(path):
            pass
        return
    with opened(path) as (meta, dataset), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.name in _CUT_OFF:
            with pytest.raises(UnreadableError):
                read_header(dataset, meta.transfer_syntax)
            return
        header = read_header(dataset, meta.transfer_syntax)
        expected = dcmread(path, stop_before_pixels=True)
        for keyword in _KEYWORDS:
            assert header.get_keyword(keyword) == str(expected.get(keyword) or "").strip().replace(
                "1997.04.24", "19970424"
            )


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("chrFren.dcm", "Buc^Jérôme"),
        ("chrGreek.dcm", "Διονυσιος"),
        ("chrRuss.dcm", "Люкceмбypг"),
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrI2.dcm", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chrX1.dcm", "Wang^XiaoDong=王^小東="),
        ("chrX2.dcm", "Wang^XiaoDong=王^小东="),
    ],
)
def test_names_in_their_character_sets(file: str, name: str) -> None:
    with opened(_DATA / "charset_files" / file) as (meta, dataset):
        assert read_header(dataset, meta.transfer_syntax).get_keyword("PatientName") == name


def test_kanji_whose_second_byte_is_an_equals_sign() -> None:
    """秀 is 0x3D28 in JIS X 0208, and 0x3D is "=": a reader that splits bytes cuts the character in two."""
    ds = instance(PatientName=None)
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.add_new(0x00100010, "PN", "Yamada^Hideki=山田^秀樹")
    assert b"\x3d\x28" in encoded(ds)
    assert read_header(encoded(ds), ExplicitVRLittleEndian).get_keyword("PatientName") == "Yamada^Hideki=山田^秀樹"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_every_cut_is_noticed(syntax: str) -> None:
    """Cut anywhere inside an element, the data set is refused; cut between two it is only shorter."""
    whole = encoded(instance(), syntax)
    refused = 0
    for length in range(len(whole) - 1, 8, -1):
        try:
            read_header(whole[:length], syntax)
        except UnreadableError:
            refused += 1
    assert refused > (len(whole) - 10) * 0.8
    with pytest.raises(UnreadableError):
        read_header(whole[:-1], syntax)


def test_garbage_and_the_wrong_transfer_syntax() -> None:
    for garbage in (b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\0" * 3):
        with pytest.raises(UnreadableError):
            read_header(garbage, ExplicitVRLittleEndian)
    with pytest.raises(UnreadableError):
        read_header(encoded(instance()), ExplicitVRBigEndian)


def test_deflated_and_bombs() -> None:
    def deflate(data: bytes) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(data) + packer.flush()

    ds = instance()
    deflated = deflate(encoded(ds))
    syntax = "1.2.840.10008.1.2.1.99"
    assert read_header(deflated, syntax).get_keyword("PatientID") == "P1"
    with pytest.raises(UnreadableError, match="cut off"):
        read_header(deflated[:-6], syntax)
    with pytest.raises(UnreadableError):
        read_header(b"\xff\xff\xff", syntax)


def test_nested_sequences_of_undefined_length_are_stepped_over() -> None:
    item_end, sequence_end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0), struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    head = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    inner = struct.pack("<HH2sHI", 0x0008, 0x1199, b"SQ", 0, 0xFFFFFFFF) + item + item_end + sequence_end
    sequence = head + item + inner + item_end + sequence_end
    patient = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 2) + b"P9"
    assert read_header(sequence + patient, ExplicitVRLittleEndian).get_keyword("PatientID") == "P9"
    with pytest.raises(UnreadableError):
        read_header(head + item + inner, ExplicitVRLittleEndian)
    deep = (head + item) * 5000
    with pytest.raises(UnreadableError):
        read_header(deep, ExplicitVRLittleEndian)


def test_values_are_brought_to_one_form() -> None:
    ds = instance(StudyTime="103000", SeriesNumber="1")
    data = encoded(ds).replace(b"TM\x06\x00103000", b"TM\x06\x0010:30 ").replace(b"IS\x02\x001 ", b"IS\x02\x0001", 1)
    header = read_header(data, ExplicitVRLittleEndian)
    assert header.get_keyword("StudyTime") == "1030"
    assert header.get_keyword("SeriesNumber") == "1"


@pytest.mark.parametrize("tag", sorted(header_module._WANTED_VR))
def test_plain_values_are_read_as_all_others_are(tag: int) -> None:
    """The short way gives what the long way gives, or leaves the value to it."""
    generator = random.Random(tag)
    pieces = [b"1", b"0", b"20260102", b"1997.04.21", b"10:30", b"Doe^Jane", b"Doe=^X", b" ", b"\0", b"\\", b"\x1b$B"]
    pieces += [b"\xe4", b"+7", b"-3", b"000", b"1.5", b"9" * 13, b"x" * 59, b"CT", b"1.2.840", b"\t", b"a\r\nb", b"."]
    taken = 0
    for _ in range(600):
        value = b"".join(generator.choices(pieces, k=generator.randint(0, 4)))
        plain = header_module.plain_text(tag, value)
        if plain is not None:
            taken += 1
            assert plain == header_module._text(tag, False, value, (), header_module._EXPLICIT), value
    vr = header_module._WANTED_VR[tag]
    assert bool(taken) is (vr not in ("DS", "SQ", "US", "UL", "LT", "ST", "UT"))
