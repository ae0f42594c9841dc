"""An instance in another transfer syntax than it is stored in: whatever is compressed decoded, nothing ever compressed.

Every element keeps its value byte for byte; only its encoding changes, and what describes the pixel data where those
are decoded. Pixel data go from file to file, frame by frame, so that an instance of any size takes little memory. What
cannot be done raises TranscodeError, in words that fit a C-STORE sub-operation's failure.
"""

from __future__ import annotations

import io
import mmap
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.filewriter import correct_ambiguous_vr_element, write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit

from sandbox.dicom.codecs import PIXEL_TAGS, PixelPlace, decode_frames, pixel_place
from sandbox.dicom.datasets import dataset_offset
from sandbox.dicom.syntaxes import can_transcode

PIECE = 1 << 20
_IN_MEMORY = 8 << 20
_LARGEST = 0xFFFFFFFE
_MOST_INFLATED = 4 << 30
_PIXEL_DATA = 0x7FE00010
_NATIVE_VR = {0x7FE00008: "OF", 0x7FE00009: "OD", _PIXEL_DATA: "OW"}
# Bytes of the words whose order big endian turns round (PS3.5 7.3).
_WORDS = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
# Says where compressed frames lie (PS3.3 C.7.6.3): nothing that an uncompressed image may have.
_OF_FRAGMENTS = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003})
# Never without loss; their colour transform belongs to the coding and is undone with it.
_LOSSY_JPEG = frozenset({str(JPEGBaseline8Bit), str(JPEGExtended12Bit)})


class TranscodeError(ValueError):
    """Why an instance cannot be had in a transfer syntax."""


def transcode(path: Path, transfer_syntax: str) -> bytes | memoryview:
    """The encoded data set of a Part 10 file in an uncompressed transfer syntax; a large one lies in an unnamed file
    that is mapped. Raises TranscodeError, or OSError where a file cannot be read or written."""
    try:
        stored = UID(str(read_file_meta_info(path).TransferSyntaxUID))
        wanted = UID(transfer_syntax)
        if not can_transcode(stored, wanted):
            raise TranscodeError(f"{stored.name} cannot be turned into {wanted.name} here")
        with ExitStack() as held:
            file: BinaryIO = held.enter_context(path.open("rb"))
            file.seek(_offset(file))
            if stored.is_deflated:
                file = held.enter_context(_inflated(file, path.parent))
            return _Transcoding(file, stored, wanted, path.parent).run()
    except (OSError, TranscodeError):
        raise
    except Exception as wrong:
        # pydicom raises many kinds of errors for bytes that are no data set; they all mean this.
        raise TranscodeError(f"its data set cannot be read: {wrong}") from wrong


