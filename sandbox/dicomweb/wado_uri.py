"""WADO-URI (PS3.18 9): one instance by parameters, for viewers that do not speak WADO-RS."""

from __future__ import annotations

from flask import Flask, Response, request
from pydicom.uid import ExplicitVRLittleEndian

from sandbox.dicomweb.accept import Offer
from sandbox.dicomweb.convert import can_convert, explicit_little_endian
from sandbox.dicomweb.frames import frame_numbers
from sandbox.dicomweb.instances import check_frames, is_whole, open_instance
from sandbox.dicomweb.multipart import begun, whole_file
from sandbox.dicomweb.problems import HttpError, not_acceptable
from sandbox.dicomweb.rendered import JPEG, PNG, draw, read_drawing
from sandbox.dicomweb.retrieve import DICOM
from sandbox.dicomweb.service import Service
from sandbox.model.errors import BadInputError

_NEEDED = ("studyUID", "seriesUID", "objectUID")


def add_routes(app: Flask, service: Service) -> None:
    def view() -> Response:
        return _retrieve(service)

    app.add_url_rule(service.options.prefix + "/wado", "WADO-URI", view)


def _retrieve(service: Service) -> Response:
    asked = request.args
    if asked.get("requestType") != "WADO":
        raise BadInputError("requestType must be WADO.", "See PS3.18 9.1.2.1.1.")
    missing = [name for name in _NEEDED if not asked.get(name)]
    if missing:
        raise BadInputError(f"{missing[0]} is missing.", f"All of {', '.join(_NEEDED)} are needed.")
    (stored,) = service.stored(*(asked[name] for name in _NEEDED))
    media = _media(service)
    if not is_whole(stored):
        raise HttpError(404, "The file of this instance is gone or damaged.", "Look at the archive's directory.")
    if media == DICOM:
        wanted = asked.get("transferSyntax", str(ExplicitVRLittleEndian))
        if wanted != stored.transfer_syntax and wanted == ExplicitVRLittleEndian and can_convert(stored):
            return Response(begun(explicit_little_endian(stored)), mimetype=DICOM)
        if "transferSyntax" in asked and wanted != stored.transfer_syntax:
            raise not_acceptable(f"transferSyntax={stored.transfer_syntax}")
        return Response(begun(whole_file(stored.path)), mimetype=DICOM)
    numbers = frame_numbers(asked.get("frameNumber", "1"))
    if len(numbers) > 1:
        raise BadInputError("frameNumber names one frame.", "Leave it out for the first.")
    with open_instance(stored) as opened:
        if opened.pixels is not None:
            check_frames(opened, numbers)
    return Response(draw(stored, numbers[0], read_drawing(media, _drawing())), mimetype=media)


def _media(service: Service) -> str:
    """The contentType parameter: a list like an Accept header. JPEG is the default for images (9.1.2.1.6)."""
    wanted = request.args.get("contentType", "")
    offers = [Offer(JPEG), Offer(PNG), Offer(DICOM)]
    return service.choice(offers, f"{JPEG}, {PNG} or {DICOM}", wanted).offer.media


def _drawing() -> dict[str, str]:
    """WADO-URI's own names for the parameters of rendered resources."""
    asked = request.args
    found: dict[str, str] = {}
    if "windowCenter" in asked or "windowWidth" in asked:
        found["window"] = f"{asked.get('windowCenter', '')},{asked.get('windowWidth', '')}"
    if "rows" in asked or "columns" in asked:
        across, down = asked.get("columns", asked.get("rows", "")), asked.get("rows", asked.get("columns", ""))
        found["viewport"] = f"{across},{down}"
    if "imageQuality" in asked:
        found["quality"] = asked["imageQuality"]
    return found
