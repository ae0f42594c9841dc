"""WADO-RS frames (PS3.18 10.4.1.1.6): pixel data frame by frame, uncompressed or as they are stored.

What a compressed frame is called is the table of 8.7.3.3; uncompressed ones are octets in little endian.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flask import Flask, Response
from pydicom.uid import ExplicitVRLittleEndian

from sandbox.dicom.codecs import can_decode
from sandbox.dicom.contract import StoredObject
from sandbox.dicomweb.accept import Choice, Offer
from sandbox.dicomweb.instances import (
    OpenInstance,
    check_frames,
    encoded_frames,
    open_instance,
    plain_frames,
)
from sandbox.dicomweb.multipart import Part, begun, related
from sandbox.dicomweb.service import Service
from sandbox.model.errors import BadInputError

OCTETS = "application/octet-stream"
MOST_FRAMES = 100_000

_JPEG, _JPEG_LS, _JPEG_2000, _JPX, _HTJ2K, _JPEG_XL = (
    "image/jpeg",
    "image/jls",
    "image/jp2",
    "image/jpx",
    "image/jphc",
    "image/jxl",
)
_MPEG2, _MPEG4 = "video/mpeg", "video/mp4"
_COMPRESSED = "1.2.840.10008.1.2."

MEDIA_TYPES: dict[str, str] = {
    _COMPRESSED + suffix: media
    for media, suffixes in {
        _JPEG: "4.50 4.51 4.57 4.70",
        "image/dicom-rle": "5",
        _JPEG_LS: "4.80 4.81",
        _JPEG_2000: "4.90 4.91",
        _JPX: "4.92 4.93",
        _HTJ2K: "4.201 4.202 4.203",
        _JPEG_XL: "4.110 4.111 4.112",
        _MPEG2: "4.100 4.100.1 4.101 4.101.1",
        _MPEG4: "4.102 4.102.1 4.103 4.103.1 4.104 4.104.1 4.105 4.105.1 4.106 4.106.1 4.107 4.108",
    }.items()
    for suffix in suffixes.split()
}
"""The media type of a frame in each compressed transfer syntax that has one (Table 8.7.3-5)."""


def add_routes(app: Flask, service: Service) -> None:
    path = "/studies/<study>/series/<series>/instances/<instance>/frames/<numbers>"
    app.add_url_rule(service.options.prefix + path, "frames", _frames(service))


def _frames(service: Service) -> Callable[..., Response]:
    def view(study: str, series: str, instance: str, numbers: str) -> Response:
        wanted = frame_numbers(numbers)
        (stored,) = service.stored(study, series, instance)
        with open_instance(stored) as opened:
            return frames_response(service, stored, opened, study, series, wanted)

    return view


def frame_numbers(text: str) -> tuple[int, ...]:
    """A list of frame numbers, from 1. Raises BadInputError for what is none."""
    found = text.split(",")
    if len(found) > MOST_FRAMES or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in found):
        raise BadInputError(f"{text[:80]!r} is no list of frames.", "Write it as 1,2,3.")
    numbers = tuple(int(part) for part in found)
    if 0 in numbers:
        raise BadInputError("There is no frame 0.", "The first frame is 1.")
    return numbers


def frames_response(
    service: Service, stored: StoredObject, opened: OpenInstance, study: str, series: str, numbers: Sequence[int]
) -> Response:
    """Frames of an open instance in the form that the request accepts. The file is opened again to be read."""
    check_frames(opened, numbers)
    choice = service.choice(
        frame_offers(stored, opened, single=len(numbers) == 1),
        f'multipart/related; type="{OCTETS}" or the media type of {opened.syntax.name}, transfer-syntax=*',
    )
    encoded = not opened.is_native and choice.syntax == opened.syntax
    if not choice.offer.related:
        pieces = begun(piece for frame in _bytes_of(stored, numbers, encoded) for piece in frame)
        return Response(pieces, content_type=_content_type(choice, opened))
    where = service.url(study, series, stored.sop_instance)
    parts = (
        Part(_content_type(choice, opened), f"{where}/frames/{number}", frame)
        for number, frame in zip(numbers, _bytes_of(stored, numbers, encoded), strict=True)
    )
    return related(parts, choice.offer.media)


def frame_offers(stored: StoredObject, opened: OpenInstance, *, single: bool) -> list[Offer]:
    """How frames can be given: octets first, uncompressed where that can be done, and the stored form under its own
    name. One frame alone may also be asked without multipart."""
    syntax, plain = str(opened.syntax), str(ExplicitVRLittleEndian)
    offers: list[Offer] = []
    if opened.is_native:
        offers.append(Offer(OCTETS, True, plain, plain, frozenset({plain, syntax, stored.transfer_syntax})))
    else:
        if can_decode(syntax):
            offers.append(Offer(OCTETS, True, plain, syntax, frozenset({plain, syntax})))
        if media := MEDIA_TYPES.get(syntax):
            offers.append(Offer(media, True, syntax, syntax, frozenset({syntax})))
        if not can_decode(syntax):
            offers.append(_only_by_name(OCTETS, syntax))
    if single:
        offers += [Offer(one.media, False, one.default, one.stored, one.syntaxes) for one in offers]
    return offers


def _only_by_name(media: str, syntax: str) -> Offer:
    """Octets that are no pixels until they are decoded are given only to one who asks for their transfer syntax."""
    return Offer(media, True, None, syntax, frozenset({syntax}))


def _content_type(choice: Choice, opened: OpenInstance) -> str:
    syntax = str(ExplicitVRLittleEndian) if opened.is_native else choice.syntax
    return f"{choice.offer.media}; transfer-syntax={syntax}"


def _bytes_of(stored: StoredObject, numbers: Sequence[int], encoded: bool) -> Iterator[Iterator[bytes]]:
    with open_instance(stored) as instance:
        if encoded:
            for frame in encoded_frames(instance, numbers):
                yield iter((frame,))
        else:
            yield from plain_frames(instance, numbers)