@dataclass
class _Transcoding:
    """One instance on its way from ``file`` (at its data set) to bytes in ``wanted``."""

    file: BinaryIO
    stored: UID
    wanted: UID
    scratch: Path

    def run(self) -> bytes | memoryview:
        file, little = self.file, self.stored.is_little_endian
        header = read_dataset(file, self.stored.is_implicit_VR, little, stop_when=lambda tag, vr, n: tag in PIXEL_TAGS)
        place = pixel_place(file, self.stored)
        if place is None:
            return self._finished(self._encoded(header))
        self._leave(place)
        tail = read_dataset(file, self.stored.is_implicit_VR, little) if self._has_more() else Dataset()
        place, pixels = self._copied(header, place) if place.length is not None else self._decoded(header, place)
        if place.length is None or place.length > _LARGEST:
            raise TranscodeError("the uncompressed pixel data would be longer than 4 GiB (PS3.5 7.1.2)")
        return self._finished(
            self._encoded(header), self._head(place), pixels, b"\0" * (place.length % 2), self._encoded(tail)
        )

    def _leave(self, place: PixelPlace) -> None:
        """Put the file behind the pixel data."""
        if place.length is not None:
            if self.stored.is_encapsulated:
                raise TranscodeError(f"its pixel data are not compressed, though it says {self.stored.name}")
            self.file.seek(place.start + place.length)
        elif self.stored.is_encapsulated:
            self.file.seek(place.start)
            _skip_fragments(self.file)
        else:
            raise TranscodeError("its pixel data have no length")

    def _has_more(self) -> bool:
        more = bool(self.file.read(1))
        self.file.seek(-int(more), io.SEEK_CUR)
        return more

    def _encoded(self, dataset: Dataset) -> bytes:
        return _encoded(recode(dataset, self.stored, self.wanted), self.wanted)

    def _head(self, place: PixelPlace) -> bytes:
        """Tag, VR and length of the pixel data; all have a long length (PS3.5 7.1.2)."""
        order, odd = "<" if self.wanted.is_little_endian else ">", cast(int, place.length) % 2
        tag = struct.pack(order + "HH", place.tag >> 16, place.tag & 0xFFFF)
        vr = b"" if self.wanted.is_implicit_VR else struct.pack("2sH", place.vr.encode("ascii"), 0)
        return tag + vr + struct.pack(order + "I", cast(int, place.length) + odd)

    # --- pixel data --------------------------------------------------------------------------------------------------

    def _copied(self, header: Dataset, place: PixelPlace) -> tuple[PixelPlace, Iterator[bytes]]:
        """Uncompressed pixel data as they will be, and their pieces."""
        vr = _NATIVE_VR[place.tag] if self.stored.is_implicit_VR or not place.vr.isalpha() else place.vr
        word = _WORDS.get(vr, 1)
        if place.tag == _PIXEL_DATA and word == 2:
            word = max(word, int(header.get("BitsAllocated") or 16) // 8)
        turned = self.stored.is_little_endian != self.wanted.is_little_endian
        length = cast(int, place.length)

        def pieces() -> Iterator[bytes]:
            self.file.seek(place.start)
            left = length
            while left:
                piece = self.file.read(min(PIECE, left))
                if not piece:
                    raise TranscodeError("its pixel data are cut short")
                left -= len(piece)
                yield _swapped(piece, word) if turned else piece

        return PixelPlace(place.tag, vr, place.start, length), pieces()

    def _decoded(self, header: Dataset, place: PixelPlace) -> tuple[PixelPlace, Iterator[bytes]]:
        """Compressed pixel data as they will be, and their frames, decoded one at a time. The header is made to say
        what they are."""
        count = int(header.get("NumberOfFrames") or 1)
        bits = int(header.get("BitsAllocated") or 0)
        kind = _dtype(header, "<" if self.wanted.is_little_endian else ">")
        size = int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel") or 1) * kind.itemsize
        self.file.seek(place.start)
        frames = self._frames(header, kind)
        first, photometric = next(frames, (b"", ""))

        def pieces() -> Iterator[bytes]:
            found = 0
            for frame in chain((first,), (frame for frame, _ in frames)):
                found += 1
                if len(frame) != size or found > count:
                    break
                yield frame
            if found != count:
                raise TranscodeError(f"its pixel data are not the {count} frames that its header says")

        given = PixelPlace(place.tag, "OB" if bits <= 8 else "OW", place.start, size * count), pieces()
        _describe(header, photometric, str(self.stored))
        return given

    def _frames(self, header: Dataset, kind: np.dtype[np.generic]) -> Iterator[tuple[bytes, str]]:
        # A copy, since the header is changed while the frames after the first are decoded.
        frames = decode_frames(copy(header), self.file, self.stored, as_rgb=str(self.stored) in _LOSSY_JPEG)
        try:
            for pixels, now in frames:
                if pixels.dtype.itemsize > kind.itemsize:
                    raise TranscodeError("its samples have more bits than its header says")
                yield pixels.astype(kind, copy=False).tobytes(), str(now["photometric_interpretation"])
        except TranscodeError:
            raise
        except ValueError as wrong:
            raise TranscodeError(f"its pixel data cannot be decoded: {wrong}") from wrong

    # --- the result --------------------------------------------------------------------------------------------------

    def _finished(self, *parts: bytes | Iterator[bytes]) -> bytes | memoryview:
        """All parts in a row: in memory as long as they are small."""
        output: BinaryIO = io.BytesIO()
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS) if self.wanted.is_deflated else None
        for piece in _pieces(parts):
            output.write(piece if packer is None else packer.compress(piece))
            if isinstance(output, io.BytesIO) and output.tell() > _IN_MEMORY:
                # On the instance's own disk: /tmp may be memory.
                larger = cast(BinaryIO, tempfile.TemporaryFile(dir=self.scratch))  # noqa: SIM115 - mapped, then closed
                larger.write(output.getbuffer())
                output = larger
        if packer is not None:
            rest = packer.flush()
            # PS3.5 A.5: padded with a null to an even number of bytes.
            output.write(rest + b"\0" * ((output.tell() + len(rest)) % 2))
        if isinstance(output, io.BytesIO):
            return output.getvalue()
        with output:
            output.flush()
            return memoryview(mmap.mmap(output.fileno(), 0, access=mmap.ACCESS_READ))


