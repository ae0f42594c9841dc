"""Which representation a client wants (PS3.18 8.7, RFC 9110 12.5.1): Accept headers against what can be given.

An offer is a media type, alone or as the parts of multipart/related, in the transfer syntaxes in which it can be had.
The most specific range that fits an offer gives its quality; the best offer wins, the earlier one among equals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.model.errors import BadInputError

ANY_SYNTAX = "*"
RELATED = "multipart/related"

_MOST = 100
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - the grammar's name for it
_MEDIA = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*\Z")
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+))\s*\Z')
_OUTSIDE_QUOTES = {mark: re.compile(rf'(?:[^{mark}"]|"(?:[^"\\]|\\.)*")+') for mark in (",", ";")}


@dataclass(frozen=True)
class MediaRange:
    """One element of an Accept header, or a Content-Type. Names are in lower case."""

    media: str
    parameters: Mapping[str, str]
    quality: float = 1.0

    @property
    def part(self) -> str:
        """The media type of the parts of a multipart/related."""
        return self.parameters.get("type", "*/*").lower()


@dataclass(frozen=True)
class Offer:
    """A representation that can be given. ``related``: as parts of multipart/related. ``default`` is the transfer
    syntax when none is asked (None: one must be), ``stored`` when any is, ``syntaxes`` all that may be asked by name.
    """

    media: str
    related: bool = False
    default: str | None = ""
    stored: str = ""
    syntaxes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Choice:
    """What a client gets: an offer, in a transfer syntax (empty if it has none)."""

    offer: Offer
    syntax: str


def parse_media(text: str) -> MediaRange:
    """A media type with its parameters. Raises BadInputError if it is none."""
    first, *rest = _OUTSIDE_QUOTES[";"].findall(text) or [""]
    named = _MEDIA.match(first)
    if named is None:
        raise BadInputError(f"{text[:80]!r} is no media type.", "Write it as type/subtype; name=value.")
    parameters: dict[str, str] = {}
    for part in rest:
        found = _PARAMETER.match(part)
        if found is not None:
            name, quoted, plain = found.groups()
            parameters[name.lower()] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        elif part.strip():
            raise BadInputError(f"{part.strip()[:80]!r} is no parameter of a media type.", "Write it as name=value.")
    try:
        quality = min(max(float(parameters.pop("q", "1")), 0.0), 1.0)
    except ValueError:
        raise BadInputError("A quality in the Accept header is no number.", "Write it as q=0.5.") from None
    return MediaRange(f"{named[1]}/{named[2]}".lower(), parameters, quality)


def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """The ranges of an Accept header; none at all accepts everything."""
    texts = [text for text in _OUTSIDE_QUOTES[","].findall(header) if text.strip()]
    if len(texts) > _MOST:
        raise BadInputError("The Accept header is too long.", f"At most {_MOST} media types are read.")
    return tuple(parse_media(text) for text in texts) or (MediaRange("*/*", {}),)


def choose(accepted: Sequence[MediaRange], offers: Sequence[Offer]) -> Choice | None:
    """The best of ``offers`` for one who accepts ``accepted``, or None."""
    best: tuple[float, Choice] | None = None
    for offer in offers:
        fitting = sorted(_fitting(accepted, offer), key=lambda fit: fit[:2], reverse=True)
        # The most specific range decides, also when it says no; among equals the one with the highest quality.
        if fitting and fitting[0][1] > 0 and (best is None or fitting[0][1] > best[0]):
            best = (fitting[0][1], Choice(offer, fitting[0][2]))
    return None if best is None else best[1]


def _fitting(accepted: Sequence[MediaRange], offer: Offer) -> Iterator[tuple[int, float, str]]:
    """Specificity, quality and transfer syntax of each range that takes ``offer``."""
    for one in accepted:
        specificity = _specificity(one, offer)
        syntax = _syntax(one.parameters.get("transfer-syntax", ""), offer)
        if specificity is not None and syntax is not None:
            yield specificity, one.quality, syntax


def _specificity(wanted: MediaRange, offer: Offer) -> int | None:
    if wanted.media == "*/*":
        return 0
    if wanted.media in (RELATED, "multipart/*"):
        inner = _covers(wanted.part, offer.media) if offer.related else None
        return None if inner is None else inner + 1
    covered = None if offer.related else _covers(wanted.media, offer.media)
    return None if covered is None else covered + 1


def _covers(pattern: str, media: str) -> int | None:
    if pattern == media:
        return 2
    kind, _, subtype = pattern.partition("/")
    if subtype == "*" and kind in ("*", media.partition("/")[0]):
        return 0 if kind == "*" else 1
    return None


def _syntax(asked: str, offer: Offer) -> str | None:
    if not asked:
        return offer.default
    if asked == ANY_SYNTAX:
        return offer.stored
    return asked if asked in offer.syntaxes else None
