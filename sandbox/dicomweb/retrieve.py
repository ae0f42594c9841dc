"""WADO-RS (PS3.18 10.4) for whole instances, metadata and bulk data.

Instances go out as they are stored when any transfer syntax is accepted, else in Explicit VR Little Endian; one that
cannot be converted here is given as stored unless a syntax was named. Everything is sent as it is read, one instance
after the other, so that a study of any size takes the same memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from flask import Flask, Response
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from sandbox.dicom.contract import StoredObject
from sandbox.dicomweb import frames, json_model
from sandbox.dicomweb.accept import Offer
from sandbox.dicomweb.convert import can_convert, explicit_little_endian
from sandbox.dicomweb.instances import OpenInstance, is_whole, open_instance
from sandbox.dicomweb.multipart import Part, begun, file_pieces, related, whole_file
from sandbox.dicomweb.problems import HttpError, not_acceptable
from sandbox.dicomweb.queries import JSON_OFFERS, JSON_WORDS
from sandbox.dicomweb.service import Service
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError

DICOM = "application/dicom"
OCTETS = "application/octet-stream"

_BULK_PATH = re.compile(r"(?:[0-9A-F]{8}/\d{1,6}/){0,8}[0-9A-F]{8}\Z")
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8, "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8}


def add_routes(app: Flask, service: Service) -> None:
    prefix = service.options.prefix
    for path in (
        "/studies/<study>",
        "/studies/<study>/series/<series>",
        "/studies/<study>/series/<series>/instances/<instance>",
    ):
        app.add_url_rule(prefix + path, f"retrieve {path}", _instances(service))
        app.add_url_rule(f"{prefix}{path}/metadata", f"metadata {path}", _metadata(service))
    bulk = "/studies/<study>/series/<series>/instances/<instance>/bulkdata/<path:path>"
    app.add_url_rule(prefix + bulk, "bulk data", _bulk_data(service))


# -- Instances (10.4.1.1.1 to 10.4.1.1.3) -----------------------------------------------------------------------------


def _instances(service: Service) -> Callable[..., Response]:
    def view(study: str, series: str = "", instance: str = "") -> Response:
        found = service.stored(study, series, instance)
        syntaxes = frozenset(one.transfer_syntax for one in found)
        known = syntaxes | ({str(ExplicitVRLittleEndian)} if any(can_convert(one) for one in found) else set())
        offers = [Offer(DICOM, True, default="", stored="*", syntaxes=known)]
        if instance:
            offers.append(Offer(DICOM, False, default="", stored="*", syntaxes=known))
        choice = service.choice(offers, f'multipart/related; type="{DICOM}"; transfer-syntax=*')
        given = [one for one in found if is_whole(one) and _can_be(one, choice.syntax)]
        if not given:
            raise _gone()
        if not choice.offer.related:
            syntax, pieces = _encoded(given[0], choice.syntax)
            return Response(pieces, content_type=_media(DICOM, syntax))
        below = service.url(study, series) + "/instances/" if series else ""
        parts = (_part(one, below, choice.syntax) for one in given)
        # Some were given and others could not be: partial content (10.4.3.1).
        return related(parts, DICOM, 200 if len(given) == len(found) else 206)

    return view


def _gone() -> HttpError:
    return HttpError(404, "The files of these instances are gone or damaged.", "Look at the archive's directory.")


def _can_be(stored: StoredObject, syntax: str) -> bool:
    return syntax in ("", "*", stored.transfer_syntax) or (syntax == ExplicitVRLittleEndian and can_convert(stored))


def _part(stored: StoredObject, below: str, wanted: str) -> Part:
    syntax, pieces = _encoded(stored, wanted)
    return Part(_media(DICOM, syntax), below + stored.sop_instance if below else "", pieces)


def _encoded(stored: StoredObject, wanted: str) -> tuple[str, Iterator[bytes]]:
    """The transfer syntax in which an instance is given, and its Part 10 file."""
    if wanted not in ("*", stored.transfer_syntax) and can_convert(stored):
        try:
            return str(ExplicitVRLittleEndian), begun(explicit_little_endian(stored))
        except ConflictError:
            if wanted:
                raise
    return stored.transfer_syntax, whole_file(stored.path)


def _media(media: str, syntax: str) -> str:
    return f"{media}; transfer-syntax={syntax}"


# -- Metadata (10.4.1.1.4 to 10.4.1.1.6) ------------------------------------------------------------------------------


def _metadata(service: Service) -> Callable[..., Response]:
    def view(study: str, series: str = "", instance: str = "") -> Response:
        media = service.choice(JSON_OFFERS, JSON_WORDS).offer.media
        found = [one for one in service.stored(study, series, instance) if is_whole(one)]
        if not found:
            raise _gone()
        return Response(begun(_metadata_json(found, service.base_url())), mimetype=media)

    return view


def _metadata_json(found: Sequence[StoredObject], base: str) -> Iterator[bytes]:
    before = b"["
    for stored in found:
        with open_instance(stored) as instance:
            told = _with_pixels(instance, base)
        yield before + json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        before = b",\n"
    yield b"]"


def _with_pixels(instance: OpenInstance, base: str) -> json_model.JsonObject:
    header, stored = instance.header, instance.stored
    where = (
        f"{base}/studies/{header.get('StudyInstanceUID')}/series/{header.get('SeriesInstanceUID')}"
        f"/instances/{stored.sop_instance}/bulkdata/"
    )
    told = json_model.dataset_json(header, lambda path: where + path)
    # In which transfer syntax the instance is stored is for the client to know.
    told["00083002"] = json_model.element("UI", [stored.transfer_syntax])
    if instance.pixels is not None:
        tag = json_model.key(instance.pixels.tag)
        told[tag] = {"vr": instance.pixels.vr, "BulkDataURI": where + tag}
    return dict(sorted(told.items()))


# -- Bulk data (10.4.1.1.7) -------------------------------------------------------------------------------------------


def _bulk_data(service: Service) -> Callable[..., Response]:
    def view(study: str, series: str, instance: str, path: str) -> Response:
        if _BULK_PATH.match(path) is None:
            raise BadInputError("This is no address of bulk data.", "Use those that the metadata give.")
        (stored,) = service.stored(study, series, instance)
        with open_instance(stored) as opened:
            pixels = opened.pixels
            if pixels is not None and path == json_model.key(pixels.tag) and not opened.is_native:
                every = range(1, opened.frames + 1)
                return frames.frames_response(service, stored, opened, study, series, every)
        choice = service.choice([Offer(OCTETS, True), Offer(OCTETS)], f'multipart/related; type="{OCTETS}"')
        pieces = begun(_value(stored, path))
        if not choice.offer.related:
            return Response(pieces, content_type=OCTETS)
        where = service.url(study, series, instance, f"/bulkdata/{path}")
        return related([Part(OCTETS, where, pieces)], OCTETS)

    return view


def _value(stored: StoredObject, path: str) -> Iterator[bytes]:
    """The bytes of one element, in little endian."""
    with open_instance(stored) as instance:
        pixels = instance.pixels
        if pixels is not None and path == json_model.key(pixels.tag) and pixels.length is not None:
            if instance.syntax.is_little_endian:
                yield from file_pieces(instance.file, pixels.start, pixels.length)
                return
            raise not_acceptable("its frames")
        value, vr = _element(instance.header, path.split("/"))
        if not instance.syntax.is_little_endian and (size := _WORDS.get(vr)):
            value = np.frombuffer(value, f">u{size}").astype(f"<u{size}").tobytes()
        yield value


def _element(dataset: Dataset, path: list[str]) -> tuple[bytes, str]:
    tag = Tag(int(path[0], 16))
    if tag in dataset:
        if len(path) > 1:
            items = dataset[tag].value if dataset[tag].VR == "SQ" else []
            if int(path[1]) < len(items):
                return _element(items[int(path[1])], path[2:])
        elif (value := json_model.raw_bytes(dataset, tag)) is not None:
            return value, str(dataset.get_item(tag).VR or json_model.vr_of(tag))
    raise NotFoundError("The instance has no such element.", "Use the addresses that the metadata give.")