def recode(dataset: Dataset, stored: UID, wanted: UID) -> Dataset:
    """The same elements, each value as it is on disk but for the order of its bytes, ready to be written in ``wanted``;
    a compressed icon is decoded (PS3.3 F.7)."""
    found = {tag: dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118 - iterating would parse the values
    ready = Dataset()
    for tag, element in found.items():
        if tag == _PIXEL_DATA and getattr(element, "is_undefined_length", False):
            _decode_icon(dataset, ready, stored, wanted)
        elif tag not in _OF_FRAGMENTS and not (tag.element == 0 and tag.group > 6):
            ready._dict[tag] = _recoded(dataset, element, stored, wanted)
    ready.set_original_encoding(wanted.is_implicit_VR, wanted.is_little_endian, dataset.original_character_set)
    return ready


def _recoded(
    dataset: Dataset, element: DataElement | RawDataElement, stored: UID, wanted: UID
) -> DataElement | RawDataElement:
    vr = element.VR or _vr_of(dataset, cast(RawDataElement, element))
    if vr == "SQ" or not isinstance(element, RawDataElement):
        whole = dataset[element.tag]
        if whole.VR != "SQ":
            return whole
        items = [recode(item, stored, wanted) for item in whole.value]
        sequence = DataElement(whole.tag, "SQ", Sequence(items))
        sequence.is_undefined_length = whole.is_undefined_length
        return sequence
    value = element.value or b""
    if stored.is_little_endian != wanted.is_little_endian:
        value = _swapped(value, _WORDS.get(vr, 1))
    return element._replace(
        VR=vr,
        value=value,
        length=len(value),
        is_implicit_VR=wanted.is_implicit_VR,
        is_little_endian=wanted.is_little_endian,
    )


def _vr_of(dataset: Dataset, element: RawDataElement) -> str:
    """The VR of an element that was stored without one (PS3.5 7.1.3, PS3.6); UN if nobody knows."""
    tag = BaseTag(element.tag)
    try:
        if tag.is_private_creator:
            return "LO"
        vr = private_dictionary_VR(tag, _creator(dataset, tag)) if tag.is_private else dictionary_VR(tag)
    except KeyError:
        return "UN"
    if " or " in vr:
        known = convert_raw_data_element(element._replace(VR=None), encoding="iso8859", ds=dataset)
        vr = str(correct_ambiguous_vr_element(known, dataset, element.is_little_endian).VR)
    return "OW" if vr == "OB or OW" else "US" if " or " in vr else vr


def _creator(dataset: Dataset, tag: BaseTag) -> str:
    """Who has reserved the block of a private element (PS3.5 7.8.1)."""
    reserved = tag.group << 16 | tag.element >> 8
    return str(dataset[reserved].value) if reserved in dataset else ""


def _decode_icon(item: Dataset, ready: Dataset, stored: UID, wanted: UID) -> None:
    try:
        pixels, now = next(decode_frames(item, item.PixelData, stored, as_rgb=str(stored) in _LOSSY_JPEG))
    except (ValueError, StopIteration) as wrong:
        raise TranscodeError(f"its icon cannot be decoded: {wrong}") from wrong
    kind = _dtype(item, "<" if wanted.is_little_endian else ">")
    value = pixels.astype(kind, copy=False).tobytes()
    _describe(item, str(now["photometric_interpretation"]), "")
    for keyword in ("PhotometricInterpretation", "PlanarConfiguration"):
        if keyword in item:
            ready[keyword] = item[keyword]
    ready.add_new(_PIXEL_DATA, "OB" if kind.itemsize == 1 else "OW", value + b"\0" * (len(value) % 2))


def _describe(header: Dataset, photometric: str, stored: str) -> None:
    """What decoding changes of the image pixel module (PS3.3 C.7.6.3). That it once was compressed with loss stays, and
    is said where it was not (C.7.6.1.1.5)."""
    # Its chroma have been spread out again.
    header.PhotometricInterpretation = "YBR_FULL" if photometric == "YBR_FULL_422" else photometric
    if int(header.get("SamplesPerPixel") or 1) > 1:
        header.PlanarConfiguration = 0
    if stored in _LOSSY_JPEG and not header.get("LossyImageCompression"):
        header.LossyImageCompression = "01"
    _as_raw(header)


def _as_raw(header: Dataset) -> None:
    """Written anew by us, so encoded as everything else that came from the file."""
    for keyword in ("PhotometricInterpretation", "PlanarConfiguration", "LossyImageCompression"):
        if keyword in header and not isinstance(header.get_item(keyword), RawDataElement):
            element = header[keyword]
            value = (
                struct.pack("<H", int(element.value))
                if element.VR == "US"
                else (text := str(element.value).encode("ascii")) + b" " * (len(text) % 2)
            )
            header._dict[element.tag] = RawDataElement(element.tag, element.VR, len(value), value, 0, False, True)


def _dtype(header: Dataset, order: str) -> np.dtype[np.generic]:
    """The type of one sample in memory. Single bits would have to be packed across frames: no codec has them."""
    bits = int(header.get("BitsAllocated") or 0)
    if bits not in (8, 16, 32):
        raise TranscodeError(f"its samples of {bits} bits cannot be decoded here")
    return np.dtype(f"{order}{'i' if header.get('PixelRepresentation') else 'u'}{bits // 8}")


def _encoded(dataset: Dataset, syntax: UID) -> bytes:
    buffer = io.BytesIO()
    target = DicomIO(buffer)
    target.is_implicit_VR, target.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
    write_dataset(target, dataset)
    return buffer.getvalue()


def _swapped(value: bytes, word: int) -> bytes:
    """``value`` with the bytes of each word turned round; what is left of a broken last word stays."""
    if word == 1:
        return value
    whole = len(value) - len(value) % word
    return np.frombuffer(value[:whole], dtype=f"u{word}").byteswap().tobytes() + value[whole:]


def _pieces(parts: tuple[bytes | Iterator[bytes], ...]) -> Iterator[bytes]:
    for part in parts:
        yield from (part,) if isinstance(part, bytes) else part


def _skip_fragments(file: BinaryIO) -> None:
    """Go behind the sequence delimitation item of encapsulated pixel data (PS3.5 A.4)."""
    while len(head := file.read(8)) == 8:
        group, element, length = struct.unpack("<HHI", head)
        if (group, element) == (0xFFFE, 0xE0DD):
            return
        if (group, element) != (0xFFFE, 0xE000):
            raise TranscodeError("its pixel data are not made of fragments")
        file.seek(length, io.SEEK_CUR)


def _offset(file: BinaryIO) -> int:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
        return dataset_offset(view)


def _inflated(file: BinaryIO, scratch: Path) -> BinaryIO:
    """A deflated data set (PS3.5 A.5) in an unnamed file."""
    inflated = cast(BinaryIO, tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115 - held by the caller
    try:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        while piece := file.read(PIECE):
            while piece:
                inflated.write(stream.decompress(piece, PIECE))
                piece = stream.unconsumed_tail
                if inflated.tell() > _MOST_INFLATED:
                    raise TranscodeError("it inflates to more than 4 GiB")
        inflated.seek(0)
    except BaseException:
        inflated.close()
        raise
    return inflated
