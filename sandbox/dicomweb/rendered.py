"""Rendered images (PS3.18 10.4.1.1.3, 8.3.5): frames as JPEG or PNG, windowed, cropped and scaled as asked; thumbnails.

Drawing itself is sandbox.archive.display. The parameters are read here with everything that can be wrong with them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from flask import Flask, Response, request
from numpy.typing import NDArray
from PIL import Image

from sandbox.archive.display import AS_IT_IS, VoiFunction, Window, shown_frame
from sandbox.dicom.contract import StoredObject
from sandbox.dicomweb.accept import Offer
from sandbox.dicomweb.frames import frame_numbers
from sandbox.dicomweb.instances import check_frames, open_instance
from sandbox.dicomweb.multipart import Part, related
from sandbox.dicomweb.problems import HttpError
from sandbox.dicomweb.service import Service
from sandbox.model.errors import BadInputError, ConflictError

JPEG, PNG = "image/jpeg", "image/png"
LARGEST_VIEWPORT = 8192
"""Pixels of the longest side that an image is scaled to."""

_FORMATS: dict[str, str] = {JPEG: "JPEG", PNG: "PNG"}
_WORDS = f"{JPEG} or {PNG}"
_QUALITY = 90
_THUMBNAIL = 128
_MOST_RENDERED = 64
_FUNCTIONS = {function.value.lower().replace("_", "-"): function for function in VoiFunction}


@dataclass(frozen=True)
class Viewport:
    """Scale into ``width`` by ``height``, keeping the proportions, of the source's rectangle (left, top, width, height;
    None is all of it). A negative width or height of the source turns it over."""

    width: int
    height: int
    source: tuple[float, float, float | None, float | None] = (0, 0, None, None)


@dataclass(frozen=True)
class Drawing:
    """How a frame is to be drawn."""

    media: str
    window: Window = AS_IT_IS
    viewport: Viewport | None = None
    quality: int = _QUALITY


def add_routes(app: Flask, service: Service) -> None:
    prefix = service.options.prefix
    instance = "/studies/<study>/series/<series>/instances/<instance>"
    for path in (instance, f"{instance}/frames/<numbers>"):
        app.add_url_rule(f"{prefix}{path}/rendered", f"rendered {path}", _rendered(service))
    for path in ("/studies/<study>", "/studies/<study>/series/<series>", instance, f"{instance}/frames/<numbers>"):
        app.add_url_rule(f"{prefix}{path}/thumbnail", f"thumbnail {path}", _thumbnail(service))


def _rendered(service: Service) -> Callable[..., Response]:
    def view(study: str, series: str, instance: str, numbers: str = "1") -> Response:
        wanted = frame_numbers(numbers)
        if len(wanted) > _MOST_RENDERED:
            raise BadInputError("Too many frames are asked to be drawn at once.", f"Ask for {_MOST_RENDERED} at most.")
        (stored,) = service.stored(study, series, instance)
        many = len(wanted) > 1
        media = service.choice([Offer(JPEG, many), Offer(PNG, many)], _WORDS).offer.media
        drawing = read_drawing(media, request.args)
        with open_instance(stored) as opened:
            if opened.pixels is not None:
                check_frames(opened, wanted)
        if not many:
            return Response(draw(stored, wanted[0], drawing), mimetype=media)
        where = service.url(study, series, instance)
        return related(
            (
                Part(media, f"{where}/frames/{number}/rendered", iter((draw(stored, number, drawing),)))
                for number in wanted
            ),
            media,
        )

    return view


def _thumbnail(service: Service) -> Callable[..., Response]:
    def view(study: str, series: str = "", instance: str = "", numbers: str = "") -> Response:
        wanted = frame_numbers(numbers) if numbers else ()
        if len(wanted) > 1:
            raise BadInputError("A thumbnail is of one frame.", "Name one.")
        media = service.choice([Offer(JPEG), Offer(PNG)], _WORDS).offer.media
        asked = read_drawing(media, {name: text for name, text in request.args.items() if name == "viewport"})
        drawing = Drawing(media, viewport=asked.viewport or Viewport(_THUMBNAIL, _THUMBNAIL))
        for stored in _from_the_middle(service.stored(study, series, instance)):
            with open_instance(stored) as opened:
                if opened.pixels is None:
                    continue
                check_frames(opened, wanted)
                number = wanted[0] if wanted else (opened.frames + 1) // 2
            return Response(draw(stored, number, drawing), mimetype=media)
        raise HttpError(406, "There is no image to show.", "It may be a report or a presentation state.")

    return view


def _from_the_middle(found: tuple[StoredObject, ...]) -> Iterator[StoredObject]:
    """The one in the middle speaks for a series; then the others, should it be no image."""
    middle = len(found) // 2
    yield from found[middle:]
    yield from found[:middle]


def read_drawing(media: str, asked: Mapping[str, str]) -> Drawing:
    """The parameters of rendered resources (8.3.5.1). Raises BadInputError where they make no sense."""
    quality = asked.get("quality", str(_QUALITY))
    if not (quality.isascii() and quality.isdigit() and len(quality) <= 3 and 1 <= int(quality) <= 100):
        raise BadInputError("quality must be a whole number from 1 to 100.", "Leave it out if in doubt.")
    return Drawing(
        media=media,
        window=_window(asked["window"]) if "window" in asked else AS_IT_IS,
        viewport=_viewport(asked["viewport"]) if "viewport" in asked else None,
        quality=int(quality),
    )


def draw(stored: StoredObject, number: int, drawing: Drawing) -> bytes:
    """A frame (from 1) as the bytes of an image file. Raises HttpError 406 for what cannot be drawn."""
    try:
        pixels = shown_frame(stored.path, number - 1, drawing.window)
    except ConflictError as wrong:
        raise HttpError(406, wrong.sentence, wrong.mend) from wrong
    return encoded_image(pixels, drawing)


def encoded_image(pixels: NDArray[np.uint8], drawing: Drawing) -> bytes:
    """Pixels as they are shown, in the viewport and format that are asked."""
    image = Image.fromarray(pixels)
    if drawing.viewport is not None:
        image = _fitted(image, drawing.viewport)
    output = io.BytesIO()
    image.save(output, _FORMATS[drawing.media], quality=drawing.quality, compress_level=1)
    return output.getvalue()


def _fitted(image: Image.Image, viewport: Viewport) -> Image.Image:
    left, top, width, height = viewport.source
    width, height = image.width - left if width is None else width, image.height - top if height is None else height
    box = (int(left), int(top), int(left + abs(width)), int(top + abs(height)))
    if not (0 <= box[0] < box[2] <= image.width and 0 <= box[1] < box[3] <= image.height):
        raise BadInputError(
            "The viewport's source lies outside the image.", f"It has {image.width} by {image.height} pixels."
        )
    image = image.crop(box)
    if width < 0:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if height < 0:
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    scale = min(viewport.width / image.width, viewport.height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR)


def _window(text: str) -> Window:
    center, width, function = (*text.split(","), "", "", "")[:3]
    numbers = (_number(center), _number(width))
    named = _FUNCTIONS.get(function.strip().lower() or "linear")
    if text.count(",") not in (1, 2) or None in numbers or named is None or not numbers[1] or numbers[1] <= 0:
        raise BadInputError("This is no window.", "Write window=center,width,function, such as window=40,400,linear.")
    return Window(numbers[0], numbers[1], named)


def _viewport(text: str) -> Viewport:
    parts = text.split(",")
    numbers = [_number(part) if part.strip() else None for part in parts]
    wrong = any(number is None and part.strip() for number, part in zip(numbers, parts, strict=True))
    width, height, left, top, across, down = (*numbers, *[None] * 6)[:6]
    if wrong or len(parts) not in (2, 6) or not width or not height or min(width, height) < 1:
        raise BadInputError("This is no viewport.", "Write viewport=width,height or width,height,x,y,w,h in pixels.")
    if max(width, height) > LARGEST_VIEWPORT:
        raise BadInputError("The viewport is too large.", f"At most {LARGEST_VIEWPORT} pixels a side are drawn.")
    return Viewport(int(width), int(height), (left or 0, top or 0, across, down))


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) <= 1e9 else None
