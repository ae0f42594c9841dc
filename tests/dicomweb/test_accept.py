"""Accept headers against what can be given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dicomweb.accept import Choice, Offer, choose, parse_accept, parse_media
from sandbox.model.errors import BadInputError

EXPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"
OCTETS = Offer("application/octet-stream", True, EXPLICIT, JPEG, frozenset({EXPLICIT, JPEG}))
PICTURE = Offer("image/jpeg", True, JPEG, JPEG, frozenset({JPEG}))
ALONE = Offer("image/jpeg", False, JPEG, JPEG, frozenset({JPEG}))
UNNAMED = Offer("application/octet-stream", True, None, JPEG, frozenset({JPEG}))
ALL = (OCTETS, PICTURE, ALONE)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", Choice(OCTETS, EXPLICIT)),
        ("*/*", Choice(OCTETS, EXPLICIT)),
        ("multipart/related", Choice(OCTETS, EXPLICIT)),
        ('multipart/related; type="application/octet-stream"', Choice(OCTETS, EXPLICIT)),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", Choice(OCTETS, JPEG)),
        ('Multipart/Related; Type="Image/JPEG"', Choice(PICTURE, JPEG)),
        ('multipart/related; type="image/*"', Choice(PICTURE, JPEG)),
        ("image/jpeg", Choice(ALONE, JPEG)),
        ("image/*;q=0.5", Choice(ALONE, JPEG)),
        ('multipart/related; type="image/jpeg"; q=0.5, multipart/related; q=0.1', Choice(PICTURE, JPEG)),
        ("image/jpeg; q=0.2, */*; q=0.1", Choice(ALONE, JPEG)),
        ('*/*, multipart/related; type="application/octet-stream"; q=0', Choice(PICTURE, JPEG)),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={JPEG}', Choice(PICTURE, JPEG)),
        ('multipart/related; type="image/jp2"', None),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={EXPLICIT}', None),
        ("text/html", None),
        ("*/*; q=0", None),
    ],
)
def test_the_best_offer_wins(header: str, chosen: Choice | None) -> None:
    assert choose(parse_accept(header), ALL) == chosen


def test_an_offer_without_a_default_is_given_only_by_name() -> None:
    assert choose(parse_accept("*/*"), [UNNAMED]) is None
    assert choose(parse_accept("multipart/related; transfer-syntax=*"), [UNNAMED]) == Choice(UNNAMED, JPEG)


def test_quoted_commas_and_semicolons_belong_to_the_value() -> None:
    (one,) = parse_accept(r'text/x; a="b,c;d\"e"; q=0.25')
    assert one.parameters == {"a": 'b,c;d"e'}
    assert one.quality == 0.25


@pytest.mark.parametrize(
    "header", ["nonsense", "a/b; =c", "a/b; q=high", "a/b; c", "a/*b /c", ", ".join(["a/b"] * 101)]
)
def test_what_is_no_accept_header_is_told(header: str) -> None:
    with pytest.raises(BadInputError):
        parse_accept(header)


@given(st.text(max_size=200))
def test_no_header_breaks_it(header: str) -> None:
    try:
        choose(parse_accept(header), ALL)
        parse_media(header)
    except BadInputError:
        pass
